"""Frozen backbones for transfer learning, and the classifier that a head makes of one."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from xaibench.api import Images, XaibenchError, unknown
from xaibench.classifiers.keras import KerasClassifier
from xaibench.models.compact_resnet import SIZE, compact_resnet
from xaibench.models.pretext import pretext_backbone

LAYERS = keras.layers
INPUT_SHAPES = {"compact": (SIZE, SIZE, 1), "resnet50": (224, 224, 3)}
DEFAULT_WEIGHTS = {"compact": "pretext", "resnet50": "imagenet"}
IMAGENET_SPREAD = 58.0
"""Standard deviation of ImageNet's pixels about their mean (0-255): what its weights expect of an input."""
IMAGENET_FILE = "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5"
IMAGENET_URL = f"https://storage.googleapis.com/tensorflow/keras-applications/resnet/{IMAGENET_FILE}"


@dataclass(frozen=True, eq=False)
class Backbone:
    """A flat Keras model from images, preprocessing included, to feature maps; none of its layers is trainable."""

    model: Any
    ends: tuple[str, ...]
    """Names of the layers that end its residual blocks, first to last."""
    origin: str
    """Where its weights are from, in words."""

    def __post_init__(self) -> None:
        self.model.trainable = False

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(h, w, c) of the images."""
        return tuple(self.model.input_shape[1:])

    def fingerprint(self) -> str:
        """Hash of the weights."""
        digest = hashlib.sha256(str(self.ends).encode())
        for weight in self.model.get_weights():
            digest.update(np.ascontiguousarray(weight).tobytes())
        return digest.hexdigest()

    def classifier(self, hidden: int = 0) -> Any:
        """Backbone, average pooling, perhaps a hidden dense layer, and a dense softmax of two classes."""
        x = LAYERS.GlobalAveragePooling2D(name="pooled")(self.model.output)
        if hidden:
            x = LAYERS.Dense(hidden, activation="relu", name="hidden")(x)
        outputs = LAYERS.Dense(2, activation="softmax", name="head")(x)
        return keras.Model(self.model.input, outputs, name="transferred")

    def pooled(self, images: Images) -> np.ndarray:
        """Features `[n d]`: mean of each map of the last block."""
        maps = self.maps(images, self.ends[-1])
        return np.asarray(maps.mean(axis=(1, 2)))

    def maps(self, images: Images, layer: str) -> np.ndarray:
        """Feature maps of a layer `[n fh fw maps]`."""
        return np.asarray(KerasClassifier(self.classifier()).features(images, layer))


def set_head(classifier: Any, weights: list[np.ndarray]) -> None:
    """Give a classifier's dense layers the kernels and biases of a trained head, first to last."""
    dense = [layer for layer in classifier.layers if isinstance(layer, LAYERS.Dense)]
    for layer, kernel, bias in zip(dense, weights[::2], weights[1::2], strict=True):
        layer.set_weights([kernel, bias])


def make_backbone(name: str, weights: str | None) -> Backbone:
    """Backbone of a name with weights `pretext`, `imagenet`, `none` or a file's; None takes the usual ones.

    Raises XaibenchError for what does not exist or cannot be had.
    """
    makers = {"compact": _compact, "resnet50": _resnet50}
    if name not in makers:
        raise XaibenchError(unknown("backbone", name, list(makers)))
    keras.utils.set_random_seed(0)  # decides the weights `none`
    return makers[name](weights or DEFAULT_WEIGHTS[name])


def _compact(weights: str) -> Backbone:
    ends = tuple(f"block{number}" for number in range(1, 5))
    if weights == "pretext":
        return Backbone(pretext_backbone(), ends, "pretext task on other phantom patients")
    if weights == "imagenet":
        raise XaibenchError(
            "There are no ImageNet weights for the compact backbone; leave --weights out, or use resnet50."
        )
    whole = compact_resnet()
    model = keras.Model(whole.input, whole.get_layer(ends[-1]).output)
    if weights != "none":
        _load_weights(model, weights)
    return Backbone(model, ends, _origin(weights))


def _resnet50(weights: str) -> Backbone:
    if weights == "pretext":
        raise XaibenchError(
            "Pretext weights exist for the compact backbone only; give --weights imagenet, none or a file."
        )
    inputs = keras.Input((224, 224, 3))
    x = LAYERS.LayerNormalization(axis=[1, 2, 3], center=False, scale=False, name="standardise")(inputs)
    x = LAYERS.Rescaling(IMAGENET_SPREAD, name="imagenet_scale")(x)
    network = keras.applications.ResNet50(weights=None, include_top=False, input_tensor=x)
    model = keras.Model(inputs, network.output)  # the application wraps its input in a list
    if weights != "none":
        _load_weights(model, str(imagenet_file()) if weights == "imagenet" else weights)
    ends = tuple(layer.name for layer in model.layers if layer.name.endswith("_out"))
    return Backbone(model, ends, _origin(weights))


def imagenet_file() -> Path:
    """ImageNet weights of ResNet50 without its top, downloaded once by Keras. Raises XaibenchError offline."""
    try:
        return Path(keras.utils.get_file(IMAGENET_FILE, IMAGENET_URL, cache_subdir="models"))
    except Exception as error:  # Keras raises plain Exception for every failure of a download
        raise XaibenchError(
            f"The ImageNet weights cannot be downloaded ({_reason(error)}); fetch {IMAGENET_URL} on a machine "
            f"with a network and pass the file: --weights PATH/{IMAGENET_FILE}."
        ) from error


def _reason(error: Exception) -> str:
    """What Keras says after the address that failed."""
    return " ".join(str(error).rpartition(" -- ")[2].split())[:80]


def _load_weights(model: Any, path: str) -> None:
    if not Path(path).is_file():
        raise XaibenchError(
            f"There is no weights file {path}; give imagenet, none, or the path of a .h5 file."
        )
    try:
        model.load_weights(path)
    except Exception as error:  # Keras raises many types here, and a broken file must still be one sentence
        raise XaibenchError(
            f"{Path(path).name} does not hold weights of this backbone without its top ({_first_line(error)}); "
            f"give a .h5 or .weights.h5 file of the same architecture."
        ) from error


def _origin(weights: str) -> str:
    known = {"none": "random (seed 0)", "imagenet": "ImageNet (keras.applications)"}
    return known.get(weights, f"file {Path(weights).name}")


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:160].rstrip(".") if lines else type(error).__name__
