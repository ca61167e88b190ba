"""Every variant of the class activation map beside its definition, written as loops."""

import keras
import numpy as np
import pytest

from tests.closed_form import images, pooled, small_resnet
from tests.methods.batches import explain
from tests.methods.test_upsampling import slow_bilinear
from xaibench.api import NotApplicable
from xaibench.classifiers.keras import KerasClassifier
from xaibench.methods.ablation_cam import AblationCam
from xaibench.methods.cam import Cam
from xaibench.methods.eigen_cam import EigenCam, first_component
from xaibench.methods.eigen_grad_cam import EigenGradCam
from xaibench.methods.grad_cam import GradCam
from xaibench.methods.hires_cam import HiResCam
from xaibench.methods.layer_cam import LayerCam
from xaibench.methods.score_cam import ScoreCam
from xaibench.methods.xgrad_cam import XGradCam


@pytest.fixture(scope="module")
def uneven():
    """Maps of both signs, and a dense layer on the flattened maps, so that gradients differ from pixel to pixel."""
    keras.utils.set_random_seed(1)
    inputs = keras.Input((8, 10, 2))
    maps = keras.layers.Conv2D(3, 3, padding="same", activation="tanh", name="maps")(inputs)
    outputs = keras.layers.Dense(2, activation="softmax", use_bias=False)(keras.layers.Flatten()(maps))
    return KerasClassifier(keras.Model(inputs, outputs))


@pytest.fixture(scope="module")
def resnet():
    return small_resnet(classes=3)


def slow_xgrad_cam(maps, gradients):
    cam = np.zeros(maps.shape[:2])
    for k in range(maps.shape[2]):
        total, weight = maps[:, :, k].sum(), 0.0
        for i, j in np.ndindex(cam.shape):
            weight += maps[i, j, k] / total * gradients[i, j, k]
        cam += weight * maps[:, :, k]
    return np.maximum(cam, 0)


def slow_layer_cam(maps, gradients):
    cam = np.zeros(maps.shape[:2])
    for i, j, k in np.ndindex(maps.shape):
        cam[i, j] += max(gradients[i, j, k], 0) * maps[i, j, k]
    return np.maximum(cam, 0)


def slow_hires_cam(maps, gradients):
    cam = np.zeros(maps.shape[:2])
    for i, j, k in np.ndindex(maps.shape):
        cam[i, j] += gradients[i, j, k] * maps[i, j, k]
    return cam


def slow_first_component(maps):
    """Power iteration for the eigenvector of the largest eigenvalue of X^T X."""
    pixels = maps.reshape(-1, maps.shape[-1]).astype(float)
    vector = np.ones(maps.shape[-1])
    for _ in range(5000):
        vector = pixels.T @ (pixels @ vector)
        vector /= np.linalg.norm(vector)
    return (pixels @ vector).reshape(maps.shape[:2]) * np.sign(vector.sum())


def slow_eigen_cam(maps, gradients):
    return slow_first_component(maps)


def slow_eigen_grad_cam(maps, gradients):
    return slow_first_component(maps * gradients)


SLOW = {
    XGradCam: slow_xgrad_cam,
    LayerCam: slow_layer_cam,
    HiResCam: slow_hires_cam,
    EigenCam: slow_eigen_cam,
    EigenGradCam: slow_eigen_grad_cam,
}


@pytest.mark.parametrize("cam", SLOW)
@pytest.mark.parametrize("model", ["uneven", "resnet"])
def test_cam_agrees_with_its_formula_written_as_loops(cam, model, request):
    classifier = request.getfixturevalue(model)
    x, targets = images(classifier), np.array([0, 1, 1])
    maps, gradients = classifier.feature_gradients(x, targets)
    expected = [slow_bilinear(SLOW[cam](a, g), x.shape[1:3]) for a, g in zip(maps, gradients, strict=True)]
    tolerance = 1e-4 * np.abs(expected).max()
    np.testing.assert_allclose(explain(cam(), classifier, x, targets), expected, rtol=1e-3, atol=tolerance)


@pytest.mark.parametrize("cam", [*SLOW, AblationCam, Cam, ScoreCam])
def test_a_layer_may_be_named_and_only_cam_has_none(cam, resnet):
    x = images(resnet, 1)
    if cam is Cam:
        assert not hasattr(cam(), "layer")
    else:
        named = explain(cam(layer="block_end"), resnet, x, 1)
        np.testing.assert_array_equal(named, explain(cam(), resnet, x, 1))


def test_cam_is_the_weighted_sum_whose_mean_is_the_logit():
    head = np.array([[1.0, -1.0], [-2.0, 0.5], [0.5, 1.5]])
    classifier = pooled(np.eye(3), head)
    x, targets = images(classifier), np.array([0, 1, 1])
    heatmaps = explain(Cam(), classifier, x, targets)
    np.testing.assert_allclose(
        heatmaps, [image @ head[:, t] for image, t in zip(x, targets, strict=True)], atol=1e-5
    )
    np.testing.assert_allclose(
        heatmaps.mean(axis=(1, 2)), classifier.logits(x)[[0, 1, 2], targets], atol=1e-5
    )
    assert heatmaps.min() < 0


def test_cam_means_nothing_without_a_pooled_head(uneven):
    with pytest.raises(NotApplicable, match="not average pooling and one dense layer"):
        explain(Cam(), uneven, images(uneven), 0)


def test_hires_cam_sums_to_the_logit_of_a_dense_layer_without_bias(uneven):
    x, targets = images(uneven), np.array([0, 1, 1])
    sums = explain(HiResCam(), uneven, x, targets).sum(axis=(1, 2))
    np.testing.assert_allclose(sums, uneven.logits(x)[[0, 1, 2], targets], atol=1e-4)


def test_xgrad_cam_is_grad_cam_below_average_pooling(resnet):
    x, targets = images(resnet), np.array([0, 1, 2])
    expected = explain(GradCam(), resnet, x, targets)
    np.testing.assert_allclose(explain(XGradCam(), resnet, x, targets), expected, rtol=1e-3, atol=1e-7)


def test_xgrad_cam_gives_no_weight_to_a_map_that_is_zero():
    maps, gradients = np.zeros((1, 2, 2, 1), np.float32), np.ones((1, 2, 2, 1), np.float32)
    assert not XGradCam().weights(maps, gradients).any()


def test_eigen_cam_is_the_only_map_and_blind_to_the_class():
    classifier = pooled(np.array([[1.0]]), np.array([[1.0, -1.0]]))
    x = images(classifier, 2)
    for target in (0, 1):
        np.testing.assert_allclose(explain(EigenCam(), classifier, x, target), x[..., 0], rtol=1e-5)


def test_the_first_component_of_each_image_is_its_own_and_upright():
    rng = np.random.default_rng(0)
    maps = rng.random((2, 4, 5, 3), dtype=np.float32)
    both = first_component(maps)
    np.testing.assert_allclose(both[:1], first_component(maps[:1]), rtol=1e-5)
    np.testing.assert_allclose(first_component(-maps), -both, rtol=1e-4)
    assert both.min() > 0


def slow_score_cam(classifier, image, target):
    """Algorithm 1 of the paper, one masked copy at a time, the logit of the black image subtracted."""
    maps = classifier.features(image[None])[0]
    black = np.full_like(image, image.min())
    increases = []
    for k in range(maps.shape[-1]):
        mask = slow_bilinear(maps[:, :, k], image.shape[:2])
        width = maps[:, :, k].max() - maps[:, :, k].min()
        mask = (mask - maps[:, :, k].min()) / width if width > 0 else np.zeros_like(mask)
        seen = (mask[..., None] * image + (1 - mask[..., None]) * black).astype(np.float32)
        increases.append(classifier.logits(seen)[target] - classifier.logits(black)[target])
    alphas = np.exp(increases) / np.exp(increases).sum()
    return slow_bilinear(np.maximum(maps @ alphas, 0), image.shape[:2])


def test_score_cam_agrees_with_the_paper_s_algorithm(resnet, uneven):
    for classifier in (resnet, uneven):
        x, targets = images(classifier, 2), np.array([1, 0])
        expected = [slow_score_cam(classifier, *pair) for pair in zip(x, targets, strict=True)]
        found = explain(ScoreCam(channels=None), classifier, x, targets)
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5)


def test_score_cam_with_fewer_channels_takes_the_widest():
    classifier = pooled(np.diag([1.0, 3.0, 2.0]), np.eye(3))
    x = np.repeat(images(classifier, 1)[..., :1], 3, axis=-1)  # the three maps differ by their factors alone
    before = classifier.passes.forward
    heatmap = explain(ScoreCam(channels=2), classifier, x, 0)[0]
    assert classifier.passes.forward - before == 1 + 2
    np.testing.assert_allclose(heatmap, x[0, ..., 0] * 2.5, rtol=1e-4)  # equal weights of the maps 3x and 2x


def slow_ablation_cam(classifier, image, target):
    maps = classifier.features(image[None])
    whole = classifier.logits(image)[target]
    cam = np.zeros(maps.shape[1:3])
    for k in range(maps.shape[-1]):
        without = maps.copy()
        without[..., k] = 0
        cam += (whole - classifier.logits_from_features(without)[0, target]) / abs(whole) * maps[0, ..., k]
    return slow_bilinear(np.maximum(cam, 0), image.shape[:2])


def test_ablation_cam_agrees_with_its_formula_written_as_loops(resnet, uneven):
    for classifier in (resnet, uneven):
        x, targets = images(classifier, 2), np.array([1, 0])
        expected = [slow_ablation_cam(classifier, *pair) for pair in zip(x, targets, strict=True)]
        found = explain(AblationCam(), classifier, x, targets)
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("sign", [1, -1])
def test_ablation_cam_shows_what_speaks_for_the_class_whatever_the_sign_of_the_logit(sign):
    # logit_0 = mean of (A1 - A2), or of (A1 - 5 A2) where it is negative: A1 always speaks for the class
    classifier = pooled(np.eye(2), np.array([[1.0, 0.0], [-1.0 if sign > 0 else -5.0, 0.0]]))
    x = np.zeros((1, 8, 8, 2), np.float32)
    x[0, :4, :, 0], x[0, 4:, :, 1] = 1, 0.5
    assert np.sign(classifier.logits(x)[0, 0]) == sign
    heatmap = explain(AblationCam(), classifier, x, 0)[0]
    assert heatmap[:4].min() > 0
    assert not heatmap[4:].any()


def test_ablation_cam_of_a_pooled_model_is_its_share_of_the_logit():
    classifier = pooled(np.eye(2), np.array([[2.0, 0.0], [1.0, 0.0]]))
    x = images(classifier, 1)
    means, logit = x[0].mean(axis=(0, 1)), classifier.logits(x)[0, 0]
    shares = np.array([2 * means[0], means[1]]) / logit
    np.testing.assert_allclose(explain(AblationCam(), classifier, x, 0)[0], x[0] @ shares, rtol=1e-4)


def test_costs():
    classifier = small_resnet(seed=5)  # 8 feature maps
    x = images(classifier, 2)
    costs = {}
    for cam in (Cam, EigenCam, ScoreCam, AblationCam, LayerCam):
        before = classifier.passes
        explain(cam(), classifier, x, 1)
        after = classifier.passes
        costs[cam] = ((after.forward - before.forward) / 2, (after.backward - before.backward) / 2)
    assert costs == {
        Cam: (1, 0),
        EigenCam: (1, 0),
        ScoreCam: (1 + 8, 0),
        AblationCam: (1 + 1 + 8, 0),
        LayerCam: (1, 1),
    }
