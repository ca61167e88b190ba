"""Attention of the shipped networks on patients whom they never saw: its map follows the image."""

from itertools import islice

import numpy as np
import pytest

from tests.methods.batches import explain
from xaibench.api import Intensity, Silent, fit
from xaibench.datasets.phantom.dataset import Phantom
from xaibench.methods.attention_rollout import AttentionRollout
from xaibench.methods.spatial_attention import SpatialAttention
from xaibench.models.recurrence import CbamResnet, CompactVit

EACH = [
    (AttentionRollout(), CompactVit()),
    (SpatialAttention("block2_spatial_attention"), CbamResnet()),
]
"""Not the last block's spatial attention, which hardly follows the image (see docs/training.md)."""
SHIFT = (8, -16)
"""Pixels by which an image is moved: whole patches, and whole pixels of the last maps."""


@pytest.fixture(scope="module")
def cases():
    volumes = islice(Phantom(seed=77).training_volumes(), 3)
    return [fit(v, i, (128, 128, 1), Intensity.RAW) for v in volumes for i in range(len(v.images))]


@pytest.fixture(scope="module")
def images(cases):
    return np.stack([case.image for case in cases])


@pytest.fixture(scope="module")
def vit():
    return CompactVit().load(Phantom(), Silent()).classifiers[0]


def likeness(one, other):
    """Smallest correlation of two maps of an image."""
    return min(np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(one, other, strict=True))


@pytest.mark.nightly
@pytest.mark.parametrize(("method", "source"), EACH)
def test_the_map_moves_with_the_image(method, source, images):
    (classifier,) = source.load(Phantom(), Silent()).classifiers
    targets = classifier.scores(images).argmax(axis=1)
    heatmaps = explain(method, classifier, images, targets)
    of_moved = explain(method, classifier, np.roll(images, SHIFT, (1, 2)), targets)
    alike = likeness(np.roll(heatmaps, SHIFT, (1, 2)), of_moved)
    assert alike > 0.6
    assert alike > likeness(heatmaps, of_moved) + 0.2


def test_rollout_of_a_mirrored_image_is_roughly_the_mirrored_map(vit, images):
    """Left to right, as images are varied in the training."""
    targets = vit.scores(images).argmax(axis=1)
    heatmaps = explain(AttentionRollout(), vit, images, targets)
    of_mirrored = explain(AttentionRollout(), vit, np.flip(images, 2).copy(), targets)
    assert likeness(np.flip(of_mirrored, 2), heatmaps) > 0.5


def test_rollout_finds_the_tumour(vit, cases, images):
    heatmaps = explain(AttentionRollout(), vit, images, vit.scores(images).argmax(axis=1))
    for case, heatmap in zip(cases, heatmaps, strict=True):
        assert heatmap[case.region].mean() > 3 * heatmap.mean()
