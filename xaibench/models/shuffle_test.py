"""Shuffle test: whether the cross-validated result is better than with shuffled labels.

Each permutation repeats the whole cross-validation, folds stratified by the shuffled labels as the true run's
are by the true ones; the p-value is then exact whatever the classifier (Ojala and Garriga 2010, test 1).
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float64, Int

from xaibench.api import Progress, seed_of
from xaibench.models.folds import stratified_folds
from xaibench.models.learning import Learner
from xaibench.models.scoring import measures, patient_scores

STATISTICS = ("accuracy", "balanced_accuracy", "auc")
"""Of patients; the p-value of the first is the headline, as in the paper."""
Row = dict[str, float]


def permuted(labels: Int[np.ndarray, "p"], number: int, seed: int) -> Int[np.ndarray, "p"]:
    """Labels shuffled over the patients; a permutation is the same however many are asked for."""
    return np.random.default_rng(seed_of(seed, "permutation", number)).permutation(labels)


def statistics_of(labels: Int[np.ndarray, "p"], scores: Float64[np.ndarray, "p"]) -> dict[str, float]:
    """Figures of one labelling that the test compares."""
    found = measures(labels, scores)
    return {name: float(found[name][0]) for name in STATISTICS}


def p_value(observed: float, null: Sequence[float]) -> float:
    """(1 + permutations at least as good) / (1 + permutations) (Phipson and Smyth 2010, eq. 2)."""
    return (1 + sum(value >= observed - 1e-9 for value in null)) / (1 + len(null))


def shuffle_test(
    learner: Learner,
    labels: Int[np.ndarray, "p"],
    owners: Int[np.ndarray, "n"],
    *,
    folds: int,
    permutations: int,
    seed: int,
    how: str,
    file: Path,
    progress: Progress,
) -> list[Row]:
    """Run the missing permutations, appending each to `file` as it is done; returns the first `permutations`."""
    done = read_rows(file)
    missing = [number for number in range(permutations) if number not in done]
    size = learner.together
    chunks = [missing[start : start + size] for start in range(0, len(missing), size)]
    for chunk in progress.track(chunks, "shuffle test"):
        shuffled = np.stack([permuted(labels, number, seed) for number in chunk])
        split = np.stack([stratified_folds(row, folds, seed) for row in shuffled])
        scores = patient_scores(learner(shuffled, split).probabilities, owners, how)
        rows = [
            {"permutation": float(number), **statistics_of(row, row_scores)}
            for number, row, row_scores in zip(chunk, shuffled, scores, strict=True)
        ]
        append_rows(file, rows)
        done |= {int(row["permutation"]): row for row in rows}
    return [done[number] for number in range(permutations)]


def summary(observed: dict[str, float], rows: Sequence[Row]) -> dict[str, object]:
    """p-value and null of each statistic, ready for JSON."""
    result: dict[str, object] = {"permutations": len(rows), "headline": STATISTICS[0]}
    for name in STATISTICS if rows else ():
        null = [row[name] for row in rows]
        result[name] = {
            "observed": observed[name],
            "p": p_value(observed[name], null),
            "null_mean": float(np.mean(null)),
            "null_sd": float(np.std(null)),
            "null_max": max(null),
            "null": null,
        }
    return result


def read_rows(file: Path) -> dict[int, Row]:
    """Permutations of a file by number; a last line that a killed process left unfinished does not count."""
    text = file.read_text() if file.is_file() else ""
    rows = [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
    return {int(row["permutation"]): row for row in rows}


def append_rows(file: Path, rows: Sequence[Row]) -> None:
    """Append rows, after removing a torn last line."""
    if file.is_file():
        whole = file.read_bytes()
        keep = whole.rfind(b"\n") + 1
        if keep < len(whole):
            with file.open("r+b") as torn:
                torn.truncate(keep)
    with file.open("a") as out:
        out.writelines(json.dumps(row) + "\n" for row in rows)
