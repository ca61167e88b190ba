"""Every cell of scores.csv holds a number or a reason, and depends on the records alone."""

import csv
import io
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.reports.made_up import METHODS, METRICS, info_of
from xaibench.api import Record, Status, seed_of
from xaibench.harness.store.folder import RunFolder
from xaibench.reports import write_reports
from xaibench.reports.pages.tables import scores_csv
from xaibench.reports.scoring.scores import Outcome, scores_of
from xaibench.reports.scoring.statistics import estimate

COLUMNS = "method,metric,family,status,mean,ci_low,ci_high,n_patients,n_cases,n_failed,reason"


def records_of(metric: str, values: list[float | None], method: str = "lime") -> list[Record]:
    """One case a patient; None is a failed one."""
    return [
        Record(f"P{i}-s0", f"P{i}", method, metric, Status.FAILED, reason="ValueError: no")
        if value is None
        else Record(f"P{i}-s0", f"P{i}", method, metric, Status.OK, value)
        for i, value in enumerate(values)
    ]


def rows_of(folder: RunFolder) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((folder.path / "scores.csv").read_text())))


def test_every_method_and_metric_has_a_row(folder: RunFolder) -> None:
    rows = rows_of(folder)
    assert ",".join(rows[0]) == COLUMNS
    pairs = [(row["method"], row["metric"]) for row in rows]
    assert len(pairs) == len(set(pairs))
    assert {(method, metric) for method in METHODS for metric in METRICS} <= set(pairs)


def test_no_cell_is_empty_or_read_as_nan_by_pandas(folder: RunFolder) -> None:
    for name in ("scores.csv", "leaderboard.csv"):
        table = pd.read_csv(folder.path / name)
        assert not table.isna().any().any(), name


def test_a_row_has_an_interval_or_a_reason(folder: RunFolder) -> None:
    for row in rows_of(folder):
        whole = row["status"] == "measured" and "-" not in (row["ci_low"], row["ci_high"])
        assert whole or row["reason"] != "measured", row
        assert row["mean"] == "-" if row["n_cases"] == "0" else row["mean"] != "-", row


def test_mean_and_interval_are_those_of_the_patients(folder: RunFolder) -> None:
    values = [r.value for r in folder.records() if (r.method, r.metric) == ("grad-cam", "deletion-auc")]
    expected = estimate(np.array(values), seed_of("bootstrap", "grad-cam", "deletion-auc"))
    row = next(r for r in rows_of(folder) if (r["method"], r["metric"]) == ("grad-cam", "deletion-auc"))
    found = [float(row[name]) for name in ("mean", "ci_low", "ci_high")]
    assert found == pytest.approx([expected.mean, expected.low, expected.high], rel=1e-5)
    assert (row["n_patients"], row["n_cases"], row["n_failed"]) == ("8", "8", "0")


def test_same_records_in_any_order_give_the_same_bytes(folder: RunFolder, tmp_path: Path) -> None:
    records = folder.records()
    random.Random(0).shuffle(records)
    other = RunFolder(tmp_path / "other")
    other.begin(folder.info())
    for case, target in reversed(folder.cases().values()):
        other.save_case(case, target)
    for record in records:
        other.append([record])
    write_reports(other)
    other.close()
    for name in ("scores.csv", "leaderboard.csv", "leaderboard.md"):
        assert (other.path / name).read_bytes() == (folder.path / name).read_bytes()


def test_a_score_does_not_depend_on_the_order_of_the_records() -> None:
    records = records_of("latency", [0.1 * i for i in range(9)])
    info = info_of({"lime": "perturbation"}, ["latency"], 9)
    assert scores_csv(scores_of(info, records)) == scores_csv(scores_of(info, records[::-1]))


def test_partly_failed_cell_is_incomplete_with_counts_and_the_first_reason() -> None:
    info = info_of({"lime": "perturbation"}, ["deletion-auc"], 4)
    score = scores_of(info, records_of("deletion-auc", [0.5, None, 0.7, None]))["lime", "deletion-auc"]
    assert (score.status, score.n_cases, score.n_failed) == (Outcome.INCOMPLETE, 2, 2)
    assert score.mean == pytest.approx(0.6)
    assert score.reason == "2 of 4 cases failed: ValueError: no"


def test_wholly_failed_cell_has_no_number() -> None:
    info = info_of({"lime": "perturbation"}, ["deletion-auc"], 2)
    score = scores_of(info, records_of("deletion-auc", [None, None]))["lime", "deletion-auc"]
    assert (score.status, score.mean, score.n_failed) == (Outcome.FAILED, None, 2)


def test_cases_that_were_never_computed_make_a_cell_incomplete_or_missing() -> None:
    info = info_of({"lime": "perturbation", "rise": "perturbation"}, ["deletion-auc"], 3)
    scores = scores_of(info, records_of("deletion-auc", [0.5]))
    assert scores["lime", "deletion-auc"].status is Outcome.INCOMPLETE
    assert scores["rise", "deletion-auc"].status is Outcome.MISSING
    assert scores["rise", "deletion-auc"].reason == "3 of 3 cases not computed"


def test_one_patient_has_no_interval_and_says_why() -> None:
    info = info_of({"lime": "perturbation"}, ["deletion-auc"], 1)
    score = scores_of(info, records_of("deletion-auc", [0.5]))["lime", "deletion-auc"]
    assert (score.status, score.low, score.reason) == (
        Outcome.MEASURED,
        None,
        "one patient: no interval over patients",
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None])
def test_a_value_that_is_not_finite_counts_as_failed(value: float | None) -> None:
    records = [replace(records_of("deletion-auc", [0.5])[0], value=value)]
    score = scores_of(info_of({"lime": "cam"}, ["deletion-auc"], 1), records)["lime", "deletion-auc"]
    assert score.status is Outcome.FAILED
    assert score.reason == "1 of 1 cases failed: no finite number and no reason were recorded"


def test_cases_that_do_not_apply_leave_the_others_measured(folder: RunFolder) -> None:
    row = next(r for r in rows_of(folder) if (r["method"], r["metric"]) == ("lime", "enrichment"))
    assert (row["status"], row["n_cases"]) == ("measured", "7")
    assert row["reason"] == "1 of 8 cases not applicable: the case has no annotated region"


def test_details_have_rows_of_their_own() -> None:
    records = [
        replace(r, details={"normalised": (r.value or 0) / 2, "odd": 1.0} if i else {"normalised": 0.0})
        for i, r in enumerate(records_of("deletion-auc", [0.0, 0.4, 0.8]))
    ]
    scores = scores_of(info_of({"lime": "perturbation"}, ["deletion-auc"], 3), records)
    assert scores["lime", "deletion-auc.normalised"].mean == pytest.approx(0.2)
    odd = scores["lime", "deletion-auc.odd"]
    assert (odd.mean, odd.n_cases) == (1.0, 2)
    assert odd.reason == "1 of 3 cases not applicable: this figure has no finite value here"


def test_latency_has_its_median_and_95th_percentile_over_cases() -> None:
    records = records_of("latency", [float(v) for v in range(101)])
    scores = scores_of(info_of({"lime": "perturbation"}, ["latency"], 101), records)
    assert scores["lime", "latency.median"].mean == 50
    assert scores["lime", "latency.p95"].mean == 95
    assert scores["lime", "latency.p95"].low is None


def test_figures_of_the_cohort_have_no_interval() -> None:
    records = [Record("cohort", "cohort", "lime", "throughput", Status.OK, 12.5)]
    records += [
        Record(f"class {name}", "cohort", "lime", "class-consistency", Status.OK, value)
        for name, value in (("a", 0.5), ("b", 1.0))
    ]
    info = info_of({"lime": "perturbation"}, ["throughput", "class-consistency"], 4)
    scores = scores_of(info, records)
    assert (scores["lime", "throughput"].mean, scores["lime", "throughput"].low) == (12.5, None)
    assert (scores["lime", "class-consistency"].mean, scores["lime", "class-consistency"].high) == (
        0.75,
        None,
    )
    assert all(score.reason != "measured" for score in scores.values())


def test_numbers_have_six_significant_digits_and_no_negative_zero() -> None:
    info = info_of({"lime": "perturbation"}, ["deletion-auc"], 1)
    for value, text in ((1 / 3, "0.333333"), (-0.0, "0"), (12345678.0, "1.23457e+07")):
        row = scores_csv(scores_of(info, records_of("deletion-auc", [value]))).splitlines()[1]
        assert row.split(",")[4] == text
