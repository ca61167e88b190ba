"""Computes cells: one method on one unit, scored by each metric, with time limits, counts and reasons."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from xaibench.api import CohortExplanation, Explanation, Measurement, Passes, Record, Status, XaibenchError
from xaibench.harness import keys
from xaibench.harness.cells import NOTHING, Cell, Result, Unit
from xaibench.harness.configured import Configured
from xaibench.harness.explaining import passes_since
from xaibench.harness.limits import Failure, attempt
from xaibench.harness.scopes import (
    Context,
    explain_case,
    explain_classes,
    score_batch,
    score_case,
    score_class,
)
from xaibench.harness.store.run_info import RunInfo, Scope

Score = Callable[[Configured], Measurement]
Announce = Callable[[str, float], None]
"""Told which step of a cell begins, and how many seconds it may take."""
EXPLAINING = "explanation"
"""The step of a cell before its metrics, which are a step each."""


SAME = 1e-5
"""Largest difference of two answers of an unchanged model."""


class ModelChangedError(XaibenchError):
    """A plugin has changed the model, so nothing that this process computes from now on would be right."""


@dataclass(frozen=True, eq=False)
class Worker:
    """Computes cells in this process."""

    context: Context
    announce: Announce = lambda what, seconds: None

    def __call__(self, cell: Cell) -> Result:
        """Explain once, then score by each metric; nothing that a plugin raises gets out.

        Raises ModelChangedError where the model answers otherwise than before the first cell of the case.
        """
        if cell.unit.cases[0] not in self.context.answers:
            self._check_model(cell)
        before = self.passes
        self.announce(EXPLAINING, self._patience(cell.unit))
        method = self.context.prepared.methods[cell.method]
        explained = attempt(partial(self._explain, method, cell.unit), self._patience(cell.unit))
        score = attempt(partial(self._scorer, method, cell.unit, explained), self._patience(cell.unit))
        records = [self._record(cell, metric, score) for metric in cell.metrics]
        result = Result(
            cell,
            records,
            explanation=explained if isinstance(explained, Explanation) else None,
            classes=explained if isinstance(explained, dict) else {},
            passes=passes_since(before, self.passes),
        )
        self._check_model(cell)
        return result

    def _check_model(self, cell: Cell) -> None:
        """Ask the model about a case of the cell, and compare with what it answered the first time."""
        case = self.context.case(cell.unit.cases[0])
        answered = self.context.prepared.classifier_of(case).scores(case.image)
        known = self.context.answers.setdefault(case.id, answered)
        if not np.allclose(answered, known, rtol=0, atol=SAME):
            raise ModelChangedError(
                f"{cell.method} changed the model: its answer to {case.id} is another one now. Leave the method out, "
                f"or let --workers 1 or more keep it apart from the others."
            )

    @property
    def passes(self) -> Passes:
        """Passes of all classifiers."""
        counts = [member.passes for member in self.context.prepared.folds.classifiers]
        return Passes(
            sum(count.forward for count in counts),
            sum(count.backward for count in counts),
            sum(count.seconds for count in counts),
        )

    def _patience(self, unit: Unit) -> float:
        """Seconds for one step: the cell's limit for each case of the unit."""
        return float(self.context.prepared.info.spec["cell_timeout"]) * max(1, len(unit.cases))

    def _explain(self, method: Configured, unit: Unit) -> Explanation | dict[int, CohortExplanation] | None:
        if unit.scope is Scope.CASE:
            return explain_case(self.context, method, unit)
        return explain_classes(self.context, method, unit) if unit.scope is Scope.CLASS else None

    def _scorer(
        self,
        method: Configured,
        unit: Unit,
        explained: Explanation | dict[int, CohortExplanation] | Failure | None,
    ) -> Score | Failure:
        if isinstance(explained, Failure):
            return explained
        if isinstance(explained, Explanation):
            return score_case(self.context, method, unit, explained)
        if explained is None:
            return score_batch(self.context, method, unit)
        return score_class(self.context, method, unit, explained)

    def _record(self, cell: Cell, metric: str, score: Score | Failure) -> Record:
        """Record of one metric: its measurement, or the reason why there is none."""
        configured = self.context.prepared.metrics[metric]
        self.announce(metric, self._patience(cell.unit))
        before, started = self.passes, time.perf_counter()
        outcome = (
            score
            if isinstance(score, Failure)
            else attempt(lambda: score(configured), self._patience(cell.unit))
        )
        spent = passes_since(before, self.passes)
        seconds = time.perf_counter() - started
        return record_of(self.context.prepared.info, cell, metric, outcome, spent, seconds)


def record_of(
    info: RunInfo,
    cell: Cell,
    metric: str,
    outcome: Measurement | Failure,
    spent: Passes = NOTHING,
    seconds: float = 0.0,
) -> Record:
    """Record of one metric of a cell."""
    return Record(
        case=cell.unit.id,
        patient=cell.unit.patient,
        method=cell.method,
        metric=metric,
        status=outcome.status if isinstance(outcome, Failure) else Status.OK,
        key=keys.record_key(info.methods[cell.method].key, info.metrics[metric].key, cell.unit.key),
        value=None if isinstance(outcome, Failure) else outcome.value,
        reason=outcome.reason if isinstance(outcome, Failure) else "",
        details={} if isinstance(outcome, Failure) else outcome.details,
        fold=cell.unit.fold,
        seconds=seconds,
        forward=spent.forward,
        backward=spent.backward,
    )
