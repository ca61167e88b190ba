"""What a metric can be asked about: one case, the cohort in one batch, or one class of the cohort.

A row has a subject for each method (what is scored: a heatmap, a way to make heatmaps, a simulated image)
and scores it by each metric of its scope.
"""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np

from xaibench.api import (
    BatchMetric,
    Case,
    CohortExplainer,
    CohortExplanation,
    CohortMetric,
    ExplainBatch,
    ExplainCohort,
    Explanation,
    Heatmaps,
    Images,
    Measurement,
    Metric,
    NotApplicable,
)
from xaibench.harness.cell import Entry, Workbench, time_limit
from xaibench.harness.store.folder import RunFolder

COHORT = "cohort"


@runtime_checkable
class Row(Protocol):
    """One row of a method's records."""

    scope: ClassVar[type]

    @property
    def id(self) -> str:
        """Value of Record.case."""
        ...

    @property
    def patient(self) -> str:
        """Value of Record.patient."""
        ...

    def subject(self, method: Entry) -> Any:
        """What is scored; raises NotApplicable, or whatever the method raises."""
        ...

    def score(self, metric: Entry, method: Entry, subject: Any) -> Measurement:
        """Score the subject by one metric."""
        ...


@dataclass(frozen=True, eq=False)
class CaseRow:
    """One case; its heatmap is made once and kept in the run folder."""

    scope: ClassVar[type] = Metric
    bench: Workbench
    folder: RunFolder
    case: Case

    @property
    def id(self) -> str:
        """Pseudonym of the case."""
        return self.case.id

    @property
    def patient(self) -> str:
        """Pseudonym of the patient."""
        return self.case.patient

    def subject(self, method: Entry) -> Explanation:
        """Return the kept or a new explanation."""
        kept = self.folder.explanation(method.name, self.id)
        if kept is not None:
            return kept
        explanation = self.bench.explain(method, self.case)
        self.folder.save_explanation(method.name, self.id, explanation)
        return explanation

    def score(self, metric: Entry, method: Entry, subject: Explanation) -> Measurement:
        """Score the heatmap; the metric may run the method again on changed copies of the case."""

        def again(images: Images) -> Heatmaps:
            return self.bench.call(method, [self.case] * len(images), images)

        result: Measurement = metric.plugin(self.bench.of(self.case), self.case, subject, again)
        return result


@dataclass(frozen=True, eq=False)
class CohortRow:
    """All cases together, explained in one batch."""

    scope: ClassVar[type] = BatchMetric
    id: ClassVar[str] = COHORT
    patient: ClassVar[str] = COHORT
    bench: Workbench
    cases: list[Case]

    def subject(self, method: Entry) -> ExplainBatch:
        """Return the function that explains several cases in one batch; it has run before when it is timed."""
        for case in self.cases:
            self.bench.warm_up(method, case)

        def explain(cases: list[Case]) -> Heatmaps:
            return self.bench.call(method, cases, np.stack([case.image for case in cases]))

        return explain

    def score(self, metric: Entry, method: Entry, subject: ExplainBatch) -> Measurement:
        """Score the method over the cases."""
        result: Measurement = metric.plugin.score_batch(self.cases, subject)
        return result


@dataclass(frozen=True, eq=False)
class ClassRow:
    """One class of the cohort, for methods that explain a cohort."""

    scope: ClassVar[type] = CohortMetric
    patient: ClassVar[str] = COHORT
    bench: Workbench
    folder: RunFolder
    cases: list[Case]
    label: int
    class_name: str

    @property
    def id(self) -> str:
        """Such as `class recurrent`."""
        return f"class {self.class_name}"

    def subject(self, method: Entry) -> CohortExplanation:
        """Return the kept or a new explanation of the class; all classes are made at once."""
        if not isinstance(method.plugin, CohortExplainer):
            raise NotApplicable("the method explains single images, not a cohort")
        if self.label >= self.bench.n_classes:
            raise NotApplicable(
                f"the model has {self.bench.n_classes} classes, so none stands for label {self.label}"
            )
        explanations = self.folder.cohort_explanations(method.name)
        if explanations is None:
            self.bench.require(method)
            explanations = self._explained(method)
            self.folder.save_cohort_explanations(method.name, explanations)
        return explanations[self.label]

    def score(self, metric: Entry, method: Entry, subject: CohortExplanation) -> Measurement:
        """Score the explanation of the class; the metric may explain changed cohorts."""
        result: Measurement = metric.plugin.score_cohort(
            self.bench.members, self._known_cases(), self.label, subject, self._explainer(method)
        )
        return result

    def _explained(self, method: Entry) -> dict[int, CohortExplanation]:
        """Explanations of all classes; their sources are indices in all cases, known to the model or not."""
        known = self._known_cases()
        with time_limit(self.bench.timeout * len(known)):
            explanations = self._explainer(method)(known)
        place = {case.id: index for index, case in enumerate(self.cases)}
        places = np.array([*(place[case.id] for case in known), -1])  # the last one stands for "none"
        return {label: replace(made, sources=places[made.sources]) for label, made in explanations.items()}

    def _known_cases(self) -> list[Case]:
        """Cases whose label the model has a class for."""
        return [case for case in self.cases if case.label < self.bench.n_classes]

    def _explainer(self, method: Entry) -> ExplainCohort:
        def explain(cases: list[Case]) -> dict[int, CohortExplanation]:
            maps = np.stack([self.bench.label_map(method, case) for case in cases])
            explanations: dict[int, CohortExplanation] = method.plugin.explain_cohort(cases, maps)
            return explanations

        return explain


def scope_of(metric: Any) -> type:
    """Which protocol a metric follows: CohortMetric, BatchMetric or Metric."""
    if isinstance(metric, CohortMetric):
        return CohortMetric
    return BatchMetric if isinstance(metric, BatchMetric) else Metric
