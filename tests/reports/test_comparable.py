"""Which explainers are ranked over what: one missing cell removes neither a metric nor a family."""

from dataclasses import replace

import numpy as np
import pytest

from tests.reports.made_up import info_of
from tests.reports.records import Values, records_of, results_of
from xaibench.api import Status
from xaibench.harness import registry
from xaibench.reports.scoring import comparable as module
from xaibench.reports.scoring.comparable import Comparable, comparable
from xaibench.reports.scoring.leaderboard import ranked_metrics
from xaibench.reports.scoring.scores import cells_of
from xaibench.reports.scoring.values import case_values, patient_values
from xaibench.validation.shipped import failed_metrics


def who(values: Values) -> Comparable:
    return results_of(values).comparable


def column(patients: int, missing: int = 0) -> list[float | None]:
    return [None] * missing + [0.1 * n for n in range(patients - missing)]


def test_trap_32_a_method_that_misses_a_tenth_is_ranked_over_the_cases_that_all_have() -> None:
    run = results_of({"a": {"morf-lerf": column(20, 2)}, "b": {"morf-lerf": column(20)}})
    assert run.comparable.complete == ("a", "b")
    (metric,) = ranked_metrics(run.info, run.cells, run.comparable)
    assert metric.patients == tuple(f"P{n:03d}" for n in range(2, 20))
    assert np.isfinite(metric.values).all()


def test_a_method_that_misses_more_is_shown_and_not_ranked() -> None:
    found = who(
        {"a": {"morf-lerf": column(20, 3)}, "b": {"morf-lerf": column(20)}, "c": {"morf-lerf": column(20)}}
    )
    assert found.complete == ("b", "c")
    assert found.gaps == {"a": "misses 15 % of the cases of morf-lerf"}
    assert found.metrics == ("morf-lerf",)


def test_a_case_that_half_of_the_methods_measured_is_missed_by_the_others() -> None:
    found = who({"a": {"morf-lerf": column(20, 3)}, "b": {"morf-lerf": column(20)}})
    assert found.complete == ("b",)


def test_metrics_without_a_complete_explainer_are_left_out_with_the_reason() -> None:
    one = {"morf-lerf": column(20), "sensitivity-norm": column(20, 3)}
    other = {"morf-lerf": column(20, 3), "sensitivity-norm": column(20)}
    found = who({"a": one, "b": other})
    assert (found.complete, found.metrics) == ((), ())
    reason = "no case was measured for every complete explainer"
    assert found.left_out == {"morf-lerf": reason, "sensitivity-norm": reason}


def test_trap_32_one_method_without_a_metric_removes_it_from_nobody_else() -> None:
    values = {name: {"morf-lerf": column(10), "sensitivity-norm": column(10)} for name in "abc"}
    values["d"] = {"morf-lerf": column(10), "sensitivity-norm": column(10, 10)}
    found = who(values)
    assert found.metrics == ("morf-lerf", "sensitivity-norm")
    assert found.complete == ("a", "b", "c")
    assert found.explainers["morf-lerf"] == ("a", "b", "c", "d"), "d is compared where it was measured"


def test_a_metric_that_most_methods_lack_counts_for_nobody() -> None:
    values = {name: {"morf-lerf": column(10), "sensitivity-norm": column(10, 10)} for name in "abc"}
    values["d"] = {"morf-lerf": column(10), "sensitivity-norm": column(10)}
    found = who(values)
    assert found.complete == ("a", "b", "c", "d")
    assert found.left_out == {"sensitivity-norm": "measured for d only"}


def test_cases_in_which_a_metric_has_no_meaning_are_missed_by_nobody() -> None:
    info = info_of({"a": "cam", "b": "cam"}, ["morf-lerf"], 10)
    records = [r for name in "ab" for r in records_of("morf-lerf", column(10), name)]
    records = [
        replace(r, status=Status.NOT_APPLICABLE, value=None) if r.patient < "P007" else r for r in records
    ]
    assert comparable(info, cells_of(records)).complete == ("a", "b")


def test_cost_and_what_stands_beside_a_ranked_metric_never_count() -> None:
    row = {"morf-lerf": column(4), "deletion-auc": column(4), "latency": column(4)}
    found = who({"a": row, "b": row})
    assert found.metrics == ("morf-lerf",)
    assert found.left_out == {
        "deletion-auc": "shown beside the ranked metric of the same fact",
        "latency": "cost is an axis of its own",
    }


def test_controls_are_no_competitors() -> None:
    found = who({"a": {"morf-lerf": column(4)}, "random": {"morf-lerf": column(4, 2)}})
    assert found.complete == ("a",)
    assert not found.gaps


def test_values_are_those_of_the_measured_members() -> None:
    records = records_of("morf-lerf", [0.2, np.inf, 0.4], "a", gain=[0.1, 0.3, 0.2])
    cells, members = cells_of(records), {record.case for record in records[:2]}
    assert case_values(cells, "morf-lerf", ["a"], members=members)["a"].tolist() == [0.2]
    assert case_values(cells, "morf-lerf", ["a"], "gain", members)["a"].tolist() == [0.1]
    assert case_values(cells, "morf-lerf", ["a"])["a"].tolist() == [0.2, 0.4]


def test_methods_are_compared_over_the_same_cases_of_a_patient() -> None:
    first, second = records_of("morf-lerf", [0.2], "a"), records_of("morf-lerf", [0.4], "b")
    more = replace(first[0], case="P000-s99", value=0.8)
    values = patient_values(cells_of([*first, *second, more]), "morf-lerf", ["a", "b"])
    assert values["a"].tolist() == pytest.approx([0.5])
    assert values["b"].isna().tolist() == [True]


def test_a_metric_that_failed_its_validation_is_shown_and_not_ranked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "failed_metrics", lambda package: {"morf-lerf"})
    row = {"morf-lerf": column(4), "sensitivity-norm": column(4)}
    found = who({"a": row, "b": row})
    assert found.metrics == ("sensitivity-norm",)
    assert found.left_out == {"morf-lerf": "could not tell truth from no knowledge (docs/validation.md)"}


def test_only_the_own_metrics_have_been_validated() -> None:
    assert failed_metrics("somebody-elses 1.0") == frozenset()
    ranked = {plugin.name for plugin in registry.load_all("metrics")[0] if plugin.facts.ranked}
    assert not failed_metrics("xaibench 0.2.0") & ranked
