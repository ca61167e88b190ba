"""Cohort metrics against plain re-implementations, on explainers and models whose answers are known."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from tests.metrics.conftest import NO_MODEL
from tests.metrics.plain_classifier import Linear
from xaibench.api import Case, CohortExplanation, Folds, NotApplicable, XaibenchError, seed_of
from xaibench.metrics.bootstrap_stability import BootstrapStability
from xaibench.metrics.class_consistency import ClassConsistency
from xaibench.metrics.cohort_colocalisation import CohortColocalisation
from xaibench.metrics.common.patient_draws import resampled, shuffled

SIZE = 8


def case_of(patient: str, label: int, image: np.ndarray, number: int = 0) -> Case:
    return Case(
        f"{patient}-s{number:02}", patient, image.astype(np.float32), (label,), None, (1.0, 1.0), number
    )


def flat(patient: str, label: int, value: float, number: int = 0) -> Case:
    return case_of(patient, label, np.full((SIZE, SIZE, 1), value), number)


def cohort() -> list[Case]:
    """Three patients of class 1, the first with two slices, and four of class 0."""
    bright = [flat("P1", 1, 0.9, 0), flat("P1", 1, 0.5, 1), flat("P2", 1, 0.3), flat("P3", 1, 0.8)]
    return bright + [flat(f"P{n}", 0, value) for n, value in ((4, -0.2), (5, -0.7), (6, -0.1), (7, 0.4))]


class MeanImage:
    """A cohort explainer: the mean of a label's images; notes which cohorts it explained."""

    def __init__(self) -> None:
        self.seen: list[list[Case]] = []

    def __call__(self, cases: list[Case]) -> dict[int, CohortExplanation]:
        self.seen.append(cases)
        return {label: self.mean(cases, label) for label in {case.label for case in cases}}

    def mean(self, cases: list[Case], label: int) -> CohortExplanation:
        image = np.mean([case.image for case in cases if case.label == label], axis=0)
        return CohortExplanation(image, image[..., 0], np.zeros(image.shape[:2], int))


def score(metric, cases, label, classifiers=(NO_MODEL,), explain=None):
    explain = explain or MeanImage()
    return metric.score_cohort(
        Folds(tuple(classifiers), {}), cases, label, MeanImage()(cases)[label], explain
    )


def folds():
    return [Linear(np.full((SIZE, SIZE, 1), weight / SIZE**2), bias) for weight, bias in ((4, 0), (2, -0.5))]


def probability(label: int, value: float) -> float:
    """Mean over the two fold models of p(label) of a flat image."""
    recurrent = np.mean([1 / (1 + np.exp(-(w * value + b))) for w, b in ((4, 0), (2, -0.5))])
    return float(recurrent if label == 1 else 1 - recurrent)


def brightness(cases: list[Case]) -> float:
    return float(np.mean([case.image.mean() for case in cases]))


# -------------------------------------------------------------------- draws


def patients(cases: list[Case]) -> list[str]:
    """Patients of a drawn cohort, as often as drawn; all slices of a patient must be there."""
    slices = Counter(case.id for case in cases)
    assert slices["P1-s00"] == slices["P1-s01"]
    return [case.patient for case in cases if case.id != "P1-s01"]


def test_patients_are_drawn_again_with_replacement_and_all_their_slices() -> None:
    draws = resampled(cohort(), 1, 3000, seed=0)
    drawn = [patients(draws.cohorts[place]) for place in draws.which]
    assert {len(one) for one in drawn} == {3}
    assert {case.label for one in draws.cohorts for case in one} == {1}
    times = Counter(patient for one in drawn for patient in one)
    assert all(abs(times[patient] / 9000 - 1 / 3) < 0.02 for patient in ("P1", "P2", "P3"))
    distinct = np.mean([len(set(one)) for one in drawn])
    assert distinct == pytest.approx(3 * (1 - (2 / 3) ** 3), abs=0.05)


def test_labels_are_shuffled_over_patients_and_the_size_of_the_class_is_kept() -> None:
    draws = shuffled(cohort(), 1, 3000, seed=0)
    drawn = [patients(draws.cohorts[place]) for place in draws.which]
    assert {len(one) for one in drawn} == {len(set(one)) for one in drawn} == {3}
    assert {case.label for one in draws.cohorts for case in one} == {1}
    times = Counter(patient for one in drawn for patient in one)
    assert all(abs(times[f"P{n}"] / 9000 - 1 / 7) < 0.02 for n in range(1, 8))


@pytest.mark.parametrize("kind", [resampled, shuffled])
def test_the_same_patients_are_one_cohort_whatever_the_order_of_the_cases(kind) -> None:
    draws, other = kind(cohort(), 1, 200, seed=5), kind(cohort()[::-1], 1, 200, seed=5)
    names = [tuple(sorted(patients(one))) for one in draws.cohorts]
    assert len(names) == len(set(names)) <= 35
    assert [[case.id for case in one] for one in draws.cohorts] == [
        [case.id for case in one] for one in other.cohorts
    ]
    np.testing.assert_array_equal(draws.which, other.which)


# -------------------------------------------------------------------- class consistency


@pytest.mark.parametrize("label", [0, 1])
def test_class_consistency_is_the_mean_probability_over_the_fold_models(label: int) -> None:
    cases = cohort()
    measured = score(ClassConsistency(draws=5), cases, label, folds())
    expected = probability(label, brightness([case for case in cases if case.label == label]))
    assert measured.value == pytest.approx(expected, abs=1e-5)
    assert measured.details["predicted"] == float(expected > 0.5)


@pytest.mark.parametrize("label", [0, 1])
def test_interval_and_null_agree_with_a_loop_over_the_draws(label: int) -> None:
    cases, seed, count = cohort(), 3, 60
    measured = score(ClassConsistency(draws=count, seed=seed), cases, label, folds())

    def probabilities(kind, purpose: str) -> list[float]:
        draws = kind(cases, label, count, seed_of(seed, label, "class-consistency", purpose))
        return [probability(label, brightness(draws.cohorts[place])) for place in draws.which]

    again, null = probabilities(resampled, "resampled"), probabilities(shuffled, "shuffled")
    expected = {
        "predicted": measured.details["predicted"],
        "low": np.percentile(again, 2.5),
        "high": np.percentile(again, 97.5),
        "null_mean": sum(null) / count,
        "null_low": np.percentile(null, 2.5),
        "null_high": np.percentile(null, 97.5),
        "null_predicted": sum(p > 0.5 for p in null) / count,
        "null_p": (1 + sum(p >= measured.value - 1e-6 for p in null)) / (1 + count),
    }
    assert measured.details == pytest.approx(expected, abs=1e-5)
    assert 0 < measured.details["null_predicted"] < 1


def test_of_two_patients_the_interval_and_the_null_follow_by_hand() -> None:
    cases = [flat("P1", 1, 0.9, 0), flat("P1", 1, 0.5, 1), flat("P8", 1, 0.1), flat("P9", 0, -0.6)]
    both = score(ClassConsistency(draws=100), cases, 1, folds()).details
    assert both["low"] == pytest.approx(probability(1, 0.1), abs=1e-5)
    assert both["high"] == pytest.approx(probability(1, 0.7), abs=1e-5)
    alone = score(ClassConsistency(draws=100), cases, 0, folds())  # one of three patients is dealt the label
    own = alone.details["null_predicted"]  # only the true patient looks like class 0
    assert 0.2 < own < 0.5
    assert alone.details["null_p"] == pytest.approx((1 + 100 * own) / 101)
    assert alone.details["null_high"] == pytest.approx(alone.value, abs=1e-5)
    assert "low" not in alone.details  # a single patient has no interval


def test_shuffles_that_are_the_true_one_count_as_high_as_the_value() -> None:
    cases = [flat("P1", 1, 0.9), flat("P2", 0, -0.9)]
    metric = ClassConsistency(draws=400)
    for label in (0, 1):
        assert score(metric, cases, label, folds()).details["null_p"] == pytest.approx(0.5, abs=0.08)


def test_a_cohort_of_one_class_has_no_null() -> None:
    cases = [case for case in cohort() if case.label == 1]
    assert set(score(ClassConsistency(draws=5), cases, 1, folds()).details) == {"predicted", "low", "high"}


def test_only_cases_with_the_label_are_explained_and_no_image_is_classified_twice() -> None:
    models, explain = folds(), MeanImage()
    score(ClassConsistency(draws=200), cohort(), 1, models, explain)
    assert all({case.label for case in cases} == {1} for cases in explain.seen)
    explained = [tuple(sorted(patients(cases))) for cases in explain.seen]
    resamples = [names for names in explained if len(set(names)) < 3]
    assert len(resamples) == len(set(resamples))
    assert len(explained) <= 10 + 35  # ways to draw 3 of 3 with, and 3 of 7 without replacement
    for model in models:
        assert model.passes.forward == 1 + len(explained)


def test_the_order_of_the_cases_changes_nothing_and_another_seed_does() -> None:
    one = score(ClassConsistency(draws=30), cohort(), 1, folds())
    assert score(ClassConsistency(draws=30), cohort()[::-1], 1, folds()).details == pytest.approx(one.details)
    assert score(ClassConsistency(draws=30, seed=1), cohort(), 1, folds()).details != pytest.approx(
        one.details
    )


# -------------------------------------------------------------------- co-localisation


def stacked(heatmap: np.ndarray, mask: np.ndarray | None) -> CohortExplanation:
    mask = None if mask is None else mask.astype(np.float32)
    heatmap = heatmap.astype(np.float32)
    return CohortExplanation(heatmap[..., None], heatmap, np.zeros(heatmap.shape, int), mask)


def colocalised(heatmap: np.ndarray, mask: np.ndarray | None, annotated: bool = True):
    region = np.zeros((SIZE, SIZE), bool)
    region[2:4, 2:4] = annotated
    case = replace(flat("P1", 1, 0.5), region=region)
    other = replace(flat("P2", 0, 0.5), region=np.ones((SIZE, SIZE), bool))
    metric = CohortColocalisation()
    return metric.score_cohort(Folds((NO_MODEL,), {}), [case, other], 1, stacked(heatmap, mask), MeanImage())


def test_cohort_colocalisation_agrees_with_a_loop_over_pixels() -> None:
    rng = np.random.default_rng(0)
    heatmap, mask = rng.normal(size=(SIZE, SIZE)), rng.random((SIZE, SIZE))
    inside = total = area = 0.0
    for i in range(SIZE):
        for j in range(SIZE):
            area += mask[i, j] / SIZE**2
            if heatmap[i, j] > 0:
                inside, total = inside + heatmap[i, j] * mask[i, j], total + heatmap[i, j]
    for factor in (1, 100):  # trap 5
        measured = colocalised(heatmap * factor, mask)
        assert measured.value == pytest.approx(inside / total, rel=1e-5)
        assert measured.details == pytest.approx(
            {"area": area, "enrichment": inside / total / area}, rel=1e-5
        )


def test_a_map_that_is_the_region_scores_one_and_a_uniform_one_the_area() -> None:
    region = np.zeros((SIZE, SIZE))
    region[2:4, 2:4] = 1
    assert colocalised(region, region).value == 1
    assert colocalised(region, region).details["enrichment"] == 16
    for uniform in (np.ones((SIZE, SIZE)), np.zeros((SIZE, SIZE)), -np.ones((SIZE, SIZE))):
        assert colocalised(uniform, region).value == 1 / 16
        assert colocalised(uniform, region).details["enrichment"] == 1


def test_a_stack_that_takes_nothing_from_the_regions_scores_zero_and_has_no_enrichment() -> None:
    measured = colocalised(np.ones((SIZE, SIZE)), np.zeros((SIZE, SIZE)))
    assert (measured.value, measured.details) == (0, {"area": 0})


def test_missing_and_empty_annotations_are_not_applicable() -> None:
    with pytest.raises(NotApplicable, match="has no annotated region"):
        colocalised(np.ones((SIZE, SIZE)), None)
    with pytest.raises(NotApplicable, match="all empty"):
        colocalised(np.ones((SIZE, SIZE)), np.zeros((SIZE, SIZE)), annotated=False)


# -------------------------------------------------------------------- bootstrap stability


def slow_ssim(one: np.ndarray, other: np.ndarray, span: float) -> float:
    """Wang et al. 2004, eq. 13, over every whole window of 7 x 7 pixels, each channel; variances by n - 1."""
    c1, c2 = (0.01 * span) ** 2, (0.03 * span) ** 2
    found = []
    for channel in range(one.shape[-1]):
        for i in range(one.shape[0] - 6):
            for j in range(one.shape[1] - 6):
                a, b = (x[i : i + 7, j : j + 7, channel].ravel().tolist() for x in (one, other))
                ma, mb = sum(a) / 49, sum(b) / 49
                va, vb = sum((x - ma) ** 2 for x in a) / 48, sum((x - mb) ** 2 for x in b) / 48
                cov = sum((x - ma) * (y - mb) for x, y in zip(a, b, strict=True)) / 48
                luminance = (2 * ma * mb + c1) / (ma**2 + mb**2 + c1)
                found.append(luminance * (2 * cov + c2) / (va + vb + c2))
    return sum(found) / len(found)


def noisy_cohort(channels: int = 2) -> list[Case]:
    rng = np.random.default_rng(0)
    pictures = 100 + 900 * rng.random((4, SIZE, SIZE + 1, channels))
    return [case_of(f"P{n}", 1, picture) for n, picture in enumerate(pictures[:3])] + [
        case_of("P9", 0, 3 * pictures[3])
    ]


def test_bootstrap_stability_agrees_with_plain_ssim_over_the_draws() -> None:
    cases = noisy_cohort()
    measured = score(BootstrapStability(draws=40, seed=2), cases, 1)
    values = np.concatenate([case.image.ravel() for case in cases])
    span = float(values.max() - values.min())
    whole = np.mean([case.image for case in cases[:3]], axis=0)
    draws = resampled(cases, 1, 40, seed_of(2, 1, "bootstrap-stability"))
    alike = [
        slow_ssim(whole, np.mean([c.image for c in draws.cohorts[place]], axis=0), span)
        for place in draws.which
    ]
    assert measured.value == pytest.approx(sum(alike) / 40, rel=1e-4)
    assert measured.details == pytest.approx(
        {"low": np.percentile(alike, 2.5), "high": np.percentile(alike, 97.5)}, rel=1e-4
    )
    assert -1 < measured.value < 0.99


def test_an_image_that_ignores_who_was_drawn_is_stable() -> None:
    cases = noisy_cohort()
    fixed = MeanImage()(cases)
    measured = score(BootstrapStability(draws=10), cases, 1, explain=lambda _cases: fixed)
    assert measured.value == pytest.approx(1)
    assert measured.details == pytest.approx({"low": 1, "high": 1})


def test_a_single_patient_and_equal_intensities_are_not_applicable() -> None:
    with pytest.raises(NotApplicable, match="single patient"):
        score(BootstrapStability(), [flat("P1", 1, 0.9, 0), flat("P1", 1, 0.5, 1)], 1)
    with pytest.raises(NotApplicable, match="same intensity"):
        score(BootstrapStability(), [flat("P1", 1, 0.5), flat("P2", 1, 0.5)], 1)


@pytest.mark.parametrize("metric", [ClassConsistency, BootstrapStability])
def test_no_draws_is_one_sentence(metric) -> None:
    with pytest.raises(XaibenchError, match="give 1 or more"):
        metric(draws=0)
