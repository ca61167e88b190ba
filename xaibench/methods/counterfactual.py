"""Counterfactual explanation (Wachter, Mittelstadt and Russell 2017, arXiv:1711.00399)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float32

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
    total variation, to some length, and the length is searched on the model itself. Where the model does not prefer
    the target, the change is the one that makes it so. So small a change need not look like another patient's image.
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
        change that was tried. Two passes there and back and 32 forward a step, and three forward. Raises NotApplicable
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
        change, smallest = np.zeros_like(image), None
        for _ in range(self.steps):
            direction = self._direction(question.slope(classifier, image + change))
            change, flips = shortest(classifier, question, image, direction)
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
    """Class that the change is to overtake."""
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

    def flipped(self, classifier: Classifier, images: Images) -> Bool[np.ndarray, "n"]:
        """Whether the target leads where it followed, or follows where it led."""
        logits = classifier.logits(images)
        lead = logits[:, self.target] - np.delete(logits, self.target, axis=1).max(axis=1)
        flipped: np.ndarray = lead < -MARGIN if self.target == self.leader else lead > MARGIN
        return flipped


def shortest(
    classifier: Classifier, question: Question, image: Image, direction: Image
) -> tuple[Image, bool]:
    """Shortest change along a direction that flips, and whether it does; without a flip the longest.

    The longest moves some pixel by the whole range of the image.
    """
    low, high = 0.0, float(np.ptp(image)) / (float(np.abs(direction).max()) or 1.0)
    flips = False
    for _ in range(ROUNDS):
        lengths = np.linspace(low, high, LENGTHS + 1)
        flipped = question.flipped(classifier, image + changes(image, direction, lengths[1:]))
        if flipped.any():
            flips, first = True, int(flipped.argmax())
            low, high = lengths[first], lengths[first + 1]
    return changes(image, direction, np.array([high]))[0], flips


def changes(image: Image, direction: Image, lengths: np.ndarray) -> Float32[np.ndarray, "n *space c"]:
    """Changes of some lengths, cut off where they would leave the intensities of the image."""
    steps = lengths.astype(np.float32).reshape(-1, *[1] * image.ndim)
    moved: np.ndarray = np.clip(image + steps * direction, image.min(), image.max()) - image
    return moved


def size(change: Image) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(change, dtype=float))))
