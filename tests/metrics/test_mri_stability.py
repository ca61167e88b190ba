"""Changes as between two scans, and the rank correlation of the maps that are brought back."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.stats import spearmanr

from tests.metrics.conftest import case_of, explanation_of
from tests.metrics.explainers import Again, fixed
from tests.metrics.plain_classifier import Linear
from xaibench.api import NotApplicable, seed_of
from xaibench.metrics.common import acquisition
from xaibench.metrics.common.intensity import robust_range
from xaibench.metrics.common.similarity import spearman
from xaibench.metrics.mri_stability import MriStability

SURE = Linear(np.zeros((40, 32, 1)), 5.0)
IMAGE = 100 * gaussian_filter(np.random.default_rng(0).random((40, 32, 1)), (2, 2, 0)).astype(np.float32)
KINDS = [acquisition.rotation, acquisition.bias_field, acquisition.rician_noise, acquisition.contrast]


def drawn(kind, seed: int = 0):
    return kind(IMAGE, np.random.default_rng(seed))


def measure(function, classifier=SURE, image=IMAGE, seed: int = 0, name: str = "P001-s00"):
    again = Again(image, function)
    case = case_of(image, name=name)
    return MriStability(seed=seed)(classifier, case, explanation_of(again.map), again)


@pytest.mark.parametrize("kind", KINDS)
def test_a_change_of_no_strength_is_none_and_half_the_strength_changes_less(kind) -> None:
    change = drawn(kind).change
    np.testing.assert_allclose(change(0.0), IMAGE, rtol=1e-5)
    sizes = [float(np.abs(change(strength) - IMAGE).mean()) for strength in (0.25, 0.5, 1.0)]
    assert 0 < sizes[0] < sizes[1] < sizes[2]
    assert (drawn(kind, 1).change(1.0) != change(1.0)).any()


@pytest.mark.parametrize("kind", KINDS)
def test_a_map_of_the_changed_image_is_brought_back_to_its_place(kind) -> None:
    difference = drawn(kind)
    back, known = difference.undo(difference.change(1.0)[..., 0], 1.0)
    assert known.mean() > 0.8
    assert spearman(back[known], IMAGE[..., 0][known]) > 0.9


def test_turning_is_by_two_and_a_half_to_five_degrees_either_way() -> None:
    spot = np.zeros((41, 41, 1), np.float32)
    spot[20, 36] = 1  # 16 pixels from the centre
    angles = []
    for seed in range(40):
        turned = acquisition.rotation(spot, np.random.default_rng(seed)).change(1.0)[..., 0]
        row = (turned.sum(axis=1) * np.arange(41)).sum() / turned.sum() - 20
        angles.append(np.degrees(np.arcsin(row / 16)))
    assert 2.3 < np.abs(angles).min() < np.abs(angles).max() < 5.2
    assert min(angles) < 0 < max(angles)


def test_the_bias_field_is_smooth_and_within_a_fifth() -> None:
    ramp = np.linspace(0, 100, 1280, dtype=np.float32).reshape(40, 32, 1)
    changed = acquisition.bias_field(ramp, np.random.default_rng(0)).change(1.0)
    field = np.log(changed[1:] / ramp[1:])
    assert np.abs(field).max() == pytest.approx(0.2, abs=0.03)
    assert np.abs(np.diff(field, axis=0)).max() < 0.05


def test_noise_is_the_magnitude_of_two_channels() -> None:
    dark = np.zeros((64, 64, 1), np.float32)
    dark[:2] = 100  # more than 1 % of the pixels: the robust range is 100
    changed = acquisition.rician_noise(dark, np.random.default_rng(0)).change(1.0)
    sigma = 0.03 * robust_range(dark)
    assert sigma == pytest.approx(3)
    assert changed[2:].mean() == pytest.approx(sigma * np.sqrt(np.pi / 2), rel=0.03)  # Rayleigh
    assert changed[:2].mean() == pytest.approx(100, rel=0.01)


def test_contrast_keeps_order_and_ends() -> None:
    changed = drawn(acquisition.contrast).change(1.0)
    assert changed.min() == pytest.approx(IMAGE.min())
    assert changed.max() == pytest.approx(IMAGE.max())
    assert (np.argsort(changed, axis=None) == np.argsort(IMAGE, axis=None)).all()


def test_contrast_is_a_power_not_close_to_one() -> None:
    ramp = np.linspace(0, 1, 1280, dtype=np.float32).reshape(40, 32, 1)
    powers = []
    for seed in range(40):
        changed = acquisition.contrast(ramp, np.random.default_rng(seed)).change(1.0)
        powers.append(float(np.log(changed[20, 0, 0]) / np.log(ramp[20, 0, 0])))
    sizes = np.abs(np.log(powers)) / np.log(1.2)
    assert 0.5 <= sizes.min() < 0.6 < 0.9 < sizes.max() <= 1
    assert min(powers) < 1 < max(powers)


def test_the_value_is_the_mean_rank_correlation_of_the_four() -> None:
    def function(image: np.ndarray) -> np.ndarray:
        return np.gradient(image[..., 0], axis=0)

    measured = measure(function)
    found = acquisition.differences(IMAGE, np.random.default_rng(seed_of(0, "P001-s00", "mri-stability")))
    expected = {}
    for name, difference in found.items():
        back, known = difference.undo(function(difference.change(1.0)).astype(np.float32), 1.0)
        expected[name] = spearmanr(function(IMAGE)[known], back[known]).statistic
    assert measured.value == pytest.approx(np.mean(list(expected.values())), abs=1e-6)
    assert measured.details == pytest.approx({**expected, "strength": 1.0, "flips": 0.0}, abs=1e-6)


def test_pixel_noise_that_ignores_the_image_scores_three_quarters_and_a_smooth_one_more() -> None:
    assert measure(fixed).value == pytest.approx(0.75, abs=0.05)
    y, x = np.mgrid[:40, :32]
    round_map = np.exp(-((y - 19.5) ** 2 + (x - 15.5) ** 2) / 100)
    assert measure(lambda image: round_map).value > 0.99


def test_trap_04_constant_maps_are_stable_and_maps_that_appear_are_not() -> None:
    assert measure(lambda image: image[..., 0] * 0).value == 1
    again = Again(IMAGE, lambda image: image[..., 0])
    measured = MriStability()(SURE, case_of(IMAGE), explanation_of(np.zeros((40, 32))), again)
    assert measured.value == 0


def test_trap_30_copies_that_flip_are_weaker_and_counted() -> None:
    rng = np.random.default_rng(seed_of(0, "P001-s00", "mri-stability"))
    bias = acquisition.differences(IMAGE, rng)["bias_field"]
    weights = bias.change(1.0) - IMAGE  # what the model looks at is the bias field itself
    classifier = Linear(-weights, float((weights * bias.change(0.3)).sum()))
    measured = measure(lambda image: image[..., 0], classifier)
    assert measured.details["flips"] >= 1
    assert measured.details["strength"] <= (3 + 0.25) / 4
    assert measured.details["bias_field"] > 0.99
    always = Linear(np.zeros((40, 32, 1)))
    always.z = lambda flat: np.where((flat == IMAGE.ravel()).all(axis=1), 1.0, -1.0)
    with pytest.raises(NotApplicable, match="changes with every change"):
        measure(lambda image: image[..., 0], always)


def test_volumes_are_turned_slice_by_slice() -> None:
    volume = np.stack([IMAGE, 2 * IMAGE])
    turned = acquisition.rotation(volume, np.random.default_rng(3)).change(1.0)
    alone = acquisition.rotation(IMAGE, np.random.default_rng(3)).change(1.0)
    np.testing.assert_allclose(turned[0], alone, rtol=1e-4)
    np.testing.assert_allclose(turned[1], 2 * alone, rtol=1e-4)
