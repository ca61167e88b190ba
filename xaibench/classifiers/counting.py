"""Runs primitives a batch at a time, and counts and times what they evaluate."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from xaibench.api import Passes
from xaibench.classifiers.batches import even_parts, finite, flattened

Primitive = Callable[..., tuple[np.ndarray, ...]]


def single(primitive: Callable[..., np.ndarray]) -> Primitive:
    """Primitive of one array as one of several."""
    return lambda *arrays: (primitive(*arrays),)


class CountedBatches:
    """Images with any leading axes go in flat, even batches through a primitive; each image counts as a pass."""

    def __init__(self, input_shape: tuple[int, ...], batch_size: int) -> None:
        self.input_shape = input_shape
        self.batch_size = batch_size
        self.passes = Passes()
        self.counts_for: CountedBatches | None = None
        """Classifier whose passes these are as well: a randomised one is asked for the sake of the trained one."""

    def _run_one(
        self, primitive: Callable[..., np.ndarray], images: np.ndarray, *others: np.ndarray, backward: int = 0
    ) -> np.ndarray:
        return self._run(single(primitive), self.input_shape, images, *others, backward=backward)[0]

    def _run(
        self,
        primitive: Primitive,
        shape: tuple[int, ...],
        arrays: np.ndarray,
        *others: np.ndarray,
        backward: int = 0,
    ) -> list[np.ndarray]:
        """Apply a primitive to arrays with trailing axes `shape` and any leading ones, a batch at a time."""
        flat, lead = flattened(arrays, shape)
        beside = [np.broadcast_to(other, lead).reshape(-1) for other in others]
        rows = []
        for part in even_parts(len(flat), self.batch_size):
            count = part.stop - part.start
            with self._timed(forward=count, backward=backward * count):
                rows.append(primitive(flat[part], *(other[part] for other in beside)))
        joined = [finite(np.concatenate(parts)) for parts in zip(*rows, strict=True)]
        return [array.reshape(*lead, *array.shape[1:]) for array in joined]

    @contextmanager
    def _timed(self, forward: int, backward: int = 0) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self._count(forward, backward, time.perf_counter() - started)

    def _count(self, forward: int = 0, backward: int = 0, seconds: float = 0.0) -> None:
        done = self.passes
        self.passes = Passes(done.forward + forward, done.backward + backward, done.seconds + seconds)
        if self.counts_for is not None:
            self.counts_for._count(forward, backward, seconds)
