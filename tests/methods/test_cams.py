import keras
import numpy as np
import pytest

from tests.closed_form import images, pooled, small_resnet
from tests.methods.batches import explain
from tests.methods.test_upsampling import slow_bilinear
from xaibench.api import XaibenchError
from xaibench.classifiers.keras import KerasClassifier
from xaibench.methods.grad_cam import GradCam
from xaibench.methods.grad_cam_plus_plus import GradCamPlusPlus, alphas

CAMS = [GradCam, GradCamPlusPlus]


def slow_grad_cam(maps, gradients, size):
    rows, columns, channels = maps.shape
    cam = np.zeros((rows, columns))
    for k in range(channels):
        weight = sum(gradients[i, j, k] for i in range(rows) for j in range(columns)) / (rows * columns)
        cam += weight * maps[:, :, k]
    return slow_bilinear(np.where(cam > 0, cam, 0), size)


def slow_grad_cam_plus_plus(maps, gradients, size):
    rows, columns, channels = maps.shape
    cam = np.zeros((rows, columns))
    for k in range(channels):
        total, weight = maps[:, :, k].sum(), 0.0
        for i in range(rows):
            for j in range(columns):
                g = float(gradients[i, j, k])
                denominator = 2 * g**2 + total * g**3
                alpha = g**2 / denominator if denominator != 0 else 0.0
                weight += alpha * max(g, 0.0)
        cam += weight * maps[:, :, k]
    return slow_bilinear(np.where(cam > 0, cam, 0), size)


SLOW = {GradCam: slow_grad_cam, GradCamPlusPlus: slow_grad_cam_plus_plus}


@pytest.fixture(scope="module")
def resnet():
    return small_resnet()


@pytest.mark.parametrize("cam", CAMS)
def test_cam_agrees_with_its_formula_written_as_loops(cam, resnet):
    x, targets = images(resnet), np.array([0, 1, 1])
    maps, gradients = resnet.feature_gradients(x, targets)
    expected = [SLOW[cam](a, g, (32, 32)) for a, g in zip(maps, gradients, strict=True)]
    np.testing.assert_allclose(explain(cam(), resnet, x, targets), expected, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("cam", CAMS)
def test_cam_agrees_with_its_formula_where_gradients_differ_from_pixel_to_pixel(cam):
    inputs = keras.Input((8, 8, 1))
    maps = keras.layers.Conv2D(3, 3, padding="same", activation="tanh", name="maps")(inputs)
    outputs = keras.layers.Dense(2, activation="softmax")(keras.layers.Flatten()(maps))
    keras.utils.set_random_seed(1)
    classifier = KerasClassifier(keras.Model(inputs, outputs))
    x, targets = images(classifier, 2), np.array([0, 1])
    a, g = classifier.feature_gradients(x, targets)
    assert np.ptp(g, axis=(1, 2)).max() > 0
    expected = [SLOW[cam](*pair, (8, 8)) for pair in zip(a, g, strict=True)]
    np.testing.assert_allclose(explain(cam(), classifier, x, targets), expected, rtol=1e-3, atol=1e-6)


def test_grad_cam_of_a_pooled_model_is_its_weighted_feature_maps():
    # logit_1 = mean of (2 A1 - A2), so the weights are 2 / 64 and -1 / 64
    classifier = pooled(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[0.0, 2.0], [0.0, -1.0]]))
    x = images(classifier)
    expected = np.maximum(2 * x[..., 0] - x[..., 1], 0) / 64
    np.testing.assert_allclose(explain(GradCam(), classifier, x, np.array([1, 1, 1])), expected, atol=1e-6)


@pytest.mark.parametrize("cam", CAMS)
def test_trap_14_cam_has_its_relu_and_no_negative_value(cam, resnet):
    heatmaps = explain(cam(), resnet, images(resnet, 4), np.array([0, 1, 0, 1]))
    assert heatmaps.min() >= 0
    assert heatmaps.max() > 0


@pytest.mark.parametrize("cam", CAMS)
def test_trap_15_cam_without_evidence_is_all_zero(cam):  # a result, not an error
    classifier = pooled(np.eye(2), np.array([[0.0, -2.0], [0.0, -1.0]]))
    heatmaps = explain(cam(), classifier, images(classifier), np.array([1, 1, 1]))
    assert heatmaps.shape == (3, 8, 8)
    assert not heatmaps.any()


def test_trap_14_grad_cam_takes_the_output_of_the_last_block_and_not_its_last_convolution(resnet):
    x, targets = images(resnet), np.array([1, 1, 1])
    convolution = [layer.name for layer in resnet.model.layers if isinstance(layer, keras.layers.Conv2D)][-1]
    default = explain(GradCam(), resnet, x, targets)
    np.testing.assert_array_equal(default, explain(GradCam(layer="block_end"), resnet, x, targets))
    assert not np.allclose(default, explain(GradCam(layer=convolution), resnet, x, targets))


@pytest.mark.parametrize("cam", CAMS)
def test_trap_14_cam_finds_the_layer_in_a_nested_backbone(cam, resnet):
    backbone = keras.Model(resnet.model.input, resnet.model.get_layer("block_end").output)
    head = resnet.model.layers[-1]
    nested = keras.Sequential(
        [keras.Input((32, 32, 1)), backbone, keras.layers.GlobalAveragePooling2D(), head]
    )
    x, targets = images(resnet), np.array([1, 0, 1])
    found = explain(cam(), KerasClassifier(nested), x, targets)
    np.testing.assert_allclose(found, explain(cam(), resnet, x, targets), rtol=1e-4, atol=1e-7)


def test_trap_15_grad_cam_plus_plus_uses_the_sum_of_a_map_and_not_its_mean():
    maps = np.full((1, 2, 2, 1), 3, np.float32)
    gradients = np.full((1, 2, 2, 1), 0.5, np.float32)
    np.testing.assert_allclose(alphas(maps, gradients), 1 / (2 + 12 * 0.5))


def test_grad_cam_plus_plus_alpha_is_finite_where_its_denominator_is_zero():
    maps = np.full((1, 2, 2, 1), 1, np.float32)
    gradients = np.full((1, 2, 2, 1), -0.5, np.float32)  # 2 + 4 x -0.5 = 0
    assert not alphas(maps, gradients).any()


def test_grad_cam_plus_plus_keeps_gradients_too_small_to_be_cubed():
    head = np.array([[0.0, 1e-16], [0.0, 0.0]])  # 1e-16 / 64 cubed is 0 in float32
    classifier = pooled(np.eye(2), head)
    x = images(classifier)
    expected = x[..., 0] * 1e-16 / 2  # alpha is 1/2, the weight 64 x 1/2 x 1e-16 / 64
    np.testing.assert_allclose(
        explain(GradCamPlusPlus(), classifier, x, np.array([1, 1, 1])), expected, rtol=1e-4
    )


@pytest.mark.parametrize("cam", CAMS)
def test_trap_23_the_two_classes_are_explained_by_their_logits_and_not_as_negatives(cam):
    # Both logits rise with the first map; the gradient of a probability would give one class an empty map.
    classifier = pooled(np.eye(2), np.array([[1.0, 0.5], [0.2, 1.0]]))
    x = images(classifier, 1)
    both = [explain(cam(), classifier, x, target)[0] for target in (0, 1)]
    assert (np.minimum(*both) > 0).mean() > 0.9
    assert not np.allclose(both[0], both[1])


@pytest.mark.parametrize("cam", CAMS)
def test_trap_24_a_second_call_does_not_trace_again(cam):
    classifier = small_resnet(seed=3)
    explain(cam(), classifier, images(classifier, 1), 1)
    functions = dict(classifier._compiled)
    for count in (2, 3, 3):
        explain(cam(), classifier, images(classifier, count), np.ones(count, int))
    assert classifier._compiled == functions  # the same objects: none was made anew
    traces = [function.experimental_get_tracing_count() for function in classifier._compiled.values()]
    assert traces == [1]


@pytest.mark.parametrize("cam", CAMS)
def test_one_forward_and_one_backward_pass_an_image(cam, resnet):
    before = resnet.passes
    explain(cam(), resnet, images(resnet), np.array([0, 1, 0]))
    after = resnet.passes
    assert (after.forward - before.forward, after.backward - before.backward) == (3, 3)


def test_an_unknown_layer_is_named_in_the_error(resnet):
    with pytest.raises(XaibenchError, match=r"no layer 'conv9'.*block_end"):
        explain(GradCam(layer="conv9"), resnet, images(resnet, 1), 0)
