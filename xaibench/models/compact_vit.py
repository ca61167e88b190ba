"""A compact vision transformer: attention that can be looked at, in a network that trains on two cores.

The hybrid of Dosovitskiy et al. 2021 (arXiv:2010.11929, sec. 3.1), whose tokens are the pixels of a ResNet's maps. A
depthwise convolution tells the tokens where they are (Chu et al. 2021, arXiv:2102.10882), and the mean of the tokens is
classified, so there is no class token.
"""

from typing import Any

import keras

from xaibench.models.pretext import pretext_backbone

LAYERS = keras.layers
STEM = "block3"
"""Block of the compact ResNet whose maps are the tokens: one for each 8 x 8 pixels, row by row."""
BLOCKS, HEADS = 2, 2


def pretrained_vit() -> Any:
    """Transformer of 0.2 M parameters for grey images `[n 128 128 1]`, on the pre-trained compact backbone.

    From random weights it did not learn from 120 patients (see docs/training.md).
    """
    return compact_vit(pretext_backbone())


def compact_vit(resnet: Any) -> Any:
    """Transformer of two classes on the maps of a compact ResNet, whose layers it shares.

    The last tokens are laid out as maps again, so that methods for feature maps have something to work on.
    """
    x = resnet.get_layer(STEM).output
    x = LAYERS.Add()([x, LAYERS.DepthwiseConv2D(3, padding="same", name="position")(x)])
    _, rows, columns, width = x.shape
    x = LAYERS.Reshape((rows * columns, width), name="tokens")(x)
    for number in range(1, BLOCKS + 1):
        x = _transformer_block(x, f"transformer{number}")
    x = LAYERS.Reshape((rows, columns, width), name="tokens_as_maps")(x)
    x = LAYERS.GlobalAveragePooling2D()(x)
    x = LAYERS.Dropout(0.3)(x)
    outputs = LAYERS.Dense(2, activation="softmax")(x)
    return keras.Model(resnet.input, outputs, name="compact_vit")


def _transformer_block(x: Any, name: str) -> Any:
    """Attention, then two dense layers; each of the two normalises its input and adds to it."""
    width = x.shape[-1]
    y = LAYERS.LayerNormalization(epsilon=1e-6)(x)
    y = LAYERS.MultiHeadAttention(HEADS, width // HEADS, name=f"{name}_attention")(y, y)
    x = LAYERS.Add()([x, y])
    y = LAYERS.LayerNormalization(epsilon=1e-6)(x)
    y = LAYERS.Dense(2 * width, activation="gelu")(y)
    return LAYERS.Add(name=name)([x, LAYERS.Dense(width)(y)])
