"""Packages that draw from numpy's global generator."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np


@contextmanager
def global_draws(seed: int) -> Iterator[None]:
    """Seed numpy's global generator inside the block, and put it back afterwards."""
    state = np.random.get_state()  # noqa: NPY002
    np.random.seed(seed)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(state)  # noqa: NPY002
