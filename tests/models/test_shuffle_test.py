"""The p-value, the permutations, and going on after a kill."""

from pathlib import Path

import numpy as np
import pytest

from xaibench.api import Silent
from xaibench.models.learning import Keep, Labellings, Outcome
from xaibench.models.shuffle_test import (
    append_rows,
    p_value,
    permuted,
    read_rows,
    shuffle_test,
    statistics_of,
    summary,
)

LABELS = np.array([0] * 12 + [1] * 6)
OWNERS = np.arange(18).repeat(2)


class Oracle:
    """Says of each patient a fixed score, whatever the labels; counts the labellings it was given."""

    together = 4

    def __init__(self) -> None:
        self.asked: list[np.ndarray] = []

    def __call__(self, labels: Labellings, folds: Labellings, keep: Keep | None = None) -> Outcome:
        assert labels.shape == folds.shape
        self.asked += list(labels)
        fixed = np.random.default_rng(0).random(len(OWNERS)).astype(np.float32)
        return Outcome(np.tile(fixed, (len(labels), 1)), [])


def run(oracle: Oracle, file: Path, permutations: int) -> list[dict[str, float]]:
    return shuffle_test(
        oracle,
        LABELS,
        OWNERS,
        folds=3,
        permutations=permutations,
        seed=0,
        how="mean",
        file=file,
        progress=Silent(),
    )


def test_p_counts_permutations_at_least_as_good() -> None:
    null = [0.5, 0.7, 0.9, 0.9, 1.0]
    at_least = 0
    for value in null:
        if value >= 0.9:
            at_least += 1
    assert p_value(0.9, null) == (1 + at_least) / (1 + len(null)) == 4 / 6
    assert p_value(1.1, null) == 1 / 6
    assert p_value(0.0, null) == 1.0
    assert p_value(0.3, []) == 1.0


def test_an_accuracy_that_ties_but_for_rounding_counts() -> None:
    assert p_value(0.1 + 0.2, [0.3]) == 1.0


def test_p_is_never_below_one_over_n_plus_one_and_uniform_under_the_null() -> None:
    rng = np.random.default_rng(0)
    found = [p_value(draws[0], draws[1:].tolist()) for draws in rng.random((2000, 20))]
    assert min(found) >= 1 / 20
    assert np.mean(np.array(found) <= 0.1) == pytest.approx(0.1, abs=0.02)


def test_permutations_keep_the_classes_and_depend_on_their_number_and_seed() -> None:
    shuffled = [permuted(LABELS, number, 0) for number in range(20)]
    assert {tuple(row) for row in map(sorted, shuffled)} == {tuple(LABELS)}
    assert len({tuple(row) for row in shuffled}) > 15
    np.testing.assert_array_equal(shuffled[3], permuted(LABELS, 3, 0))
    assert (permuted(LABELS, 3, 1) != shuffled[3]).any()


def test_more_permutations_add_to_those_that_are_there(tmp_path: Path) -> None:
    file = tmp_path / "p.jsonl"
    first, second, fresh = Oracle(), Oracle(), Oracle()
    few = run(first, file, 7)
    more = run(second, file, 30)
    assert len(first.asked) == 7
    assert len(second.asked) == 23
    assert more[:7] == few
    assert more == run(fresh, tmp_path / "q.jsonl", 30)
    assert run(Oracle(), file, 5) == few[:5]


def test_a_line_torn_by_a_kill_is_computed_again(tmp_path: Path) -> None:
    file = tmp_path / "p.jsonl"
    whole = run(Oracle(), file, 5)
    text = file.read_text()
    file.write_text(text[:-20])
    assert sorted(read_rows(file)) == [0, 1, 2, 3]
    again = Oracle()
    assert run(again, file, 5) == whole
    assert len(again.asked) == 1
    assert file.read_text() == text


def test_rows_are_read_back(tmp_path: Path) -> None:
    file = tmp_path / "p.jsonl"
    append_rows(file, [{"permutation": 2.0, "accuracy": 0.5}])
    assert read_rows(file) == {2: {"permutation": 2.0, "accuracy": 0.5}}
    assert read_rows(tmp_path / "none.jsonl") == {}


def test_statistics_are_of_the_patients() -> None:
    scores = np.where(LABELS == 1, 0.9, 0.1)
    scores[0] = 0.8
    found = statistics_of(LABELS, scores)
    assert found == {"accuracy": 17 / 18, "balanced_accuracy": (1 + 11 / 12) / 2, "auc": 1.0}


def test_the_summary_holds_the_null_for_a_histogram(tmp_path: Path) -> None:
    rows = run(Oracle(), tmp_path / "p.jsonl", 9)
    observed = {"accuracy": 2.0, "balanced_accuracy": 2.0, "auc": 2.0}
    found = summary(observed, rows)
    entry = found["accuracy"]
    assert isinstance(entry, dict)
    assert entry["p"] == 0.1
    assert entry["null"] == [row["accuracy"] for row in rows]
    assert summary(observed, []) == {"permutations": 0, "headline": "accuracy"}
