"""Cohort metrics against plain re-implementations, on explainers and models whose answers are known."""

from dataclasses import replace

import numpy as np
import pytest

from tests.metrics.conftest import NO_MODEL
from xaibench.api import Case, CohortExplanation, Folds, NotApplicable, XaibenchError, seed_of
from xaibench.metrics.bootstrap_stability import BootstrapStability
from xaibench.metrics.cohort_colocalisation import CohortColocalisation
from xaibench.metrics.common.patient_draws import resampled

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


def score(metric, cases, label, explain=None):
    folds = Folds((NO_MODEL,), {case.patient: 0 for case in cases})
    return metric.score_cohort(folds, cases, label, MeanImage()(cases)[label], explain or MeanImage())


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


def test_one_annotated_case_of_the_class_is_enough() -> None:
    empty = replace(flat("P1", 1, 0.5), region=np.zeros((SIZE, SIZE), bool))
    annotated = replace(flat("P2", 1, 0.5), region=np.eye(SIZE) > 0)
    explanation = stacked(np.ones((SIZE, SIZE)), np.full((SIZE, SIZE), 0.5))
    measured = CohortColocalisation().score_cohort(
        Folds((NO_MODEL,), {}), [empty, annotated], 1, explanation, MeanImage()
    )
    assert measured.value == 0.5


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
    one = Folds((NO_MODEL,), {case.patient: 0 for case in cases})
    draws = resampled(cases, 1, one, 40, seed_of(2, 1, "bootstrap-stability"))
    alike = [
        slow_ssim(whole, np.mean([c.image for c in draws.cohorts[place]], axis=0), span)
        for place in draws.which[:, 0]
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


def test_folds_do_not_split_the_image_that_is_shown() -> None:
    cases = noisy_cohort()
    folds = Folds((NO_MODEL, NO_MODEL), {"P0": 0, "P1": 1, "P2": 1, "P9": 0})
    metric = BootstrapStability(draws=20)
    whole = MeanImage()(cases)[1]
    assert metric.score_cohort(folds, cases, 1, whole, MeanImage()) == score(metric, cases, 1)


def test_no_draws_is_one_sentence() -> None:
    with pytest.raises(XaibenchError, match="give 1 or more"):
        BootstrapStability(draws=0)
