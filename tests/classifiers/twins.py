"""One network written twice, in Keras and in PyTorch, with the same weights."""

from typing import Any

import keras
import numpy as np
import torch
from torch import nn

from xaibench.classifiers.keras import KerasClassifier
from xaibench.classifiers.torch.building import exported
from xaibench.classifiers.torch.classifier import TorchClassifier, torch_classifier

SIZE = 32
BLOCK_END = ["block_end", "block"]


class Block(nn.Module):
    """Convolution and batch norm around which the maps also pass."""

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(maps, maps, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(maps, eps=1e-3)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.relu(x + self.norm(self.conv(x)))


class SmallResnet(nn.Module):
    """Logits of a residual network of one block."""

    def __init__(self, channels: int = 1, classes: int = 2, maps: int = 6) -> None:
        super().__init__()
        self.stem = nn.Conv2d(channels, maps, 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.block = Block(maps)
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(maps, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.block(self.pool(torch.relu(self.stem(x))))
        return self.head(self.drop(x.mean(dim=(2, 3))))


def torch_network(seed: int = 0, **sizes: int) -> SmallResnet:
    """The network with random weights, batch norm included, in evaluation mode."""
    torch.manual_seed(seed)
    network = SmallResnet(**sizes)
    for statistic in (network.block.norm.running_mean, network.block.norm.bias):
        nn.init.normal_(statistic, std=0.2)
    for spread in (network.block.norm.running_var, network.block.norm.weight):
        nn.init.uniform_(spread, 0.5, 2)
    nn.init.normal_(network.head.weight, std=4)
    return network.eval().requires_grad_(False)


def keras_network(network: SmallResnet, size: int = SIZE) -> Any:
    """The same in Keras, ending in a softmax."""
    layers, maps = keras.layers, network.stem.out_channels
    image = keras.Input((size, size, network.stem.in_channels))
    x = layers.Conv2D(maps, 3, padding="same", activation="relu", name="stem")(image)
    x = layers.MaxPooling2D()(x)
    y = layers.Conv2D(maps, 3, padding="same", use_bias=False, name="conv")(x)
    y = layers.BatchNormalization(epsilon=1e-3, name="norm")(y)
    x = layers.ReLU(name=BLOCK_END[0])(layers.Add()([x, y]))
    x = layers.Dropout(0.5)(layers.GlobalAveragePooling2D()(x))
    model = keras.Model(image, layers.Dense(network.head.out_features, activation="softmax", name="head")(x))
    for name, weights in _weights(network).items():
        model.get_layer(name).set_weights([np.asarray(weight) for weight in weights])
    return model


def _weights(network: SmallResnet) -> dict[str, list[torch.Tensor]]:
    norm = network.block.norm
    return {
        "stem": [network.stem.weight.permute(2, 3, 1, 0), network.stem.bias],
        "conv": [network.block.conv.weight.permute(2, 3, 1, 0)],
        "norm": [norm.weight, norm.bias, norm.running_mean, norm.running_var],
        "head": [network.head.weight.T, network.head.bias],
    }


def opened(network: nn.Module, size: int = SIZE, channels: int = 1, **options: Any) -> TorchClassifier:
    """A network as a classifier."""
    return torch_classifier(exported(network, (size, size, channels)), network, **options)


def twins(**sizes: int) -> tuple[KerasClassifier, TorchClassifier]:
    """The Keras and the torch classifier of one network."""
    network = torch_network(**sizes)
    return KerasClassifier(keras_network(network)), opened(network, channels=network.stem.in_channels)
