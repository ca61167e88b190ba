"""Co-localisation against plain loops, extremes known by hand, and masks that do not fit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.metrics.conftest import NO_MODEL, case_of, explanation_of, never
from xaibench.api import NotApplicable
from xaibench.metrics.dice import Dice
from xaibench.metrics.enrichment import Enrichment
from xaibench.metrics.iou import Iou
from xaibench.metrics.pointing_game import PointingGame
from xaibench.metrics.relevance_mass import RelevanceMass
from xaibench.metrics.relevance_rank import RelevanceRank

ALL = [Dice(), Enrichment(), Iou(), PointingGame(), RelevanceMass(), RelevanceRank()]


def plainly(heatmap: np.ndarray, mask: np.ndarray) -> dict[str, float]:
    """All six by explicit loops over pixels; for maps without ties."""
    height, width = heatmap.shape
    pixels = [(float(heatmap[y, x]), bool(mask[y, x])) for y in range(height) for x in range(width)]
    inside = sum(1 for _, within in pixels if within)
    mass = sum(value for value, _ in pixels if value > 0)
    mass_inside = sum(value for value, within in pixels if value > 0 and within)
    hottest = sorted(pixels, reverse=True)[:inside]
    hits = sum(1 for _, within in hottest if within)
    return {
        "PointingGame": 1.0 if max(pixels)[1] else 0.0,
        "RelevanceMass": mass_inside / mass,
        "Enrichment": (mass_inside / mass) / (inside / len(pixels)),
        "RelevanceRank": hits / inside,
        "Iou": hits / (2 * inside - hits),
        "Dice": 2 * hits / (2 * inside),
    }


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_each_agrees_with_a_plain_loop(seed: int) -> None:
    rng = np.random.default_rng(seed)
    heatmap = rng.normal(size=(9, 7)).astype(np.float32)
    mask = rng.random((9, 7)) < rng.uniform(0.05, 0.9)
    mask[rng.integers(9), rng.integers(7)] = True
    expected = plainly(heatmap, mask)
    for metric in ALL:
        got = metric(NO_MODEL, case_of(np.zeros((9, 7, 1)), mask), explanation_of(heatmap), never).value
        assert got == pytest.approx(expected[type(metric).__name__], rel=1e-6), type(metric).__name__


MASK = np.zeros((10, 10), bool)
MASK[2:5, 3:7] = True


@pytest.mark.parametrize("metric", ALL)
def test_the_mask_itself_scores_the_highest_and_its_opposite_the_lowest(metric, localise) -> None:
    best = 1.0 if not isinstance(metric, Enrichment) else 100 / 12
    assert localise(metric, MASK * 2.0, MASK) == pytest.approx(best)
    assert localise(metric, ~MASK * 2.0, MASK) == 0


@pytest.mark.parametrize("heatmap", [np.ones((10, 10)), np.zeros((10, 10)), np.full((10, 10), -2.0)])
def test_trap_04_maps_without_preference_score_what_chance_gives(heatmap, localise) -> None:
    assert localise(RelevanceMass(), heatmap, MASK) == pytest.approx(0.12)
    assert localise(Enrichment(), heatmap, MASK) == pytest.approx(1)
    assert localise(PointingGame(), heatmap, MASK) == pytest.approx(0.12)
    for metric in (RelevanceRank, Dice):
        draws = [localise(metric(seed=seed), heatmap, MASK) for seed in range(200)]
        assert np.mean(draws) == pytest.approx(0.12, abs=0.02)
        assert len(set(draws)) > 1


def test_ties_are_drawn_by_case_and_the_same_for_the_same_case(localise) -> None:
    flat = np.ones((10, 10))
    values = {
        name: localise(RelevanceRank(), flat, MASK, name) for name in (f"P{i:03d}-s00" for i in range(20))
    }
    assert len(set(values.values())) > 1
    assert localise(RelevanceRank(), flat, MASK, "P003-s00") == values["P003-s00"]


def test_ties_at_the_maximum_share_the_pointing_game(localise) -> None:
    heatmap = np.zeros((10, 10))
    heatmap[2, 3] = heatmap[0, 0] = heatmap[0, 1] = heatmap[3, 3] = 5
    assert localise(PointingGame(), heatmap, MASK) == 0.5


@pytest.mark.parametrize("metric", ALL)
def test_negative_relevance_counts_for_nothing(metric, localise) -> None:
    heatmap = np.random.default_rng(0).random((10, 10)) + 0.01
    drowned = np.where(MASK, heatmap, heatmap)
    drowned[9, 9] = -1000
    clean = heatmap.copy()
    clean[9, 9] = 0
    assert localise(metric, drowned, MASK) == pytest.approx(localise(metric, clean, MASK), rel=1e-6)


@pytest.mark.parametrize("metric", ALL)
def test_trap_13_a_mask_of_another_size_is_refused_and_not_broadcast(metric, localise) -> None:
    with pytest.raises(ValueError, match="1x10 but the heatmap is 10x10"):
        localise(metric, np.ones((10, 10)), np.ones((1, 10), bool))


@pytest.mark.parametrize("metric", ALL)
@pytest.mark.parametrize("mask", [None, np.zeros((10, 10), bool)])
def test_no_annotated_region_is_a_reason_and_no_number(metric, mask, localise) -> None:
    with pytest.raises(NotApplicable, match="annotated region"):
        localise(metric, np.ones((10, 10)), mask)


def test_a_mask_over_the_whole_image_is_fine(localise) -> None:
    whole = np.ones((10, 10), bool)
    assert [localise(metric, np.ones((10, 10)), whole) for metric in ALL] == [1.0] * 6
