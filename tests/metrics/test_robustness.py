"""Robustness against its formulas written plainly, on copies that keep the class, and on maps of known behaviour."""

import numpy as np
import pytest

from tests.metrics.conftest import case_of, explanation_of
from tests.metrics.explainers import Again, brightness, fixed
from tests.metrics.plain_classifier import Linear, Network, images
from xaibench.api import Measurement, NotApplicable, XaibenchError, seed_of
from xaibench.metrics.adversarial_sensitivity import AdversarialSensitivity
from xaibench.metrics.common.copies import same_class
from xaibench.metrics.common.intensity import robust_range
from xaibench.metrics.local_lipschitz import LocalLipschitz
from xaibench.metrics.max_sensitivity import MaxSensitivity
from xaibench.metrics.rerun_consistency import RerunConsistency
from xaibench.metrics.sensitivity_norm import SensitivityNorm
from xaibench.metrics.stability_cosine import StabilityCosine

SURE = Linear(np.zeros((16, 16, 1)), 5.0)  # gives every image class 1
RATIOS = [SensitivityNorm, MaxSensitivity, LocalLipschitz, AdversarialSensitivity]


@pytest.fixture
def image() -> np.ndarray:
    return images(Network(), 1)[0]


def measure(metric, image, function, classifier=SURE, name="P001-s00") -> tuple[Measurement, np.ndarray]:
    """Return the measurement and all images that were explained for it."""
    again = Again(image, function)
    measured = metric(classifier, case_of(image, name=name), explanation_of(again.map), again)
    return measured, np.concatenate([call["images"] for call in again.calls])


def squared(image: np.ndarray) -> np.ndarray:
    return image.mean(axis=-1) ** 2


def change_plainly(copy: np.ndarray, image: np.ndarray) -> float:
    """||phi' - phi|| / ||phi|| of the squared brightness, pixel by pixel."""
    difference = total = 0.0
    for y in range(16):
        for x in range(16):
            difference += (float(copy[y, x, 0]) ** 2 - float(image[y, x, 0]) ** 2) ** 2
            total += float(image[y, x, 0]) ** 4
    return (difference / total) ** 0.5


def test_sensitivity_agrees_with_its_formula_written_plainly(image) -> None:
    measured, copies = measure(SensitivityNorm(draws=5), image, squared)
    expected = [change_plainly(copy, image) for copy in copies]
    assert len(expected) == 5
    assert measured.value == pytest.approx(sum(expected) / 5, rel=1e-4)


def test_max_sensitivity_is_the_largest_change_within_the_ball(image) -> None:
    measured, copies = measure(MaxSensitivity(draws=6), image, squared)
    assert measured.value == pytest.approx(max(change_plainly(copy, image) for copy in copies), rel=1e-4)
    shares = np.abs(copies - image) / robust_range(image)
    assert 0.0195 < shares.max() <= 0.02 * 1.001
    assert shares.mean() == pytest.approx(0.01, rel=0.05)


def test_local_lipschitz_is_the_steepest_relative_change(image) -> None:
    measured, copies = measure(LocalLipschitz(draws=6), image, squared)
    expected = []
    for copy in copies:
        rms = (sum(float(d) ** 2 for d in (copy - image).ravel()) / 256) ** 0.5
        expected.append(change_plainly(copy, image) / (rms / robust_range(image)))
    assert measured.value == pytest.approx(max(expected), rel=1e-3)


def test_local_lipschitz_and_max_sensitivity_share_their_copies(image) -> None:
    _, one = measure(MaxSensitivity(draws=4, seed=2), image, squared)
    _, other = measure(LocalLipschitz(draws=4, seed=2), image, squared)
    np.testing.assert_array_equal(one, other)


def test_sensitivity_norm_and_stability_cosine_share_their_copies_in_every_preset(image) -> None:
    for preset in ("smoke", "standard", "paper"):
        kinds = [kind(**kind.presets.get(preset, {}), seed=3) for kind in (SensitivityNorm, StabilityCosine)]
        one, other = (measure(metric, image, squared)[1] for metric in kinds)
        np.testing.assert_array_equal(one, other)
    assert MaxSensitivity.presets == LocalLipschitz.presets


def test_stability_is_the_mean_cosine(image) -> None:
    measured, copies = measure(StabilityCosine(draws=4), image, squared)
    own, found = squared(image).ravel().tolist(), []
    for copy in copies:
        other = squared(copy).ravel().tolist()
        dot = sum(a * b for a, b in zip(own, other, strict=True))
        found.append(dot / (sum(a * a for a in own) * sum(b * b for b in other)) ** 0.5)
    assert measured.value == pytest.approx(sum(found) / 4, rel=1e-5)


def test_trap_05_noise_is_symmetric_and_a_tenth_of_the_image_s_own_range() -> None:
    image = np.linspace(0, 5 / 0.98, 256, dtype=np.float32).reshape(16, 16, 1)
    image[0, 0] = 1000  # a single bright pixel changes nothing
    measured, copies = measure(SensitivityNorm(draws=40), image, brightness)
    assert (copies - image).std() == pytest.approx(0.5, rel=0.03)
    assert abs((copies - image).mean()) < 0.02
    assert measured.details == {"sigma": pytest.approx(0.1), "flips": 0}


@pytest.mark.parametrize("kind", RATIOS)
def test_trap_05_multiplying_a_map_changes_nothing(kind, image) -> None:
    once, _ = measure(kind(), image, brightness)
    scaled, _ = measure(kind(), image, lambda one: 100 * brightness(one))
    assert scaled.value == pytest.approx(once.value, rel=1e-5)


@pytest.mark.parametrize("kind", [SensitivityNorm, StabilityCosine, MaxSensitivity, LocalLipschitz])
def test_trap_01_an_explainer_that_ignores_the_image_is_perfect_however_the_draws_are_batched(
    kind, image
) -> None:
    for draws in (1, 3, 17):
        measured, _ = measure(kind(draws=draws), image, fixed)
        assert measured.value == pytest.approx(float(kind is StabilityCosine))


@pytest.mark.parametrize("kind", [*RATIOS, StabilityCosine])
def test_trap_30_another_bright_case_changes_nothing(kind, image) -> None:
    before, _ = measure(kind(), image, squared)
    measure(kind(), images(Network(), 1, seed=1)[0] * 1000, squared, name="P002-s00")
    assert measure(kind(), image, squared)[0] == before


def test_trap_06_each_case_has_its_own_value() -> None:
    values = {measure(SensitivityNorm(), image, squared)[0].value for image in images(Network(), 4)}
    assert len(values) == 4


@pytest.mark.parametrize("kind", RATIOS)
def test_trap_04_all_zero_maps_are_robust_and_maps_that_appear_have_no_relative_change(kind, image) -> None:
    assert measure(kind(), image, lambda one: brightness(one) * 0)[0].value == 0
    again = Again(image, brightness)
    with pytest.raises(NotApplicable, match="all zero"):
        kind()(SURE, case_of(image), explanation_of(np.zeros((16, 16))), again)


def test_cosine_of_all_zero_maps(image) -> None:
    assert measure(StabilityCosine(), image, lambda one: brightness(one) * 0)[0].value == 1
    again = Again(image, brightness)
    assert StabilityCosine()(SURE, case_of(image), explanation_of(np.zeros((16, 16))), again).value == 0


@pytest.mark.parametrize("kind", [SensitivityNorm, StabilityCosine, MaxSensitivity, LocalLipschitz])
def test_no_draws_is_one_sentence(kind) -> None:
    with pytest.raises(XaibenchError, match="1 or more"):
        kind(draws=0)


# -------------------------------------------------------------------- the class stays


def unsure(image: np.ndarray, margin: float) -> Linear:
    """A model that gives the image class 1 by a margin of the mean intensity's noise at full strength."""
    weights = np.ones((16, 16, 1))
    return Linear(weights, -float(image.sum()) + margin * 0.1 * robust_range(image) * 16)


def test_trap_30_a_copy_that_flips_is_replaced_by_a_smaller_step(image) -> None:
    measured, copies = measure(SensitivityNorm(draws=40), image, squared, unsure(image, 0.2))
    sigmas = (copies - image).std(axis=(1, 2, 3)) / robust_range(image)
    steps = np.log2(0.1 / sigmas)
    np.testing.assert_allclose(steps, np.rint(steps), atol=0.3)
    assert measured.details["flips"] == (np.rint(steps) > 0).sum() > 5
    assert measured.details["sigma"] == pytest.approx(sigmas.mean(), rel=0.05)
    assert unsure(image, 0.2).scores(copies).argmax(axis=1).tolist() == [1] * 40


def test_the_recorded_radius_is_the_mean_of_those_that_kept_the_class(image) -> None:
    measured, copies = measure(MaxSensitivity(draws=40), image, squared, unsure(image, 0.05))
    radii = np.abs(copies - image).max(axis=(1, 2, 3)) / robust_range(image)
    assert measured.details["flips"] > 5
    assert radii.min() < 0.011 < 0.019 < radii.max()
    assert measured.details["radius"] == pytest.approx(radii.mean(), rel=0.02)


def test_a_change_that_flips_the_class_even_when_tiny_is_left_out(image) -> None:
    classifier = unsure(image, 1e-3)
    measured, copies = measure(SensitivityNorm(draws=40), image, squared, classifier)
    assert 0 < len(copies) < 40
    assert measured.details["flips"] == pytest.approx(20, abs=8)  # half of the copies go the other way
    always = Linear(np.ones((16, 16, 1)), -float(image.sum()))
    with pytest.raises(NotApplicable, match="changes with every change"):
        same_class(always, case_of(image + 1e-3), 1, [lambda strength: image - np.float32(0.1)] * 2)


def test_without_exclusive_classes_the_explained_class_must_stay_as_it_is(image) -> None:
    classifier = unsure(image, 0.0)
    classifier.exclusive = False
    case = case_of(image + 0.01)
    for target, added in ((1, 0.02), (0, 0.02), (1, -0.005), (0, -0.005)):
        copies = same_class(
            classifier, case, target, [lambda strength, by=added: (case.image + strength * by).astype("f4")]
        )
        assert copies.strengths == [1]
    with pytest.raises(NotApplicable):
        same_class(classifier, case, 1, [lambda strength: case.image - 1])


def test_a_score_of_one_half_gives_a_class_on_its_own() -> None:
    classifier = Linear(np.eye(1, 256).reshape(16, 16, 1))
    classifier.exclusive = False
    case = case_of(np.zeros((16, 16, 1)))
    copies = same_class(classifier, case, 1, [lambda strength: np.full((16, 16, 1), strength, np.float32)])
    assert copies.strengths == [1]


def test_the_scores_of_the_copies_are_asked_once_for_all_methods(image) -> None:
    classifier = Linear(np.zeros((16, 16, 1)), 5.0)
    for function in (brightness, squared, fixed):
        measure(SensitivityNorm(draws=3), image, function, classifier)
        measure(StabilityCosine(draws=3), image, function, classifier)
    assert classifier.passes.forward == 1 + 3


def test_the_robust_range_leaves_out_one_percent_at_each_end() -> None:
    ramp = np.append(np.arange(100), 1000).astype(np.float32)
    assert robust_range(ramp.reshape(101, 1, 1)) == pytest.approx(98)
    assert robust_range(-ramp.reshape(101, 1, 1)) == pytest.approx(98)


def test_an_image_without_range_has_no_noise() -> None:
    with pytest.raises(NotApplicable, match="no range of intensities"):
        measure(SensitivityNorm(), np.ones((16, 16, 1), np.float32), brightness)


# -------------------------------------------------------------------- search and rerun


def test_the_search_stays_within_its_bound_and_keeps_the_class(image) -> None:
    measured, copies = measure(AdversarialSensitivity(rounds=3, proposals=4), image, squared)
    assert len(copies) == 12
    np.testing.assert_allclose(np.abs(copies - image), 0.05 * robust_range(image), rtol=1e-3)
    assert measured.value == pytest.approx(max(change_plainly(copy, image) for copy in copies), rel=1e-4)
    assert measured.details == {"largest": pytest.approx(0.05), "flips": 0}
    _, unsure_copies = measure(
        AdversarialSensitivity(rounds=3, proposals=4), image, squared, unsure(image, 0.3)
    )
    assert (unsure(image, 0.3).scores(unsure_copies).argmax(axis=1) == 1).all()


def test_the_search_finds_more_with_more_rounds_and_turns_a_quarter_of_the_signs(image) -> None:
    values = [measure(AdversarialSensitivity(rounds=n), image, squared)[0].value for n in (1, 4, 16)]
    assert values[0] < values[1] < values[2]
    _, copies = measure(AdversarialSensitivity(rounds=2, proposals=1), image, squared)
    turned = np.mean(np.sign(copies[1] - image) != np.sign(copies[0] - image))
    assert 0.1 < turned < 0.4


def noisy(image: np.ndarray, seeds: np.ndarray | None = None) -> np.ndarray:
    """Draws from its seed; without one, from the case's."""
    seed = 5 if seeds is None else int(seeds[0])
    return np.random.default_rng(seed).normal(size=image.shape[:-1])


def test_rerun_consistency_is_one_for_a_fixed_map_and_nought_for_one_drawn_anew(image) -> None:
    scores = {}
    for function in (fixed, noisy):
        again = Again(image, function)
        scores[function] = RerunConsistency()(SURE, case_of(image), explanation_of(again.map), again).value
        [call] = again.calls
        assert call["seeds"].tolist() == [seed_of(0, "P001-s00", "rerun-consistency")]
        assert call["images"] is None
    assert scores[fixed] == 1
    assert abs(scores[noisy]) < 0.2


def test_the_other_seed_is_of_the_run_and_of_the_case(image) -> None:
    def value(seed: int, name: str) -> float:
        again = Again(image, noisy)
        metric = RerunConsistency(seed=seed)
        return metric(SURE, case_of(image, name=name), explanation_of(again.map), again).value

    assert len({value(seed, "P001-s00") for seed in range(4)}) == 4
    assert len({value(0, name) for name in ("P001-s00", "P002-s00")}) == 2
