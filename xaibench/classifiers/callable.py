"""A Python function as a classifier: scores and nothing else."""

import hashlib
import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from xaibench.api import Need, XaibenchError
from xaibench.classifiers.base import BaseClassifier
from xaibench.classifiers.probabilities import are_probabilities, are_within_bounds
from xaibench.classifiers.source import source_hash

ScoreFunction = Callable[[np.ndarray], np.ndarray]


class PythonCallable(BaseClassifier):
    """Class probabilities from a function `images [n *space c] -> scores [n k]`; logits are read back from them."""

    def __init__(
        self,
        function: ScoreFunction,
        input_shape: tuple[int, ...],
        exclusive: bool = True,
        batch_size: int | None = None,
        class_names: tuple[str, ...] = (),
    ) -> None:
        super().__init__(input_shape, batch_size, class_names)
        self._function = function
        self._exclusive = exclusive
        self._name = getattr(function, "__qualname__", type(function).__name__)

    @cached_property
    def n_classes(self) -> int:
        """Number of classes, from the scores of one empty image."""
        return int(self._scores(np.zeros((1, *self.input_shape), np.float32)).shape[1])

    @property
    def exclusive(self) -> bool:
        """Whether the scores of an image sum to 1."""
        return self._exclusive

    @property
    def facts(self) -> dict[str, str]:
        """Its name, and where its logits come from."""
        source = "log p" if self.exclusive else "log-odds"
        return {"function": self._name, "logits": f"read back from the probabilities ({source})"}

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the function's source, of its answers to two images of noise, and of our code.

        The answers, to three digits, stand for weights that cannot be seen.
        """
        noise = np.random.default_rng(0).random((2, *self.input_shape), dtype=np.float32)
        digest = hashlib.sha256(f"{source_hash()} {self._name} {self.input_shape}".encode())
        digest.update(_source_of(self._function) + np.round(self._scores(noise), 3).tobytes())
        return digest.hexdigest()

    def verify(self, images: np.ndarray) -> list[str]:
        """Check that the scores are probabilities, one row an image. Raises XaibenchError if not."""
        self.scores(images)
        return []

    def _scores(self, images: np.ndarray) -> np.ndarray:
        scores = np.asarray(self._function(images), np.float32)
        if scores.ndim != 2 or len(scores) != len(images):
            raise XaibenchError(
                f"{self._name} returned {scores.shape} for {len(images)} images; it must return [n k], a row an image."
            )
        plausible = are_probabilities if self.exclusive else are_within_bounds
        if np.isfinite(scores).all() and not plausible(scores):
            wanted = "between 0 and 1 that sum to 1" if self.exclusive else "between 0 and 1"
            raise XaibenchError(
                f"{self._name} returned values from {scores.min():.3g} to {scores.max():.3g}; it must return "
                f"probabilities {wanted}."
            )
        return scores

    def _why_not(self, need: Need) -> str:
        return f"a Python function gives scores only, no {need.value}"


@dataclass(frozen=True)
class NamedFunction:
    """A function of an installed package or of a module on the Python path."""

    function: str
    """`package.module:function`."""
    input_shape: str
    """Height, width and channels (depth before them for volumes), such as `128,128,1`."""
    exclusive: bool = True
    """Whether an image has exactly one class, so that its scores sum to 1."""

    summary: ClassVar = (
        "a Python function package.module:function that turns images [n h w c] into scores [n k]"
    )

    def load(self) -> PythonCallable:
        """Import the function. Raises XaibenchError in one sentence for what is no such function."""
        return PythonCallable(imported(self.function), input_shape(self.input_shape), self.exclusive)


def imported(name: str) -> Callable[..., Any]:
    """Function of a package, by `package.module:function`. Raises XaibenchError where there is none."""
    module, _, attribute = name.partition(":")
    try:
        function = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise XaibenchError(
            f"There is no function {name!r} ({error}); name it as package.module:function."
        ) from error
    if not callable(function):
        raise XaibenchError(f"{name} is a {type(function).__name__}, no function.")
    found: Callable[..., Any] = function
    return found


def input_shape(text: str) -> tuple[int, ...]:
    """Shape of an image from text such as `128,128,1`. Raises XaibenchError for what is none."""
    sizes = text.split(",")
    if len(sizes) not in (3, 4) or not all(size.strip().isdigit() and int(size) for size in sizes):
        raise XaibenchError(f"Input shape {text!r} is not height,width,channels such as 128,128,1.")
    return tuple(int(size) for size in sizes)


def _source_of(function: ScoreFunction) -> bytes:
    """Source of the module that a function stands in; its name alone where there is none."""
    module = inspect.getmodule(function)
    try:
        return inspect.getsource(module).encode() if module else b""
    except (OSError, TypeError):
        return b""
