"""What the faithfulness metrics share: each set of pixels is predicted once, and noise is of the case."""

import numpy as np
import pytest

from tests.metrics.conftest import case_of
from tests.metrics.plain_classifier import Linear, Network, images
from xaibench.metrics.common.removal import KNOWN, Removal


def removal(baseline: str = "blur", classifier=None, name: str = "P001-s00", seed: int = 0) -> Removal:
    classifier = classifier or Network()
    return Removal(classifier, case_of(images(classifier, 1)[0], name=name), 1, baseline, seed)


def some_masks(count: int = 6) -> np.ndarray:
    return np.random.default_rng(1).random((count, 16, 16)) < 0.5


@pytest.mark.parametrize("baseline", KNOWN)
def test_answers_are_those_of_each_image_alone_in_the_order_of_the_masks(baseline: str) -> None:
    subject, masks = removal(baseline), some_masks()
    together = subject.scores(masks.reshape(2, 3, 16, 16))
    assert together.shape == (2, 3, 2)
    alone = [subject.scores(mask) for mask in masks]
    np.testing.assert_allclose(together.reshape(6, 2), alone, rtol=1e-6)
    np.testing.assert_allclose(subject.probabilities(masks), np.array(alone)[:, 1], rtol=1e-6)


@pytest.mark.parametrize("baseline", ["blur", "mean", "black"])
def test_kept_pixels_are_the_image_s_and_the_others_the_baseline_s(baseline: str) -> None:
    subject, [mask] = removal(baseline), some_masks(1)
    mixed = np.where(mask[..., None], subject.case.image, subject.emptied)
    np.testing.assert_allclose(subject.scores(mask), subject.classifier.scores(mixed), rtol=1e-6)


@pytest.mark.parametrize("baseline", KNOWN)
def test_equal_masks_are_predicted_once_and_the_ends_not_again(baseline: str) -> None:
    subject, masks = removal(baseline), some_masks(2)
    ends = np.stack([np.ones((16, 16), bool), np.zeros((16, 16), bool)])
    subject.scores(np.concatenate([masks, ends, masks[::-1], masks]))
    assert subject.classifier.passes.forward == 2 + 2
    np.testing.assert_array_equal(subject.scores(ends), subject.ends)
    assert subject.classifier.passes.forward == 4


def test_noise_is_one_for_all_masks_of_a_case_and_another_for_another_case_and_seed() -> None:
    emptied = [
        removal("noisy-linear", name=name, seed=seed).emptied
        for name, seed in (("P001-s00", 0), ("P001-s00", 0), ("P002-s00", 0), ("P001-s00", 1))
    ]
    np.testing.assert_array_equal(emptied[0], emptied[1])
    assert (emptied[0] != emptied[2]).any()
    assert (emptied[0] != emptied[3]).any()


def test_a_class_is_given_if_it_is_the_most_probable_or_for_itself_at_least_a_half() -> None:
    subject = removal(classifier=Linear(np.zeros((16, 16, 1))))
    scores = np.array([[0.6, 0.4], [0.4, 0.6], [0.7, 0.5]], np.float32)
    assert subject.given(scores).tolist() == [False, True, False]
    subject.classifier.exclusive = False
    assert subject.given(scores).tolist() == [False, True, True]
