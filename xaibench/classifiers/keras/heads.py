"""Logits and scores `[n k]` from what a model ends in, as functions of tensors."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from xaibench.classifiers.probabilities import LEAST, MOST

Head = Callable[[Any], Any]


def rows(units: int) -> Head:
    """Values `[n 1 .. units .. 1]` as `[n units]`, float32."""
    return lambda raw: tf.reshape(tf.cast(raw, tf.float32), (-1, units))


def two_logits(z: Any) -> Any:
    """Read one unit z as the two logits -z/2 and z/2, whose softmax is (1 - sigmoid z, sigmoid z)."""
    return tf.concat([-z / 2, z / 2], axis=1)


def two_scores(p: Any) -> Any:
    """Read one probability p as those of two classes, 1 - p and p."""
    return tf.concat([1 - p, p], axis=1)


def log_p(p: Any) -> Any:
    """Logits of classes that exclude each other, from their probabilities."""
    return tf.math.log(tf.maximum(p, LEAST))


def log_odds(p: Any) -> Any:
    """Logits of classes each on its own, from their probabilities."""
    kept = tf.clip_by_value(p, LEAST, MOST)
    return tf.math.log(kept) - tf.math.log1p(-kept)


def two_log_odds(p: Any) -> Any:
    """Two logits, from the probability of the second class."""
    return two_logits(log_odds(p))


READ_BACK = frozenset({log_p, log_odds, two_log_odds})
