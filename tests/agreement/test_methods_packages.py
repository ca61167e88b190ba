"""Our explainers beside the packages tf-explain, lime and shap, run as their users run them."""

import numpy as np
import pytest

from tests.closed_form import images, linear, pooled, small_resnet
from tests.methods.batches import explain
from tests.methods.test_upsampling import slow_bilinear
from xaibench.methods.grad_cam import GradCam
from xaibench.methods.lime import Lime
from xaibench.methods.shap import Shap
from xaibench.methods.superpixels import superpixels
from xaibench.methods.tf_explain_grad_cam import TfExplainGradCam


@pytest.fixture(scope="module")
def resnet():
    return small_resnet(classes=3)


def test_trap_14_grad_cam_is_tf_explain_s_map_with_its_negative_part_cut():
    classifier = pooled(
        np.eye(3), np.array([[1.0, -1.0], [-2.0, 0.5], [0.5, 1.5]])
    )  # maps of the input's size
    x, targets = images(classifier, 4), np.array([0, 1, 0, 1])
    theirs = explain(TfExplainGradCam(), classifier, x, targets)
    assert theirs.min() < 0  # the package has no ReLU
    np.testing.assert_allclose(explain(GradCam(), classifier, x, targets), np.maximum(theirs, 0), atol=1e-6)


def test_tf_explain_s_map_is_the_weighted_sum_of_the_feature_maps(resnet):
    x, targets = images(resnet, 4), np.array([0, 1, 2, 1])
    maps, gradients = resnet.feature_gradients(x, targets)
    sums = np.einsum("nk,nijk->nij", gradients.mean(axis=(1, 2)), maps)
    expected = [slow_bilinear(one, (32, 32)) for one in sums]
    np.testing.assert_allclose(explain(TfExplainGradCam(), resnet, x, targets), expected, atol=1e-6)


def test_tf_explain_counts_its_passes(resnet):
    before = resnet.passes
    explain(TfExplainGradCam(), resnet, images(resnet, 3), np.array([0, 1, 0]))
    after = resnet.passes
    assert (after.forward - before.forward, after.backward - before.backward) == (3, 3)


@pytest.mark.parametrize("seed", [0, 123])
def test_lime_is_the_package_s_on_the_same_superpixels(seed):
    from lime.lime_image import LimeImageExplainer

    classifier = linear(np.random.default_rng(3).normal(size=(24, 20, 3)) / 20)
    x = images(classifier, 1)[0]
    lime = Lime(samples=80, segments=12)
    segments = superpixels(x, 12)
    assert segments.max() > 4
    theirs = LimeImageExplainer(random_state=seed).explain_instance(
        x,
        classifier.scores,
        labels=(1,),
        top_labels=None,
        num_samples=80,
        segmentation_fn=lambda _image: segments,
        random_seed=seed,
    )
    expected = np.zeros(segments.max() + 1)
    for segment, value in theirs.local_exp[1]:
        expected[segment] = value
    np.testing.assert_allclose(lime.coefficients(classifier, x, 1, seed, segments), expected, atol=1e-6)


@pytest.mark.parametrize("evaluations", [20, 100, 500])
def test_shap_is_the_package_s_with_its_own_image_masker(evaluations):
    import shap

    classifier = small_resnet(size=16)
    x = images(classifier, 1)
    masker = shap.maskers.Image("blur(2,2)", x[0].shape)
    explainer = shap.PartitionExplainer(lambda copies: classifier.scores(copies)[:, 1], masker)
    theirs = explainer(x, max_evals=evaluations, batch_size=64, silent=True).values[0, ..., 0]
    ours = explain(Shap(evaluations=evaluations), classifier, x, 1)[0]
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
