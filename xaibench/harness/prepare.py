"""Puts a run together: plugins, dataset, model, cases and targets, each from what the spec names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from xaibench.api import (
    Case,
    Classifier,
    Conceptual,
    Dataset,
    Folds,
    LoadedModel,
    Progress,
    Verifiable,
    XaibenchError,
)
from xaibench.harness import keys, registry
from xaibench.harness.cohort import Cohort, assumed_order, build_cohort, in_the_order_of, intensity_of
from xaibench.harness.concepts import Concepts, concepts_key, read_concepts
from xaibench.harness.configured import (
    Configured,
    check_parameters,
    configure,
    find_source,
    load_model,
    open_sources,
)
from xaibench.harness.describe import Setting, Sources, describe
from xaibench.harness.given import question
from xaibench.harness.pixel_notes import chance_notes, range_notes
from xaibench.harness.preprocessing import image_range, preprocessing_of, with_preprocessing
from xaibench.harness.spec import RunSpec
from xaibench.harness.store.run_info import RunInfo
from xaibench.harness.targets import explained_classes, one_case_a_class

VERIFIED = 16
"""Images of the cohort on which a model's own output is compared with ours."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """Everything that cells need, and the description of it for run.json."""

    info: RunInfo
    cases: Mapping[str, Case]
    targets: Mapping[str, int]
    """Explained class of each case."""
    folds: Folds
    methods: Mapping[str, Configured]
    metrics: Mapping[str, Configured]
    model: LoadedModel
    concepts: Concepts
    """Images of concepts, where a method asks for them."""
    sentences: list[str] = field(default_factory=list)
    """What the reader must be told before the run starts."""

    def classifier_of(self, case: Case) -> Classifier:
        """Classifier that may explain a case."""
        return self.folds.classifiers[self.folds.of[case.patient]]


def prepare(
    spec: RunSpec, progress: Progress, sources: Sources | None = None, given: Sequence[Configured] = ()
) -> Prepared:
    """Load, train or make what the spec names. Raises XaibenchError in one sentence for what does not fit.

    `sources` stand in for the spec's dataset and model, for callers that have them in memory; `given` are methods
    beside those of the spec.
    """
    methods, metrics, problems = choose_plugins(spec)
    methods = [*methods, *given]
    sources = as_declared(sources or open_all(spec, progress), spec)
    cohort = build_cohort(sources.dataset, sources.dataset_name, spec, sources.model)
    cohort = in_the_order_of(sources.model.class_names, cohort)
    cohort, setting = set_up(spec, cohort, sources.model)
    concepts = read_concepts(sources.concepts, sources.model, intensity_of(spec, sources.model), methods)
    info = describe(spec, sources, cohort, setting, methods, metrics, concepts_key(concepts))
    answer_questions(given, cohort, setting, spec.seed)
    return Prepared(
        info=info.model_copy(update={"problems": tuple(problems)}),
        cases={case.id: case for case in cohort.cases},
        targets=setting.targets,
        folds=setting.folds,
        methods={method.name: method for method in methods},
        metrics={metric.name: metric for metric in metrics},
        model=sources.model,
        concepts=concepts,
        sentences=[*problems, *cohort.notes],
    )


def set_up(spec: RunSpec, cohort: Cohort, model: LoadedModel) -> tuple[Cohort, Setting]:
    """Settle who explains which case for which class; a case that has several becomes several.

    What the reader must know of that joins the cohort's notes.
    """
    held_out, notes = model.held_out(cohort.matches)
    folds = Folds(model.classifiers, {name: match.classifier for name, match in cohort.matches.items()})
    notes = [*notes, *verify(folds, cohort.cases)]
    scores = {
        case.id: folds.classifiers[folds.of[case.patient]].remembered_scores(case.image)
        for case in cohort.cases
    }
    intensity = intensity_of(spec, model)
    declared = preprocessing_of(spec, intensity)
    notes += range_notes(cohort.cases, declared, image_range(spec, intensity))
    notes += chance_notes(cohort, model, scores, declared)
    cohort.notes.extend([*notes, *assumed_order(model, cohort, scores)])
    exclusive = model.classifiers[0].exclusive
    chosen = explained_classes(spec.target, cohort, model.class_names, exclusive, scores)
    cohort, targets, copies = one_case_a_class(cohort, chosen)
    of_copies = {name: scores[copies.get(name, name)] for name in targets}
    return cohort, Setting(folds, of_copies, targets, held_out, copies)


def answer_questions(given: Sequence[Configured], cohort: Cohort, setting: Setting, seed: int) -> None:
    """Tell methods whose maps were made elsewhere what each map answers in this run."""
    if given and setting.copies:
        raise XaibenchError(
            "Each heatmap explains one class, but --target asks for several of a case; give one class."
        )
    for method in given:
        for case in cohort.cases:
            classifier = setting.folds.classifiers[setting.folds.of[case.patient]]
            draws = keys.draw_seed(seed, method.name, case.id)
            asked = question(classifier, case.image, setting.targets[case.id], draws)
            method.made.questions[asked] = method.made.maps[case.id]


def choose_plugins(spec: RunSpec) -> tuple[list[Configured], list[Configured], list[str]]:
    """Methods and metrics of a spec, and sentences on broken ones; a misspelt name is told at once."""
    methods, broken_methods = registry.select("methods", spec.methods)
    metrics, broken_metrics = registry.select("metrics", spec.metrics)
    check_parameters(spec, [plugin.name for plugin in (*methods, *metrics)])
    made = [[configure(plugin, spec) for plugin in plugins] for plugins in (methods, metrics)]
    return made[0], made[1], [*broken_methods, *broken_metrics]


def check_names(spec: RunSpec) -> None:
    """Tell a misspelt name or option before anything slow is imported, read or trained."""
    choose_plugins(spec)
    open_sources(spec)


def open_all(spec: RunSpec, progress: Progress) -> Sources:
    """Open the dataset and the model that a spec names."""
    dataset_source, model_source = open_sources(spec)
    dataset = dataset_source.make(spec.options)
    concepts = concepts_of(spec, dataset)
    model = load_model(model_source, spec.options, dataset, progress)
    return Sources(dataset, dataset_source.shown, model, concepts)


def concepts_of(spec: RunSpec, dataset: Dataset) -> Dataset | None:
    """Open the cohort of concepts that a spec names, or the dataset's own."""
    if spec.concepts is not None:
        opened: Dataset = find_source(["datasets"], spec.concepts).make({})
        return opened
    return dataset.concepts() if isinstance(dataset, Conceptual) else None


def as_declared(sources: Sources, spec: RunSpec) -> Sources:
    """Sources whose model is given images, and has names of its outputs, as the spec declares."""
    declared = preprocessing_of(spec, intensity_of(spec, sources.model))
    model = with_preprocessing(sources.model, declared)
    return with_names(replace(sources, model=model), spec)


def with_names(sources: Sources, spec: RunSpec) -> Sources:
    """Sources whose model has the names that the spec gives its outputs. Raises XaibenchError for a wrong number."""
    if spec.classes is None:
        return sources
    names = tuple(name.strip() for name in spec.classes.split(","))
    outputs = sources.model.classifiers[0].n_classes
    if len(names) != outputs or len(set(names)) != outputs:
        raise XaibenchError(
            f"--classes gives {len(names)} names, but the model has {outputs} classes; name each once."
        )
    return replace(sources, model=replace(sources.model, class_names=names))


def verify(folds: Folds, cases: Sequence[Case]) -> list[str]:
    """Compare each classifier's scores with its model's own output on images of the cohort."""
    notes: dict[str, None] = {}
    for number, classifier in enumerate(folds.classifiers):
        images = [case.image for case in cases if folds.of[case.patient] == number][:VERIFIED]
        if images and isinstance(classifier, Verifiable):
            notes |= dict.fromkeys(classifier.verify(np.stack(images)))
    return list(notes)
