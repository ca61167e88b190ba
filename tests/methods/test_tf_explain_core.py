"""What the explainers by tf-explain share: images are grouped by class, and channels are summed."""

import numpy as np

from tests.methods.batches import batch
from xaibench.methods.tf_explain_core import AT_ONCE, explained_by_target, sizes


def test_every_image_is_explained_for_its_own_class_a_few_at_a_time() -> None:
    images = np.arange(40, dtype=np.float32).reshape(40, 1, 1, 1) * np.ones((1, 3, 2, 1), np.float32)
    targets, counts = np.arange(40) % 2, []

    def explain(images: np.ndarray, target: int) -> np.ndarray:
        counts.append(len(images))
        return images[..., 0] + 100 * target

    heatmaps = explained_by_target(batch(images, targets), explain)
    np.testing.assert_array_equal(heatmaps, images[..., 0] + 100 * targets[:, None, None])
    assert counts == [16, 4, 16, 4]
    assert AT_ONCE == 16


def test_sizes_are_summed_over_the_channels() -> None:
    attributions = np.array([[[[1.0, -2.0, 3.0], [0.0, 0.0, -1.0]]]])
    np.testing.assert_array_equal(sizes(attributions), [[[6, 1]]])
