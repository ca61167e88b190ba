"""Tells whether a metric ranks the truth above approximations above no knowledge, by how much, and how often."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xaibench.api import Batch, Case, Explanation, NotApplicable
from xaibench.harness.again import ExplainAgain
from xaibench.harness.configured import Configured
from xaibench.harness.describe import scope_of
from xaibench.harness.explaining import Asked
from xaibench.harness.scopes import measured
from xaibench.harness.store.run_info import Scope
from xaibench.validation.ladders import LADDERS, Ladder, Rung
from xaibench.validation.worlds import TARGET, World, make_world

OFTEN = 0.9
"""Share of repeats in which the order must hold."""


@dataclass(frozen=True)
class Judgement:
    """What became of a metric."""

    metric: str
    family: str
    values: dict[str, float]
    """Mean of each rung over the repeats."""
    order_held: float | None
    """Share of repeats in which approximations lay between truth and no knowledge; None if it was not tried."""
    truth_held: float | None
    """Share of repeats in which truth came before no knowledge."""
    margin: float | None
    """Truth minus the best map without knowledge, in standard deviations over the repeats; more is better."""
    reason: str = ""
    """Why it was not tried."""

    @property
    def tried(self) -> bool:
        """Whether there is a ladder for it, and a value on each rung."""
        return self.truth_held is not None

    @property
    def passed(self) -> bool:
        """Whether it tells truth from no knowledge nearly always."""
        return self.truth_held is not None and self.truth_held >= OFTEN


def judge(metric: Configured, repeats: int, cases: int) -> Judgement:
    """Score every rung of the metric's ladder in worlds of other seeds."""
    ladder = LADDERS.get(str(metric.plugin.facts.family))
    if ladder is None or scope_of(metric.made) is not Scope.CASE:
        return _untried(metric, "measured, not judged: nothing is known to be better")
    try:
        rows = [scores(metric, ladder, make_world(seed, cases)) for seed in range(repeats)]
    except NotApplicable as reason:
        return _untried(metric, f"not applicable to the model of known evidence: {reason}")
    return judged(metric, ladder, rows)


def _untried(metric: Configured, reason: str) -> Judgement:
    return Judgement(metric.name, str(metric.plugin.facts.family), {}, None, None, None, reason)


def judged(metric: Configured, ladder: Ladder, rows: Sequence[dict[str, float]]) -> Judgement:
    """Judge by the scores of each repeat."""
    sign = 1 if metric.plugin.facts.higher_is_better else -1
    truth = sign * np.array([row[ladder.truth.name] for row in rows])
    between = sign * np.array([[row[rung.name] for rung in ladder.between] for row in rows])
    ignorance = sign * np.array([[row[rung.name] for rung in ladder.ignorance] for row in rows])
    best = ignorance.max(axis=1)
    held = truth > best
    in_order = held & (between <= truth[:, None]).all(axis=1) & (between > best[:, None]).all(axis=1)
    difference = truth - best
    spread = float(difference.std()) or 1e-12
    return Judgement(
        metric.name,
        str(metric.plugin.facts.family),
        {name: float(np.mean([row[name] for row in rows])) for name in rows[0]},
        order_held=float(in_order.mean()),
        truth_held=float(held.mean()),
        margin=float(difference.mean()) / spread,
    )


def scores(metric: Configured, ladder: Ladder, world: World) -> dict[str, float]:
    """Score of each rung, pooled over the cases of a world as the metric says."""
    pool = np.median if metric.plugin.facts.aggregate == "median" else np.mean
    rungs = (ladder.truth, *ladder.between, *ladder.ignorance)
    return {
        rung.name: float(pool([score(metric, rung, world, case) for case in world.cases])) for rung in rungs
    }


def score(metric: Configured, rung: Rung, world: World, case: Case) -> float:
    """Score of one map by one metric, which may ask the rung again."""
    asked = Asked(world.classifier, case.image[None], np.array([TARGET]), np.array([0]))
    again = ExplainAgain(asked, lambda changed: rung(changed.classifier, _batch(changed)))
    heatmap = again()[0]
    explanation = Explanation(heatmap, TARGET, seconds=0.0, forward=0, backward=0)
    return measured(metric.made(world.classifier, case, explanation, again)).value


def _batch(asked: Asked) -> Batch:
    return Batch(asked.images, asked.targets, asked.seeds)
