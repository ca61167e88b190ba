"""Chance, measured: shifted copies of a map, the gain over them, and chance inside the body."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from tests.metrics.conftest import NO_MODEL, case_of, explanation_of, never
from tests.metrics.test_localisation import OF_SLICES
from xaibench.api import Family, seed_of
from xaibench.metrics.common.body import body_of
from xaibench.metrics.common.shifts import SHIFTS, seen_by_shifted, with_shifted
from xaibench.metrics.enrichment import Enrichment
from xaibench.metrics.pointing_game import PointingGame
from xaibench.metrics.relevance_rank import RelevanceRank

RNG = np.random.default_rng(8)
HEATMAP = RNG.normal(size=(12, 9)).astype(np.float32)
REGION = np.zeros((12, 9), bool)
REGION[3:6, 2:5] = True
CASE = case_of(np.zeros((12, 9, 1)), REGION)


def offsets(seed: int = 0) -> list[tuple[int, int]]:
    """Where the copies' first pixel has gone."""
    marked = np.zeros((12, 9))
    marked[0, 0] = 1
    return [tuple(map(int, np.argwhere(copy)[0])) for copy in with_shifted(marked, CASE, seed)]


def test_a_map_is_followed_by_its_shifted_copies() -> None:
    copies = with_shifted(HEATMAP, CASE, 0)
    assert copies.shape == (1 + SHIFTS, 12, 9)
    np.testing.assert_array_equal(copies[0], HEATMAP)
    for (down, right), copy in zip(offsets(), copies, strict=True):
        for y in range(12):
            for x in range(9):
                assert copy[(y + down) % 12, (x + right) % 9] == HEATMAP[y, x]


def test_the_shifts_are_of_the_case_and_of_the_seed() -> None:
    assert offsets(0) == offsets(0)
    assert offsets(0) != offsets(1)
    other = case_of(np.zeros((12, 9, 1)), REGION, "P002-s00")
    assert (with_shifted(HEATMAP, CASE, 0)[1:] != with_shifted(HEATMAP, other, 0)[1:]).any()


def test_every_shift_is_as_likely() -> None:
    found = np.array([place for seed in range(600) for place in offsets(seed)[1:]])
    for axis, size in enumerate((12, 9)):
        assert np.bincount(found[:, axis], minlength=size).min() > 0.8 * len(found) / size


@pytest.mark.parametrize("metric", OF_SLICES)
def test_the_gain_is_over_the_same_metric_of_the_shifted_maps(metric) -> None:
    measured = metric(NO_MODEL, CASE, explanation_of(HEATMAP), never)
    shifted = [
        metric(NO_MODEL, CASE, explanation_of(copy), never).value
        for copy in with_shifted(HEATMAP, CASE, 0)[1:]
    ]
    sign = 1 if metric.higher_is_better else -1
    assert measured.details["gain"] == pytest.approx(sign * (measured.value - np.mean(shifted)), abs=1e-9)
    assert metric.family == Family.COLOCALISATION


@pytest.mark.parametrize("metric", OF_SLICES)
def test_the_run_s_seed_decides_the_shifts(metric) -> None:
    gains = {
        type(metric)(seed=seed)(NO_MODEL, CASE, explanation_of(HEATMAP), never).details["gain"]
        for seed in range(8)
    }
    assert len(gains) > 1


def test_what_a_region_holds_of_a_shifted_map_is_what_a_shifted_region_holds_of_the_map() -> None:
    for copy, region in zip(with_shifted(HEATMAP, CASE, 3), seen_by_shifted(CASE, 3), strict=True):
        assert sorted(copy[REGION]) == sorted(HEATMAP[region])


def test_a_map_that_knows_the_place_gains_and_a_constant_one_does_not() -> None:
    knows = RelevanceRank()(NO_MODEL, CASE, explanation_of(REGION * 1.0), never).details["gain"]
    assert knows > 0.5
    for metric in OF_SLICES:
        flat = metric(NO_MODEL, CASE, explanation_of(np.ones((12, 9))), never)
        if type(metric).__name__ in ("RelevanceMass", "Enrichment", "PointingGame", "PixelAuroc", "PixelAp"):
            assert flat.details["gain"] == pytest.approx(0)


# -------------------------------------------------------------------- the body


def pelvis(size: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """A bright ellipse with dark organs in dark, noisy air; and the ellipse."""
    y, x = np.mgrid[:size, :size] - size / 2
    body = (y / 0.6) ** 2 + x**2 < (0.4 * size) ** 2
    tissue = np.where(gaussian_filter(np.random.default_rng(0).normal(size=(size, size)), 3) > 0, 0.4, 0.9)
    noise = 0.02 * np.abs(np.random.default_rng(1).normal(size=(size, size)))
    return (body * tissue + noise)[..., None], body


def test_the_body_is_found_with_its_dark_organs_and_without_the_air() -> None:
    image, body = pelvis()
    found = body_of(case_of(image))
    assert (found & body).sum() / (found | body).sum() > 0.97


def test_specks_in_the_air_are_no_body_and_the_region_always_is() -> None:
    image, _ = pelvis()
    image[1, 1] = 1
    region = np.zeros((64, 64), bool)
    region[0, 60:] = True
    assert not body_of(case_of(image))[1, 1]
    assert body_of(case_of(image, region))[0, 60:].all()
    assert body_of(case_of(np.full((8, 8, 1), 3.0))).all()


def test_a_map_that_only_avoids_the_air_is_enriched_in_the_image_and_not_in_the_body() -> None:
    image, body = pelvis()
    region = np.zeros((64, 64), bool)
    region[28:33, 30:34] = True
    case = case_of(image, region)
    found = body_of(case)
    measured = Enrichment()(NO_MODEL, case, explanation_of(found * 1.0), never)
    assert measured.value == pytest.approx(64 * 64 / found.sum())
    assert measured.details["body_enrichment"] == pytest.approx(1)
    for metric in (RelevanceRank(), PointingGame()):
        details = metric(NO_MODEL, case, explanation_of(found * 1.0), never).details
        assert details["body_chance"] == pytest.approx(20 / found.sum())
    assert body.sum() < 64 * 64 / 2


def test_enrichment_in_the_body_is_missing_where_no_mass_is_in_it() -> None:
    image, _ = pelvis()
    region = np.zeros((64, 64), bool)
    region[30, 30] = True
    outside = np.zeros((64, 64))
    outside[0, 0] = 1
    details = Enrichment()(NO_MODEL, case_of(image, region), explanation_of(outside), never).details
    assert "body_enrichment" not in details


def test_the_shifts_come_from_their_own_draw() -> None:
    expected = np.random.default_rng(seed_of(5, CASE.id, "shifts")).integers(0, (12, 9), (SHIFTS, 2))
    assert offsets(5)[1:] == [tuple(map(int, row)) for row in expected]
