"""Class consistency: who judges whose image, the interval and the null, against loops over the draws."""

from collections import Counter

import numpy as np
import pytest
from scipy.stats import binom, kstest

from tests.metrics.plain_classifier import Linear
from tests.metrics.test_cohort_metrics import SIZE, MeanImage, case_of, flat
from xaibench.api import Case, Folds, XaibenchError, seed_of
from xaibench.metrics.class_consistency import ClassConsistency
from xaibench.metrics.common.patient_draws import Draws, resampled, shuffled

FOLD_OF = {"P1": 0, "P2": 1, "P3": 1, "P4": 0, "P5": 0, "P6": 1, "P7": 1}
MODELS = ((4, 0), (2, -0.5))
"""Weight and bias by which each fold's model reads the mean intensity."""


def cohort() -> list[Case]:
    """Three patients of class 1, the first with two slices, and four of class 0."""
    bright = [flat("P1", 1, 0.9, 0), flat("P1", 1, 0.5, 1), flat("P2", 1, 0.31), flat("P3", 1, 0.8)]
    return bright + [flat(f"P{n}", 0, value) for n, value in ((4, -0.2), (5, -0.7), (6, -0.1), (7, 0.4))]


def two_folds() -> Folds:
    models = [Linear(np.full((SIZE, SIZE, 1), weight / SIZE**2), bias) for weight, bias in MODELS]
    return Folds(tuple(models), FOLD_OF)


def one_model(cases: list[Case]) -> Folds:
    return Folds(two_folds().classifiers[:1], {case.patient: 0 for case in cases})


def score(metric, cases, label, folds, explain=None):
    return metric.score_cohort(folds, cases, label, MeanImage()(cases)[label], explain or MeanImage())


def probability(fold: int, label: int, value: float) -> float:
    weight, bias = MODELS[fold]
    bright = float(1 / (1 + np.exp(-(weight * value + bias))))
    return bright if label == 1 else 1 - bright


def judged(cases: list[Case], patients: list[str], label: int, fold_of: dict[str, int]) -> float:
    """Each fold's picked patients make an image for that fold's model; a mean over the patients."""
    total = 0.0
    for fold in (0, 1):
        own = [patient for patient in patients if fold_of[patient] == fold]
        pixels = [float(case.image.mean()) for patient in own for case in cases if case.patient == patient]
        total += len(own) * probability(fold, label, np.mean(pixels)) if own else 0.0
    return total / len(patients)


def patients_of_draw(draws: Draws, draw: int) -> list[str]:
    """Patients of a draw, as often as drawn; all slices of a patient must be there."""
    found = []
    for place, share in zip(draws.which[draw], draws.shares[draw], strict=True):
        if share:
            slices = Counter(case.id for case in draws.cohorts[place])
            assert slices["P1-s00"] == slices["P1-s01"]
            found += [case.patient for case in draws.cohorts[place] if case.id != "P1-s01"]
    return found


# -------------------------------------------------------------------- draws


def test_patients_are_drawn_again_with_replacement_and_all_their_slices() -> None:
    draws = resampled(cohort(), 1, two_folds(), 3000, seed=0)
    drawn = [patients_of_draw(draws, draw) for draw in range(3000)]
    assert {len(one) for one in drawn} == {3}
    assert {case.label for one in draws.cohorts for case in one} == {1}
    times = Counter(patient for one in drawn for patient in one)
    assert all(abs(times[patient] / 9000 - 1 / 3) < 0.02 for patient in ("P1", "P2", "P3"))
    distinct = np.mean([len(set(one)) for one in drawn])
    assert distinct == pytest.approx(3 * (1 - (2 / 3) ** 3), abs=0.05)


def test_labels_are_shuffled_within_each_fold_and_its_class_sizes_stay() -> None:
    draws = shuffled(cohort(), 1, two_folds(), 3000, seed=0)
    drawn = [patients_of_draw(draws, draw) for draw in range(3000)]
    assert all(Counter(FOLD_OF[patient] for patient in one) == {0: 1, 1: 2} for one in drawn)
    assert {len(set(one)) for one in drawn} == {3}
    assert {case.label for one in draws.cohorts for case in one} == {1}
    times = Counter(patient for one in drawn for patient in one)
    expected = {patient: 1 / 3 if fold == 0 else 1 / 2 for patient, fold in FOLD_OF.items()}
    assert all(abs(times[patient] / 3000 - share) < 0.03 for patient, share in expected.items())


@pytest.mark.parametrize("kind", [resampled, shuffled])
def test_the_same_patients_of_a_fold_are_one_cohort_whatever_the_order_of_the_cases(kind) -> None:
    draws, other = (kind(cases, 1, two_folds(), 200, seed=5) for cases in (cohort(), cohort()[::-1]))
    names = [tuple(case.id for case in one) for one in draws.cohorts]
    assert len(names) == len(set(names))
    assert names == [tuple(case.id for case in one) for one in other.cohorts]
    np.testing.assert_array_equal(draws.which, other.which)
    for one, classifier in zip(draws.cohorts, draws.classifier_of, strict=True):
        assert {FOLD_OF[case.patient] for case in one} == {classifier}
    np.testing.assert_allclose(draws.shares.sum(axis=1), 1)


# -------------------------------------------------------------------- value, interval, null


@pytest.mark.parametrize("label", [0, 1])
def test_each_fold_s_patients_are_judged_by_the_model_that_never_saw_them(label: int) -> None:
    cases = cohort()
    measured = score(ClassConsistency(draws=5), cases, label, two_folds())
    own = sorted({case.patient for case in cases if case.label == label})
    expected = judged(cases, own, label, FOLD_OF)
    assert measured.value == pytest.approx(expected, abs=1e-5)
    assert measured.details["predicted"] == float(expected > 0.5)


@pytest.mark.parametrize("label", [0, 1])
def test_the_image_of_all_patients_stands_beside_it(label: int) -> None:
    cases = cohort()
    value = float(np.mean([case.image.mean() for case in cases if case.label == label]))
    expected = np.mean([probability(fold, label, value) for fold in (0, 1)])
    details = score(ClassConsistency(draws=5), cases, label, two_folds()).details
    assert details["pooled"] == pytest.approx(expected, abs=1e-5)
    one = score(ClassConsistency(draws=5), cases, label, one_model(cases))
    assert one.value == pytest.approx(probability(0, label, value), abs=1e-5)
    assert "pooled" not in one.details


@pytest.mark.parametrize("folded", [True, False])
@pytest.mark.parametrize("label", [0, 1])
def test_interval_and_null_agree_with_a_loop_over_the_draws(label: int, folded: bool) -> None:
    cases, seed, count = cohort(), 3, 60
    folds = two_folds() if folded else one_model(cases)
    measured = score(ClassConsistency(draws=count, seed=seed), cases, label, folds)

    def probabilities(kind, purpose: str) -> list[float]:
        draws = kind(cases, label, folds, count, seed_of(seed, label, "class-consistency", purpose))
        return [judged(cases, patients_of_draw(draws, draw), label, dict(folds.of)) for draw in range(count)]

    again, null = probabilities(resampled, "resampled"), probabilities(shuffled, "shuffled")
    expected = {
        "low": np.percentile(again, 2.5),
        "high": np.percentile(again, 97.5),
        "null_mean": sum(null) / count,
        "null_low": np.percentile(null, 2.5),
        "null_high": np.percentile(null, 97.5),
        "null_predicted": sum(p > 0.5 for p in null) / count,
        "null_p": (1 + sum(p >= measured.value - 1e-6 for p in null)) / (1 + count),
    }
    found = {name: measured.details[name] for name in expected}
    assert found == pytest.approx(expected, abs=1e-5)
    assert 0 < measured.details["null_predicted"] < 1


def test_of_two_patients_the_interval_and_the_null_follow_by_hand() -> None:
    cases = [flat("P1", 1, 0.9, 0), flat("P1", 1, 0.5, 1), flat("P8", 1, 0.1), flat("P9", 0, -0.6)]
    both = score(ClassConsistency(draws=100), cases, 1, one_model(cases)).details
    assert both["low"] == pytest.approx(probability(0, 1, 0.1), abs=1e-5)
    assert both["high"] == pytest.approx(probability(0, 1, 0.7), abs=1e-5)
    alone = score(ClassConsistency(draws=100), cases, 0, one_model(cases))  # one of three is given the label
    own = alone.details["null_predicted"]  # only the true patient looks like class 0
    assert 0.2 < own < 0.5
    assert alone.details["null_p"] == pytest.approx((1 + 100 * own) / 101)
    assert alone.details["null_high"] == pytest.approx(alone.value, abs=1e-5)
    assert "low" not in alone.details  # a single patient has no interval


def test_shuffles_that_are_the_true_labels_count_as_high_as_the_value() -> None:
    cases = [flat("P1", 1, 0.9), flat("P2", 0, -0.9)]
    metric = ClassConsistency(draws=400)
    for label in (0, 1):
        details = score(metric, cases, label, one_model(cases)).details
        assert details["null_p"] == pytest.approx(0.5, abs=0.08)


def test_where_no_fold_has_both_classes_there_is_no_null() -> None:
    cases = [case for case in cohort() if case.label == 1]
    own = {"predicted", "low", "high"}
    assert set(score(ClassConsistency(draws=5), cases, 1, one_model(cases)).details) == own
    apart = Folds(two_folds().classifiers, {case.patient: case.label for case in cohort()})
    assert set(score(ClassConsistency(draws=5), cohort(), 1, apart).details) == own | {"pooled"}


def test_only_cases_of_the_label_are_explained_and_no_image_is_classified_twice() -> None:
    folds, explain = two_folds(), MeanImage()
    score(ClassConsistency(draws=200), cohort(), 1, folds, explain)
    assert all({case.label for case in cases} == {1} for cases in explain.seen)
    # Resamples: one of 3 cohorts in fold 0, of 9 in fold 1; shuffles: 3 and 6; and the patients as they are: 1 and 1.
    forward = [model.passes.forward - 1 for model in folds.classifiers]  # 1 is the image of all patients
    assert forward[0] <= 1 + 3 + 3
    assert forward[1] <= 1 + 9 + 6
    assert sum(forward) == len(explain.seen)


def test_the_order_of_the_cases_changes_nothing_and_another_seed_does() -> None:
    one = score(ClassConsistency(draws=30), cohort(), 1, two_folds())
    other = score(ClassConsistency(draws=30), cohort()[::-1], 1, two_folds())
    assert other.details == pytest.approx(one.details)
    seeded = score(ClassConsistency(draws=30, seed=1), cohort(), 1, two_folds())
    assert seeded.details != pytest.approx(one.details)


def test_no_draws_is_one_sentence() -> None:
    with pytest.raises(XaibenchError, match="give 1 or more"):
        ClassConsistency(draws=0)


# -------------------------------------------------------------------- labels that are noise


def noise_cohort(rng: np.random.Generator) -> list[Case]:
    """Twenty patients whose labels have nothing to do with their images."""
    return [
        case_of(f"P{number:02d}", int(number % 4 == 0), rng.normal(size=(SIZE, SIZE, 1)))
        for number in range(20)
    ]


def trained(cases: list[Case]) -> Linear:
    """A model that has learnt its cases by heart: the difference of the class means."""
    means = [np.mean([case.image for case in cases if case.label == label], axis=0) for label in (0, 1)]
    weights = (means[1] - means[0]).astype(np.float64)
    return Linear(weights, -float((weights * (means[0] + means[1]) / 2).sum()))


def p_of_noise(repeat: int, held_out: bool) -> float:
    """p of class 1 with five folds; or with one model that saw everybody."""
    cases = noise_cohort(np.random.default_rng(repeat))
    fold_of = {case.patient: number // 4 for number, case in enumerate(cases)}
    folds = Folds((trained(cases),), dict.fromkeys(fold_of, 0))
    if held_out:
        models = [trained([case for case in cases if fold_of[case.patient] != fold]) for fold in range(5)]
        folds = Folds(tuple(models), fold_of)
    metric = ClassConsistency(draws=49, seed=repeat)
    return score(metric, cases, 1, folds).details["null_p"]


def test_trap_36_on_noise_p_is_uniform_where_no_patient_judges_a_model_that_saw_them() -> None:
    found = np.array([p_of_noise(repeat, held_out=True) for repeat in range(150)])
    assert kstest(found - 0.01, "uniform").pvalue > 0.05  # p lies on a grid of fiftieths
    low, high = binom.interval(0.99, 150, 0.2)
    assert low <= (found < 0.2).sum() <= high


def test_trap_36_the_test_above_would_see_models_that_know_their_judges() -> None:
    found = np.array([p_of_noise(repeat, held_out=False) for repeat in range(20)])
    assert (found < 0.2).sum() > 15
