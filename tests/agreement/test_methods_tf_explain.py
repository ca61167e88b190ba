"""Explainers by the package tf-explain: its own maps, and where they differ from ours on purpose."""

import numpy as np
import pytest

from tests.closed_form import images, linear, pooled, small_resnet
from tests.methods.batches import explain
from xaibench.api import NotApplicable
from xaibench.methods.gradient_x_input import GradientXInput
from xaibench.methods.saliency import Saliency
from xaibench.methods.tf_explain_gradients_inputs import TfExplainGradientsInputs
from xaibench.methods.tf_explain_integrated_gradients import TfExplainIntegratedGradients
from xaibench.methods.tf_explain_occlusion import TfExplainOcclusion
from xaibench.methods.tf_explain_smoothgrad import TfExplainSmoothGrad
from xaibench.methods.tf_explain_vanilla_gradients import TfExplainVanillaGradients

METHODS = [
    (TfExplainVanillaGradients(), (1, 1)),
    (TfExplainGradientsInputs(), (1, 1)),
    (TfExplainIntegratedGradients(steps=5), (5, 5)),
    (TfExplainSmoothGrad(samples=4), (4, 4)),
    (TfExplainOcclusion(patch=1 / 4), (16, 0)),
]


@pytest.fixture(scope="module")
def resnet():
    return small_resnet(size=16, classes=3)


def test_vanilla_gradients_of_one_channel_are_saliency(resnet):
    x, targets = images(resnet), np.array([0, 2, 0])
    expected = explain(Saliency(), resnet, x, targets)
    np.testing.assert_allclose(explain(TfExplainVanillaGradients(), resnet, x, targets), expected, atol=1e-6)


def test_gradients_inputs_of_one_channel_are_ours_without_their_sign(resnet):
    x, targets = images(resnet), np.array([0, 2, 0])
    expected = np.abs(explain(GradientXInput(), resnet, x, targets))
    np.testing.assert_allclose(explain(TfExplainGradientsInputs(), resnet, x, targets), expected, atol=1e-6)


def test_trap_16_its_integrated_gradients_lack_the_factor():
    head = np.array([[0.0, -1.0], [0.0, 2.0]])
    classifier = pooled(np.eye(2), head)
    x = images(classifier, 2)
    found = explain(TfExplainIntegratedGradients(steps=4), classifier, x, 1)
    # whatever the image: 3 of the 4 steps lie above the kink of the ReLU at 0, each of 64 pixels has its share
    np.testing.assert_allclose(found, np.full_like(found, 3 / 4 * (1 + 2) / 64), rtol=1e-4)


def test_its_integrated_gradients_are_the_mean_gradient_on_the_line_from_zero(resnet):
    x = images(resnet, 1)
    line = np.linspace(0, 1, 5, dtype=np.float32).reshape(-1, 1, 1, 1) * x[0]
    expected = np.abs(resnet.input_gradients(line, np.array(2)).mean(axis=0))[..., 0]
    found = explain(TfExplainIntegratedGradients(steps=5), resnet, x, 2)[0]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_its_smoothgrad_is_the_mean_gradient_of_the_cross_entropy(resnet):
    x, method = images(resnet, 1), TfExplainSmoothGrad(samples=4, noise=0.1)
    noise = np.random.RandomState(8).normal(0, 0.1 * np.ptp(x), (4, 16, 16, 1)).astype(np.float32)
    copies, total = x[0] + noise, np.zeros((4, 16, 16, 1))
    scores = resnet.scores(copies)
    for label in range(3):  # d(-log p_2) / dx = sum over classes of (p_k - [k = 2]) d(logit_k) / dx
        weight = scores[:, label] - (label == 2)
        total += weight[:, None, None, None] * resnet.input_gradients(copies, np.array(label))
    found = explain(method, resnet, x, 2, seeds=8)[0]
    np.testing.assert_allclose(found, np.abs(total.mean(axis=0))[..., 0], atol=1e-6)


def test_its_occlusion_is_one_minus_the_probability_under_a_patch_of_127(resnet):
    x, grid = images(resnet, 1), np.zeros((4, 4))
    for row in range(4):
        for column in range(4):
            copy = x[0].copy()
            copy[4 * row : 4 * row + 4, 4 * column : 4 * column + 4] = 127.5
            grid[row, column] = 1 - resnet.scores(copy)[2]
    found = explain(TfExplainOcclusion(patch=1 / 4), resnet, x, 2)[0]
    np.testing.assert_allclose(
        [found[0, 0], found[0, -1], found[-1, 0]], [grid[0, 0], grid[0, 3], grid[3, 0]], atol=1e-5
    )


def test_trap_17_its_occlusion_of_images_that_are_not_square_is_refused():
    classifier = linear(np.ones((8, 12, 1)))
    with pytest.raises(NotApplicable, match="mixes up rows and columns"):
        explain(TfExplainOcclusion(), classifier, images(classifier, 1), 1)


@pytest.mark.parametrize(("method", "passes"), METHODS)
def test_passes_are_counted_and_nothing_is_printed(method, passes, resnet, capfd):
    before = resnet.passes
    explain(method, resnet, images(resnet, 2), np.array([0, 1]))
    after = resnet.passes
    assert (after.forward - before.forward, after.backward - before.backward) == (
        2 * passes[0],
        2 * passes[1],
    )
    assert capfd.readouterr().out == ""


def test_the_draws_of_its_smoothgrad_come_from_the_seed_alone(resnet):
    x, method = images(resnet, 1), TfExplainSmoothGrad(samples=3)
    first = explain(method, resnet, x, 1, seeds=4)
    np.random.seed(0)  # noqa: NPY002
    np.testing.assert_array_equal(first, explain(method, resnet, x, 1, seeds=4))
    assert not np.allclose(first, explain(method, resnet, x, 1, seeds=5))
