import numpy as np
import pytest

from tests.closed_form import images, small_resnet
from tests.methods.batches import batch, explain
from xaibench.methods.grad_cam import GradCam
from xaibench.methods.hybrid import Hybrid, singly
from xaibench.methods.shap import Shap

SEEDS = np.array([3, 4, 5])


@pytest.fixture(scope="module")
def classifier():
    return small_resnet()


@pytest.fixture(scope="module")
def x(classifier):
    return images(classifier, 3)


def test_threshold_0_gives_grad_cam_and_no_second_stage(classifier, x):
    found = Hybrid(threshold=0.0)(classifier, batch(x, 1, SEEDS))
    np.testing.assert_allclose(found.heatmaps, explain(GradCam(), classifier, x, 1), atol=1e-6)
    assert [own["stage"] for own in found.details] == [1, 1, 1]
    assert [own["stage_2_passes"] for own in found.details] == [0, 0, 0]


def test_threshold_1_gives_shap_with_its_budget_and_seed(classifier, x):
    found = Hybrid(threshold=1.0, evaluations=40)(classifier, batch(x, 1, SEEDS))
    expected = explain(Shap(evaluations=40), classifier, x, 1, SEEDS)
    np.testing.assert_allclose(found.heatmaps, expected, atol=1e-6)
    assert [own["stage"] for own in found.details] == [2, 2, 2]


def test_a_case_goes_to_stage_2_below_the_threshold_and_not_at_it(classifier, x):
    confidence = classifier.scores(x)[:, 1]
    assert len(np.unique(confidence)) == 3
    threshold = float(classifier.remembered_scores(x[np.argsort(confidence)[1]])[1])
    found = Hybrid(threshold=threshold, evaluations=20)(classifier, batch(x, 1))
    expected = np.where(confidence < threshold - 1e-7, 2, 1)
    assert sorted(expected) == [1, 1, 2]
    assert [own["stage"] for own in found.details] == list(expected)
    np.testing.assert_allclose([own["confidence"] for own in found.details], confidence, atol=1e-5)


@pytest.mark.parametrize("threshold", [0.0, 1.0])
def test_the_passes_of_both_stages_are_recorded_for_each_image_and_are_all_there_are(x, threshold):
    classifier, shap = small_resnet(), small_resnet()
    details = Hybrid(threshold=threshold, evaluations=24)(classifier, batch(x[:2], 1)).details
    explain(Shap(evaluations=24), shap, x[:2], 1)
    first, second = (own["stage_1_passes"] for own in details), (own["stage_2_passes"] for own in details)
    assert list(first) == [3, 3]  # feature maps there and back, and the score
    assert sum(second) == (shap.passes.forward if threshold else 0)
    assert sum(own["stage_1_passes"] + own["stage_2_passes"] for own in details) == sum(classifier.passes[:2])


def test_batches_of_one_keep_image_target_and_seed(x):
    given = batch(x, np.array([0, 1, 0]), SEEDS)
    parts = singly(given)
    assert [len(part) for part in parts] == [1, 1, 1]
    for n, part in enumerate(parts):
        np.testing.assert_array_equal(part.images[0], x[n])
        assert (int(part.targets[0]), int(part.seeds[0])) == ([0, 1, 0][n], [3, 4, 5][n])
