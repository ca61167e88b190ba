"""What the validation is made of: arenas make worlds, and ladders of maps are scored there."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from xaibench.api import Case, Classifier, Heatmap, Region

TARGET = 1
"""The explained class of every world."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Scene(Case):
    """A case of which more is known than its finding."""

    known: Mapping[str, Region] = field(default_factory=dict)
    """Regions beside the finding, by name."""


class Question(NamedTuple):
    """What a map is to explain."""

    classifier: Classifier
    scene: Scene
    """Its image may be a changed one."""
    target: int
    seed: int


MakeMap = Callable[[Question], Heatmap]


@dataclass(frozen=True, eq=False)
class World:
    """A classifier whose evidence is known, and scenes that hold it."""

    classifier: Classifier
    scenes: tuple[Scene, ...]


@dataclass(frozen=True)
class Rung:
    """An explainer of a ladder."""

    name: str
    make: MakeMap


@dataclass(frozen=True)
class Ladder:
    """Explainers in order: the first must score best, the last worst."""

    truth: Rung
    between: tuple[Rung, ...]
    ignorance: tuple[Rung, ...]

    @property
    def rungs(self) -> tuple[Rung, ...]:
        """All of them, from the truth down."""
        return (self.truth, *self.between, *self.ignorance)


@dataclass(frozen=True, eq=False)
class Arena:
    """A kind of world, with a ladder for each family of metrics that can be judged there."""

    name: str
    about: str
    """What a reader must know of it: images, model, and which maps are true."""
    make_world: Callable[[int, int], World]
    """Makes the world of a seed with a number of scenes."""
    ladders: Mapping[str, Ladder]
    """By family."""
    most_worlds: int = 1000
    """Fewer are made where a world is slow."""
    most_scenes: int = 1000

    def size(self, worlds: int, scenes: int) -> tuple[int, int]:
        """Worlds, and scenes in each, that are made where so many are asked for."""
        return min(worlds, self.most_worlds), min(scenes, self.most_scenes)

    def worlds(self, worlds: int, scenes: int) -> list[World]:
        """Worlds of the seeds 0, 1, ..., each made once."""
        worlds, scenes = self.size(worlds, scenes)
        return [_made(self, seed, scenes) for seed in range(worlds)]


@functools.lru_cache(maxsize=128)
def _made(arena: Arena, seed: int, scenes: int) -> World:
    return arena.make_world(seed, scenes)
