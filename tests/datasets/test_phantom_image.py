import cv2
import numpy as np
import pytest

from xaibench.datasets.phantom.drawing import SIZE, ellipse, inset, region, smooth_outline
from xaibench.datasets.phantom.organs import BLADDER, MUSCLES, SKIN, at_level
from xaibench.datasets.phantom.patient import PhantomPatient, rician, stream
from xaibench.datasets.phantom.tumour import Tumour

SEEDS = (3, 14, 15)


def widest(patient: PhantomPatient) -> int:
    return int(patient.tumour_masks().sum(axis=(1, 2)).argmax())


def grown(mask: np.ndarray, pixels: int) -> np.ndarray:
    size = 2 * pixels + 1
    return cv2.dilate(mask.astype(np.uint8), np.ones((size, size), np.uint8)) > 0


def ring(patient: PhantomPatient, index: int) -> np.ndarray:
    level = float(patient.physique.levels()[index])
    outline = patient.tumour.ring(level)
    if outline is None:
        return np.zeros((SIZE, SIZE), bool)
    return region(patient.physique.place(outline, level), patient.physique.spacing_mm)


def tissues(patient: PhantomPatient, index: int) -> dict[str, float]:
    """Median of a slice in places where the anatomy tells what must be there."""
    physique, level = patient.physique, float(patient.physique.levels()[index])
    image = patient.stored_images([index])[0].astype(float)
    half = at_level(SKIN, level)
    skin = physique.place_skin(smooth_outline(np.concatenate([half, half[-2:0:-1] * (-1, 1)])), level)
    bladder = at_level(BLADDER, level)
    places = {
        "air": ~region(inset(skin, -8), physique.spacing_mm),
        "fat": region(inset(skin, 5), physique.spacing_mm) & ~region(inset(skin, 9), physique.spacing_mm),
        "muscle": region(
            inset(physique.place(smooth_outline(at_level(MUSCLES[0], level)), level), 5), physique.spacing_mm
        ),
        "urine": region(physique.place(ellipse(0, bladder[1] - 4, 10, 6), level), physique.spacing_mm),
    }
    return {name: float(np.median(image[place])) for name, place in places.items()}


@pytest.mark.parametrize("seed", SEEDS)
def test_urine_is_brighter_than_fat_than_muscle_than_air(seed: int) -> None:
    patient = PhantomPatient.draw(seed, invasive=False)
    index = int(np.abs(patient.physique.levels() - 10).argmin())
    found = tissues(patient, index)
    assert found["urine"] > 1.15 * found["fat"]
    assert found["fat"] > 2.5 * found["muscle"]
    assert found["muscle"] > 1.5 * found["air"]
    assert found["urine"] >= np.percentile(patient.stored_images([index]), 95)


@pytest.mark.parametrize("seed", SEEDS)
def test_growth_changes_no_pixel_away_from_the_tumour(seed: int) -> None:
    confined, invasive = (PhantomPatient.draw(seed, kind) for kind in (False, True))
    index = widest(invasive)
    before, after = (patient.stored_images([index])[0] for patient in (confined, invasive))
    near = np.logical_or.reduce(
        [patient.tumour_masks()[index] | ring(patient, index) for patient in (confined, invasive)]
    )
    # The scanner's blur reaches 3 pixels.
    assert np.array_equal(before[~grown(near, 4)], after[~grown(near, 4)])
    assert not np.array_equal(before[near], after[near])


@pytest.mark.parametrize("seed", SEEDS)
def test_only_invasive_growth_breaks_the_stroma(seed: int) -> None:
    beyond = {}
    for kind in (False, True):
        patient = PhantomPatient.draw(seed, kind)
        masks = patient.tumour_masks()
        rings = np.stack([ring(patient, index) for index in range(len(masks))])
        beyond[kind] = (masks & ~rings).sum() / masks.sum()
    assert beyond[False] < 0.005
    assert beyond[True] > 0.03


def test_tumours_of_the_two_kinds_overlap_in_size() -> None:
    sizes = {
        kind: [Tumour.draw(stream("size", seed), kind).radii[0] for seed in range(60)]
        for kind in (False, True)
    }
    assert np.mean(sizes[True]) > np.mean(sizes[False])
    assert np.mean(np.array(sizes[True]) < np.percentile(sizes[False], 75)) > 0.2


def test_slices_differ_smoothly_and_patients_differ() -> None:
    patient, other = (PhantomPatient.draw(seed, invasive=False) for seed in (1, 2))
    first, second = patient.stored_images([7, 8]).astype(float)
    apart = other.stored_images([7])[0].astype(float)
    assert np.corrcoef(first.ravel(), second.ravel())[0, 1] > np.corrcoef(first.ravel(), apart.ravel())[0, 1]
    assert 0.85 < np.corrcoef(first.ravel(), second.ravel())[0, 1] < 0.999


def test_a_slice_is_rendered_alone_as_among_others() -> None:
    patient = PhantomPatient.draw(4, invasive=True)
    assert np.array_equal(patient.stored_images([6])[0], patient.stored_images([5, 6])[1])


def test_prosthesis_changes_its_region_and_nothing_else() -> None:
    plain, with_metal = (PhantomPatient.draw(8, invasive=True, prosthesis=metal) for metal in (False, True))
    regions = with_metal.confounder_masks()
    assert plain.confounder_masks() is None
    index = widest(with_metal)
    before, after = (patient.stored_images([index])[0].astype(float) for patient in (plain, with_metal))
    outside = ~grown(regions[index], 3)
    assert np.array_equal(before[outside], after[outside])
    assert np.median(after[regions[index]]) < 0.3 * np.median(before[regions[index]])


@pytest.mark.parametrize("seed", SEEDS)
def test_prosthesis_shows_on_every_tumour_slice_and_is_disjoint_from_the_tumour(seed: int) -> None:
    patient = PhantomPatient.draw(seed, invasive=True, prosthesis=True)
    tumour, metal = patient.tumour_masks(), patient.confounder_masks()
    holds = tumour.any(axis=(1, 2))
    near = slice(widest(patient) - 2, widest(patient) + 3)
    assert metal[near].any(axis=(1, 2)).all()
    assert not (metal & np.stack([grown(mask, 3) for mask in tumour])).any()
    assert metal[near].mean(axis=(1, 2)).min() > 0.003
    assert metal[holds].mean(axis=(1, 2)).max() < 0.04


def test_noise_has_the_moments_of_the_rice_distribution() -> None:
    # No signal: Rayleigh, mean s sqrt(pi/2) and variance s^2 (2 - pi/2); in general E[M^2] = A^2 + 2 s^2.
    air = rician(np.zeros((SIZE, SIZE), np.float32), 0.5, stream("air"))
    assert air.mean() == pytest.approx(0.5 * np.sqrt(np.pi / 2), rel=0.01)
    assert air.var() == pytest.approx(0.25 * (2 - np.pi / 2), rel=0.02)
    tissue = rician(np.full((SIZE, SIZE), 3, np.float32), 0.5, stream("tissue"))
    assert np.mean(tissue.astype(float) ** 2) == pytest.approx(9 + 2 * 0.25, rel=0.01)


def test_region_of_an_ellipse_has_its_area_and_place() -> None:
    mask = region(ellipse(-20, 30, 25, 12, 35), spacing=1.3)
    rows, columns = np.nonzero(mask)
    assert mask.sum() * 1.3**2 == pytest.approx(np.pi * 25 * 12, rel=0.02)
    assert (columns.mean() - (SIZE - 1) / 2) * 1.3 == pytest.approx(-20, abs=0.3)
    assert (rows.mean() - (SIZE - 1) / 2) * 1.3 == pytest.approx(30, abs=0.3)


def test_region_is_cut_off_at_the_border_of_the_image() -> None:
    mask = region(ellipse(SIZE / 2, 0, 20, 20, count=200), spacing=1.0)
    assert mask.sum() == pytest.approx(np.pi * 400 / 2, rel=0.03)
    assert mask[:, -1].any()
    assert not mask[:, 0].any()


def test_region_far_outside_the_image_is_empty() -> None:
    assert not region(ellipse(900, -900, 20, 20), spacing=1.0).any()


@pytest.mark.parametrize("direction", [1, -1])
def test_inset_of_a_circle_is_a_smaller_circle_whichever_way_it_is_drawn(direction: int) -> None:
    circle = ellipse(5, -3, 30, 30, count=200)[::direction]
    radii = np.linalg.norm(inset(circle, 4) - (5, -3), axis=1)
    assert np.allclose(radii, 26, atol=0.01)


def test_smooth_outline_goes_through_its_points_and_rounds_the_corners() -> None:
    square = np.array([(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0)])
    curve = smooth_outline(square, per_segment=4)
    assert np.allclose(curve[::4], square)
    # Catmull-Rom halfway: (-p0 + 9 p1 + 9 p2 - p3) / 16.
    assert np.allclose(curve[2], (-square[3] + 9 * square[0] + 9 * square[1] - square[2]) / 16)


def test_organs_are_interpolated_between_their_levels_and_absent_beyond() -> None:
    table = {10: (0.0, 0.0, 4.0, 2.0, 0.0), -10: (8.0, 0.0, 2.0, 2.0, 40.0), 0: (2.0, 0.0, 4.0, 4.0, 0.0)}
    assert np.allclose(at_level(table, 5), (1, 0, 4, 3, 0))
    assert np.allclose(at_level(table, -10), (8, 0, 2, 2, 40))
    assert at_level(table, 10.1) is None
    assert at_level(table, -10.1) is None
