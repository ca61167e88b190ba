"""The model's answers to a case's image from which pixels were taken away."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Float32

from xaibench.api import Case, Classifier, Image, NotApplicable, Regions, Scores, XaibenchError, seed_of
from xaibench.metrics.common import baselines, noisy_linear

NOISY_LINEAR = "noisy-linear"
KNOWN = (*baselines.FIXED, NOISY_LINEAR)
EVIDENCE = 0.05
"""Least probability that the image must have above the baseline for there to be evidence."""


@dataclass(frozen=True, eq=False)
class Removal:
    """Replaces pixels of a case's image by a baseline, and asks the model for the explained class."""

    classifier: Classifier
    case: Case
    target: int
    """The explained class."""
    baseline: str
    """Name of what replaces the pixels: blur, mean, black or noisy-linear."""
    seed: int
    """Seed of the run."""

    @property
    def whole(self) -> float:
        """Probability of the explained class for the image as it is."""
        return float(self.ends[0][self.target])

    @property
    def empty(self) -> float:
        """Probability of the explained class for the image with every pixel replaced."""
        return float(self.ends[1][self.target])

    @cached_property
    def ends(self) -> tuple[Float32[np.ndarray, "k"], Float32[np.ndarray, "k"]]:
        """Class probabilities of the image and of the baseline: the same for all heatmaps, so remembered."""
        remembered = self.classifier.remembered_scores
        return remembered(self.case.image), remembered(self.emptied)

    @cached_property
    def emptied(self) -> Image:
        """The image with every pixel replaced."""
        if self.baseline == NOISY_LINEAR:
            emptied: Image = self._filled(np.zeros((1, *self.case.image.shape[:-1]), bool))[0]
            return emptied
        return baselines.FIXED[self.baseline](self.case.image)

    def require_evidence(self) -> None:
        """Raise NotApplicable where the baseline is given the explained class as much as the image, or more."""
        if self.whole - self.empty < EVIDENCE:
            raise NotApplicable(
                f"there is no evidence to remove: the class has probability {self.whole:.2f} in the image "
                f"and {self.empty:.2f} in the {self.baseline} baseline"
            )

    def given(self, scores: Float32[np.ndarray, "*lead k"]) -> Bool[np.ndarray, "*lead"]:
        """Tell where the model gives the explained class: the most probable one, or one of at least 0.5."""
        if self.classifier.exclusive:
            return np.asarray(scores.argmax(axis=-1) == self.target)
        return np.asarray(scores[..., self.target] >= 0.5)

    def probabilities(self, kept: Bool[np.ndarray, "*lead_and_space"]) -> Float[np.ndarray, "*lead"]:
        """Probability of the explained class with each set of pixels kept."""
        return self.scores(kept)[..., self.target].astype(np.float64)

    def scores(self, kept: Bool[np.ndarray, "*lead_and_space"]) -> Float32[np.ndarray, "*lead k"]:
        """Class probabilities with each set of pixels kept, in one call to the model.

        A set that occurs twice is predicted once, and the two ends not again.
        """
        lead, space = self._split(kept)
        masks = kept.reshape(-1, *space)
        keys = [row.tobytes() for row in np.packbits(masks.reshape(len(masks), -1), axis=1)]
        known = dict(zip(self._keys_of_ends(space), self.ends, strict=True))
        new = {key: index for index, key in enumerate(keys) if key not in known}
        if new:
            known |= zip(new, self._predicted(masks[list(new.values())]), strict=True)
        return np.stack([known[key] for key in keys]).reshape(*lead, -1)

    def _predicted(self, kept: Regions) -> Scores:
        if self.baseline == NOISY_LINEAR:
            return self.classifier.scores(self._filled(kept))
        return self.classifier.masked_scores(self.case.image, kept, self.emptied)

    def _filled(self, kept: Regions) -> np.ndarray:
        noise = noisy_linear.draw_noise(self.case.image, seed_of(self.seed, self.case.id, NOISY_LINEAR))
        return noisy_linear.fill_each(self.case.image, kept, noise)

    def _split(self, kept: np.ndarray) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Leading axes and axes of space; refuses sets of pixels of another size than the image."""
        space = self.case.image.shape[:-1]
        lead = kept.shape[: kept.ndim - len(space)]
        if kept.shape[len(lead) :] != space:
            raise ValueError(
                f"case {self.case.id}: the heatmap is {kept.shape[len(lead) :]} but the image is {space}"
            )
        return lead, space

    def _keys_of_ends(self, space: tuple[int, ...]) -> list[bytes]:
        every = np.ones(int(np.prod(space)), bool)
        return [np.packbits(every).tobytes(), np.packbits(~every).tobytes()]


def check_baseline(baseline: str) -> None:
    """Raise XaibenchError for a baseline that does not exist."""
    if baseline not in KNOWN:
        raise XaibenchError(
            f"There is no baseline {baseline!r} for a faithfulness metric; choose one of {', '.join(KNOWN)}."
        )
