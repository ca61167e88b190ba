"""The torch and the Keras form of one network are explained alike, by every method that both can serve."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.classifiers.twins import BLOCK_END, twins
from tests.contract.test_every_plugin import SMALL
from xaibench.api import NotApplicable
from xaibench.harness import registry
from xaibench.harness.contract.trial import put_on_trial

METHODS = list(registry.entries("methods"))
NEEDS_KERAS = {"shap-deep", "shap-gradient", *(name for name in METHODS if name.startswith("tf-explain-"))}
WITHOUT_ATTENTION = {"attention-rollout", "spatial-attention"}
BUDGETS = {
    **SMALL,
    "counterfactual": {
        "steps": 1
    },  # the next step starts where two classes tie, and rounding decides how it goes on
    "hybrid": {"evaluations": 12},
}
ROUNDING = 1e-6
"""Of scores, which some maps are small differences of."""


@pytest.fixture(scope="module")
def pair():
    return twins()


@pytest.mark.parametrize("name", sorted({*METHODS} - NEEDS_KERAS - WITHOUT_ATTENTION))
def test_a_method_gives_the_same_maps(name, pair) -> None:
    trials = [put_on_trial(registry.load("methods", name), one, BUDGETS.get(name)) for one in pair]
    of_keras, of_torch = (trial.heatmaps(trial.cases[:2]) for trial in trials)
    np.testing.assert_allclose(of_torch, of_keras, atol=1e-4 * np.abs(of_keras).max() + ROUNDING)


@pytest.mark.parametrize("name", sorted(NEEDS_KERAS | WITHOUT_ATTENTION))
def test_a_method_that_asks_for_more_is_not_applicable(name, pair) -> None:
    trial = put_on_trial(registry.load("methods", name), pair[1])
    with pytest.raises(NotApplicable, match=r"needs .* model does not offer|has no"):
        trial.heatmaps(trial.cases[:2])


def test_scores_logits_and_features_are_the_same(pair) -> None:
    images = np.random.default_rng(1).random((5, *pair[0].input_shape), dtype=np.float32)
    targets = np.array([0, 1, 0, 1, 1])
    for ask in (
        lambda c, end: c.scores(images),
        lambda c, end: c.logits(images),
        lambda c, end: c.masked_scores(images[0], images[..., 0] > 0.5, images[1]),
        lambda c, end: c.input_gradients(images, targets),
        lambda c, end: c.features(images, end),
        lambda c, end: c.feature_gradients(images, targets, end)[1],
        lambda c, end: c.logits_from_features(2 * c.features(images, end), end),
        lambda c, end: c.head_weights(),
    ):
        of_keras, of_torch = (ask(one, end) for one, end in zip(pair, BLOCK_END, strict=True))
        np.testing.assert_allclose(of_torch, of_keras, atol=1e-5 * np.abs(of_keras).max())


def test_the_default_layer_and_the_layers_with_weights_are_the_same(pair) -> None:
    assert [one.default_layer for one in pair] == BLOCK_END
    assert [len(one.random_layers) for one in pair] == [4, 4]
    assert pair[1].random_layers == ("head", "block.norm", "block.conv", "stem")
