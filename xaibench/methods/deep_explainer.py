"""The package shap's explainer by DeepLIFT's rules, and its ways of failing."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from jaxtyping import Float32

from xaibench.api import BorrowedModel, Image, NotApplicable
from xaibench.methods.known_warnings import LIST_OF_INPUTS, NEWER_TENSORFLOW, ignored


def deep_values(
    borrowed: BorrowedModel, image: Image, target: int, references: Float32[np.ndarray, "b *space c"]
) -> Image:
    """Contribution of each pixel and channel to logit(image) - mean logit of the references.

    Raises NotApplicable for a model that the package has no rules for.
    """
    explainer = _explainer(borrowed, target, references)
    seen = borrowed.preprocessing(image[None]).numpy()
    with _failing_cleanly(), ignored(LIST_OF_INPUTS):
        values: Image = explainer.shap_values(seen)[0, ..., 0]
    return values.astype(np.float32)


def _explainer(borrowed: BorrowedModel, target: int, references: np.ndarray) -> Any:
    """Return the package's explainer of one logit, which traces the model on its first use."""
    from shap import DeepExplainer  # slow to import

    key = DeepExplainer, target, references.tobytes()
    if key not in borrowed.kept:
        seen = borrowed.preprocessing(references).numpy()
        with ignored(LIST_OF_INPUTS, NEWER_TENSORFLOW):
            borrowed.kept[key] = DeepExplainer(borrowed.behind_preprocessing(target), seen)
    return borrowed.kept[key]


@contextmanager
def _failing_cleanly() -> Iterator[None]:
    """Name the operation that the package has no rule for, and give TensorFlow its own gradients back.

    Where the package fails, it leaves TensorFlow's recording of gradients replaced by its own, and every gradient that
    is asked for later would fail.
    """
    from shap.explainers._deep.deep_tf import tf_execute

    record = tf_execute.record_gradient
    try:
        yield
    except Exception as error:  # of a class that TensorFlow makes up for errors within traces
        if reason := _reason(str(error)):
            raise NotApplicable(reason) from error
        raise
    finally:
        tf_execute.record_gradient = record


def _reason(message: str) -> str:
    """Why the package cannot explain the model; empty for another error."""
    missing = re.search(r"no entry for: shap_(\w+)", message)
    if missing:
        return f"shap.DeepExplainer has no rule for the operation {missing[1]} of this model"
    fails = "do not sum up to the model's output" in message
    return "the values of shap.DeepExplainer do not add up for this model" if fails else ""
