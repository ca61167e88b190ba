"""A compact vision transformer: attention that can be looked at, in a network that trains on two cores.

After Dosovitskiy et al. 2021 (arXiv:2010.11929), with what makes it learn from few images: strided convolutions
make the tokens (Xiao et al. 2021, arXiv:2106.14881), and a depthwise convolution tells them where they are (Chu et
al. 2021, arXiv:2102.10882), so the mean of the tokens is classified and there is no class token.
"""

from typing import Any

import keras

from xaibench.models.compact_resnet import SIZE

LAYERS = keras.layers
STEM = ((16, 6), (32, 4), (64, 4))
"""Filters and kernel of the strided convolutions; even kernels keep each token on the centre of what it sees."""
WIDTH = STEM[-1][0]
BLOCKS, HEADS = 4, 4


def compact_vit(size: int = SIZE, classes: int = 2) -> Any:
    """Transformer of 0.2 M parameters for grey images `[n size size 1]`; a token for each 8 x 8 pixels, row by row.

    The first layer is the preprocessing: each image to mean 0 and variance 1. The last block's tokens are laid out as
    maps again, so that methods for feature maps have something to work on.
    """
    grid = size // 8
    inputs = keras.Input((size, size, 1))
    x = LAYERS.LayerNormalization(axis=[1, 2, 3], center=False, scale=False, name="standardise")(inputs)
    for filters, kernel in STEM:
        x = LAYERS.Conv2D(filters, kernel, strides=2, padding="same", use_bias=False)(x)
        x = LAYERS.ReLU()(LAYERS.BatchNormalization(momentum=0.9)(x))
    x = LAYERS.Add()([x, LAYERS.DepthwiseConv2D(3, padding="same", name="position")(x)])
    x = LAYERS.Reshape((grid * grid, WIDTH))(x)
    for number in range(1, BLOCKS + 1):
        x = _block(x, f"block{number}")
    x = LAYERS.LayerNormalization(epsilon=1e-6)(x)
    x = LAYERS.Reshape((grid, grid, WIDTH), name="tokens_as_maps")(x)
    x = LAYERS.GlobalAveragePooling2D()(x)
    x = LAYERS.Dropout(0.3)(x)
    outputs = LAYERS.Dense(classes, activation="softmax")(x)
    return keras.Model(inputs, outputs, name="compact_vit")


def _block(x: Any, name: str) -> Any:
    """Attention, then a dense layer with one hidden layer; each normalises its input and adds to it."""
    y = LAYERS.LayerNormalization(epsilon=1e-6)(x)
    y = LAYERS.MultiHeadAttention(HEADS, WIDTH // HEADS, name=f"{name}_attention")(y, y)
    x = LAYERS.Add()([x, y])
    y = LAYERS.LayerNormalization(epsilon=1e-6)(x)
    y = LAYERS.Dense(2 * WIDTH, activation="gelu")(y)
    return LAYERS.Add(name=name)([x, LAYERS.Dense(WIDTH)(y)])
