"""The neutral half of a classifier: all that may be asked; a subclass adds primitives on flat batches."""

from abc import abstractmethod
from functools import partial

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
    Masks,
    Need,
    NotApplicable,
    Preprocessing,
    Scores,
    XaibenchError,
    unknown,
)
from xaibench.classifiers.batches import default_batch_size, even_parts, finite, flattened
from xaibench.classifiers.counting import CountedBatches, single
from xaibench.classifiers.memory import Memory
from xaibench.classifiers.preprocessed import Preprocessed
from xaibench.classifiers.primitives import Primitives


class BaseClassifier(CountedBatches, Primitives):
    """Answers as `xaibench.api.Classifier`. A subclass brings primitives; what it has of them, it names in `offers`."""

    def __init__(
        self, input_shape: tuple[int, ...], batch_size: int | None = None, class_names: tuple[str, ...] = ()
    ) -> None:
        super().__init__(input_shape, batch_size or default_batch_size(input_shape))
        self.class_names = class_names
        self._memory = Memory()

    # ------------------------------------------------------------ what the model is

    @property
    @abstractmethod
    def n_classes(self) -> int:
        """Number of classes."""

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """Hash of all that decides the answers."""

    @property
    def offers(self) -> frozenset[Need]:
        """What may be asked of this model."""
        return frozenset({Need.SCORES})

    @property
    def facts(self) -> dict[str, str]:
        """What a reader should know of the model, in a few words each."""
        return {}

    @property
    def default_layer(self) -> str:
        """Name of the layer whose feature maps are taken if none is named."""
        raise NotApplicable(self._why_not(Need.FEATURES))

    @property
    def backward_rules(self) -> frozenset[str]:
        """Names that `relevance` takes."""
        return frozenset()

    @property
    def random_layers(self) -> tuple[str, ...]:
        """Layers with weights, from the output down."""
        return ()

    def head_weights(self) -> Float32[np.ndarray, "maps k"] | None:
        """Weights of the classes on the default layer's maps; None unless the head is pooling + one dense layer."""
        return None

    # ------------------------------------------------------------ what may be asked

    def scores(self, images: AnyImages) -> AnyScores:
        """Class probabilities."""
        return self._run_one(self._scores, images)

    def logits(self, images: AnyImages) -> AnyScores:
        """Class logits; log p or log-odds where the model shows nothing but probabilities."""
        return self._run_one(self._logits, images)

    def remembered_scores(self, image: Image) -> Float32[np.ndarray, "k"]:
        """Class probabilities of one image, predicted once; counted as a pass each time it is asked for."""
        scores, known = self._memory.get(image, lambda: self.scores(image))
        self._count(forward=int(known))
        return scores

    def masked_scores(self, image: Image, masks: Masks, baseline: Image) -> Scores:
        """Class probabilities of `mask * image + (1 - mask) * baseline`, a row a mask."""
        rows = []
        for part in even_parts(len(masks), self.batch_size):
            kept = np.asarray(masks[part], np.float32)
            if kept.shape[1:] != image.shape[:-1]:
                raise ValueError(f"masks are {kept.shape[1:]} but the image is {image.shape[:-1]}")
            with self._timed(forward=len(kept)):
                rows.append(self._masked_scores(image, kept, baseline))
        return finite(np.concatenate(rows))

    def input_gradients(self, images: AnyImages, targets: AnyTargets) -> AnyImages:
        """Gradient of the target's logit with respect to the input."""
        self._require(Need.INPUT_GRADIENTS)
        return self._run_one(self._input_gradients, images, targets, backward=1)

    def features(self, images: AnyImages, layer: str | None = None) -> Features:
        """Feature maps of a layer."""
        self._require(Need.FEATURES)
        return self._run_one(partial(self._features, layer=layer or self.default_layer), images)

    def feature_gradients(
        self, images: AnyImages, targets: AnyTargets, layer: str | None = None
    ) -> tuple[Features, Features]:
        """Feature maps of a layer, and the gradient of the target's logit with respect to them."""
        self._require(Need.FEATURE_GRADIENTS)
        primitive = partial(self._feature_gradients, layer=layer or self.default_layer)
        maps, gradients = self._run(primitive, self.input_shape, images, targets, backward=1)
        return maps, gradients

    def logits_from_features(self, features: Features, layer: str | None = None) -> AnyScores:
        """Class logits that the layers behind a layer give for changed feature maps of it.

        Counted as a forward pass each, though only the layers behind the maps run.
        """
        self._require(Need.LOGITS_FROM_FEATURES)
        layer = layer or self.default_layer
        primitive = single(partial(self._logits_from_features, layer=layer))
        return self._run(primitive, self._feature_shape(layer), features)[0]

    def relevance(
        self, images: AnyImages, targets: AnyTargets, rule: str, baseline: Image | None = None
    ) -> AnyImages:
        """Send the target's logit back to the input by a named rule.

        Raises NotApplicable for a rule that does not know a layer of this model.
        """
        self._require(Need.BACKWARD_RULES)
        if rule not in self.backward_rules:
            raise self._no_rule(rule)
        primitive = partial(self._relevance, rule=rule, baseline=baseline)
        return self._run_one(primitive, images, targets, backward=1)

    def attention(self, images: AnyImages, targets: AnyTargets) -> tuple[Attention, Attention]:
        """Attention of each layer and the gradient of the target's logit with respect to it; leading axes made one."""
        self._require(Need.ATTENTION)
        flat, lead = flattened(images, self.input_shape)
        flat_targets = np.broadcast_to(targets, lead).reshape(-1)
        found = self._run(self._attention, self.input_shape, flat, flat_targets, backward=1)
        attention, gradients = (np.moveaxis(array, 1, 0) for array in found)
        return attention, gradients

    def randomised(self, seed: int, upto: str) -> Classifier:
        """Return the classifier with fresh weights in the layers from the output down to `upto`."""
        raise NotApplicable(self._why_not(Need.RANDOMISED))

    def borrow_keras(self, forward: int, backward: int) -> BorrowedModel:
        """Lend the Keras model; the stated passes are counted."""
        raise NotApplicable(self._why_not(Need.KERAS))

    def preprocessed(self, preprocessing: Preprocessing) -> Classifier:
        """Return the classifier of images that are preprocessed for this model."""
        return Preprocessed(self, preprocessing)

    # ------------------------------------------------------------ what is not offered

    def _no_rule(self, rule: str) -> Exception:
        """Why a backward rule is not among those of this model."""
        return XaibenchError(unknown("backward rule", rule, sorted(self.backward_rules)))

    def _require(self, need: Need) -> None:
        if need not in self.offers:
            raise NotApplicable(self._why_not(need))
