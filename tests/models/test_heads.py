"""Heads trained together are the heads trained alone, by a plain loop of our own."""

import numpy as np
import pytest

from xaibench.models.heads import HeadSchedule, apply_head, train_heads

RNG = np.random.default_rng(0)
N, D, B = 30, 6, 4
FEATURES = (RNG.normal(size=(N, D)) * [1, 10, 100, 1, 1, 0] + 50).astype(np.float32)
LABELS = RNG.integers(0, 2, size=(N, B))
WEIGHTS = RNG.random((N, B)) * (RNG.random((N, B)) < 0.7)
WEIGHTS /= WEIGHTS.sum(axis=0)


def slow_head(b: int, schedule: HeadSchedule) -> np.ndarray:
    """Probabilities of class 1 by a linear head: float64, gradients written out, one slice at a time."""
    used = WEIGHTS[:, b] > 0
    centre, spread = FEATURES[used].mean(axis=0), np.sqrt(FEATURES[used].var(axis=0).mean())
    x = (FEATURES - centre) / spread
    parameters = np.zeros((D + 1, 2))  # the last row is the bias
    mean, square = np.zeros_like(parameters), np.zeros_like(parameters)
    for step in range(1, schedule.steps + 1):
        gradient = np.zeros_like(parameters)
        for row in np.flatnonzero(used):
            z = x[row] @ parameters[:-1] + parameters[-1]
            error = np.exp(z) / np.exp(z).sum() - np.eye(2)[LABELS[row, b]]
            gradient += WEIGHTS[row, b] * np.outer([*x[row], 1], error)
        gradient[:-1] += 2 * schedule.decay * parameters[:-1]
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        corrected = mean / (1 - 0.9**step), square / (1 - 0.999**step)
        parameters -= schedule.rate * corrected[0] / (np.sqrt(corrected[1]) + 1e-7)
    z = x @ parameters[:-1] + parameters[-1]
    return np.asarray(np.exp(z[:, 1]) / np.exp(z).sum(axis=1))


def test_linear_heads_agree_with_a_plain_loop() -> None:
    schedule = HeadSchedule(steps=40, decay=0.05)
    heads = train_heads(FEATURES, LABELS, WEIGHTS, schedule)
    for b in range(B):
        np.testing.assert_allclose(heads.probabilities[:, b], slow_head(b, schedule), atol=2e-3)


@pytest.mark.parametrize("hidden", [0, 5])
def test_a_head_is_trained_alone_as_among_others(hidden: int) -> None:
    schedule = HeadSchedule(hidden=hidden, steps=40)
    together = train_heads(FEATURES, LABELS, WEIGHTS, schedule)
    for b in range(B):
        alone = train_heads(FEATURES, LABELS[:, [b]], WEIGHTS[:, [b]], schedule)
        np.testing.assert_allclose(together.probabilities[:, [b]], alone.probabilities, atol=1e-3)


@pytest.mark.parametrize("hidden", [0, 5])
def test_saved_weights_need_no_standardisation(hidden: int) -> None:
    heads = train_heads(FEATURES, LABELS, WEIGHTS, HeadSchedule(hidden=hidden, steps=40))
    for b in range(B):
        found = apply_head(heads.weights[b], FEATURES.astype(np.float64))
        np.testing.assert_allclose(found[:, 1], heads.probabilities[:, b], atol=1e-3)


@pytest.mark.parametrize("hidden", [0, 5])
def test_labels_of_weight_zero_do_not_matter(hidden: int) -> None:
    schedule = HeadSchedule(hidden=hidden, steps=20)
    other = np.where(WEIGHTS == 0, 1 - LABELS, LABELS)
    assert (other != LABELS).any()
    first = train_heads(FEATURES, LABELS, WEIGHTS, schedule)
    second = train_heads(FEATURES, other, WEIGHTS, schedule)
    np.testing.assert_array_equal(first.probabilities, second.probabilities)


def test_a_constant_feature_gets_no_weight() -> None:
    heads = train_heads(FEATURES, LABELS, WEIGHTS, HeadSchedule(steps=20))
    assert all((weights[0][-1] == 0).all() for weights in heads.weights)


def test_losses_are_the_cross_entropy_of_training_and_other_slices() -> None:
    heads = train_heads(FEATURES, LABELS, WEIGHTS, HeadSchedule(steps=60, decay=0.0))
    assert heads.losses.shape == (60, 2, B)
    np.testing.assert_allclose(heads.losses[0], np.log(2), rtol=1e-5)
    np.testing.assert_array_less(heads.losses[-1, 0], heads.losses[0, 0])


def test_the_largest_weight_is_not_that_of_the_faintest_map() -> None:
    rng = np.random.default_rng(1)
    labels = np.arange(40) % 2
    clear = labels + 0.3 * rng.normal(size=40)
    features = np.stack([clear, 0.01 * clear], axis=1).astype(np.float32)  # the same evidence, once faint
    weights = np.full((40, 1), 1 / 40)
    kernel = train_heads(features, labels[:, None], weights, HeadSchedule()).weights[0][0]
    assert kernel[0, 1] > kernel[1, 1]
