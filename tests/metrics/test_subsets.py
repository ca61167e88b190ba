"""Mu-fidelity and infidelity: against loops over the sets, closed forms, and what is shared between methods."""

import numpy as np
import pytest
from scipy.stats import pearsonr

from tests.metrics.conftest import case_of, explanation_of, never
from tests.metrics.plain_classifier import Linear
from xaibench.api import NotApplicable, XaibenchError
from xaibench.metrics.common.shifts import with_shifted
from xaibench.metrics.common.subsets import cells_of
from xaibench.metrics.infidelity import Infidelity
from xaibench.metrics.mufidelity import MuFidelity

BOTH = [MuFidelity, Infidelity]
RNG = np.random.default_rng(1)
IMAGE = RNG.random((18, 9, 1)).astype(np.float32)
IMAGE[0, 0] = 0
WEIGHTS = 0.02 * RNG.random((18, 9, 1))
HEATMAP = RNG.normal(size=(18, 9)).astype(np.float32)


def near_linear() -> Linear:
    """p = 1/2 + (sum of w x) / 4 to good accuracy."""
    return Linear(WEIGHTS)


def measure(metric, heatmap=HEATMAP, classifier=None, case=None):
    return metric(classifier or near_linear(), case or case_of(IMAGE), explanation_of(heatmap), never)


def sets_asked(metric) -> np.ndarray:
    classifier = near_linear()
    measure(metric, classifier=classifier)
    [kept] = classifier.masked_calls
    return kept < 0.5


def plainly(metric, heatmap: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Sums and losses, a set at a time, and what the metric makes of them."""
    classifier, sums, drops = near_linear(), [], []
    for removed in sets_asked(metric):
        without = np.where(removed[..., None], IMAGE.min(), IMAGE).astype(np.float32)
        drops.append(float(classifier.scores(IMAGE)[1] - classifier.scores(without)[1]))
        sums.append(sum(float(heatmap[y, x]) for y, x in np.argwhere(removed)))
    sums, drops = np.array(sums), np.array(drops)
    if isinstance(metric, MuFidelity):
        return pearsonr(sums, drops).statistic, sums, drops
    scales = np.linspace(0, 2 * np.abs(drops).max() / np.abs(sums).max(), 20001)
    errors = ((scales[:, None] * sums - drops) ** 2).mean(axis=1)
    return float(errors.min()), sums, drops


@pytest.mark.parametrize("kind", BOTH)
def test_value_and_gain_agree_with_a_loop_over_the_sets(kind) -> None:
    metric = kind(baseline="black", seed=2)
    heatmap = HEATMAP + 20 * WEIGHTS[..., 0].astype(np.float32)
    values = [plainly(metric, copy)[0] for copy in with_shifted(heatmap, case_of(IMAGE), 2)]
    measured = measure(metric, heatmap)
    assert measured.value == pytest.approx(values[0], rel=1e-3, abs=1e-7)
    sign = 1 if kind is MuFidelity else -1
    assert measured.details["gain"] == pytest.approx(
        sign * (values[0] - np.mean(values[1:])), rel=1e-2, abs=1e-6
    )


def test_the_true_contributions_of_a_linear_model_are_perfect() -> None:
    true = WEIGHTS[..., 0] * IMAGE[..., 0]
    assert measure(MuFidelity(baseline="black"), true).value > 0.998
    infidelity = measure(Infidelity(baseline="black"), true)
    assert infidelity.details["normalised"] < 1e-3
    assert infidelity.details["gain"] > 0


def test_the_negative_map_is_worst_and_an_all_zero_one_without_knowledge() -> None:
    true, nothing = WEIGHTS[..., 0] * IMAGE[..., 0], np.zeros((18, 9))
    assert measure(MuFidelity(baseline="black"), -true).value < -0.998
    assert measure(MuFidelity(baseline="black"), nothing).value == 0
    zero = measure(Infidelity(baseline="black"), nothing)
    worst = measure(Infidelity(baseline="black"), -true)
    assert (
        worst.value
        == zero.value
        == pytest.approx(float((plainly(Infidelity(baseline="black"), true)[2] ** 2).mean()))
    )
    assert zero.details["normalised"] == worst.details["normalised"] == 1


@pytest.mark.parametrize("cells", [9, 4])  # of equal size, and of 4 or 5 by 2 or 3 pixels
def test_random_maps_correlate_with_nothing_on_average(cells: int) -> None:
    metric, case, rng = MuFidelity(baseline="black", cells=cells), case_of(IMAGE), np.random.default_rng(0)
    values = [measure(metric, rng.random((18, 9)), case=case).value for _ in range(200)]
    assert abs(np.mean(values)) < 3 * np.std(values) / 200**0.5
    assert measure(metric, np.ones((18, 9)), case=case).value == 0


@pytest.mark.parametrize("kind", BOTH)
def test_sets_are_a_fifth_of_the_cells_each_cell_as_often(kind) -> None:
    removed = sets_asked(kind(baseline="black", samples=600))
    corners = removed[:, ::2, :]  # cells of 2 x 1 pixels
    assert (removed[:, ::2] == removed[:, 1::2]).all()
    assert (corners.sum(axis=(1, 2)) == 16).all()  # of 81
    often = corners.mean(axis=0)
    assert 0.12 < often.min() <= often.max() < 0.28


@pytest.mark.parametrize("kind", BOTH)
def test_all_methods_and_both_metrics_share_the_predictions_of_a_case(kind) -> None:
    classifier, case = near_linear(), case_of(IMAGE)
    for heatmap in (HEATMAP, -HEATMAP, IMAGE[..., 0]):
        for metric in (MuFidelity(baseline="black"), Infidelity(baseline="black")):
            measure(metric, heatmap, classifier, case)
    assert classifier.passes.forward == 64 + 2
    measure(kind(baseline="black", seed=1), HEATMAP, classifier, case)
    assert classifier.passes.forward == 2 * 64 + 2
    other = near_linear()
    measure(kind(baseline="black"), HEATMAP, other, case)
    assert other.passes.forward == 64 + 2


@pytest.mark.parametrize(("shape", "share"), [((1, 6), 0.2), ((2, 5), 0.04)])
def test_one_cell_is_taken_of_an_image_of_few(shape: tuple[int, int], share: float) -> None:
    image = RNG.random((*shape, 1)).astype(np.float32)
    image[0, 0] = 0
    classifier = Linear(np.ones((*shape, 1)))
    case = case_of(image)
    measure(MuFidelity(baseline="black", share=share), RNG.normal(size=shape), classifier, case)
    [kept] = classifier.masked_calls
    assert ((kept < 0.5).sum(axis=(1, 2)) == 1).all()


def test_the_sets_are_of_the_seed_and_of_the_case() -> None:
    one = sets_asked(MuFidelity(baseline="black"))
    assert (one != sets_asked(MuFidelity(baseline="black", seed=1))).any()
    classifier = near_linear()
    measure(MuFidelity(baseline="black"), classifier=classifier, case=case_of(IMAGE, name="P002-s00"))
    assert ((classifier.masked_calls[0] < 0.5) != one).any()


@pytest.mark.parametrize(("space", "cells"), [((18, 9), 9), ((7, 5), 3), ((2, 11), 4), ((3, 8, 6), 4)])
def test_cells_are_a_grid(space: tuple[int, ...], cells: int) -> None:
    found = cells_of(space, cells)
    along = [min(cells, size) for size in space]
    for place in np.ndindex(*space):
        number = 0
        for position, size, count in zip(place, space, along, strict=True):
            number = number * count + position * count // size
        assert found[place] == number
    assert len(np.unique(found)) == np.prod(along)


@pytest.mark.parametrize("kind", BOTH)
def test_trap_29_no_evidence_is_a_reason_and_impossible_options_a_sentence(kind) -> None:
    with pytest.raises(NotApplicable, match="no evidence"):
        measure(kind(baseline="black"), classifier=Linear(WEIGHTS * 0))
    with pytest.raises(XaibenchError, match=r"1 or more|choose one of"):
        kind(samples=0)
    with pytest.raises(XaibenchError, match="choose one of"):
        kind(baseline="grey")
