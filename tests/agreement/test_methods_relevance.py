"""Backward rules beside Xplique's."""

import numpy as np
import pytest

from tests.closed_form import images, small_resnet
from tests.methods.batches import explain
from xaibench.methods.guided_backprop import GuidedBackprop

xplique = pytest.importorskip("xplique.attributions", exc_type=ImportError)


@pytest.mark.parametrize(("rule", "theirs"), [("guided", "GuidedBackprop"), ("deconv", "DeconvNet")])
def test_guided_gradients_are_xplique_s(rule, theirs):
    classifier = small_resnet(classes=3)
    x, targets = images(classifier), np.array([0, 1, 2])
    explainer = getattr(xplique, theirs)(classifier.borrow_keras(3, 3).model, reducer=None)
    expected = explainer(x, np.eye(3, dtype=np.float32)[targets]).numpy()
    found = classifier.relevance(x, targets, rule)
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())
    if rule == "guided":
        shown = explain(GuidedBackprop(), classifier, x, targets)
        np.testing.assert_allclose(shown, np.abs(expected)[..., 0], atol=1e-5 * np.abs(expected).max())
