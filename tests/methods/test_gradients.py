import keras
import numpy as np
import pytest

from tests.closed_form import images, linear, small_resnet
from tests.methods.batches import batch, explain
from xaibench.api import Background
from xaibench.classifiers.keras import KerasClassifier
from xaibench.methods.expected_gradients import ExpectedGradients
from xaibench.methods.gradient_x_input import GradientXInput
from xaibench.methods.hiding import black, blurred
from xaibench.methods.integrated_gradients import IntegratedGradients
from xaibench.methods.saliency import Saliency
from xaibench.methods.smoothgrad import SmoothGrad

WEIGHTS = np.random.default_rng(3).normal(size=(12, 20, 2)).astype(np.float32)


def background(classifier, count=12):
    x = images(classifier, count, seed=9)
    return Background(x, np.arange(count) % 2, tuple(f"T{n}" for n in range(count)))


@pytest.fixture(scope="module")
def classifier():
    return linear(WEIGHTS)  # logit_1 = weights . x, so the gradient is the weights


@pytest.fixture(scope="module")
def resnet():
    return small_resnet(channels=2)


@pytest.fixture(scope="module")
def curved():
    """Logits that are smooth and far from linear in the pixels, so that differences tell their gradients."""
    keras.utils.set_random_seed(2)
    inputs = keras.Input((6, 7, 2))
    hidden = keras.layers.Dense(5, activation="tanh")(keras.layers.Flatten()(inputs))
    return KerasClassifier(keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(hidden)))


def slow_gradient(classifier, image, target, step=1e-2):
    """Central differences of the logit, a pixel and channel at a time."""
    gradient = np.zeros(image.shape)
    for place in np.ndindex(image.shape):
        up, down = image.copy(), image.copy()
        up[place] += step
        down[place] -= step
        rise = classifier.logits(up)[target] - classifier.logits(down)[target]
        gradient[place] = rise / (float(up[place]) - float(down[place]))
    return gradient


def test_saliency_of_a_linear_model_is_the_size_of_its_weights(classifier):
    x = images(classifier)
    expected = np.maximum(np.abs(WEIGHTS[..., 0]), np.abs(WEIGHTS[..., 1]))
    np.testing.assert_allclose(explain(Saliency(), classifier, x, 1), [expected] * 3, rtol=1e-5)


def test_saliency_agrees_with_differences_of_the_logit(curved):
    x, targets = images(curved, 2), np.array([2, 0])
    expected = [np.abs(slow_gradient(curved, *pair)).max(axis=-1) for pair in zip(x, targets, strict=True)]
    np.testing.assert_allclose(explain(Saliency(), curved, x, targets), expected, atol=1e-3)


def test_gradient_x_input_of_a_linear_model_is_its_terms(classifier):
    x = images(classifier)
    np.testing.assert_allclose(
        explain(GradientXInput(), classifier, x, 1), (WEIGHTS * x).sum(axis=-1), atol=1e-5
    )


def test_gradient_x_input_agrees_with_differences_of_the_logit(curved):
    x, targets = images(curved, 2), np.array([2, 0])
    expected = [(slow_gradient(curved, *p) * p[0]).sum(axis=-1) for p in zip(x, targets, strict=True)]
    np.testing.assert_allclose(explain(GradientXInput(), curved, x, targets), expected, atol=1e-3)


def test_smoothgrad_agrees_with_a_loop_over_noisy_copies(curved):
    method, x, targets = SmoothGrad(samples=7, noise=0.2), images(curved, 2), np.array([2, 0])
    expected = []
    for image, target, seed in zip(x, targets, (5, 6), strict=True):
        rng, gradients = np.random.default_rng(seed), []
        for _ in range(7):
            noise = rng.standard_normal(image.shape, dtype=np.float32)
            copy = image + 0.2 * (image.max() - image.min()) * noise
            gradients.append(slow_gradient(curved, copy.astype(np.float32), target))
        expected.append(np.abs(np.mean(gradients, axis=0)).max(axis=-1))
    found = explain(method, curved, x, targets, seeds=[5, 6])
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_smoothgrad_without_noise_is_saliency(resnet):
    x, targets = images(resnet), np.array([0, 1, 1])
    expected = explain(Saliency(), resnet, x, targets)
    np.testing.assert_allclose(
        explain(SmoothGrad(3, noise=0.0), resnet, x, targets), expected, rtol=1e-4, atol=1e-7
    )


def test_the_noise_of_smoothgrad_follows_the_intensity_scale():
    image = images(linear(WEIGHTS), 1)[0]
    one, scaled = SmoothGrad().noisy(image, 0), SmoothGrad().noisy(image * 500 + 100, 0)
    np.testing.assert_allclose(scaled, one * 500 + 100, atol=1e-3)
    assert np.std(one - image) == pytest.approx(0.15 * np.ptp(image), rel=0.02)


@pytest.mark.parametrize("baseline", ["blur", "black"])
def test_trap_16_integrated_gradients_of_a_linear_model_have_the_factor_and_sum_the_channels(
    classifier, baseline
):
    x = images(classifier, 2) + 0.5
    empty = [blurred(image, 1 / 8) if baseline == "blur" else black(image) for image in x]
    expected = (WEIGHTS * (x - np.stack(empty))).sum(axis=-1)
    found = explain(IntegratedGradients(steps=3, baseline=baseline), classifier, x, 1)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_integrated_gradients_agree_with_a_loop_over_the_line(curved):
    x, targets, steps = images(curved, 2), np.array([2, 0]), 6
    expected = []
    for image, target in zip(x, targets, strict=True):
        empty, total = blurred(image, 1 / 8), np.zeros(image.shape)
        for step in range(steps):
            point = empty + (step + 0.5) / steps * (image - empty)
            total += slow_gradient(curved, point.astype(np.float32), target) / steps
        expected.append(((image - empty) * total).sum(axis=-1))
    found = explain(IntegratedGradients(steps=steps), curved, x, targets)
    np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize("baseline", ["blur", "black"])
def test_trap_16_integrated_gradients_are_complete_within_one_percent(resnet, baseline):
    method, x, targets = IntegratedGradients(baseline=baseline), images(resnet, 4), np.array([0, 1, 1, 0])
    promised = method.promised_total(resnet, batch(x, targets))
    empty = np.stack([black(image) if baseline == "black" else blurred(image, 1 / 8) for image in x])
    rows = np.arange(4)
    gaps = resnet.logits(x)[rows, targets] - resnet.logits(empty)[rows, targets]
    np.testing.assert_allclose(promised, gaps, atol=1e-6)
    sums = explain(method, resnet, x, targets).sum(axis=(1, 2))
    assert np.abs(sums - promised).max() < 0.01 * np.abs(promised).max()


def test_expected_gradients_of_a_linear_model_compare_with_the_mean_reference(classifier):
    method, x = ExpectedGradients(references=5, steps=2), images(classifier, 2)
    fitted = method.fit(classifier, background(classifier), 3)
    assert len(np.unique(fitted["references"].reshape(5, -1), axis=0)) == 5
    expected = (WEIGHTS * (x - fitted["references"].mean(axis=0))).sum(axis=-1)
    np.testing.assert_allclose(explain(method, classifier, x, 1, fitted=fitted), expected, atol=1e-4)


def test_expected_gradients_are_the_mean_of_integrated_gradients_from_each_reference(curved):
    method, x = ExpectedGradients(references=3, steps=4), images(curved, 1)
    fitted = method.fit(curved, background(curved), 0)
    total = np.zeros(x.shape[1:])
    for reference in fitted["references"]:
        for step in range(4):
            point = (reference + (step + 0.5) / 4 * (x[0] - reference)).astype(np.float32)
            total += (x[0] - reference) * slow_gradient(curved, point, 2) / 12
    found = explain(method, curved, x, 2, fitted=fitted)[0]
    np.testing.assert_allclose(found, total.sum(axis=-1), atol=1e-3)


def test_expected_gradients_are_complete_within_one_percent(resnet):
    method, x, targets = ExpectedGradients(), images(resnet, 4), np.array([0, 1, 1, 0])
    fitted = method.fit(resnet, background(resnet, 20), 0)
    promised = method.promised_total(resnet, batch(x, targets, fitted=fitted))
    means = resnet.logits(fitted["references"]).mean(axis=0)
    np.testing.assert_allclose(promised, resnet.logits(x)[np.arange(4), targets] - means[targets], atol=1e-6)
    sums = explain(method, resnet, x, targets, fitted=fitted).sum(axis=(1, 2))
    assert np.abs(sums - promised).max() < 0.01 * np.abs(promised).max()


def test_no_more_references_are_drawn_than_there_are_training_images(classifier):
    fitted = ExpectedGradients(references=50).fit(classifier, background(classifier, 4), 0)
    assert len(fitted["references"]) == 4


def test_costs(resnet):
    x = images(resnet, 2)
    fitted = ExpectedGradients().fit(resnet, background(resnet, 20), 0)
    methods = {Saliency(): 1, GradientXInput(): 1, SmoothGrad(): 50, IntegratedGradients(): 64}
    for method, passes in {**methods, ExpectedGradients(): 16 * 12}.items():
        before = resnet.passes
        explain(method, resnet, x, 1, fitted=fitted)
        after = resnet.passes
        assert after.forward - before.forward == after.backward - before.backward == 2 * passes
