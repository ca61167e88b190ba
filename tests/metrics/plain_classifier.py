"""Classifiers in plain NumPy that note what they are asked: fast, and free of any other part of the package."""

import numpy as np

from xaibench.api import Classifier, Need, Passes


class Plain(Classifier):
    """Two classes with logits (0, z(image)), or whatever `logits` of a subclass gives."""

    input_shape: tuple[int, ...] = ()
    passes = Passes()
    n_classes = 2
    exclusive = True
    offers = frozenset({Need.SCORES})
    fingerprint = "plain"
    backward_rules = frozenset()
    random_layers = ()

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.input_shape = shape
        self.masked_calls: list[np.ndarray] = []
        self.remembered: dict[bytes, np.ndarray] = {}

    def z(self, flat: np.ndarray) -> np.ndarray:
        """Logit of class 1 of images `[n pixels]`."""
        raise NotImplementedError

    def logits(self, images: np.ndarray) -> np.ndarray:
        lead = images.shape[: images.ndim - len(self.input_shape)]
        flat = images.reshape(-1, int(np.prod(self.input_shape))).astype(np.float64)
        self.passes = self.passes._replace(forward=self.passes.forward + len(flat))
        z = self.z(flat)
        return np.stack([np.zeros_like(z), z], axis=-1).astype(np.float32).reshape(*lead, 2)

    def scores(self, images: np.ndarray) -> np.ndarray:
        logits = self.logits(images).astype(np.float64)
        powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return (powers / powers.sum(axis=-1, keepdims=True)).astype(np.float32)

    def remembered_scores(self, image: np.ndarray) -> np.ndarray:
        key = image.tobytes()
        if key not in self.remembered:
            self.remembered[key] = self.scores(image)
        return self.remembered[key]

    def masked_scores(self, image: np.ndarray, masks: object, baseline: np.ndarray) -> np.ndarray:
        kept = np.asarray(masks[0 : len(masks)], np.float32)
        self.masked_calls.append(kept)
        kept = kept[..., None]
        return self.scores((kept * image + (1 - kept) * baseline).astype(np.float32))


class Linear(Plain):
    """Logits (0, weights . x + bias); weights have the shape of an image."""

    def __init__(self, weights: np.ndarray, bias: float = 0.0) -> None:
        super().__init__(weights.shape)
        self.weights, self.bias = weights.astype(np.float64).ravel(), bias

    def z(self, flat: np.ndarray) -> np.ndarray:
        return flat @ self.weights + self.bias


class Network(Plain):
    """A small two-layer network with seeded random weights: generic, nothing about it is special."""

    def __init__(self, shape: tuple[int, ...] = (16, 16, 1), seed: int = 0, gain: float = 6.0) -> None:
        super().__init__(shape)
        rng = np.random.default_rng(seed)
        pixels = int(np.prod(shape))
        self.first = rng.normal(size=(pixels, 12)) / np.sqrt(pixels)
        self.second = gain * rng.normal(size=12)

    def z(self, flat: np.ndarray) -> np.ndarray:
        return np.maximum(flat @ self.first, 0) @ self.second


def images(classifier: Plain, count: int = 3, seed: int = 0) -> np.ndarray:
    """Random images in [0, 1] of the classifier's input size."""
    return np.random.default_rng(seed).random((count, *classifier.input_shape), dtype=np.float32)
