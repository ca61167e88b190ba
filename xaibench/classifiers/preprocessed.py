"""A classifier that is given images as they are, and preprocesses them for a model that takes others."""

import hashlib
from functools import cached_property

import numpy as np
from jaxtyping import Float32

from xaibench.api import (
    AnyImages,
    AnyScores,
    AnyTargets,
    Attention,
    BorrowedModel,
    Classifier,
    Features,
    Image,
    Images,
    Masks,
    Need,
    NotApplicable,
    Passes,
    Preprocessing,
    Scores,
    Verifiable,
)

OF_GRADIENTS = frozenset({"guided", "deconv"})
"""Backward rules that change a gradient; the others share out the logit."""


class Preprocessed:
    """Answers for images what the classifier of a model answers for preprocessed ones; all passes are the model's.

    Gradients are those with respect to the image itself. The relevance of a pixel is that of its preprocessed value.
    """

    def __init__(self, model: Classifier, preprocessing: Preprocessing) -> None:
        self._model = model
        self._preprocessing = preprocessing

    # ------------------------------------------------------------ what the model is

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one image."""
        return self._model.input_shape

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return self._model.n_classes

    @property
    def exclusive(self) -> bool:
        """Whether an image has exactly one class."""
        return self._model.exclusive

    @property
    def offers(self) -> frozenset[Need]:
        """What the model offers, but for the Keras model itself, which does not preprocess."""
        return self._model.offers - {Need.KERAS}

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the model and of the preprocessing."""
        return hashlib.sha256(f"{self._model.fingerprint} {self._preprocessing}".encode()).hexdigest()

    @property
    def passes(self) -> Passes:
        """Evaluations made so far."""
        return self._model.passes

    @property
    def backward_rules(self) -> frozenset[str]:
        """Names that `relevance` takes."""
        return self._model.backward_rules

    @property
    def random_layers(self) -> tuple[str, ...]:
        """Layers with weights, from the output down."""
        return self._model.random_layers

    def head_weights(self) -> Float32[np.ndarray, "maps k"] | None:
        """Weights of the classes on the default layer's maps, if the model has such a head."""
        return self._model.head_weights()

    def verify(self, images: Images) -> list[str]:
        """Compare the model's scores with its own output on preprocessed images. Raises XaibenchError."""
        return self._model.verify(self._seen(images)) if isinstance(self._model, Verifiable) else []

    # ------------------------------------------------------------ what may be asked

    def scores(self, images: AnyImages) -> AnyScores:
        """Class probabilities."""
        return self._model.scores(self._seen(images))

    def logits(self, images: AnyImages) -> AnyScores:
        """Class logits."""
        return self._model.logits(self._seen(images))

    def remembered_scores(self, image: Image) -> Float32[np.ndarray, "k"]:
        """Class probabilities of one image, predicted once."""
        return self._model.remembered_scores(self._seen(image))

    def masked_scores(self, image: Image, masks: Masks, baseline: Image) -> Scores:
        """Class probabilities of masked copies: a mix of two images, preprocessed, is the mix of both preprocessed."""
        return self._model.masked_scores(self._seen(image), masks, self._seen(baseline))

    def input_gradients(self, images: AnyImages, targets: AnyTargets) -> AnyImages:
        """Gradient of the target's logit with respect to the image."""
        return self._preprocessing.gradients(self._model.input_gradients(self._seen(images), targets))

    def features(self, images: AnyImages, layer: str | None = None) -> Features:
        """Feature maps of a layer."""
        return self._model.features(self._seen(images), layer)

    def feature_gradients(
        self, images: AnyImages, targets: AnyTargets, layer: str | None = None
    ) -> tuple[Features, Features]:
        """Feature maps of a layer, and the gradient of the target's logit with respect to them."""
        return self._model.feature_gradients(self._seen(images), targets, layer)

    def logits_from_features(self, features: Features, layer: str | None = None) -> AnyScores:
        """Class logits that the layers behind a layer give for changed feature maps of it."""
        return self._model.logits_from_features(features, layer)

    def relevance(
        self, images: AnyImages, targets: AnyTargets, rule: str, baseline: Image | None = None
    ) -> AnyImages:
        """Send the target's logit back to the input by a named rule."""
        compared = None if baseline is None else self._seen(baseline)
        relevance = self._model.relevance(self._seen(images), targets, rule, compared)
        put_back = self._preprocessing
        return put_back.gradients(relevance) if rule in OF_GRADIENTS else put_back.in_order(relevance)

    def attention(self, images: AnyImages, targets: AnyTargets) -> tuple[Attention, Attention]:
        """Attention of each layer and its gradient."""
        return self._model.attention(self._seen(images), targets)

    def randomised(self, seed: int, upto: str) -> Classifier:
        """Return the classifier with fresh weights down to a layer; the preprocessing stays."""
        return Preprocessed(self._model.randomised(seed, upto), self._preprocessing)

    def borrow_keras(self, forward: int, backward: int) -> BorrowedModel:
        """Refuse: raises NotApplicable."""
        raise NotApplicable(
            "the model's images are preprocessed outside it, so it cannot be called by itself"
        )

    def _seen(self, images: AnyImages) -> AnyImages:
        return self._preprocessing(images)
