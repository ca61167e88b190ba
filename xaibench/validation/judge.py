"""Tells whether a metric ranks the truth above approximations above no knowledge, by how much, and how often."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from xaibench.api import Explanation, Heatmaps, NotApplicable
from xaibench.harness.again import ExplainAgain
from xaibench.harness.configured import Configured
from xaibench.harness.describe import scope_of
from xaibench.harness.explaining import Asked
from xaibench.harness.scopes import measured
from xaibench.harness.store.run_info import Scope
from xaibench.validation.arenas import ARENAS
from xaibench.validation.nouns import TARGET, Arena, Ladder, Question, Rung, Scene, World

OFTEN = 0.9
"""Share of worlds in which the order must hold."""


@dataclass(frozen=True)
class Judgement:
    """What became of a metric in an arena."""

    metric: str
    family: str
    arena: str
    """Empty if it was judged in none."""
    values: dict[str, float] = field(default_factory=dict)
    """Mean of each rung over the worlds."""
    order_held: float | None = None
    """Share of worlds in which approximations lay between truth and no knowledge; None if it was not tried."""
    truth_held: float | None = None
    """Share of worlds in which truth came before no knowledge."""
    margin: float | None = None
    """Truth minus the best map without knowledge, in standard deviations over the worlds; more is better."""
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


def judge_everywhere(metric: Configured, worlds: int, scenes: int) -> list[Judgement]:
    """Judge a metric in each arena that has a ladder for its family; a single judgement says so if none has."""
    family = str(metric.plugin.facts.family)
    arenas = [arena for arena in ARENAS if family in arena.ladders]
    if not arenas or scope_of(metric.made) is not Scope.CASE:
        reason = "measured, not judged: nothing is known to be better"
        return [Judgement(metric.name, family, "", reason=reason)]
    return [judge(metric, arena, worlds, scenes) for arena in arenas]


def judge(metric: Configured, arena: Arena, worlds: int, scenes: int) -> Judgement:
    """Score every rung of the metric's ladder in worlds of other seeds."""
    family = str(metric.plugin.facts.family)
    ladder = arena.ladders[family]
    try:
        rows = [scores(metric, ladder, world) for world in arena.worlds(worlds, scenes)]
    except NotApplicable as reason:
        told = f"not applicable where evidence is known: {reason}"
        return Judgement(metric.name, family, arena.name, reason=told)
    return judged(metric, arena, rows)


def judged(metric: Configured, arena: Arena, rows: Sequence[dict[str, float]]) -> Judgement:
    """Judge by the scores of each world."""
    family = str(metric.plugin.facts.family)
    ladder = arena.ladders[family]
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
        family,
        arena.name,
        {name: float(np.mean([row[name] for row in rows])) for name in rows[0]},
        order_held=float(in_order.mean()),
        truth_held=float(held.mean()),
        margin=float(difference.mean()) / spread,
    )


def scores(metric: Configured, ladder: Ladder, world: World) -> dict[str, float]:
    """Score of each rung, pooled over the scenes of a world as the metric says."""
    pool = np.median if metric.plugin.facts.aggregate == "median" else np.mean
    return {
        rung.name: float(pool([score(metric, rung, world, scene) for scene in world.scenes]))
        for rung in ladder.rungs
    }


def score(metric: Configured, rung: Rung, world: World, scene: Scene) -> float:
    """Score of one map by one metric, which may ask the rung again."""
    asked = Asked(world.classifier, scene.image[None], np.array([TARGET]), np.array([0]))
    again = ExplainAgain(asked, lambda changed: maps_of(rung, scene, changed))
    explanation = Explanation(again()[0], TARGET, seconds=0.0, forward=0, backward=0)
    return measured(metric.made(world.classifier, scene, explanation, again)).value


def maps_of(rung: Rung, scene: Scene, asked: Asked) -> Heatmaps:
    """Maps of a rung for changed images of a scene, classes, seeds or models."""
    questions = [
        Question(asked.classifier, replace(scene, image=image), int(target), int(seed))
        for image, target, seed in zip(asked.images, asked.targets, asked.seeds, strict=True)
    ]
    return np.stack([rung.make(question) for question in questions]).astype(np.float32)
