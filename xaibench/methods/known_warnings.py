"""Warnings of other packages that are known and change no result."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

LIST_OF_INPUTS = "The structure of `inputs`"
"""A package passes a list of one input where Keras 3 expects the input."""
NEWER_TENSORFLOW = "Your TensorFlow version is newer"
"""shap names TensorFlow 2, which it works with all the same."""


@contextmanager
def ignored(*messages: str) -> Iterator[None]:
    """Silence warnings that begin with some words, and TensorFlow's notes on functions that a package makes anew."""
    logger = logging.getLogger("tensorflow")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            for message in messages:
                warnings.filterwarnings("ignore", message=message, category=UserWarning)
            yield
    finally:
        logger.setLevel(level)
