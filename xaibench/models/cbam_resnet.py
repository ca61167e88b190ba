"""The compact ResNet with attention in each block: CBAM (Woo, Park, Lee and Kweon 2018, arXiv:1807.06521)."""

from typing import Any

import keras

from xaibench.models.compact_resnet import SIZE, residual_network

LAYERS = keras.layers
REDUCTION = 8
"""Channels over hidden units of the channel attention; the paper's 16 would leave one unit of 16 channels."""
SPATIAL_ATTENTION = "_spatial_attention"
"""Ends the names of the layers that put out a block's spatial attention `[n h w 1]`, 0 .. 1."""


def cbam_resnet(size: int = SIZE, classes: int = 2) -> Any:
    """Compact ResNet for grey images `[n size size 1]` with channel, then spatial attention in each residual branch."""
    return residual_network("cbam_resnet", size, classes, attended)


def attended(maps: Any, name: str) -> Any:
    """Weigh maps `[n h w c]` by their channels (eq. 2), then by their pixels (eq. 3)."""
    maps = LAYERS.Multiply()([maps, _channel_attention(maps)])
    return LAYERS.Multiply()([maps, _spatial_attention(maps, name)])


def _channel_attention(maps: Any) -> Any:
    """One weight a channel, from its mean and its maximum through one shared network."""
    channels = maps.shape[-1]
    hidden = LAYERS.Dense(channels // REDUCTION, activation="relu")
    output = LAYERS.Dense(channels)
    pooled = (LAYERS.GlobalAveragePooling2D()(maps), LAYERS.GlobalMaxPooling2D()(maps))
    weights = LAYERS.Activation("sigmoid")(LAYERS.Add()([output(hidden(each)) for each in pooled]))
    return LAYERS.Reshape((1, 1, channels))(weights)


def _spatial_attention(maps: Any, name: str) -> Any:
    """One weight a pixel, from the mean and the maximum over its channels."""
    mean = keras.ops.mean(maps, axis=-1, keepdims=True)
    largest = keras.ops.max(maps, axis=-1, keepdims=True)
    x = LAYERS.Concatenate()([mean, largest])
    x = LAYERS.Conv2D(1, 7, padding="same", use_bias=False)(x)
    return LAYERS.Activation("sigmoid", name=f"{name}{SPATIAL_ATTENTION}")(x)
