"""Probabilities, and logits read back from them where a model does not show its own."""

import numpy as np

LEAST = float(np.finfo(np.float32).tiny)  # log(0) would be infinite
MOST = float(1 - np.finfo(np.float32).epsneg)
TOLERANCE = 2e-3


def log_probabilities(scores: np.ndarray) -> np.ndarray:
    """Log p: logits whose softmax is p again, for classes that exclude each other."""
    logits: np.ndarray = np.log(np.maximum(scores, LEAST))
    return logits


def log_odds(scores: np.ndarray) -> np.ndarray:
    """Log of p / (1 - p): logits whose sigmoid is p again, for classes that do not exclude each other."""
    kept = np.clip(scores, LEAST, MOST)
    logits: np.ndarray = np.log(kept) - np.log1p(-kept)
    return logits


def softmax(logits: np.ndarray) -> np.ndarray:
    """Softmax over the last axis."""
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    scores: np.ndarray = raised / raised.sum(axis=-1, keepdims=True)
    return scores


def are_within_bounds(values: np.ndarray) -> bool:
    """Tell whether all values lie between 0 and 1, but for rounding."""
    return bool(values.min() >= -TOLERANCE and values.max() <= 1 + TOLERANCE)


def are_probabilities(values: np.ndarray) -> bool:
    """Tell whether each row lies between 0 and 1 and sums to 1, but for rounding (half precision included)."""
    return are_within_bounds(values) and bool(np.abs(values.sum(axis=-1) - 1).max() <= TOLERANCE)
