"""How good held-out predictions are: measures, 95 % intervals over patients, confusion, calibration."""

from typing import Any

import numpy as np
from jaxtyping import Float, Float64, Int

RESAMPLES = 2000
BINS = 5
MEASURES = ("accuracy", "balanced_accuracy", "precision", "recall", "f1", "auc")
OF_COUNTS = {"accuracy": ("tp tn", "tp tn fp fn"), "precision": ("tp", "tp fp"), "recall": ("tp", "tp fn")}
"""Measures that are a share of patients: their interval is Wilson's, which is not empty at 0 or 1."""


def patient_scores(
    probabilities: Float[np.ndarray, "b n"], owners: Int[np.ndarray, "n"], how: str
) -> Float64[np.ndarray, "b p"]:
    """Probability of the finding for each patient: the mean, or the largest, over the patient's slices."""
    patients = int(owners.max()) + 1
    member = owners == np.arange(patients)[:, None]  # [p n]
    if how == "max":
        return np.stack([probabilities[:, rows].max(axis=1) for rows in member], axis=1).astype(np.float64)
    return np.asarray(probabilities @ (member / member.sum(axis=1, keepdims=True)).T, np.float64)


def measures(
    labels: Int[np.ndarray, "n"],
    scores: Float[np.ndarray, "n"],
    weights: Float[np.ndarray, "r n"] | None = None,
) -> dict[str, Float64[np.ndarray, "r"]]:
    """Each of MEASURES for r weightings of the samples (by default one, all alike); NaN where undefined.

    A sample is called positive if its score is above 0.5. AUC is the chance that a positive scores above a
    negative, ties counting half (Hanley and McNeil 1982).
    """
    weights = np.ones((1, len(labels))) if weights is None else weights
    counts = _counts(labels, scores, weights)
    tp, fp, fn, tn = (counts[name] for name in ("tp", "fp", "fn", "tn"))
    recall, specificity = _ratio(tp, tp + fn), _ratio(tn, tn + fp)
    return {
        "accuracy": _ratio(tp + tn, tp + tn + fp + fn),
        "balanced_accuracy": (recall + specificity) / 2,
        "precision": _ratio(tp, tp + fp),
        "recall": recall,
        "f1": _ratio(2 * tp, 2 * tp + fp + fn),
        "auc": _auc(labels, scores, weights),
    }


def evaluation(
    labels: Int[np.ndarray, "n"],
    scores: Float[np.ndarray, "n"],
    units: Int[np.ndarray, "n"],
    seed: int,
) -> dict[str, Any]:
    """Measures with intervals, confusion and calibration, ready for JSON; None stands for undefined.

    `units` are the patients: the bootstrap draws patients, with all their slices. Intervals are percentiles
    of the resamples in which the measure is defined; shares of patients have Wilson's interval instead.
    """
    values = measures(labels, scores)
    drawn = measures(labels, scores, _resamples(units, seed))
    counts = _counts(labels, scores, np.ones((1, len(labels))))
    one_a_patient = len(set(units.tolist())) == len(units)
    result: dict[str, Any] = {"n": len(labels), "patients": len(set(units.tolist()))}
    for name in MEASURES:
        share = one_a_patient and name in OF_COUNTS
        interval = _wilson(name, counts) if share else _percentiles(drawn[name])
        result[name] = {"value": _number(float(values[name][0])), **interval}
    result["confusion"] = {name: int(count[0]) for name, count in counts.items()}
    result["calibration"] = calibration(labels, scores)
    return result


def calibration(labels: Int[np.ndarray, "n"], scores: Float[np.ndarray, "n"]) -> dict[str, Any]:
    """Brier score (mean squared error of the probability) and reliability in bins of equal width."""
    bins = np.minimum((scores * BINS).astype(int), BINS - 1)
    rows = []
    for number in np.unique(bins):
        inside = bins == number
        rows.append(
            {
                "from": number / BINS,
                "to": (number + 1) / BINS,
                "n": int(inside.sum()),
                "predicted": float(scores[inside].mean()),
                "observed": float(labels[inside].mean()),
            }
        )
    return {"brier": float(np.mean((scores - labels) ** 2)), "bins": rows}


def _counts(
    labels: np.ndarray, scores: np.ndarray, weights: np.ndarray
) -> dict[str, Float64[np.ndarray, "r"]]:
    said, true = scores > 0.5, labels == 1
    groups = {"tp": said & true, "fp": said & ~true, "fn": ~said & true, "tn": ~said & ~true}
    return {name: np.asarray(weights @ group.astype(np.float64)) for name, group in groups.items()}


def _auc(labels: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    positive, negative = np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)
    difference = scores[positive, None] - scores[None, negative]
    wins = (difference > 0) + 0.5 * (difference == 0)
    up, down = weights[:, positive], weights[:, negative]
    return _ratio(((up @ wins) * down).sum(axis=1), up.sum(axis=1) * down.sum(axis=1))


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.asarray(np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0))


def _resamples(units: np.ndarray, seed: int) -> Float64[np.ndarray, "r n"]:
    """How often each sample's patient is drawn, in each of the resamples."""
    names, owners = np.unique(units, return_inverse=True)
    rng = np.random.default_rng(seed)
    times = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=RESAMPLES)
    return np.asarray(times[:, owners], np.float64)


def _percentiles(drawn: np.ndarray) -> dict[str, Any]:
    defined = drawn[np.isfinite(drawn)]
    if not len(defined):
        return {"low": None, "high": None, "interval": "undefined"}
    low, high = np.percentile(defined, (2.5, 97.5))
    if low == high:
        return {"low": None, "high": None, "interval": "none: every drawn cohort gives the same"}
    return {"low": float(low), "high": float(high), "interval": "bootstrap over patients"}


def _wilson(name: str, counts: dict[str, np.ndarray]) -> dict[str, Any]:
    from scipy.stats import binomtest

    right, of = (sum(int(counts[part][0]) for part in parts.split()) for parts in OF_COUNTS[name])
    if not of:
        return {"low": None, "high": None, "interval": "undefined"}
    found = binomtest(right, of).proportion_ci(method="wilson")
    return {"low": float(found.low), "high": float(found.high), "interval": "Wilson"}


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None
