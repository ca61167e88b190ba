"""The recurrence ResNets: a compact one that trains in about a minute, and the full ResNet50."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from jaxtyping import Float32, Int

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
    inputs = keras.Input((size, size, 1))
    x = LAYERS.LayerNormalization(axis=[1, 2, 3], center=False, scale=False, name="standardise")(inputs)
    x = _convolution(x, 16, kernel=6, stride=2)
    x = LAYERS.ReLU()(x)
    for number, (filters, stride) in enumerate(STAGES, start=1):
        x = _residual_block(x, filters, stride, f"block{number}")
    x = LAYERS.GlobalAveragePooling2D()(x)
    x = LAYERS.Dropout(0.3)(x)
    outputs = LAYERS.Dense(classes, activation="softmax")(x)
    return keras.Model(inputs, outputs, name="compact_resnet")


def resnet50(classes: int = 2) -> Any:
    """ResNet50 (He et al. 2016) with random weights, for colour images `[n 224 224 3]`: for cost, not accuracy."""
    inputs = keras.Input((224, 224, 3))
    x = LAYERS.LayerNormalization(axis=[1, 2, 3], center=False, scale=False, name="standardise")(inputs)
    x = keras.applications.ResNet50(weights=None, include_top=False, input_shape=(224, 224, 3))(x)
    x = LAYERS.GlobalAveragePooling2D()(x)
    outputs = LAYERS.Dense(classes, activation="softmax")(x)
    return keras.Model(inputs, outputs, name="resnet50")


def _residual_block(x: Any, filters: int, stride: int, name: str) -> Any:
    y = LAYERS.ReLU()(_convolution(x, filters, kernel=4 if stride == 2 else 3, stride=stride))
    y = _convolution(y, filters)
    if stride != 1:
        x = LAYERS.AveragePooling2D(stride)(x)
    if x.shape[-1] != filters:
        x = _convolution(x, filters, kernel=1)
    return LAYERS.ReLU(name=name)(LAYERS.Add()([x, y]))


def _convolution(x: Any, filters: int, kernel: int = 3, stride: int = 1) -> Any:
    x = LAYERS.Conv2D(filters, kernel, strides=stride, padding="same", use_bias=False)(x)
    return LAYERS.BatchNormalization(momentum=0.9)(x)  # few steps: a slow average would lag


@dataclass(frozen=True)
class Schedule:
    """How the compact network is trained."""

    epochs: int = 20
    batch: int = 32
    rate: float = 3e-3
    seed: int = 0


def train(
    model: Any,
    images: Float32[np.ndarray, "n h w c"],
    labels: Int[np.ndarray, "n"],
    schedule: Schedule,
    epochs: Iterable[int],
) -> None:
    """Train in place: AdamW, one-cycle cosine rate, classes weighted to count alike, images varied anew each epoch.

    `epochs` is range(schedule.epochs), perhaps under a progress bar.
    """
    keras.utils.set_random_seed(schedule.seed)
    steps = schedule.epochs * -(-len(images) // schedule.batch)
    warm_up = max(1, steps // 10)
    rate = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=schedule.rate / 10,
        decay_steps=steps - warm_up,
        warmup_target=schedule.rate,
        warmup_steps=warm_up,
    )
    model.compile(
        optimizer=keras.optimizers.AdamW(rate, weight_decay=1e-3),
        loss=keras.losses.SparseCategoricalCrossentropy(),
    )
    counts = np.bincount(labels, minlength=int(labels.max()) + 1)
    weights = (len(labels) / np.maximum(counts, 1) / np.count_nonzero(counts))[labels]
    rng = np.random.default_rng(schedule.seed)
    for _epoch in epochs:
        order = rng.permutation(len(images))
        for start in range(0, len(order), schedule.batch):
            rows = order[start : start + schedule.batch]
            model.train_on_batch(varied(images[rows], rng), labels[rows], sample_weight=weights[rows])


def varied(
    images: Float32[np.ndarray, "n h w c"], rng: np.random.Generator
) -> Float32[np.ndarray, "n h w c"]:
    """Plausible variants: mirrored left to right, shifted by up to 6 pixels, contrast changed, noise added."""
    result = np.empty_like(images)
    for index, image in enumerate(images):
        shifted = np.roll(image, rng.integers(-6, 7, size=2), axis=(0, 1))
        mirrored = shifted[:, ::-1] if rng.random() < 0.5 else shifted
        spread = float(image.std())
        noise = rng.normal(0, 0.03 * spread, image.shape)
        result[index] = mirrored * rng.uniform(0.85, 1.15) + noise + rng.normal(0, 0.1 * spread)
    return result
