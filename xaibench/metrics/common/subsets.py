"""Random sets of cells that are taken from an image, and what the model loses with each."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from xaibench.api import Case, Classifier, seed_of
from xaibench.metrics.common.once import once_a_case
from xaibench.metrics.common.removal import Removal


class Sampling(NamedTuple):
    """Which sets are taken away."""

    samples: int
    cells: int
    """Cells along each axis of the image."""
    share: float
    """Share of the cells that each set takes away."""
    baseline: str
    seed: int


class Losses(NamedTuple):
    """What the model loses with each set."""

    sets: Bool[np.ndarray, "samples cells"]
    """Cells taken away."""
    cell_of: Int[np.ndarray, "*space"]
    """Cell of each pixel."""
    drops: Float[np.ndarray, "samples"]
    """Probability of the explained class for the image, minus that without the set."""

    def sums(self, maps: Float[np.ndarray, "n *space"]) -> Float[np.ndarray, "n samples"]:
        """Sum of each map over the pixels of each set."""
        cells = [np.bincount(self.cell_of.ravel(), one.ravel(), self.sets.shape[1]) for one in maps]
        return np.array([np.where(self.sets, of_cells, 0.0).sum(axis=1) for of_cells in cells])


@once_a_case
def losses(case: Case, classifier: Classifier, target: int, sampling: Sampling) -> Losses:
    """Ask the model without each set. The sets do not depend on the map, so all methods and metrics share the answers.

    Raises NotApplicable where there is no evidence to remove.
    """
    removal = Removal(classifier, case, target, sampling.baseline, sampling.seed)
    removal.require_evidence()
    cell_of = cells_of(case.image.shape[:-1], sampling.cells)
    count = int(cell_of.max()) + 1
    taken = max(1, round(sampling.share * count))
    rng = np.random.default_rng(seed_of(sampling.seed, case.id, "subsets"))
    places = rng.permuted(np.tile(np.arange(count), (sampling.samples, 1)), axis=1)
    sets = places < taken
    drops = removal.whole - removal.probabilities(~sets[:, cell_of])
    return Losses(sets, cell_of, drops)


def cells_of(space: tuple[int, ...], cells: int) -> Int[np.ndarray, "*space"]:
    """Number of the cell of each pixel: a grid of that many cells along each axis, or of single pixels if fewer."""
    found = np.zeros(space, np.int64)
    for axis, size in enumerate(space):
        count = min(cells, size)
        along = np.arange(size) * count // size
        found = found * count + along.reshape(-1, *[1] * (len(space) - axis - 1))
    return found
