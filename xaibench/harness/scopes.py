"""What a cell scores, by the scope of its unit: a case's heatmap, a batch of cases, a class of the cohort."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from xaibench.api import (
    Case,
    CohortExplainer,
    CohortExplanation,
    Explanation,
    Heatmap,
    Heatmaps,
    Measurement,
    Need,
    NotApplicable,
    Status,
)
from xaibench.harness import keys
from xaibench.harness.again import ExplainAgain
from xaibench.harness.cells import Unit
from xaibench.harness.configured import Configured
from xaibench.harness.explaining import Asked, Fits, answer, explain_alone, read_only, regions_of, require
from xaibench.harness.limits import CouldNotLearnError, Failure
from xaibench.harness.prepare import Prepared

Kept = Callable[[str, str], Explanation | None]
"""Gives the explanation of a method and a case that the run folder holds, if it holds one."""


@dataclass(frozen=True, eq=False)
class Context:
    """What every cell of a worker shares."""

    prepared: Prepared
    fits: Fits
    kept: Kept
    cohort_kept: Callable[[str], Mapping[int, CohortExplanation] | None]
    fresh: bool = False
    """Whether the process has done nothing before this cell, and does nothing after it."""
    warm: set[tuple[str, int]] = field(default_factory=set)
    """Methods and classifiers (by number) that have run together in this process, so that nothing is traced again."""
    answers: dict[str, np.ndarray] = field(default_factory=dict)
    """Class probabilities of cases, as the model answered the first time."""
    label_maps: dict[tuple[str, str, int], Heatmap] = field(default_factory=dict)
    """Maps by method, case and class that explanations of the cohort are made of."""

    def case(self, name: str) -> Case:
        """Case of a name, its arrays read-only: it is shared by all methods and metrics."""
        case = self.prepared.cases[name]
        region = None if case.region is None else read_only(case.region)
        return replace(case, image=read_only(case.image), region=region)

    def target(self, name: str) -> int:
        """Explained class of a case."""
        return self.prepared.targets[name]

    def asked(self, method: Configured, cases: list[Case], targets: list[int]) -> Asked:
        """Cases of one classifier as a method is asked to explain them."""
        number = self.prepared.folds.of[cases[0].patient]
        classifier = self.prepared.folds.classifiers[number]
        require(method, classifier, cases[0].image.ndim - 1)
        fitted = self.fits.get((method.name, number), {})
        if isinstance(fitted, Failure):
            raise _not_learnt(fitted)
        seed = self.prepared.info.spec["seed"]
        return Asked(
            classifier,
            images=np.stack([case.image for case in cases]),
            targets=np.array(targets),
            seeds=np.array([keys.draw_seed(seed, method.name, case.id) for case in cases]),
            regions=regions_of(cases),
            fitted=fitted,
        )


def _not_learnt(failure: Failure) -> Exception:
    reason = f"it could not learn from the training cases: {failure.reason}"
    return NotApplicable(reason) if failure.status is Status.NOT_APPLICABLE else CouldNotLearnError(reason)


# ---------------------------------------------------------------- one case


def explain_case(context: Context, method: Configured, unit: Unit) -> Explanation:
    """Return the kept explanation of a case, or a new one, made alone after the method has run once."""
    kept = context.kept(method.name, unit.id)
    if kept is not None:
        return replace(kept, heatmap=read_only(kept.heatmap))
    case = context.case(unit.id)
    asked = context.asked(method, [case], [context.target(unit.id)])
    warm_up(context, method, case)
    return explain_alone(method, asked)


def warm_up(context: Context, method: Configured, case: Case) -> None:
    """Let a method's first call on a classifier trace and import, so that no latency contains it."""
    key = method.name, context.prepared.folds.of[case.patient]
    if key not in context.warm:
        answer(method, context.asked(method, [case], [context.target(case.id)]))
        context.warm.add(key)


def score_case(
    context: Context, method: Configured, unit: Unit, explanation: Explanation
) -> Callable[[Configured], Measurement]:
    """Return what scores a heatmap by a metric; metrics of one cell share what they explain again."""
    case = context.case(unit.id)
    asked = context.asked(method, [case], [explanation.target])
    again = ExplainAgain(asked, lambda changed: answer(method, changed).heatmaps)

    def score(metric: Configured) -> Measurement:
        made: Any = metric.made(asked.classifier, case, explanation, again)
        return measured(made)

    return score


def measured(made: Any) -> Measurement:
    """Refuse what a metric may not return."""
    if not isinstance(made, Measurement):
        raise TypeError(f"the metric returned {type(made).__name__}, no Measurement")
    value = float(made.value)
    details = {name: float(figure) for name, figure in made.details.items()}
    if not np.isfinite([value, *details.values()]).all():
        raise ValueError("the metric gave NaN or an infinite value")
    return Measurement(value, details)


# ---------------------------------------------------------------- several cases


def score_batch(context: Context, method: Configured, unit: Unit) -> Callable[[Configured], Measurement]:
    """Return what scores a method over several cases, each explained by its own classifier."""
    cases = [context.case(name) for name in unit.cases]
    for case in cases:
        if context.fresh:
            context.prepared.classifier_of(case).scores(
                case.image
            )  # the model itself, and nothing else, is warm
        else:
            warm_up(context, method, case)

    def explain(cases: list[Case]) -> Heatmaps:
        return explain_together(context, method, cases)

    def score(metric: Configured) -> Measurement:
        if Need.FRESH_PROCESS in metric.needs and not context.fresh:
            raise NotApplicable("it is measured in a process of its own, which needs --workers 1 or more")
        return measured(metric.made.score_batch(cases, explain))

    return score


def explain_together(context: Context, method: Configured, cases: list[Case]) -> Heatmaps:
    """Explain cases in one batch a classifier."""
    of = context.prepared.folds.of
    heatmaps = np.empty((len(cases), *cases[0].image.shape[:-1]), np.float32)
    for number in sorted({of[case.patient] for case in cases}):
        rows = [row for row, case in enumerate(cases) if of[case.patient] == number]
        own = [cases[row] for row in rows]
        asked = context.asked(method, own, [context.target(case.id) for case in own])
        heatmaps[rows] = answer(method, asked).heatmaps
    return heatmaps


# ---------------------------------------------------------------- a class


def explain_classes(context: Context, method: Configured, unit: Unit) -> dict[int, CohortExplanation]:
    """Explanations of all classes at once; their sources count the cases of the unit."""
    if not isinstance(method.made, CohortExplainer):
        raise NotApplicable("the method explains single images, not a cohort")
    if unit.label is not None and unit.label >= context.prepared.folds.classifiers[0].n_classes:
        raise NotApplicable(f"no class of the model stands for label {unit.label}")
    kept = context.cohort_kept(method.name)
    return dict(kept) if kept is not None else explain_cohort(context, method, _cases(context, unit))


def explain_cohort(context: Context, method: Configured, cases: list[Case]) -> dict[int, CohortExplanation]:
    """Explain cases, which may be changed ones, as a cohort, from maps that are each made once."""
    maps = np.stack([label_map(context, method, case) for case in cases])
    explanations: dict[int, CohortExplanation] = method.made.explain_cohort(cases, maps)
    return explanations


def label_map(context: Context, method: Configured, case: Case) -> Heatmap:
    """Heatmap of a case for its label, by the model that never saw the patient; made once."""
    key = method.name, case.id, case.label
    if key not in context.label_maps:
        kept = context.kept(method.name, case.id) if case.label == context.target(case.id) else None
        context.label_maps[key] = (
            kept.heatmap if kept else answer(method, context.asked(method, [case], [case.label])).heatmaps[0]
        )
    return context.label_maps[key]


def score_class(
    context: Context, method: Configured, unit: Unit, explanations: Mapping[int, CohortExplanation]
) -> Callable[[Configured], Measurement]:
    """Return what scores the explanation of a class; the metric may explain changed cohorts."""
    label = unit.label if unit.label is not None else 0
    cases, explanation = _cases(context, unit), explanations[label]

    def explain(changed: list[Case]) -> dict[int, CohortExplanation]:
        return explain_cohort(context, method, changed)

    def score(metric: Configured) -> Measurement:
        return measured(metric.made.score_cohort(context.prepared.folds, cases, label, explanation, explain))

    return score


def _cases(context: Context, unit: Unit) -> list[Case]:
    return [context.case(name) for name in unit.cases]
