"""Concept activation vectors: what a model's decision is sensitive to (Kim et al. 2018, TCAV, arXiv:1711.11279)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Float32

from xaibench.api import Background, Batch, Classifier, Detailed, Images, Need, NotApplicable, XaibenchError
from xaibench.methods.upsampling import upsample

PART = 4
"""A vector takes one image in so many."""
ALPHA = 0.05
"""Level of the tests, over all concepts and classes of a model (Bonferroni, as in the paper)."""

Pooled = Float32[np.ndarray, "n maps"]
Random = Float32[np.ndarray, "others maps"]
Vectors = Float[np.ndarray, "runs maps"]


@dataclass(frozen=True)
class Tcav:
    """Where the image shows the concept that the class is most sensitive to: feature maps along its direction.

    A concept's vector is the normal of a linear classifier that tells pooled feature maps of its images from those
    of random training images. Its score for a class is the share of the class's training images whose log odds rise
    along the vector (eq. 2, with log odds in place of the logit: with few classes that exclude each other, both
    logits may rise where the class becomes less likely). Each of `runs` vectors takes a quarter of the images, drawn
    anew. The concept counts if its score is farther from 1/2 than those of random concepts, which are as many random
    images taken for a concept (permutation test, Bonferroni over concepts and classes). The paper's t test over the
    runs takes them for independent: with 20 runs some of two concepts that are nothing to the model counted in 20 % of
    60 cohorts, and the more runs, the more.

    The map is the projection of the feature maps, less their mean over random images, on the mean vector of the
    concept that counts and whose score is farthest from 1/2; it is turned round where the score is below 1/2, so that
    positive places speak for the class. Pitfall: images that differ from the training in another way as well are
    judged by that, too.
    """

    runs: int = 20
    """Vectors of each concept."""
    random_concepts: int = 399
    """They bound p from below: 1 / 400 for each test."""
    concept: str = ""
    """Name of the concept that is mapped, whether it counts or not; empty = as above."""
    layer: str | None = None
    """Name of the feature layer; None = the last convolutional block's output."""

    family: ClassVar = "concept"
    needs: ClassVar = frozenset({Need.FEATURES, Need.FEATURE_GRADIENTS, Need.TRAINING, Need.CONCEPTS})
    source: ClassVar = "Kim et al. 2018"
    presets: ClassVar = {"smoke": {"random_concepts": 199}, "paper": {"runs": 500}}

    def __post_init__(self) -> None:
        if min(self.runs, self.random_concepts) < 1:
            raise XaibenchError("tcav needs at least one run and one random concept.")

    def fit(self, classifier: Classifier, background: Background, seed: int) -> Mapping[str, np.ndarray]:
        """Learn vectors and score them.

        A pass for each image of a concept, and for each training image one and one with a gradient for each class.

        Kept: `names`, `vectors [concepts maps]`, `centre [maps]`, and `scores`, `p` (corrected), both
        `[concepts classes]`; NaN for a class without training images.
        """
        rng = np.random.default_rng(seed)
        random, gradients = of_training(classifier, background, self.layer)
        shown = {name: pooled(classifier, images, self.layer) for name, images in background.concepts.items()}
        vectors = {name: vectors_of(own, random, self.runs, rng) for name, own in shown.items()}
        scores = np.array([scores_of(own, gradients) for own in vectors.values()])
        size = min(map(len, shown.values()))
        null = [scores_of(own, gradients) for own in self._random_concepts(random, size, rng)]
        return {
            "names": np.array(list(shown)),
            "vectors": np.stack([own.mean(axis=0) for own in vectors.values()]),
            "centre": random.mean(axis=0),
            "scores": scores,
            "p": corrected(scores, np.array(null)),
        }

    def _random_concepts(self, random: Random, size: int, rng: np.random.Generator) -> Iterator[Vectors]:
        """Vectors of random concepts of a size, or of half of the images, against the other images."""
        size = min(size, len(random) // 2)
        for _ in range(self.random_concepts):
            order = rng.permutation(len(random))
            yield vectors_of(random[order[:size]], random[order[size:]], self.runs, rng)

    def __call__(self, classifier: Classifier, batch: Batch) -> Detailed:
        """Explain each image: signed maps in units of the feature maps. One forward pass.

        Recorded: score and corrected p of each concept for the explained class. Raises NotApplicable where no
        concept counts for the class, and for a concept that the run does not have.
        """
        maps = classifier.features(batch.images, self.layer) - batch.fitted["centre"]
        found = [self._direction(batch.fitted, int(target)) for target in batch.targets]
        heatmaps = np.einsum("nhwc,nc->nhw", maps, np.stack(found)).astype(np.float32)
        details = tuple(figures(batch.fitted, int(target)) for target in batch.targets)
        return Detailed(upsample(heatmaps, batch.space), details)

    def _direction(self, fitted: Mapping[str, np.ndarray], target: int) -> Float[np.ndarray, "maps"]:
        """Vector of the mapped concept, turned so that it points to the class."""
        effects = fitted["scores"][:, target] - 0.5
        names = fitted["names"].tolist()
        if self.concept and self.concept not in names:
            raise NotApplicable(f"there is no concept {self.concept!r}; there are: {', '.join(names)}")
        counts = fitted["p"][:, target] < ALPHA
        if not self.concept and not counts.any():
            raise NotApplicable(f"no concept counts for class {target}: none differs from random images")
        strongest = int(np.where(counts, np.abs(effects), -1).argmax())
        chosen = names.index(self.concept) if self.concept else strongest
        turned: np.ndarray = fitted["vectors"][chosen] * (-1 if effects[chosen] < 0 else 1)
        return turned


def pooled(classifier: Classifier, images: Images, layer: str | None) -> Pooled:
    """Mean of each feature map over its places."""
    means: Pooled = classifier.features(images, layer).mean(axis=(1, 2))
    return means


def vectors_of(shown: Pooled, random: Random, runs: int, rng: np.random.Generator) -> Vectors:
    """Unit vectors to a concept, each from a quarter of its images and as many random ones."""
    size = max(min(len(shown), len(random)) // PART, 1)
    return directions(drawn(shown, size, runs, rng), drawn(random, size, runs, rng))


def drawn(
    rows: Random, size: int, runs: int, rng: np.random.Generator
) -> Float32[np.ndarray, "runs size maps"]:
    """Rows drawn without replacement, for each run anew."""
    chosen: np.ndarray = rows[rng.permuted(np.tile(np.arange(len(rows)), (runs, 1)), axis=1)[:, :size]]
    return chosen


def directions(
    shown: Float32[np.ndarray, "runs size maps"], random: Float32[np.ndarray, "runs size maps"]
) -> Vectors:
    """Unit normals of the linear classifiers between two sets: difference of the means over the variance within.

    Linear discriminant analysis with a diagonal covariance (Dudoit et al. 2002, doi:10.1198/016214502753479248);
    without any variance, the difference of the means.
    """
    away = shown.mean(axis=1, dtype=np.float64) - random.mean(axis=1, dtype=np.float64)
    variance = (shown.var(axis=1, dtype=np.float64) + random.var(axis=1, dtype=np.float64)) / 2
    normals = np.divide(away, variance, out=np.zeros_like(away), where=variance > 0)
    normals = np.where(normals.any(axis=1, keepdims=True), normals, away)
    units: np.ndarray = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    return units


def of_training(
    classifier: Classifier, background: Background, layer: str | None
) -> tuple[Float32[np.ndarray, "images maps"], list[Float32[np.ndarray, "_ maps"]]]:
    """Pooled maps of the training images, and for each class the gradients of its log odds for its own images.

    Gradients are with respect to the maps, summed over the places.
    """
    images, classes = background.images, range(classifier.n_classes)
    found = [classifier.feature_gradients(images, np.full(len(images), k), layer) for k in classes]
    logits = np.stack([gradients.sum(axis=(1, 2)) for _, gradients in found])
    if classifier.exclusive:
        logits -= np.einsum("nkj,jnm->knm", others_share(classifier.logits(images)), logits)
    odds = [logits[label][background.labels == label].astype(np.float32) for label in classes]
    return found[0][0].mean(axis=(1, 2)), odds


def others_share(logits: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n k k"]:
    """How much each other class j weighs in the log odds of class k: p_j / (1 - p_k), 0 for the class itself."""
    from scipy.special import softmax  # slow to import

    others = np.where(np.eye(logits.shape[1], dtype=bool), -np.inf, logits[:, None, :])
    shares: np.ndarray = softmax(others, axis=2)
    return shares


def scores_of(vectors: Vectors, gradients: Sequence[np.ndarray]) -> Float[np.ndarray, "classes"]:
    """Share of each class's images whose log odds rise along a vector, mean over the vectors; NaN without."""
    return np.array([(vectors @ own.T > 0).mean() if len(own) else np.nan for own in gradients])


def corrected(
    scores: Float[np.ndarray, "concepts classes"], null: Float[np.ndarray, "random classes"]
) -> Float[np.ndarray, "concepts classes"]:
    """Part of random concepts, the concept itself among them, whose scores are as far from 1/2; times the tests."""
    far = np.abs(null - 0.5)[:, None] >= np.abs(scores - 0.5) - 1e-9
    tests = np.isfinite(scores).sum()
    p = np.minimum((1 + far.sum(axis=0)) / (1 + len(null)) * tests, 1)
    return np.where(np.isfinite(scores), p, np.nan)


def figures(fitted: Mapping[str, np.ndarray], target: int) -> dict[str, float]:
    """Score and corrected p of each concept for a class."""
    each = zip(fitted["names"].tolist(), fitted["scores"][:, target], fitted["p"][:, target], strict=True)
    return {
        f"{what} {name}": float(value)
        for name, score, p in each
        for what, value in (("tcav", score), ("p", p))
    }
