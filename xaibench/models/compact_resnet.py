"""The compact ResNet: small enough to train in about a minute on two cores."""

from collections.abc import Callable
from typing import Any

import keras

LAYERS = keras.layers
SIZE = 128
STAGES = ((16, 1), (32, 2), (64, 2), (96, 1))
"""Filters and stride of each residual block; the last block's maps are 16 x 16 at 128 px."""


def compact_resnet(size: int = SIZE, classes: int = 2) -> Any:
    """Residual network of 0.2 M parameters for grey images `[n size size 1]` of any intensity scale.

    Four residual blocks (He et al. 2016, arXiv:1512.03385), global average pooling, one dense layer. The
    first layer is the preprocessing: each image to mean 0 and variance 1, as MR units are arbitrary.

    Strided convolutions have even kernels and shortcuts are pooled, so that each pixel of a feature map lies on the
    centre of what it sees. With TensorFlow's `same` padding odd kernels shift by half a pixel a stage, 3.5 image
    pixels in all: half a tumour, in every CAM.
    """
    return residual_network("compact_resnet", size, classes)


def residual_network(
    name: str, size: int, classes: int, refine: Callable[[Any, str], Any] = lambda maps, _: maps
) -> Any:
    """Compact ResNet whose residual branches end in `refine(maps, name of the block)`, by default in nothing."""
    inputs = keras.Input((size, size, 1))
    x = LAYERS.LayerNormalization(axis=[1, 2, 3], center=False, scale=False, name="standardise")(inputs)
    x = _convolution(x, 16, kernel=6, stride=2)
    x = LAYERS.ReLU()(x)
    for number, (filters, stride) in enumerate(STAGES, start=1):
        x = _residual_block(x, filters, stride, f"block{number}", refine)
    x = LAYERS.GlobalAveragePooling2D()(x)
    x = LAYERS.Dropout(0.3)(x)
    outputs = LAYERS.Dense(classes, activation="softmax")(x)
    return keras.Model(inputs, outputs, name=name)


def _residual_block(x: Any, filters: int, stride: int, name: str, refine: Callable[[Any, str], Any]) -> Any:
    y = LAYERS.ReLU()(_convolution(x, filters, kernel=4 if stride == 2 else 3, stride=stride))
    y = refine(_convolution(y, filters), name)
    if stride != 1:
        x = LAYERS.AveragePooling2D(stride)(x)
    if x.shape[-1] != filters:
        x = _convolution(x, filters, kernel=1)
    return LAYERS.ReLU(name=name)(LAYERS.Add()([x, y]))


def _convolution(x: Any, filters: int, kernel: int = 3, stride: int = 1) -> Any:
    x = LAYERS.Conv2D(filters, kernel, strides=stride, padding="same", use_bias=False)(x)
    return LAYERS.BatchNormalization(momentum=0.9)(x)  # few steps: a slow average would lag
