"""Spatial attention: the layer's own map, uniform where it knows nothing, and models that have none."""

import numpy as np
import pytest

from tests.classifiers.attention_models import attentive_resnet
from tests.closed_form import images, small_resnet
from tests.methods.batches import explain
from tests.methods.test_upsampling import slow_bilinear
from xaibench.api import NotApplicable, XaibenchError
from xaibench.methods.spatial_attention import LAST, SpatialAttention
from xaibench.models.cbam_resnet import cbam_resnet


@pytest.fixture
def classifier():
    return attentive_resnet((16, 24))


def test_the_map_is_the_layers_output_at_the_size_of_the_image(classifier):
    x = images(classifier)
    maps = classifier.model.get_layer(LAST).output
    own = np.asarray(type(classifier.model)(classifier.model.input, maps)(x))
    found = explain(SpatialAttention(), classifier, x, 0)
    np.testing.assert_allclose(found, [slow_bilinear(each, (16, 24)) for each in own[..., 0]], atol=1e-5)
    assert 0 < found.min() < found.max() < 1


def test_attention_that_weighs_nothing_is_one_half_everywhere(classifier):
    layer = next(layer for layer in classifier.model.layers if getattr(layer, "kernel_size", 0) == (7, 7))
    layer.set_weights([np.zeros((7, 7, 2, 1))])
    np.testing.assert_allclose(explain(SpatialAttention(), classifier, images(classifier), 0), 0.5)


def test_the_class_does_not_matter_and_one_forward_pass_is_enough(classifier):
    x = images(classifier)
    first = explain(SpatialAttention(), classifier, x, 0)
    np.testing.assert_array_equal(first, explain(SpatialAttention(), classifier, x, 1))
    assert classifier.passes[:2] == (6, 0)


def test_the_default_layer_is_the_last_blocks_of_the_shipped_network():
    named = [layer.name for layer in cbam_resnet(32).layers if layer.name.endswith("_spatial_attention")]
    assert named == [f"block{number}_spatial_attention" for number in (1, 2, 3, 4)]
    assert named[-1] == LAST


def test_a_model_without_spatial_attention_is_told():
    classifier = small_resnet()
    with pytest.raises(
        NotApplicable, match=r"no spatial attention in a layer 'block4_spatial_attention'; name"
    ):
        explain(SpatialAttention(), classifier, images(classifier), 0)


def test_a_layer_of_several_maps_is_no_attention(classifier):
    with pytest.raises(NotApplicable, match="'block4' puts out 16 maps, no spatial attention"):
        explain(SpatialAttention("block4"), classifier, images(classifier), 0)


def test_a_named_layer_that_the_model_lacks_is_an_error(classifier):
    with pytest.raises(XaibenchError, match="no layer 'block9'"):
        explain(SpatialAttention("block9"), classifier, images(classifier), 0)
