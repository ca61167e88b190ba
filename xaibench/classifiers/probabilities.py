"""Logits read back from probabilities, where a model does not show its own."""

import numpy as np

LEAST = np.finfo(np.float32).tiny  # log(0) would be infinite
MOST = np.float32(1) - np.finfo(np.float32).epsneg


def log_probabilities(scores: np.ndarray) -> np.ndarray:
    """Log p: logits whose softmax is p again, for classes that exclude each other."""
    logits: np.ndarray = np.log(np.maximum(scores, LEAST))
    return logits


def log_odds(scores: np.ndarray) -> np.ndarray:
    """Log of p / (1 - p): logits whose sigmoid is p again, for classes that do not exclude each other."""
    kept = np.clip(scores, LEAST, MOST)
    logits: np.ndarray = np.log(kept) - np.log1p(-kept)
    return logits
