"""A torch image classifier: what it is, what it offers, and its copies with other weights."""

from collections.abc import Callable
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float32
from torch.export import ExportedProgram

from xaibench.api import Images, Need, NotApplicable, XaibenchError, unknown
from xaibench.classifiers.batches import even_parts
from xaibench.classifiers.outputs import Activation
from xaibench.classifiers.probing import finite_rows, probe_images, verified
from xaibench.classifiers.torch.ending import Ending, read_ending
from xaibench.classifiers.torch.fingerprint import fingerprint
from xaibench.classifiers.torch.layers import NO_CONVOLUTION, head_weights
from xaibench.classifiers.torch.opening import open_program
from xaibench.classifiers.torch.primitives import TorchPrimitives, array, in_order, inward
from xaibench.classifiers.torch.program import Program, Weights
from xaibench.classifiers.torch.randomising import fresh_weights, kinds, layers_with_weights

OF_MAPS = {Need.FEATURES, Need.FEATURE_GRADIENTS, Need.LOGITS_FROM_FEATURES}
Model = Callable[[torch.Tensor], torch.Tensor]
STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
"""What batch norms count and do not learn."""


class TorchClassifier(TorchPrimitives):
    """Wraps an exported program; `own` runs the model as torch does, for the comparison with ours."""

    def __init__(
        self,
        program: Program,
        weights: Weights,
        ending: Ending,
        own: Model,
        batch_size: int | None = None,
        class_names: tuple[str, ...] = (),
    ) -> None:
        super().__init__(program, weights, ending, batch_size, class_names)
        self.own = own

    # ------------------------------------------------------------ what the model is

    @property
    def n_classes(self) -> int:
        """Number of classes; one output counts as two."""
        return self.ending.reading.n_classes

    @property
    def exclusive(self) -> bool:
        """Whether an image has exactly one class."""
        return self.ending.reading.exclusive

    @property
    def default_layer(self) -> str:
        """Name of the layer that CAMs use; raises NotApplicable where there is none."""
        return self.layers.default

    @cached_property
    def offers(self) -> frozenset[Need]:
        """What this model can be asked for."""
        found = {Need.SCORES, Need.INPUT_GRADIENTS}
        found |= {Need.RANDOMISED} if self._layers_with_weights else set()
        found |= {Need.BACKWARD_RULES} if self.backward_rules else set()
        if self.layers.has_maps:
            found |= {Need.FEATURES, Need.FEATURE_GRADIENTS}
            found |= set() if self._is_bypassed(self.default_layer) else {Need.LOGITS_FROM_FEATURES}
        return frozenset(found)

    def _is_bypassed(self, layer: str) -> bool:
        """Tell whether the logits depend on the image past a layer too."""
        try:
            self._part(self.layers.output_of(layer), self.ending.raw)
        except ValueError:
            return True
        return False

    @property
    def facts(self) -> dict[str, str]:
        """Number of parameters, the default feature layer, and the batches it takes if it takes no others."""
        learnt = {name for names in self._layers_with_weights.values() for name in names}
        count = sum(self.weights[name].numel() for name in learnt if not name.endswith(STATISTICS))
        found = {"parameters": f"{count:,}", "layer": self.default_layer if self.layers.has_maps else "none"}
        if self.program.fixed_batch:
            found["batches"] = f"of {self.program.fixed_batch} alone, as the program was exported"
        return found

    def verify(self, images: Images) -> list[str]:
        """Compare the scores with the model's own output; what a reader must know of how it was read.

        Raises XaibenchError where the two disagree, or the outputs are not what they were read as.
        """
        verified(self.ending.shown, self._own_outputs(images), lambda: self.scores(images))
        return [self.ending.reading.note] if self.ending.reading.note else []

    def _own_outputs(self, images: np.ndarray) -> np.ndarray:
        parts = even_parts(len(images), self.batch_size)
        rows = [self._run_part(lambda x: [self.own(in_order(x))], inward(images[part]))[0] for part in parts]
        return np.concatenate([array(row).reshape(len(row), -1) for row in rows])

    @cached_property
    def fingerprint(self) -> str:
        """Hash of operations, weights and our code; the same for the same model however it was stored or named."""
        return fingerprint(self.program, self.weights, self.ending.reading)

    def head_weights(self) -> Float32[np.ndarray, "maps k"] | None:
        """Weights of the classes on the default layer's maps; None unless the head is pooling + linear."""
        return head_weights(self.program, self.layers, self.ending.raw, self.weights)

    # ------------------------------------------------------------ other weights

    @property
    def random_layers(self) -> tuple[str, ...]:
        """Layers with learnt weights, from the output down."""
        return tuple(self._layers_with_weights)

    @cached_property
    def _layers_with_weights(self) -> dict[str, list[str]]:
        return layers_with_weights(self.program, self.weights)

    def randomised(self, seed: int, upto: str) -> "TorchClassifier":
        """Return the classifier with fresh weights in the layers from the output down to `upto`, the others as trained.

        Raises XaibenchError for a layer that is not among `random_layers`.
        """
        self._require(Need.RANDOMISED)
        if upto not in self.random_layers:
            raise XaibenchError(unknown("layer with weights", upto, self.random_layers))
        weights, classes = dict(self.weights), kinds(self.program)
        for layer in self.random_layers[: self.random_layers.index(upto) + 1]:
            own = {name: weights[name] for name in self._layers_with_weights[layer]}
            weights |= fresh_weights(layer, classes.get(layer, ""), own, seed)
        other = TorchClassifier(
            self.program, weights, self.ending, self.own, self.batch_size, self.class_names
        )
        other._parts = self._parts
        other.counts_for = self
        return other

    @property
    def backward_rules(self) -> frozenset[str]:
        """Rules that have a meaning for every operation of the model."""
        return self._rules.names

    def _no_rule(self, rule: str) -> Exception:
        reason = self._rules.refusal(rule)
        return NotApplicable(reason) if reason else super()._no_rule(rule)

    def _why_not(self, need: Need) -> str:
        if need in OF_MAPS and not self.layers.has_maps:
            return NO_CONVOLUTION
        if need is Need.LOGITS_FROM_FEATURES:
            return f"the logits also depend on layers that go past {self.default_layer!r}"
        if need is Need.BACKWARD_RULES:
            return self._rules.refusals
        if need is Need.RANDOMISED:
            return "the model has no layer with weights that it learnt"
        if need is Need.ATTENTION:
            return "the attention of PyTorch models is not read"
        if need is Need.KERAS:
            return "the model is a PyTorch model"
        return super()._why_not(need)


def torch_classifier(
    exported: ExportedProgram,
    own: Model,
    activation: Activation = "",
    batch_size: int | None = None,
    class_names: tuple[str, ...] = (),
) -> TorchClassifier:
    """Classifier of an exported program. Raises XaibenchError in one sentence for what is no image classifier."""
    program, weights = open_program(exported)

    def outputs() -> np.ndarray:
        images = inward(probe_images(program.input_shape)).to(program.dtype)
        size = program.fixed_batch or len(images)
        part = program.between(program.image, [program.output])
        batches = [images[at : at + 1].expand(size, *images.shape[1:]) for at in range(len(images))]
        with torch.inference_mode():
            rows = [part(weights, batch)[0][:1].reshape(1, -1) for batch in batches]
        return finite_rows(array(torch.cat(rows)))

    ending = read_ending(program, activation, outputs)
    return TorchClassifier(program, weights, ending, own, batch_size, class_names)
