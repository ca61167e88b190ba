"""Our explainers beside Xplique's, where its definition is the paper's (it is not for Grad-CAM++ and RISE)."""

import numpy as np
import pytest

from tests.closed_form import images, small_resnet
from tests.methods.batches import explain
from xaibench.methods.grad_cam import GradCam
from xaibench.methods.occlusion import Occlusion
from xaibench.methods.upsampling import upsample

xplique = pytest.importorskip("xplique.attributions", exc_type=ImportError)


def test_grad_cam_is_xplique_s_before_its_bicubic_resizing():
    classifier = small_resnet(classes=3)
    x, targets = images(classifier), np.array([0, 1, 2])
    maps, gradients = classifier.feature_gradients(x, targets)
    weights = xplique.GradCAM._compute_weights(gradients, maps)
    theirs = xplique.GradCAM._apply_weights(weights, maps).numpy()
    np.testing.assert_allclose(
        explain(GradCam(), classifier, x, targets), upsample(theirs, (32, 32)), atol=1e-6
    )


def test_occlusion_without_overlap_is_xplique_s():
    classifier = small_resnet(size=16)
    x, targets = images(classifier, 1), np.array([1])
    theirs = xplique.Occlusion(
        classifier.model, patch_size=4, patch_stride=4, occlusion_value=float(x.mean())
    )
    expected = theirs(x, np.eye(2, dtype=np.float32)[targets]).numpy()[..., 0]
    ours = explain(Occlusion(patch=1 / 4, stride=1 / 4), classifier, x, targets)
    np.testing.assert_allclose(ours, expected, atol=1e-5)
