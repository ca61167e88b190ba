"""Keras image classifiers: the model laid flat, its logits, its layers, and functions traced once."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # must be set before TensorFlow is imported

from xaibench.classifiers.keras.classifier import KerasClassifier
from xaibench.classifiers.keras.loading import load_keras

__all__ = ["KerasClassifier", "load_keras"]
