"""Model parameter randomisation test (Adebayo et al. 2018, "Sanity Checks for Saliency Maps", arXiv:1810.03292)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from xaibench.api import (
    Case,
    Classifier,
    Explain,
    Explanation,
    Family,
    Heatmap,
    Measurement,
    Need,
    NotApplicable,
    XaibenchError,
    seed_of,
)
from xaibench.metrics.common.similarity import spearman

BINS = 100
WINDOW = 7
"""Side of the windows of SSIM, in pixels."""


@dataclass(frozen=True)
class Mprt:
    """Similarity of the map to those of models whose layers are randomised from the output down; low is good.

    Mean over `stages` of |Spearman(map, map of the model whose layers from the output down to a stage's have fresh
    weights)|; the other layers are as trained, and the last stage is wholly random. The stages are spread evenly
    over the layers with weights (0 = all of them, as in the paper). The absolute value: a map turned upside down is
    the same picture. Range 0 .. 1. Beside it: `last`, at the last stage; `ssim`, the mean structural similarity of
    the maps, each divided by its largest absolute value (missing for images of fewer than 7 pixels a side); and
    `complexity_rise`, the efficient form of Hedstroem et al. 2024 (arXiv:2401.06465): the relative rise of
    the entropy of the map's histogram at the last stage, positive for an explainer that reads the weights
    (missing for a constant map).

    A map that ignores the model scores 1, so `edges` and a fixed `random` map fail; maps drawn anew score about 0.
    Pitfalls: maps that keep the image's edges stay similar though they depend on the weights; a low value says that
    the weights matter, not that the map is right.
    """

    stages: int = 3
    seed: int = 0

    family: ClassVar = Family.RANDOMISATION
    higher_is_better: ClassVar = False
    range: ClassVar = (0.0, 1.0)
    source: ClassVar = "Adebayo et al. 2018"
    chance: ClassVar = "1 for a map that ignores the model, about 0 for maps drawn independently"
    needs: ClassVar = frozenset({Need.RANDOMISED, Need.EXPLAIN})
    ranked: ClassVar = "depends on the weights"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"smoke": {"stages": 2}, "paper": {"stages": 0}}

    def __post_init__(self) -> None:
        if self.stages < 0:
            raise XaibenchError(
                f"mprt cannot take {self.stages} stages; give 1 or more, or 0 for every layer."
            )

    def __call__(
        self, classifier: Classifier, case: Case, explanation: Explanation, explain: Explain
    ) -> Measurement:
        """Explain by each randomised model and compare. Raises NotApplicable for models that cannot be randomised."""
        seed = seed_of(self.seed, "mprt")  # the same models for all cases, so that they are made once
        layers = _spread(classifier.random_layers, self.stages)
        models = [_randomised(classifier, seed, layer) for layer in layers]  # type: ignore[arg-type]  # it hashes
        maps = [explain(classifier=model)[0] for model in models]
        alike = [abs(spearman(explanation.heatmap, other)) for other in maps]
        details = (
            {"last": alike[-1]} | _ssim(explanation.heatmap, maps) | _rise(explanation.heatmap, maps[-1])
        )
        return Measurement(float(np.mean(alike)), details)


@lru_cache(maxsize=4)
def _randomised(classifier: Classifier, seed: int, layer: str) -> Classifier:
    """Keep the models of the last few stages: all cases and methods ask for the same ones in turn."""
    return classifier.randomised(seed, layer)


def _spread(layers: tuple[str, ...], stages: int) -> list[str]:
    """Layers at which the stages end, evenly spread, the last layer among them."""
    if not layers:
        raise NotApplicable("the model has no layers that can be given fresh weights")
    ends = np.linspace(0, len(layers), (stages or len(layers)) + 1)[1:]
    return [layers[index] for index in sorted(set(np.ceil(ends).astype(int) - 1))]


def _ssim(heatmap: Heatmap, maps: list[Heatmap]) -> dict[str, float]:
    if min(heatmap.shape) < WINDOW:
        return {}
    from skimage.metrics import structural_similarity  # slow to import

    own = _scaled(heatmap)
    alike = [structural_similarity(own, _scaled(other), win_size=WINDOW, data_range=2.0) for other in maps]
    return {"ssim": float(np.mean(alike))}


def _scaled(heatmap: Heatmap) -> np.ndarray:
    """Divide by the largest absolute value, so that all maps lie in -1 .. 1."""
    return np.asarray(heatmap.astype(np.float64) / (float(np.abs(heatmap).max()) or 1.0))


def _rise(heatmap: Heatmap, other: Heatmap) -> dict[str, float]:
    before, after = _histogram_entropy(heatmap), _histogram_entropy(other)
    return {"complexity_rise": (after - before) / before} if before > 0 else {}


def _histogram_entropy(heatmap: Heatmap) -> float:
    counts, _ = np.histogram(_scaled(heatmap), bins=BINS)
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())
