"""What a run knows of the items of CLAIM 2024."""

from collections.abc import Callable, Mapping

from xaibench.api import Family, HeldOut
from xaibench.reports.checklists import facts
from xaibench.reports.pages.appendix import provenance
from xaibench.reports.scoring.groups import is_right
from xaibench.reports.scoring.performance import Performance
from xaibench.reports.scoring.results import Results
from xaibench.reports.text import listed, plural

Answer = Callable[[Results], str]
"""What a run says on an item; empty where it knows nothing."""
TITLE_OF_TRAINING = "Training"


def _goal(run: Results) -> str:
    info = run.info
    return (
        f"Comparison of {plural(len(info.competitors()), 'explainer')} of one classifier, beside "
        f"{plural(len(info.controls()), 'control')}, by {plural(len(info.metrics), 'metric')}."
    )


def _source(run: Results) -> str:
    cohort = run.info.cohort
    return f"Cohort {cohort.name}, read from {run.info.spec.get('dataset')}; fingerprint {cohort.key}."


def _notes(run: Results) -> str:
    return " ".join(run.info.cohort.notes)


def _preprocessing(run: Results) -> str:
    return (
        f"{facts.reading(run.info)}; input of the model {' x '.join(map(str, run.info.model.input_shape))}."
    )


def _subsets(run: Results) -> str:
    most = run.info.spec.get("patients")
    limit = f"at most {plural(most, 'patient')}" if most else "all patients that could be read"
    return f"{limit}; slices: {run.info.spec.get('slices')}; preset {run.info.spec.get('preset')}."


def _deidentification(run: Results) -> str:
    return "Patients are named by pseudonyms throughout the run folder."


def _missing(run: Results) -> str:
    return (
        f"{facts.gaps(run.records)}; each is kept with its reason. Explainers are ranked by a metric over the images "
        "that all of them have; one that misses more than a tenth is shown, not ranked."
    )


def _annotated(run: Results) -> str:
    return f"{facts.annotated(run.info)}."


def _partitions(run: Results) -> str:
    folds = {case.fold for case in run.info.cohort.cases} - {None}
    by_fold = f"; {len(folds)} fold models, each image explained by one of them" if folds else ""
    return f"Patients of this cohort in the training of the model: {run.info.model.held_out.value}{by_fold}."


def _disjoint(run: Results) -> str:
    held_out = run.info.model.held_out is HeldOut.YES
    return (
        "Patients: none who is explained was in the training of the model that is explained."
        if held_out
        else ""
    )


def _size(run: Results) -> str:
    return f"{facts.cohort(run.info)}."


def _model(run: Results) -> str:
    return f"{facts.model(run.info)}; fingerprint {run.info.model.key}."


def _software(run: Results) -> str:
    return f"{facts.software(run.info)}."


def _training(run: Results) -> str:
    tables = [table for table in provenance(run.info) if table.caption == TITLE_OF_TRAINING]
    return "; ".join(": ".join(row) for table in tables for row in table.rows)


def _metrics(run: Results) -> str:
    return (
        f"Of the model: accuracy and sensitivity of each class. Of the explainers: {facts.metrics(run.info)}."
    )


def _statistics(run: Results) -> str:
    return facts.STATISTICS


def _robustness(run: Results) -> str:
    found = facts.metrics(run.info, [Family.ROBUSTNESS, Family.RANDOMISATION])
    return f"Of the explanations: {found}." if found else ""


def _explainability(run: Results) -> str:
    info = run.info
    controls = listed(info.controls()) or "none"
    return f"{facts.explainers(info)}. Validated by {facts.metrics(info)}; controls: {controls}."


def _performance(run: Results) -> str:
    found: Performance | None = run.performance
    if found is None:
        return ""
    classes = "; ".join(f"{name}: {facts.share(share)}" for name, share in found.by_class().items())
    return f"Accuracy over patients: {facts.share(found.accuracy)}. Called right, by class: {classes}."


def _internal(run: Results) -> str:
    performance = _performance(run)
    return f"{performance} Patients: {run.info.model.held_out.value}." if performance else ""


def _numbers(run: Results) -> str:
    return f"{facts.cohort(run.info)}. {_notes(run)}".strip()


def _characteristics(run: Results) -> str:
    return f"{facts.cohort(run.info)}; {facts.annotated(run.info)}."


def _wrong(run: Results) -> str:
    wrong = sorted({case.patient for case in run.info.cohort.cases if case.labels and not is_right(case)})
    named = f": {', '.join(wrong)}" if wrong else ""
    return (
        f"{plural(len(wrong), 'patient')} with a misclassified image{named}. In scores.csv, co-localisation stands "
        "apart for right and wrong predictions."
    )


def _protocol(run: Results) -> str:
    return f"`run.json` holds all settings, parameters, hashes of code, and the seed ({run.info.spec.get('seed')})."


def _availability(run: Results) -> str:
    return f"Software: {facts.packages(run.info)}; xaibench is under the Apache licence 2.0."


ANSWERS: Mapping[int, Answer] = {
    **{6: _goal, 7: _source, 8: _notes, 9: _preprocessing, 10: _subsets, 11: _deidentification, 12: _missing},
    **{14: _annotated, 17: _annotated, 19: _partitions, 20: _disjoint, 21: _size, 22: _model, 23: _software},
    **{25: _training, 28: _metrics, 29: _statistics, 30: _robustness, 31: _explainability, 32: _internal},
    **{35: _numbers, 36: _characteristics, 37: _performance, 38: _performance, 39: _wrong},
    **{42: _protocol, 43: _availability},
}
