"""Measures against plain loops and scikit-learn; intervals and calibration against closed forms."""

import numpy as np
import pytest
from sklearn import metrics as reference

from xaibench.models.scoring import RESAMPLES, calibration, evaluation, measures, patient_scores

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 2, 40)
SCORES = np.round(np.clip(LABELS * 0.2 + RNG.random(40) * 0.8, 0, 1), 1)  # rounded: ties occur


def test_measures_agree_with_scikit_learn() -> None:
    said = SCORES > 0.5
    expected = {
        "accuracy": reference.accuracy_score(LABELS, said),
        "balanced_accuracy": reference.balanced_accuracy_score(LABELS, said),
        "precision": reference.precision_score(LABELS, said),
        "recall": reference.recall_score(LABELS, said),
        "f1": reference.f1_score(LABELS, said),
        "auc": reference.roc_auc_score(LABELS, SCORES),
    }
    found = {name: float(value[0]) for name, value in measures(LABELS, SCORES).items()}
    assert found == pytest.approx(expected)


def test_a_weight_counts_as_so_many_copies() -> None:
    times = RNG.integers(0, 4, 40)
    repeated = measures(LABELS.repeat(times), SCORES.repeat(times))
    weighted = measures(LABELS, SCORES, times[None].astype(float))
    for name, value in repeated.items():
        np.testing.assert_allclose(weighted[name], value)


def test_auc_counts_pairs_and_ties_half() -> None:
    pairs = [(p, n) for p in SCORES[LABELS == 1] for n in SCORES[LABELS == 0]]
    slow = sum(1.0 if p > n else 0.5 if p == n else 0.0 for p, n in pairs) / len(pairs)
    assert measures(LABELS, SCORES)["auc"][0] == pytest.approx(slow)


def test_an_undefined_measure_is_none_and_not_nan() -> None:
    result = evaluation(np.array([0, 0, 1]), np.array([0.1, 0.2, 0.3]), np.arange(3), 0)
    assert result["precision"] == {"value": None, "low": None, "high": None, "interval": "undefined"}
    assert result["recall"]["value"] == 0
    assert result["confusion"] == {"tp": 0, "fp": 0, "fn": 1, "tn": 2}


@pytest.mark.parametrize("how", ["mean", "max"])
def test_a_patient_is_the_mean_or_the_largest_of_the_slices(how: str) -> None:
    owners = np.array([1, 0, 1, 2, 0, 1])
    probabilities = np.random.default_rng(1).random((3, 6))
    found = patient_scores(probabilities, owners, how)
    for row in range(3):
        for patient in range(3):
            values = [float(probabilities[row, i]) for i in range(6) if owners[i] == patient]
            assert found[row, patient] == pytest.approx(
                sum(values) / len(values) if how == "mean" else max(values)
            )


def test_the_interval_of_28_of_28_patients_is_not_a_point() -> None:
    labels = np.array([0] * 21 + [1] * 7)
    result = evaluation(labels, labels.astype(float), np.arange(28), 0)
    assert result["accuracy"]["value"] == 1
    assert result["accuracy"]["low"] == pytest.approx(28 / (28 + 1.959964**2))  # Wilson's bound at n of n
    assert result["accuracy"]["high"] == pytest.approx(1)


def test_the_bootstrap_draws_patients_with_all_their_slices() -> None:
    """Ten slices a patient, all alike: the interval of slices must be that of the patients, not narrower."""
    rng = np.random.default_rng(2)
    labels, scores = rng.integers(0, 2, 30), rng.random(30)
    few = evaluation(labels, scores, np.arange(30), 5)["auc"]
    many = evaluation(labels.repeat(10), scores.repeat(10), np.arange(30).repeat(10), 5)["auc"]
    assert many == pytest.approx(few)


def test_the_bootstrap_is_the_plain_one() -> None:
    rng, units = np.random.default_rng(3), np.arange(40)
    slow = []
    for _ in range(RESAMPLES):
        drawn = rng.integers(0, 40, 40)
        slow.append(float(((SCORES[drawn] > 0.5) & (LABELS[drawn] == 1)).sum() / (LABELS[drawn] == 1).sum()))
    found = evaluation(LABELS.repeat(2), SCORES.repeat(2), units.repeat(2), 0)["recall"]
    np.testing.assert_allclose([found["low"], found["high"]], np.percentile(slow, (2.5, 97.5)), atol=0.03)


def test_calibration_bins_hold_every_sample_once() -> None:
    labels, scores = np.array([0, 1, 1, 1]), np.array([0.0, 0.1, 0.9, 1.0])
    result = calibration(labels, scores)
    assert result["brier"] == pytest.approx((0 + 0.81 + 0.01 + 0) / 4)
    assert [row["n"] for row in result["bins"]] == [2, 2]
    assert result["bins"][0]["observed"] == pytest.approx(0.5)
    assert result["bins"][1]["predicted"] == pytest.approx(0.95)
