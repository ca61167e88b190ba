"""The preprocessing that a spec declares, put before its model."""

from dataclasses import replace

import numpy as np

from xaibench.api import (
    Classifier,
    Intensity,
    LoadedModel,
    Preprocessable,
    Preprocessing,
    XaibenchError,
    unknown,
)
from xaibench.harness.option_values import interval, numbers
from xaibench.harness.spec import RunSpec

BYTES = (0.0, 255.0)
IMAGENET_MEAN, IMAGENET_STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
CAFFE_MEAN = np.array([123.68, 116.779, 103.939])
"""Red, green and blue."""


def preprocessing_of(spec: RunSpec, intensity: Intensity) -> Preprocessing | None:
    """Return the preprocessing that a spec declares; None if it declares none. Raises XaibenchError."""
    by_numbers = any((spec.scale, spec.mean, spec.std))
    if spec.preprocessing and by_numbers:
        raise XaibenchError(
            "--preprocessing already says how images are scaled; leave out --scale, --mean and --std."
        )
    if spec.preprocessing:
        return _after(_scaling(image_range(spec, intensity), BYTES), _mode(spec.preprocessing))
    if by_numbers:
        return _of_numbers(spec, intensity)
    if spec.image_range:
        raise XaibenchError("--image-range needs --scale or --preprocessing, which say what becomes of it.")
    return None


def image_range(spec: RunSpec, intensity: Intensity) -> tuple[float, float]:
    """Lowest and highest value of a pixel: as declared, else 0 and 1 of unit intensities, 0 and 255 of raw ones."""
    if spec.image_range:
        return interval(spec.image_range, "--image-range")
    return (0.0, 1.0) if intensity is Intensity.UNIT else BYTES


def with_preprocessing(model: LoadedModel, preprocessing: Preprocessing | None) -> LoadedModel:
    """Return the model for images as they are. Raises XaibenchError where it cannot be preprocessed for."""
    if preprocessing is None:
        return model
    channels, given = model.classifiers[0].input_shape[-1], len(preprocessing.factor)
    if given not in (1, channels):
        raise XaibenchError(
            f"The preprocessing has numbers for {given} channels, but the model takes {channels}; give one number, or "
            f"one a channel."
        )
    members = tuple(_preprocessed(member, preprocessing) for member in model.classifiers)
    return replace(
        model, classifiers=members, facts={**model.facts, "preprocessing": in_words(preprocessing)}
    )


def in_words(preprocessing: Preprocessing) -> str:
    """Say what becomes of a pixel."""
    factor, offset = (
        ", ".join(f"{number:.4g}" for number in dict.fromkeys(values))
        for values in (preprocessing.factor, preprocessing.offset)
    )
    order = "; channels in reverse order" if preprocessing.reverses_channels else ""
    return f"pixel x ({factor}) + ({offset}){order}"


def _preprocessed(classifier: Classifier, preprocessing: Preprocessing) -> Classifier:
    if not isinstance(classifier, Preprocessable):
        raise XaibenchError("This kind of classifier takes images as they are; scale them, or the model.")
    return classifier.preprocessed(preprocessing)


# ---------------------------------------------------------------- by the numbers of a spec


def _of_numbers(spec: RunSpec, intensity: Intensity) -> Preprocessing:
    """Scale the image range, subtract the mean, divide by the standard deviation."""
    low_high = image_range(spec, intensity)
    scaled = interval(spec.scale, "--scale") if spec.scale else low_high
    mean = np.array(numbers(spec.mean, "--mean") if spec.mean else (0.0,))
    std = np.array(numbers(spec.std, "--std") if spec.std else (1.0,))
    if (std <= 0).any():
        raise XaibenchError(f"--std {spec.std} holds a number that is not above 0; give deviations above 0.")
    if len({len(mean), len(std)} - {1}) > 1:
        raise XaibenchError(
            f"--mean has {len(mean)} numbers and --std {len(std)}; give one, or one a channel, for each."
        )
    return _after(_scaling(low_high, scaled), _affine(1 / std, -mean / std))


def _scaling(old: tuple[float, float], new: tuple[float, float]) -> Preprocessing:
    factor = (new[1] - new[0]) / (old[1] - old[0])
    return _affine(np.array([factor]), np.array([new[0] - factor * old[0]]))


def _after(first: Preprocessing, second: Preprocessing) -> Preprocessing:
    """Both, one after the other; the first keeps the channels in their order."""
    factor, offset = np.array(second.factor), np.array(second.offset)
    return _affine(factor * first.factor, factor * first.offset + offset, reverses=second.reverses_channels)


def _affine(factor: np.ndarray, offset: np.ndarray, reverses: bool = False) -> Preprocessing:
    """Preprocessing with as many factors as offsets: a single one stands for every channel."""
    factors, offsets = np.broadcast_arrays(factor, offset)
    return Preprocessing(tuple(factors.tolist()), tuple(offsets.tolist()), reverses)


# ---------------------------------------------------------------- by the name of a convention

MODES = {
    "tf": _scaling(BYTES, (-1.0, 1.0)),
    "torch": _affine(1 / (BYTES[1] * IMAGENET_STD), -IMAGENET_MEAN / IMAGENET_STD),
    "caffe": _affine(np.ones(3), -CAFFE_MEAN, reverses=True),
}
"""The modes of `keras.applications.imagenet_utils.preprocess_input`, for images of 0 .. 255."""
APPLICATIONS = {
    "inception_resnet_v2": "tf",
    "inception_v3": "tf",
    "mobilenet": "tf",
    "mobilenet_v2": "tf",
    "nasnet": "tf",
    "resnet_v2": "tf",
    "xception": "tf",
    "densenet": "torch",
    "resnet": "caffe",
    "resnet50": "caffe",
    "vgg16": "caffe",
    "vgg19": "caffe",
}
"""Modules of `keras.applications` and the mode of their `preprocess_input`; the others scale in their own layers."""


def _mode(name: str) -> Preprocessing:
    mode = APPLICATIONS.get(name, name)
    if mode not in MODES:
        raise XaibenchError(unknown("preprocessing", name, [*MODES, *APPLICATIONS]))
    return MODES[mode]
