"""A Keras image classifier: what it is, what it offers, and its copies with other weights."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from jaxtyping import Float32

from xaibench.api import (
    BorrowedModel,
    Classifier,
    Images,
    Need,
    NotApplicable,
    Preprocessing,
    XaibenchError,
    unknown,
)
from xaibench.classifiers.batches import even_parts
from xaibench.classifiers.keras.attention import attention_refusal
from xaibench.classifiers.keras.fingerprint import fingerprint
from xaibench.classifiers.keras.flat import Step
from xaibench.classifiers.keras.inputs import input_notes, preprocessed_model
from xaibench.classifiers.keras.lending import lent_copy
from xaibench.classifiers.keras.primitives import KerasPrimitives
from xaibench.classifiers.keras.probing import outputs_of, verified
from xaibench.classifiers.keras.randomising import fresh_weights, layers_with_weights
from xaibench.classifiers.keras.sharing import SharedModel, with_known

OF_MAPS = {Need.FEATURES, Need.FEATURE_GRADIENTS, Need.LOGITS_FROM_FEATURES, Need.KERAS}


class KerasClassifier(KerasPrimitives):
    """Wraps a functional or sequential Keras model."""

    def sibling(self, weights: Sequence[np.ndarray]) -> "KerasClassifier":
        """Return a classifier of the same layers with other weights, such as another fold's.

        The two share the model and the traced functions; each puts its own weights into it before it answers.
        """
        if self._shared is None:
            self._shared = SharedModel(self.model)
            self._weights = self._shared.active
        other = KerasClassifier(self.model, self.batch_size, self.class_names)
        other.graph = self.graph
        other._rules = self._rules
        other._compiled = self._compiled
        other._shared = self._shared
        other._weights = with_known(weights, self._weights)
        return other

    def preprocessed(self, preprocessing: Preprocessing) -> Classifier:
        """Return the classifier with the preprocessing as its first layers, which libraries see too.

        A model whose layers others share keeps them: it is preprocessed for from outside.
        """
        if self._shared is not None:
            return super().preprocessed(preprocessing)
        model = preprocessed_model(self.model, preprocessing)
        return KerasClassifier(model, self.batch_size, self.class_names)

    # ------------------------------------------------------------ what the model is

    @property
    def n_classes(self) -> int:
        """Number of classes; a sigmoid unit counts as two."""
        return self.graph.ending.n_classes

    @property
    def exclusive(self) -> bool:
        """Whether an image has exactly one class."""
        return self.graph.ending.exclusive

    @property
    def default_layer(self) -> str:
        """Name of the layer that CAMs use; raises NotApplicable where there is none."""
        return self.graph.default_layer()

    @cached_property
    def offers(self) -> frozenset[Need]:
        """What this model can be asked for."""
        found = {Need.SCORES, Need.INPUT_GRADIENTS}
        found |= {Need.RANDOMISED} if self._layers_with_weights else set()
        found |= {Need.BACKWARD_RULES} if self.backward_rules else set()
        found |= set() if attention_refusal(self.graph.steps) else {Need.ATTENTION}
        if self.graph.has_maps():
            found |= {Need.FEATURES, Need.FEATURE_GRADIENTS}
            found |= set() if self._is_bypassed(self.default_layer) else {Need.LOGITS_FROM_FEATURES}
            found |= set() if self.graph.ending.is_read_back else {Need.KERAS}
        return frozenset(found)

    @property
    def facts(self) -> dict[str, str]:
        """Number of parameters, and the layer whose feature maps are taken by default."""
        layer = self.default_layer if self.graph.has_maps() else "none"
        return {"parameters": f"{self.model.count_params():,}", "layer": layer}

    def verify(self, images: Images) -> list[str]:
        """Compare the scores with the model's own output; what a reader must know of how it was read.

        Raises XaibenchError where the two disagree, or the outputs are not what they were read as.
        """
        self._activate()
        parts = even_parts(len(images), self.batch_size)
        own = np.concatenate([outputs_of(self.model, images[part]) for part in parts])
        return [
            *verified(self.graph.ending, own, lambda: self.scores(images)),
            *input_notes(self.graph, images),
        ]

    @cached_property
    def fingerprint(self) -> str:
        """Hash of layers, weights and our code; the same for the same model however it was stored or named."""
        self._activate()
        return fingerprint(self.graph.flat, self.model.get_weights())

    def head_weights(self) -> Float32[np.ndarray, "maps k"] | None:
        """Weights of the classes on the default layer's maps; None unless the head is pooling + dense."""
        self._activate()
        return self.graph.head_weights()

    @property
    def random_layers(self) -> tuple[str, ...]:
        """Layers with learnt weights, from the output down; `name#2` is the second layer of a name."""
        return tuple(self._layers_with_weights)

    @cached_property
    def _layers_with_weights(self) -> dict[str, Step]:
        return layers_with_weights(self.graph.steps)

    def randomised(self, seed: int, upto: str) -> "KerasClassifier":
        """Return the classifier with fresh weights in the layers from the output down to `upto`, the others as trained.

        Raises XaibenchError for a layer that is not among `random_layers`.
        """
        self._require(Need.RANDOMISED)
        if upto not in self.random_layers:
            raise XaibenchError(unknown("layer with weights", upto, self.random_layers))
        fresh: dict[int, np.ndarray] = {}
        for name in self.random_layers[: self.random_layers.index(upto) + 1]:
            step = self._layers_with_weights[name]
            drawn = fresh_weights(step, seed, name)
            fresh |= {id(held): weight for held, weight in zip(step.layer.weights, drawn, strict=True)}
        self._activate()
        trained = zip(self.model.weights, self.model.get_weights(), strict=True)
        other = self.sibling([np.asarray(fresh.get(id(variable), there)) for variable, there in trained])
        other.counts_for = self
        return other

    @property
    def backward_rules(self) -> frozenset[str]:
        """Rules that have a meaning for every layer of the model."""
        return self._rules.names

    def _no_rule(self, rule: str) -> Exception:
        reason = self._rules.refusal(rule)
        return NotApplicable(reason) if reason else super()._no_rule(rule)

    def borrow_keras(self, forward: int, backward: int) -> BorrowedModel:
        """Lend the flat Keras model with logits as its output; the stated passes are counted."""
        self._require(Need.KERAS)
        self._count(forward=forward, backward=backward)
        return self._lent

    @cached_property
    def _lent(self) -> BorrowedModel:
        self._activate()
        return lent_copy(self.graph)

    def _why_not(self, need: Need) -> str:
        if need in OF_MAPS and not self.graph.has_maps():
            return "the model has no convolutional layer, so it has no feature maps"
        if need is Need.LOGITS_FROM_FEATURES:
            return f"the logits also depend on layers that go past {self.default_layer!r}"
        if need is Need.BACKWARD_RULES:
            return self._rules.refusals
        if need is Need.ATTENTION:
            return attention_refusal(self.graph.steps)
        if need is Need.RANDOMISED:
            return "the model has no layer with weights that it learnt"
        if need is Need.KERAS:
            return "the logits are read back from the model's probabilities, so no Keras model puts them out"
        return super()._why_not(need)
