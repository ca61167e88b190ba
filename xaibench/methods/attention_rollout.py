"""Gradient-weighted attention rollout (Chefer, Gur and Wolf 2021, arXiv:2103.15679)."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float32

from xaibench.api import Attention, Batch, Classifier, Heatmaps, Need, NotApplicable
from xaibench.methods.upsampling import upsample

Relevance = Float32[np.ndarray, "n tokens tokens"]


@dataclass(frozen=True)
class AttentionRollout:
    """Attention of each layer, weighted by its gradient, multiplied up from the first layer to the last.

    R starts as the identity and becomes R + A R layer by layer, where A is the mean over the heads of the positive
    part of gradient x attention (eq. 5, 6). The map is the class token's row. Without a class token, which the paper
    does not treat, it is the mean over the rows of R without the identity that it started as.
    """

    family: ClassVar = "attention"
    needs: ClassVar = frozenset({Need.ATTENTION})
    source: ClassVar = "Chefer et al. 2021"

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Explain each image: maps >= 0. One forward and one backward pass.

        Raises NotApplicable for tokens that are no grid of square patches.
        """
        attention, gradients = classifier.attention(batch.images, batch.targets)
        grid = grid_of_patches(attention.shape[-1], batch.space)
        relevance = rolled_out(attention, gradients)
        of_patches = relevance.mean(axis=1) if math.prod(grid) == attention.shape[-1] else relevance[:, 0, 1:]
        return upsample(of_patches.reshape(-1, *grid), batch.space)


def rolled_out(attention: Attention, gradients: Attention) -> Relevance:
    """Relevance of each token (column) for each token (row) of the last layer, without the identity."""
    identity = np.eye(attention.shape[-1], dtype=np.float32)
    relevance = np.zeros((attention.shape[1], *identity.shape), np.float32)
    for layer in np.maximum(attention * gradients, 0).mean(axis=2):
        relevance += layer @ (identity + relevance)
    return relevance


def grid_of_patches(tokens: int, space: tuple[int, ...]) -> tuple[int, int]:
    """Rows and columns of the square patches that an image `(h, w)` was cut into; a class token may stand before them.

    Raises NotApplicable where the tokens are no such grid.
    """
    height, width = space
    for patches in (tokens, tokens - 1):
        rows = math.isqrt(patches * height // width)
        columns = math.isqrt(patches * width // height)
        if rows * columns == patches and rows * width == columns * height:
            return rows, columns
    raise NotApplicable(
        f"the model's {tokens} tokens are no grid of square patches of a {height} x {width} image, with or without a "
        f"class token"
    )
