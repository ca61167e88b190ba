"""Explaining again: what a metric may ask of the method under test, each map made once in a cell."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from xaibench.api import Classifier, Heatmap, Heatmaps
from xaibench.harness.explaining import Asked


@dataclass(frozen=True, eq=False)
class ExplainAgain:
    """Explains changed copies of a case; equal questions within the cell are answered from memory."""

    case: Asked
    """The case itself, a batch of one."""
    answer: Callable[[Asked], Heatmaps]
    known: dict[tuple[str, int, int, str], Heatmap] = field(default_factory=dict)
    """Maps by image, target, seed and classifier."""

    def __call__(
        self,
        images: np.ndarray | None = None,
        *,
        targets: np.ndarray | None = None,
        seeds: np.ndarray | None = None,
        classifier: Classifier | None = None,
    ) -> Heatmaps:
        """Heatmaps of the images (default: the case's); what is not given stays as it was."""
        asked = self._asked(images, targets, seeds, classifier or self.case.classifier)
        keys = self._keys(asked)
        new = [row for row, key in enumerate(keys) if key not in self.known and keys.index(key) == row]
        if new:
            made = self.answer(_rows(asked, new))
            self.known.update({keys[row]: heatmap for row, heatmap in zip(new, made, strict=True)})
        return np.stack([self.known[key] for key in keys])

    def _asked(
        self,
        images: np.ndarray | None,
        targets: np.ndarray | None,
        seeds: np.ndarray | None,
        classifier: Classifier,
    ) -> Asked:
        images = self.case.images if images is None else images
        targets = self.case.targets if targets is None else targets
        seeds = self.case.seeds if seeds is None else seeds
        count = max(len(images), len(targets), len(seeds))
        regions = None if self.case.regions is None else _repeated(self.case.regions, count)
        return replace(
            self.case,
            classifier=classifier,
            images=_repeated(images, count),
            targets=_repeated(targets, count),
            seeds=_repeated(seeds, count),
            regions=regions,
        )

    def _keys(self, asked: Asked) -> list[tuple[str, int, int, str]]:
        model = asked.classifier.fingerprint
        return [
            (_content(image), int(target), int(seed), model)
            for image, target, seed in zip(asked.images, asked.targets, asked.seeds, strict=True)
        ]


def _repeated(array: np.ndarray, count: int) -> np.ndarray:
    return np.repeat(array, count, axis=0) if len(array) == 1 else array


def _rows(asked: Asked, rows: list[int]) -> Asked:
    regions = None if asked.regions is None else asked.regions[rows]
    return replace(
        asked,
        images=asked.images[rows],
        targets=asked.targets[rows],
        seeds=asked.seeds[rows],
        regions=regions,
    )


def _content(image: np.ndarray) -> str:
    return hashlib.blake2b(np.ascontiguousarray(image).tobytes(), digest_size=16).hexdigest()
