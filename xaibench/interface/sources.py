"""Arrays and models that a user has in memory, as the dataset and the model of a run."""

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from xaibench.api import Classifier, LoadedModel, Silent, XaibenchError
from xaibench.harness.configured import find_source, load_model
from xaibench.harness.describe import Sources


def sources_of(
    model: Any,
    images: np.ndarray,
    regions: np.ndarray | None,
    labels: Sequence[Any] | np.ndarray | None,
    patients: Sequence[str] | None,
    class_names: Sequence[str] | None,
    spacing_mm: tuple[float, float] | None,
) -> tuple[Sources, tuple[str, ...]]:
    """Dataset and model of arrays, and the names of the cases in the order of the images."""
    from xaibench.datasets.arrays import Arrays

    dataset = Arrays(
        images=with_channels(images),
        regions=regions,
        labels=None if labels is None else tuple(labels),
        patients=None if patients is None else tuple(patients),
        names=None if class_names is None else tuple(class_names),
        spacing_mm=spacing_mm,
    )
    loaded = model_of(model, dataset, with_channels(images).shape[1:])
    return Sources(dataset, "arrays", loaded), dataset.case_names()


def model_of(model: Any, dataset: Any, input_shape: tuple[int, ...]) -> LoadedModel:
    """Model from whatever a user has; functions take images of `input_shape`. Raises XaibenchError for what is none."""
    if isinstance(model, LoadedModel):
        return model
    if isinstance(model, str | Path):
        return load_model(find_source(["models", "classifiers"], str(model)), {}, dataset, Silent())
    classifier = classifier_of(model, input_shape)
    return LoadedModel(
        type(model).__name__,
        (classifier,),
        facts=dict(getattr(classifier, "facts", {})),
        class_names=tuple(getattr(classifier, "class_names", ())),
    )


def classifier_of(model: Any, input_shape: tuple[int, ...]) -> Classifier:
    """Classifier of a Keras model, a PyTorch network or a function; one that is a classifier already is returned."""
    if isinstance(model, Classifier):
        return model
    if inspect.isfunction(model):
        from xaibench.classifiers.callable import PythonCallable

        return PythonCallable(model, input_shape)
    if type(model).__module__.partition(".")[0] == "keras" or hasattr(model, "get_weights"):
        from xaibench.classifiers.keras import KerasClassifier

        return KerasClassifier(model)
    if is_torch_network(model):
        from xaibench.classifiers.torch.building import exported
        from xaibench.classifiers.torch.classifier import torch_classifier

        return torch_classifier(exported(model, input_shape), model)
    raise XaibenchError(
        f"A {type(model).__name__} is no model that can be explained; give a Keras model, a PyTorch network, a "
        f"function from images to class probabilities, or the path of a model file."
    )


def is_torch_network(model: Any) -> bool:
    """Tell by the names of its classes, so that torch is imported for nobody else."""
    return any(cls.__module__ == "torch.nn.modules.module" for cls in type(model).__mro__)


def with_channels(images: np.ndarray) -> np.ndarray:
    """Images as float32 with a last axis of channels."""
    array = np.asarray(images, np.float32)
    return array[..., None] if array.ndim == 3 else array
