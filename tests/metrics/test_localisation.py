"""Co-localisation against plain loops and scikit-learn, extremes known by hand, and regions that do not fit."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, cohen_kappa_score, roc_auc_score

from tests.metrics.conftest import NO_MODEL, case_of, explanation_of, never
from xaibench.api import NotApplicable
from xaibench.metrics.dice import Dice
from xaibench.metrics.enrichment import Enrichment
from xaibench.metrics.hausdorff_95 import Hausdorff95
from xaibench.metrics.iou import Iou
from xaibench.metrics.kappa import Kappa
from xaibench.metrics.pixel_ap import PixelAp
from xaibench.metrics.pixel_auroc import PixelAuroc
from xaibench.metrics.pointing_game import PointingGame
from xaibench.metrics.relevance_mass import RelevanceMass
from xaibench.metrics.relevance_rank import RelevanceRank
from xaibench.metrics.slice_hit import SliceHit

OF_SLICES = [
    Dice(),
    Enrichment(),
    Hausdorff95(),
    Iou(),
    Kappa(),
    PixelAp(),
    PixelAuroc(),
    PointingGame(),
    RelevanceMass(),
    RelevanceRank(),
]
SPACING = (2.0, 0.5)


def border_plainly(pixels: set[tuple[int, int]]) -> list[tuple[int, int]]:
    beside = ((0, 1), (1, 0), (0, -1), (-1, 0))
    return [(y, x) for y, x in pixels if any((y + dy, x + dx) not in pixels for dy, dx in beside)]


def hausdorff_plainly(one: set[tuple[int, int]], other: set[tuple[int, int]]) -> float:
    """In mm, over all pairs of border pixels; percentile by linear interpolation."""
    ends = border_plainly(one), border_plainly(other)
    directed = []
    for here, there in (ends, ends[::-1]):
        distances = [
            min(((y - v) ** 2 * SPACING[0] ** 2 + (x - w) ** 2 * SPACING[1] ** 2) ** 0.5 for v, w in there)
            for y, x in here
        ]
        directed.append(float(np.quantile(distances, 0.95)))
    return max(directed)


def plainly(heatmap: np.ndarray, region: np.ndarray) -> dict[str, float]:
    """All by explicit loops over pixels, or by scikit-learn; for maps without ties."""
    height, width = heatmap.shape
    pixels = [(float(heatmap[y, x]), bool(region[y, x]), (y, x)) for y in range(height) for x in range(width)]
    places = {place for _, within, place in pixels if within}
    inside = len(places)
    mass = sum(value for value, _, _ in pixels if value > 0)
    mass_inside = sum(value for value, within, _ in pixels if value > 0 and within)
    hottest = {place for _, _, place in sorted(pixels, reverse=True)[:inside]}
    hits = len(hottest & places)
    marked = [place in hottest for _, _, place in pixels]
    return {
        "PointingGame": 1.0 if max(pixels)[1] else 0.0,
        "RelevanceMass": mass_inside / mass,
        "Enrichment": (mass_inside / mass) / (inside / len(pixels)),
        "RelevanceRank": hits / inside,
        "Iou": hits / (2 * inside - hits),
        "Dice": 2 * hits / (2 * inside),
        "Hausdorff95": hausdorff_plainly(hottest, places),
        "Kappa": cohen_kappa_score(marked, region.ravel()),
        "PixelAuroc": roc_auc_score(region.ravel(), heatmap.ravel()),
        "PixelAp": average_precision_score(region.ravel(), heatmap.ravel()),
    }


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(0, 10**6))
def test_each_agrees_with_a_plain_loop(seed: int) -> None:
    rng = np.random.default_rng(seed)
    heatmap = rng.normal(size=(9, 7)).astype(np.float32)
    region = rng.random((9, 7)) < rng.uniform(0.05, 0.8)
    region[rng.integers(9), rng.integers(7)] = True
    region[0, 0] = False
    expected = plainly(heatmap, region)
    case = case_of(np.zeros((9, 7, 1)), region, spacing=SPACING)
    for metric in OF_SLICES:
        got = metric(NO_MODEL, case, explanation_of(heatmap), never).value
        assert got == pytest.approx(expected[type(metric).__name__], rel=1e-6), type(metric).__name__


@pytest.mark.parametrize("levels", [1, 2, 5])
def test_areas_of_tied_maps_are_scikit_learn_s(levels: int, localise) -> None:
    rng = np.random.default_rng(levels)
    heatmap = rng.integers(0, levels, (12, 15)).astype(np.float32)
    region = rng.random((12, 15)) < 0.3
    assert localise(PixelAuroc(), heatmap, region) == pytest.approx(
        roc_auc_score(region.ravel(), heatmap.ravel())
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = average_precision_score(region.ravel(), heatmap.ravel())
    assert localise(PixelAp(), heatmap, region) == pytest.approx(theirs)


REGION = np.zeros((10, 10), bool)
REGION[2:5, 3:7] = True
BEST = {Enrichment: 100 / 12, Hausdorff95: 0}
WORST = {Kappa: (0.76 - (0.12**2 + 0.88**2)) / (1 - (0.12**2 + 0.88**2)), PixelAp: 0.12}


@pytest.mark.parametrize("metric", OF_SLICES)
def test_the_region_itself_scores_best(metric, localise) -> None:
    assert localise(metric, REGION * 2.0, REGION) == pytest.approx(BEST.get(type(metric), 1.0))


@pytest.mark.parametrize("metric", [m for m in OF_SLICES if not isinstance(m, Hausdorff95)])
def test_a_map_that_avoids_the_region_scores_worst(metric, localise) -> None:
    ranked = np.where(REGION, 0, 1 + np.arange(100).reshape(10, 10))
    expected = WORST.get(type(metric), 0.0)
    assert localise(metric, ranked, REGION) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("heatmap", [np.ones((10, 10)), np.zeros((10, 10)), np.full((10, 10), -2.0)])
def test_trap_04_maps_without_preference_score_what_chance_gives(heatmap, localise) -> None:
    for metric in (RelevanceMass(), PointingGame(), PixelAp()):
        assert localise(metric, heatmap, REGION) == pytest.approx(0.12)
    assert localise(Enrichment(), heatmap, REGION) == pytest.approx(1)
    assert localise(PixelAuroc(), heatmap, REGION) == 0.5
    for kind, chance in ((RelevanceRank, 0.12), (Dice, 0.12), (Iou, 0.12 / 1.88), (Kappa, 0)):
        draws = [localise(kind(seed=seed), heatmap, REGION) for seed in range(200)]
        assert np.mean(draws) == pytest.approx(chance, abs=0.02)
        assert len(set(draws)) > 1


@pytest.mark.parametrize("metric", OF_SLICES)
def test_random_maps_score_the_stated_chance_on_average(metric, localise) -> None:
    chance = {Enrichment: 1, PixelAuroc: 0.5, Kappa: 0, Iou: 0.12 / 1.88, PixelAp: 0.155}.get(
        type(metric), 0.12
    )
    maps = np.random.default_rng(0).random((400, 10, 10))
    if not isinstance(metric, Hausdorff95):
        assert np.mean([localise(metric, one, REGION) for one in maps]) == pytest.approx(chance, abs=0.04)


def test_ties_at_the_maximum_share_the_pointing_game(localise) -> None:
    heatmap = np.zeros((10, 10))
    heatmap[2, 3] = heatmap[0, 0] = heatmap[0, 1] = heatmap[3, 3] = 5
    assert localise(PointingGame(), heatmap, REGION) == 0.5


@pytest.mark.parametrize(("row", "column", "near"), [(2, 9, 1), (2, 0, 1), (5, 4, 1), (7, 4, 0), (9, 9, 0)])
def test_the_tolerance_of_the_pointing_game_is_five_mm(row: int, column: int, near: int) -> None:
    heatmap = np.zeros((10, 10))
    heatmap[row, column] = 1
    case = case_of(np.zeros((10, 10, 1)), REGION, spacing=(2.5, 5 / 3))  # 5 mm: two rows, three columns
    measured = PointingGame()(NO_MODEL, case, explanation_of(heatmap), never)
    assert (measured.value, measured.details["within_5_mm"]) == (0, near)


@pytest.mark.parametrize("spacing", [5.0, 5.1])
def test_five_mm_are_near_and_more_are_not(spacing: float) -> None:
    heatmap, region = np.eye(1, 4), np.eye(1, 4, 1) > 0
    case = case_of(np.zeros((1, 4, 1)), region, spacing=(spacing, spacing))
    measured = PointingGame()(NO_MODEL, case, explanation_of(heatmap), never)
    assert measured.details["within_5_mm"] == (spacing == 5)


def test_there_is_no_distance_in_mm_where_the_size_of_a_pixel_is_not_known() -> None:
    case = replace(case_of(np.zeros((10, 10, 1)), REGION), spacing_mm=None)
    heatmap = np.eye(10)
    with pytest.raises(NotApplicable, match="not known how large a pixel is"):
        Hausdorff95()(NO_MODEL, case, explanation_of(heatmap), never)
    known = PointingGame()(NO_MODEL, case_of(np.zeros((10, 10, 1)), REGION), explanation_of(heatmap), never)
    unknown = PointingGame()(NO_MODEL, case, explanation_of(heatmap), never)
    assert unknown.value == known.value
    assert unknown.details.keys() == known.details.keys() - {"within_5_mm"}


@pytest.mark.parametrize("metric", OF_SLICES)
def test_negative_relevance_counts_for_nothing(metric, localise) -> None:
    heatmap = np.random.default_rng(0).random((10, 10)) + 0.01
    drowned, clean = heatmap.copy(), heatmap.copy()
    drowned[9, 9], clean[9, 9] = -1000, 0
    assert localise(metric, drowned, REGION) == pytest.approx(localise(metric, clean, REGION), rel=1e-6)


@pytest.mark.parametrize("metric", OF_SLICES)
def test_trap_13_a_region_of_another_size_is_refused_and_not_broadcast(metric, localise) -> None:
    with pytest.raises(ValueError, match="1x10 but the heatmap is 10x10"):
        localise(metric, np.ones((10, 10)), np.ones((1, 10), bool))


@pytest.mark.parametrize("metric", OF_SLICES)
@pytest.mark.parametrize("region", [None, np.zeros((10, 10), bool)])
def test_no_annotated_region_is_a_reason_and_no_number(metric, region, localise) -> None:
    with pytest.raises(NotApplicable, match="annotated region"):
        localise(metric, np.ones((10, 10)), region)


@pytest.mark.parametrize("metric", OF_SLICES)
def test_a_region_that_covers_the_whole_image_is_best_or_has_no_meaning(metric, localise) -> None:
    everything = np.ones((10, 10), bool)
    if isinstance(metric, Kappa | PixelAuroc):
        with pytest.raises(NotApplicable, match="covers the whole image"):
            localise(metric, np.ones((10, 10)), everything)
    else:
        best = 0 if isinstance(metric, Hausdorff95) else 1
        assert localise(metric, np.ones((10, 10)), everything) == best


# -------------------------------------------------------------------- volumes


def volume(hot_slice: int) -> tuple[np.ndarray, np.ndarray]:
    region = np.zeros((5, 6, 7), bool)
    region[1:3, 2:4, 3:5] = True
    heatmap = np.random.default_rng(0).random((5, 6, 7))
    heatmap[hot_slice] += 1
    return heatmap, region


@pytest.mark.parametrize(("hot_slice", "hit"), [(0, 0), (1, 1), (2, 1), (4, 0)])
def test_slice_hit_asks_whether_the_slice_of_most_mass_shows_the_region(hot_slice, hit, localise) -> None:
    heatmap, region = volume(hot_slice)
    heatmap[3, 0, 0] = -1000  # negative values are no mass
    assert localise(SliceHit(), heatmap, region) == hit


def test_slice_hit_of_a_constant_volume_is_the_share_of_slices_with_the_region(localise) -> None:
    _, region = volume(0)
    assert localise(SliceHit(), np.zeros((5, 6, 7)), region) == pytest.approx(2 / 5)


def test_slice_hit_has_no_meaning_for_a_single_slice(localise) -> None:
    with pytest.raises(NotApplicable, match="single slice"):
        localise(SliceHit(), np.ones((10, 10)), REGION)


@pytest.mark.parametrize("metric", OF_SLICES)
def test_volumes_are_scored_as_slices_are(metric, localise) -> None:
    heatmap, region = volume(1)
    flat = localise(metric, heatmap.reshape(5, 42), region.reshape(5, 42))
    if not isinstance(metric, Hausdorff95):
        assert localise(metric, heatmap, region) == pytest.approx(flat)
    assert localise(metric, region * 1.0, region) == pytest.approx(BEST_OF_VOLUME.get(type(metric), 1.0))


BEST_OF_VOLUME = {Enrichment: 210 / 8, Hausdorff95: 0}
