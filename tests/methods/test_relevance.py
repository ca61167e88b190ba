"""Methods that send the logit back by a rule, on networks small enough to do it by hand."""

import keras
import numpy as np
import pytest

from tests.closed_form import images, linear, small_resnet
from tests.methods.batches import batch, explain
from xaibench.api import NotApplicable
from xaibench.classifiers.keras import KerasClassifier
from xaibench.methods.deep_taylor import DeepTaylor
from xaibench.methods.deeplift import DeepLift
from xaibench.methods.grad_cam import GradCam
from xaibench.methods.guided_backprop import GuidedBackprop
from xaibench.methods.guided_grad_cam import GuidedGradCam
from xaibench.methods.hiding import black, blurred
from xaibench.methods.lrp import Lrp


class TwoLayers:
    """logit = second^T relu(first^T x + bias), with all its weights at hand."""

    def __init__(self, bias: float):
        rng = np.random.default_rng(5)
        self.first = rng.normal(size=(5 * 4 * 2, 6)).astype(np.float32)
        self.second = rng.normal(size=(6, 3)).astype(np.float32)
        self.bias = (bias * rng.normal(size=6)).astype(np.float32)
        inputs = keras.Input((5, 4, 2))
        hidden = keras.layers.Dense(6, activation="relu")
        last = keras.layers.Dense(3, activation="softmax", use_bias=False)
        self.classifier = KerasClassifier(keras.Model(inputs, last(hidden(keras.layers.Flatten()(inputs)))))
        hidden.set_weights([self.first, self.bias])
        last.set_weights([self.second])

    def before(self, image):
        return image.ravel() @ self.first + self.bias


@pytest.fixture(scope="module")
def biased():
    return TwoLayers(0.5)


@pytest.fixture(scope="module")
def unbiased():
    return TwoLayers(0.0)


@pytest.fixture(scope="module")
def resnet():
    return small_resnet(channels=2)


def slow_guided(net, image, target):
    gradient = np.zeros(image.size)
    for j, value in enumerate(net.before(image)):
        if value > 0 and net.second[j, target] > 0:
            gradient += net.first[:, j] * net.second[j, target]
    return np.abs(gradient.reshape(image.shape)).max(axis=-1)


def test_guided_backprop_agrees_with_its_rule_by_hand(biased):
    x, targets = images(biased.classifier), np.array([0, 2, 1])
    expected = [slow_guided(biased, *pair) for pair in zip(x, targets, strict=True)]
    found = explain(GuidedBackprop(), biased.classifier, x, targets)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_guided_grad_cam_is_the_product_of_its_parts(resnet):
    x, targets = images(resnet), np.array([0, 1, 1])
    parts = [explain(part, resnet, x, targets) for part in (GradCam(), GuidedBackprop())]
    np.testing.assert_allclose(explain(GuidedGradCam(), resnet, x, targets), parts[0] * parts[1], rtol=1e-5)


def slow_deeplift(net, image, target, baseline):
    contributions = np.zeros(image.size)
    before, reference = net.before(image), net.before(baseline)
    for j in range(6):
        rise = before[j] - reference[j]
        multiplier = (max(before[j], 0) - max(reference[j], 0)) / rise
        contributions += (image - baseline).ravel() * net.first[:, j] * multiplier * net.second[j, target]
    return contributions.reshape(image.shape).sum(axis=-1)


@pytest.mark.parametrize("baseline", ["blur", "black"])
def test_deeplift_agrees_with_the_rescale_rule_by_hand(biased, baseline):
    x, targets = images(biased.classifier) - 0.3, np.array([0, 2, 1])
    empty = [black(one) if baseline == "black" else blurred(one, 1 / 8) for one in x]
    if baseline == "blur":  # a window of one pixel changes nothing; so nothing may be found
        assert not explain(DeepLift(), biased.classifier, x, targets).any()
        return
    expected = [slow_deeplift(biased, *triple) for triple in zip(x, targets, empty, strict=True)]
    found = explain(DeepLift(baseline=baseline), biased.classifier, x, targets)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("baseline", ["blur", "black"])
def test_deeplift_sums_to_the_difference_from_its_baseline(resnet, baseline):
    method, x, targets = DeepLift(baseline=baseline), images(resnet, 4), np.array([0, 1, 1, 0])
    empty = np.stack([black(one) if baseline == "black" else blurred(one, 1 / 8) for one in x])
    gains = (resnet.logits(x) - resnet.logits(empty))[np.arange(4), targets]
    np.testing.assert_allclose(method.promised_total(resnet, batch(x, targets)), gains, atol=1e-6)
    sums = explain(method, resnet, x, targets).sum(axis=(1, 2))
    np.testing.assert_allclose(sums, gains, atol=0.01 * np.abs(gains).max())


def slow_two_steps(net, image, target, share):
    """Relevance of the hidden units by `share` of their terms, then of the pixels by the z-box rule."""
    hidden = np.maximum(net.before(image), 0)
    relevance = share(hidden * net.second[:, target]) * (hidden @ net.second[:, target])
    low = np.broadcast_to(image.min(axis=(0, 1)), image.shape).ravel()
    high = np.broadcast_to(image.max(axis=(0, 1)), image.shape).ravel()
    arrived = np.zeros(image.size)
    for j in range(6):
        w = net.first[:, j]
        terms = image.ravel() * w - low * np.maximum(w, 0) - high * np.minimum(w, 0)
        arrived += terms / terms.sum() * relevance[j]
    return arrived.reshape(image.shape).sum(axis=-1)


def test_lrp_of_two_dense_layers_agrees_with_epsilon_and_z_box_by_hand(unbiased):
    x, targets = images(unbiased.classifier), np.array([0, 2, 1])
    expected = [
        slow_two_steps(unbiased, *pair, lambda t: t / t.sum()) for pair in zip(x, targets, strict=True)
    ]
    found = explain(Lrp(), unbiased.classifier, x, targets)
    np.testing.assert_allclose(found, expected, rtol=0.02, atol=0.01 * np.abs(expected).max())


def test_lrp_is_conserved_without_biases(unbiased):
    x, targets = images(unbiased.classifier), np.array([0, 2, 1])
    logits = unbiased.classifier.logits(x)[np.arange(3), targets]
    sums = explain(Lrp(), unbiased.classifier, x, targets).sum(axis=(1, 2))
    np.testing.assert_allclose(sums, logits, atol=0.01 * np.abs(logits).max())


def test_deep_taylor_agrees_with_z_plus_and_z_box_by_hand(unbiased):
    def share_of_one_sign(terms):
        counted = np.where(np.sign(terms) == np.sign(terms.sum()), terms, 0)
        return counted / counted.sum()

    x, targets = images(unbiased.classifier), np.array([0, 2, 1])
    expected = [slow_two_steps(unbiased, *pair, share_of_one_sign) for pair in zip(x, targets, strict=True)]
    found = explain(DeepTaylor(), unbiased.classifier, x, targets)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


def test_deep_taylor_has_the_sign_of_the_logit_and_its_sum(unbiased):
    x, targets = images(unbiased.classifier, 6), np.array([0, 1, 2, 0, 1, 2])
    logits = unbiased.classifier.logits(x)[np.arange(6), targets]
    heatmaps = explain(DeepTaylor(), unbiased.classifier, x, targets)
    assert (heatmaps * np.sign(logits)[:, None, None] >= -1e-6).all()
    np.testing.assert_allclose(heatmaps.sum(axis=(1, 2)), logits, atol=0.01 * np.abs(logits).max())


def test_without_a_relu_guided_backprop_means_nothing():
    classifier = linear(np.ones((8, 8, 1)))
    with pytest.raises(NotApplicable, match="plain gradient"):
        explain(GuidedBackprop(), classifier, images(classifier, 1), 1)


def test_costs(resnet):
    x = images(resnet, 2)
    costs = {
        GuidedBackprop(): (1, 1),
        GuidedGradCam(): (2, 2),
        Lrp(): (1, 1),
        DeepTaylor(): (1, 1),
        DeepLift(): (2, 1),
    }
    for method, passes in costs.items():
        before = resnet.passes
        explain(method, resnet, x, 1)
        after = resnet.passes
        made = ((after.forward - before.forward) / 2, (after.backward - before.backward) / 2)
        assert made == passes, method
