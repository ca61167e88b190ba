"""Attention rollout: its equations as loops, closed forms, and tokens that are a grid or not."""

import numpy as np
import pytest

from tests.classifiers.attention_models import transformer
from tests.closed_form import images, small_resnet
from tests.methods.batches import explain
from tests.methods.test_upsampling import slow_bilinear
from xaibench.api import Need, NotApplicable
from xaibench.classifiers.base import BaseClassifier
from xaibench.methods.attention_rollout import AttentionRollout, grid_of_patches


class Attentive(BaseClassifier):
    """Answers with the given attention and gradients, `[layers heads tokens tokens]`, whatever the image."""

    n_classes, exclusive, fingerprint = 2, True, "attentive"
    offers = frozenset({Need.SCORES, Need.ATTENTION})

    def __init__(self, attention, gradients, space):
        super().__init__((*space, 1))
        self.answer = np.broadcast_arrays(np.float32(attention), np.float32(gradients))

    def _scores(self, images):
        return np.full((len(images), 2), 0.5, np.float32)

    def _attention(self, images, targets):
        return tuple(np.stack([each] * len(images)) for each in self.answer)


def rollout(attention, gradients, space=(8, 8)):
    """Map of one image."""
    return explain(
        AttentionRollout(), Attentive(attention, gradients, space), np.zeros((1, *space, 1), "f4"), 0
    )[0]


def slow_relevance(attention, gradients):
    """Equations 5 and 6 for one image, entry by entry; `[layers heads tokens tokens]`."""
    layers, heads, tokens, _ = attention.shape
    relevance = np.eye(tokens)
    for layer in range(layers):
        mean = np.zeros((tokens, tokens))
        for head in range(heads):
            for s in range(tokens):
                for q in range(tokens):
                    mean[s, q] += (
                        max(float(gradients[layer, head, s, q] * attention[layer, head, s, q]), 0) / heads
                    )
        added = np.zeros_like(relevance)
        for s in range(tokens):
            for q in range(tokens):
                added[s, q] = sum(mean[s, between] * relevance[between, q] for between in range(tokens))
        relevance = relevance + added
    return relevance


@pytest.mark.parametrize("class_token", [False, True])
def test_rollout_agrees_with_its_equations_written_as_loops(class_token):
    classifier = transformer((8, 12), class_token=class_token)
    x, targets = images(classifier, 3), np.array([0, 1, 1])
    attention, gradients = classifier.attention(x, targets)
    expected = []
    for number in range(3):
        relevance = slow_relevance(attention[:, number], gradients[:, number])
        if class_token:
            row = relevance[0, 1:]
        else:
            row = [sum(relevance[s, q] - (s == q) for s in range(6)) / 6 for q in range(6)]
        expected.append(slow_bilinear(np.reshape(row, (2, 3)), (8, 12)))
    found = explain(AttentionRollout(), classifier, x, targets)
    assert found.max() > 0
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6 * found.max())


@pytest.mark.parametrize("tokens", [16, 17])
@pytest.mark.parametrize("layers", [1, 3])
def test_uniform_attention_gives_a_uniform_map_of_known_height(tokens, layers):
    # A = g / T everywhere, so R = (1 + A)^L = 1 + ((1 + g)^L - 1) / T
    found = rollout(np.full((layers, 3, tokens, tokens), 1 / tokens), 0.5)
    np.testing.assert_allclose(found, (1.5**layers - 1) / tokens, rtol=1e-5)


def test_attention_that_lowers_the_logit_counts_nothing():
    np.testing.assert_array_equal(rollout(np.full((2, 2, 16, 16), 1 / 16), -1.0), 0)


def test_a_head_that_lowers_the_logit_does_not_cancel_one_that_raises_it():
    signs = np.array([1, -1])[:, None, None]
    found = rollout(np.full((1, 2, 16, 16), 1 / 16), signs)
    np.testing.assert_allclose(found, 0.5 / 16, rtol=1e-5)


def test_the_map_is_highest_at_the_patch_that_the_class_token_attends_to():
    attention = np.zeros((1, 1, 17, 17))
    attention[..., 0, 1 + 6] = 1  # row 1, column 2 of the 4 x 4 patches
    attention[..., 5, 1 + 15] = 1  # another token's attention does not reach the class token
    heatmap = rollout(attention, 1.0, (4, 4))
    assert heatmap[1, 2] == pytest.approx(1)
    assert heatmap.sum() == pytest.approx(1)


def test_relevance_passes_through_the_token_that_was_attended_to():
    attention = np.zeros((2, 1, 17, 17))
    attention[0, ..., 7, 10] = 1
    attention[1, ..., 0, 7] = 1  # the class token sees token 7, which saw token 10 a layer earlier
    heatmap = rollout(attention, 1.0, (4, 4)).ravel()
    np.testing.assert_allclose(np.flatnonzero(heatmap), [6, 9])


def test_without_a_class_token_the_map_is_what_the_tokens_look_at_on_average():
    attention = np.zeros((1, 1, 16, 16))
    attention[..., :8, 3] = 1
    heatmap = rollout(attention, 1.0, (4, 4))
    assert heatmap[0, 3] == pytest.approx(0.5)
    assert heatmap.sum() == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("tokens", "space", "grid"),
    [
        (16, (8, 8), (4, 4)),
        (17, (8, 8), (4, 4)),
        (196, (224, 224), (14, 14)),
        (197, (224, 224), (14, 14)),
        (20, (32, 40), (4, 5)),
        (21, (32, 40), (4, 5)),
        (20, (40, 32), (5, 4)),
    ],
)
def test_patches_are_square_with_or_without_a_class_token(tokens, space, grid):
    assert grid_of_patches(tokens, space) == grid


@pytest.mark.parametrize(
    ("tokens", "space"), [(18, (8, 8)), (198, (224, 224)), (16, (32, 40)), (15, (32, 40))]
)
def test_tokens_that_are_no_grid_are_told(tokens, space):
    with pytest.raises(
        NotApplicable, match=rf"{tokens} tokens are no grid of square patches of a {space[0]} x"
    ):
        grid_of_patches(tokens, space)


def test_a_model_without_attention_is_told():
    classifier = small_resnet()
    with pytest.raises(NotApplicable, match="no attention"):
        explain(AttentionRollout(), classifier, images(classifier), 0)


def test_rollout_takes_one_pass_there_and_back():
    classifier = transformer()
    explain(AttentionRollout(), classifier, images(classifier, 5), 0)
    assert classifier.passes[:2] == (5, 5)
