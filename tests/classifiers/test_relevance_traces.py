"""Backward rules as they are used: as traced functions, which classifiers of the same layers share."""

import numpy as np
import tensorflow as tf

from tests.classifiers.relevance_models import Chain, ask, shuffled
from tests.closed_form import images
from xaibench.classifiers.keras import KerasClassifier


def test_siblings_share_the_trace_and_keep_their_weights() -> None:
    rule = "deeplift-rescale"
    first, other = (KerasClassifier(Chain(bias=True).model) for _ in range(2))
    shuffled(other.model, seed=5)
    sibling = first.sibling(other.model.get_weights())
    batch, targets = images(first, 2), np.array([0, 1])
    for _ in range(2):
        mine = ask(first, batch, targets, rule)
        np.testing.assert_allclose(
            ask(sibling, batch, targets, rule), ask(other, batch, targets, rule), rtol=1e-4, atol=1e-6
        )
        assert np.abs(mine - ask(sibling, batch, targets, rule)).max() > 0
    assert {f.experimental_get_tracing_count() for f in first._compiled.values()} == {1}


def test_a_trace_gives_what_the_rule_gives_without_one() -> None:
    classifier, rule, targets = KerasClassifier(Chain(bias=True).model), "lrp-composite", np.array([0, 1, 1])
    batch = images(classifier, 3)
    expected = classifier._rules.function(rule)(tf.constant(batch), tf.constant(targets, tf.int32)).numpy()
    for count in (1, 3):  # one trace for batches of any size
        found = ask(classifier, batch[:count], targets[:count], rule)
        np.testing.assert_allclose(found, expected[:count], atol=1e-5 * np.abs(expected).max())
    assert classifier._compiled[f"relevance by {rule}"].experimental_get_tracing_count() == 1
