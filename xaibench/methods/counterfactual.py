"""Counterfactual explanation (Wachter, Mittelstadt and Russell 2017, arXiv:1711.00399)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float32, Float64

from xaibench.api import Batch, Classifier, Detailed, Heatmap, Image, Images, Need, NotApplicable

MARGIN = 1e-3
"""Difference of logits that counts as a flip: rounding in another batch must not undo it."""
LENGTHS = 8
"""Lengths of a change that are tried at once."""
ROUNDS = 4
"""How often they are; each round divides the interval of the one before, so that 1/4096 of it is left."""


@dataclass(frozen=True)
class Counterfactual:
    """Size of the smallest smooth change of the image by which the model comes to prefer another class.

    Minimised is the squared change plus its total variation, on the condition of the flip (eq. 1 for a weight that
    grows without bound). At each step the decision boundary is taken as flat where the last change met it (as by Croce
    and Hein 2020, arXiv:1907.02044). The smallest change that reaches a flat boundary is the gradient, denoised by
    total variation, to some length, and the length is searched on the model itself. Until the boundary is met, each
    step goes on from the last; then each starts from the image again. Where the model does not prefer the target, the
    change is the one that makes it so. So small a change need not look like another patient's image.
    """

    steps: int = 10
    smoothness: float = 0.5
    """Weight of the total variation, for a gradient with a root mean square of 1; positive."""

    family: ClassVar = "counterfactual"
    needs: ClassVar = frozenset({Need.INPUT_GRADIENTS})
    source: ClassVar = "Wachter et al. 2017"
    presets: ClassVar = {"smoke": {"steps": 3}, "paper": {"steps": 30}}

    def __call__(self, classifier: Classifier, batch: Batch) -> Detailed:
        """Explain each image: maps >= 0, absolute change of intensity summed over the channels.

        Recorded: whether the preference really flips (`flipped`, 0 or 1), the root mean square change over the
        image's range (`distance`), and the target's probability before and after. Without a flip the map is the last
        change tried. Two passes there and back and 32 forward a step, and three forward. Raises NotApplicable
        where classes do not exclude each other.
        """
        if not classifier.exclusive:
            raise NotApplicable("its classes do not exclude each other, so none gives way to another")
        found = [self._explain(classifier, image, target) for image, target, _ in batch]
        heatmaps, details = zip(*found, strict=True)
        return Detailed(np.stack(heatmaps), tuple(details))

    def _explain(self, classifier: Classifier, image: Image, target: int) -> tuple[Heatmap, dict[str, float]]:
        change = self.change(classifier, image, target)
        before, after = classifier.scores(np.stack([image, image + change]))
        details = {
            "flipped": float((before.argmax() == target) != (after.argmax() == target)),
            "distance": size(change) / (float(np.ptp(image)) or 1.0),
            "probability_before": float(before[target]),
            "probability_after": float(after[target]),
        }
        return np.abs(change).sum(axis=-1), details

    def change(self, classifier: Classifier, image: Image, target: int) -> Image:
        """Smallest change found that flips the preference, within the image's own intensities; or the last one."""
        question = Question.of(classifier, image, target)
        change, flips, smallest = np.zeros_like(image), False, None
        for _ in range(self.steps):
            direction = self._direction(question.slope(classifier, image + change))
            start = np.zeros_like(image) if flips else change
            change, flips = shortest(classifier, question, Line(image, start, direction))
            if flips and (smallest is None or size(change) < size(smallest)):
                smallest = change
        return change if smallest is None else smallest

    def _direction(self, slope: Image) -> Image:
        """Smallest smooth change, but for its length, that reaches a flat boundary: the proximal point of its slope."""
        from skimage.restoration import denoise_tv_chambolle  # slow to import

        scaled = slope / (size(slope) or 1.0)
        smooth: Image = denoise_tv_chambolle(scaled, self.smoothness, channel_axis=-1).astype(np.float32)
        return smooth


@dataclass(frozen=True)
class Question:
    """Which class is to take the lead from which."""

    leader: int
    """Class that the model prefers, and that is to lose its lead."""
    follower: int
    target: int
    """Class that is explained; one of the two."""

    @classmethod
    def of(cls, classifier: Classifier, image: Image, target: int) -> "Question":
        """Between the target and the most probable of the other classes."""
        scores = classifier.scores(image)
        order = [int(label) for label in scores.argsort()[::-1]]
        rival = next(label for label in order if label != target)
        return cls(target, rival, target) if order[0] == target else cls(rival, target, target)

    def slope(self, classifier: Classifier, image: Image) -> Image:
        """Gradient of the follower's logit minus the leader's."""
        both = classifier.input_gradients(np.stack([image] * 2), np.array([self.follower, self.leader]))
        slope: Image = both[0] - both[1]
        return slope

    def shortfall(self, classifier: Classifier, images: Images) -> Float32[np.ndarray, "n"]:
        """Difference of logits that is missing for the target to lead where it followed, or the reverse; < 0 = none."""
        logits = classifier.logits(images)
        others = np.delete(logits, self.target, axis=1).max(axis=1)
        lead: np.ndarray = logits[:, self.target] - others
        return lead if self.target == self.leader else -lead


@dataclass(frozen=True, eq=False)
class Line:
    """Changes that go on from a first one in a direction."""

    image: Image
    start: Image
    direction: Image

    @property
    def longest(self) -> float:
        """Length that moves some pixel by the whole range of the image."""
        return float(np.ptp(self.image)) / (float(np.abs(self.direction).max()) or 1.0)

    def changes(self, lengths: Float64[np.ndarray, "n"]) -> Images:
        """Changes of some lengths, cut off where they would leave the intensities of the image."""
        steps = lengths.astype(np.float32).reshape(-1, *[1] * self.image.ndim)
        moved = self.image + self.start + steps * self.direction
        cut: Images = np.clip(moved, self.image.min(), self.image.max()) - self.image
        return cut


def shortest(classifier: Classifier, question: Question, line: Line) -> tuple[Image, bool]:
    """Shortest change on a line that flips, and whether it does; without a flip the one that comes nearest to it."""
    low, high, flips = 0.0, line.longest, False
    for _ in range(ROUNDS):
        lengths = np.linspace(low, high, LENGTHS + 1)
        missing = question.shortfall(classifier, line.image + line.changes(lengths[1:]))
        flipped = missing < -MARGIN
        flips = flips or bool(flipped.any())
        best = 1 + int(flipped.argmax() if flipped.any() else missing.argmin())
        low, high = lengths[best - 1], lengths[best if flips else min(best + 1, LENGTHS)]
    return line.changes(np.array([high]))[0], flips


def size(change: Image) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(change, dtype=float))))
