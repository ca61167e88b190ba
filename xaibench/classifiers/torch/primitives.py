"""The primitives of a torch classifier: parts of its program, run on flat batches."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch.fx import Node

from xaibench.api import NotApplicable
from xaibench.classifiers.base import BaseClassifier
from xaibench.classifiers.batches import even_parts
from xaibench.classifiers.relevance.offered import BackwardRules
from xaibench.classifiers.torch.ending import Ending
from xaibench.classifiers.torch.layers import Layers
from xaibench.classifiers.torch.program import Part, Program, Weights
from xaibench.classifiers.torch.relevance.network import network_of

Function = Callable[..., Sequence[torch.Tensor]]
MEMORY_OF_RULES = 4
"""Backward rules keep about that many times the values that a gradient keeps: the batches are so many times smaller."""


class TorchPrimitives(BaseClassifier):
    """An exported program, asked for flat batches; channels first inside, last outside."""

    def __init__(
        self,
        program: Program,
        weights: Weights,
        ending: Ending,
        batch_size: int | None = None,
        class_names: tuple[str, ...] = (),
    ) -> None:
        super().__init__(program.input_shape, program.fixed_batch or batch_size, class_names)
        self.program = program
        self.weights = weights
        self.ending = ending
        self.layers = Layers(program)
        self._rules = BackwardRules(lambda: network_of(program, ending, lambda: self.weights))
        self._parts: dict[tuple[Node, tuple[Node, ...]], Part] = {}

    # ------------------------------------------------------------ each for one flat batch

    def _outputs(self, images: np.ndarray) -> np.ndarray:
        """Values `[n units]` of what logits and scores are made from."""
        (rows,) = self._run_part(
            lambda x: [self.ending.rows(*self._to_raw()(self.weights, x))], inward(images)
        )
        return array(rows)

    def _scores(self, images: np.ndarray) -> np.ndarray:
        return self.ending.reading.scores(self._outputs(images))

    def _logits(self, images: np.ndarray) -> np.ndarray:
        return self.ending.reading.logits(self._outputs(images))

    def _masked_scores(self, image: np.ndarray, masks: np.ndarray, baseline: np.ndarray) -> np.ndarray:
        def run(kept: torch.Tensor) -> Sequence[torch.Tensor]:
            images = torch.lerp(inward(baseline[None]), inward(image[None]), kept)
            return [self.ending.rows(*self._to_raw()(self.weights, images.to(self.program.dtype)))]

        (rows,) = self._run_part(run, inward(masks[..., None]))
        return self.ending.reading.scores(array(rows))

    def _input_gradients(self, images: np.ndarray, targets: np.ndarray) -> np.ndarray:
        def run(x: torch.Tensor, y: torch.Tensor) -> Sequence[torch.Tensor]:
            x.requires_grad_()
            (raw,) = self._to_raw()(self.weights, x)
            return [gradient(self._logit(raw, y), x)]

        (found,) = self._run_part(run, inward(images), torch.tensor(targets), with_gradients=True)
        return outward(found)

    def _features(self, images: np.ndarray, *, layer: str) -> np.ndarray:
        part = self._part(self.program.image, self.layers.output_of(layer))
        (maps,) = self._run_part(lambda x: part(self.weights, x), inward(images))
        return outward(maps)

    def _feature_gradients(
        self, images: np.ndarray, targets: np.ndarray, *, layer: str
    ) -> tuple[np.ndarray, np.ndarray]:
        node = self.layers.output_of(layer)
        part = self._part(self.program.image, node, self.ending.raw)

        def run(x: torch.Tensor, y: torch.Tensor) -> Sequence[torch.Tensor]:
            maps, raw = part(self.weights, x, leaf=node)
            return maps, gradient(self._logit(raw, y), maps)

        found = self._run_part(run, inward(images), torch.tensor(targets), with_gradients=True)
        maps, gradients = map(outward, found)
        return maps, gradients

    def _logits_from_features(self, features: np.ndarray, *, layer: str) -> np.ndarray:
        try:
            part = self._part(self.layers.output_of(layer), self.ending.raw)
        except ValueError as error:
            raise NotApplicable(f"the logits also depend on layers that go past {layer!r}") from error
        (logits,) = self._run_part(
            lambda maps: [self.ending.logits(*part(self.weights, maps))], inward(features)
        )
        return array(logits)

    def _relevance(
        self, images: np.ndarray, targets: np.ndarray, *, rule: str, baseline: np.ndarray | None
    ) -> np.ndarray:
        function, beside = self._rules.function(rule), []
        if self._rules.compares(rule):
            if baseline is None:
                raise ValueError(f"rule {rule!r} compares with a baseline; give one")
            beside = [inward(baseline[None])[0].to(self.program.dtype)]

        def run(x: torch.Tensor, y: torch.Tensor) -> Sequence[torch.Tensor]:
            self._count(forward=len(beside))
            return [function(x, y, *beside)]

        parts = even_parts(len(images), self.program.fixed_batch or -(-self.batch_size // MEMORY_OF_RULES))
        rows = [
            self._run_part(run, inward(images[p]), torch.tensor(targets[p]), with_gradients=True)
            for p in parts
        ]
        return outward(torch.cat([row for (row,) in rows]))

    def _feature_shape(self, layer: str) -> tuple[int, ...]:
        channels, *space = self.layers.output_of(layer).meta["val"].shape[1:]
        return (*space, channels)

    # ------------------------------------------------------------ parts of the program

    def _part(self, start: Node, *ends: Node) -> Part:
        """Part of the program, taken out once. Raises ValueError as `Program.between` does."""
        if (start, ends) not in self._parts:
            self._parts[start, ends] = self.program.between(start, ends)
        return self._parts[start, ends]

    def _to_raw(self) -> Part:
        return self._part(self.program.image, self.ending.raw)

    def _logit(self, raw: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Logit of each image's target `[n]`."""
        return self.ending.logits(raw).gather(1, targets[:, None])[:, 0]

    def _run_part(
        self, run: Function, *given: torch.Tensor, with_gradients: bool = False
    ) -> list[torch.Tensor]:
        """Run a function of batches; a program that takes one number of images gets the last one repeated."""
        count, size = len(given[0]), self.program.fixed_batch or len(given[0])
        batches = [_filled_up(each, size) for each in given]
        tensors = [each.to(self.program.dtype) if each.is_floating_point() else each for each in batches]
        with torch.enable_grad() if with_gradients else torch.inference_mode():
            return [found.detach()[:count] for found in run(*tensors)]


def _filled_up(batch: torch.Tensor, size: int) -> torch.Tensor:
    """A batch with its last image repeated until there are `size` of them."""
    missing = size - len(batch)
    return torch.cat([batch, batch[-1:].expand(missing, *batch.shape[1:])]) if missing else batch


def gradient(logit: torch.Tensor, inner: torch.Tensor) -> torch.Tensor:
    """Gradient of each image's logit with respect to inner values of the same image; 0 where there is none."""
    if not logit.requires_grad:
        return torch.zeros_like(inner)
    (found,) = torch.autograd.grad(logit.sum(), inner, allow_unused=True, materialize_grads=True)
    return found


def inward(images: np.ndarray) -> torch.Tensor:
    """Arrays `[n *space c]` as tensors `[n c *space]`, in memory of their own.

    The channels stay last in memory, where convolutions on the CPU are faster.
    """
    return torch.tensor(images).movedim(-1, 1)


def in_order(images: torch.Tensor) -> torch.Tensor:
    """Tensors in memory as they are indexed, which a user's model may rely on."""
    return images.clone(memory_format=torch.contiguous_format)


def outward(values: torch.Tensor) -> np.ndarray:
    """Tensors `[n c *space]` as float32 arrays `[n *space c]`."""
    return np.ascontiguousarray(np.moveaxis(array(values), 1, -1))


def array(values: Any) -> np.ndarray:
    """Tensor as a float32 array."""
    found: np.ndarray = values.float().numpy()
    return found
