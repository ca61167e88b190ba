"""Every cell of scores.csv holds a number or a reason, and depends on the records alone."""

import math
from dataclasses import replace
from statistics import fmean, median

import numpy as np
import pytest

from tests.reports.made_up import CLASSES, METHODS, METRICS, case_info, info_of
from tests.reports.records import records_of
from xaibench.api import Record, Status
from xaibench.harness.store.folder import RunFolder
from xaibench.harness.store.run_info import RunInfo
from xaibench.reports.scoring.cell import Outcome
from xaibench.reports.scoring.families import metrics_by_family
from xaibench.reports.scoring.groups import ALL, Group, groups_of
from xaibench.reports.scoring.intervals import estimate
from xaibench.reports.scoring.results import read
from xaibench.reports.scoring.scores import Scores, cells_of, scores_of

LIME = {"lime": "perturbation"}


def pooled(info: RunInfo, records: list[Record]) -> Scores:
    return scores_of(info, cells_of(records))[ALL]


def test_every_method_and_metric_has_a_score(folder: RunFolder) -> None:
    assert {(method, metric) for method in METHODS for metric in METRICS} <= set(read(folder).scores)


def test_a_score_has_an_interval_or_a_reason(folder: RunFolder) -> None:
    for scores in read(folder).by_group.values():
        for score in scores.values():
            complete = score.status is Outcome.MEASURED and None not in (score.low, score.high)
            assert complete or score.reason != "measured", score
            assert (score.value is None) == (score.n_cases == 0), score


@pytest.mark.parametrize(("metric", "average"), [("deletion-auc", fmean), ("sensitivity-norm", median)])
def test_trap_31_patients_are_pooled_as_the_metric_declares(metric: str, average: object) -> None:
    values = [0.1, 0.2, 0.9, 0.4, 0.3, 0.35, 0.8]
    score = pooled(info_of(LIME, [metric], 7), list(records_of(metric, values)))["lime", metric]
    assert callable(average)
    assert score.value == pytest.approx(average(values))
    facts = info_of(LIME, [metric], 7).metrics[metric]
    expected = estimate(np.array(values), facts.aggregate, facts.bounds)
    assert (score.low, score.high) == (expected.low, expected.high)
    assert score.aggregate == facts.aggregate


def test_trap_34_a_share_of_all_patients_has_an_interval_with_a_width() -> None:
    score = pooled(info_of(LIME, ["pointing-game"], 4), records_of("pointing-game", [1.0] * 4))
    found = score["lime", "pointing-game"]
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low is not None
    assert found.low == pytest.approx(0.025 ** (1 / 4)), "Clopper and Pearson 1934, closed form for n of n"


def test_cases_of_a_patient_count_as_one() -> None:
    cases = [case_info(0), case_info(0).model_copy(update={"id": "P000-s99"}), case_info(1)]
    records = [
        Record(case.id, case.patient, "lime", "deletion-auc", Status.OK, value=value)
        for case, value in zip(cases, (0.0, 0.2, 0.9), strict=True)
    ]
    score = pooled(info_of(LIME, ["deletion-auc"], cases), records)["lime", "deletion-auc"]
    assert score.value == pytest.approx((0.1 + 0.9) / 2)
    assert (score.n_patients, score.n_cases) == (2, 3)


def test_a_partly_failed_cell_is_incomplete_with_counts_and_the_first_reason() -> None:
    records = records_of("deletion-auc", [0.5, None, 0.7, None])
    score = pooled(info_of(LIME, ["deletion-auc"], 4), records)["lime", "deletion-auc"]
    assert (score.status, score.n_cases, score.n_failed) == (Outcome.INCOMPLETE, 2, 2)
    assert score.value == pytest.approx(0.6)
    assert score.reason == "2 of 4 cases failed: ValueError: no"


def test_a_failed_cell_has_no_number() -> None:
    score = pooled(info_of(LIME, ["deletion-auc"], 2), records_of("deletion-auc", [None, None]))
    found = score["lime", "deletion-auc"]
    assert (found.status, found.value, found.n_failed) == (Outcome.FAILED, None, 2)


def test_cases_that_were_never_computed_make_a_cell_incomplete_or_missing() -> None:
    info = info_of({"lime": "perturbation", "rise": "perturbation"}, ["deletion-auc"], 3)
    scores = pooled(info, records_of("deletion-auc", [0.5]))
    assert scores["lime", "deletion-auc"].status is Outcome.INCOMPLETE
    assert scores["rise", "deletion-auc"].status is Outcome.MISSING
    assert scores["rise", "deletion-auc"].reason.startswith("3 of 3 cases not computed")


def test_a_capped_metric_misses_only_the_patients_it_was_to_be_computed_for() -> None:
    info = info_of(LIME, ["deletion-auc"], 5)
    capped = info.metrics["deletion-auc"].model_copy(update={"at_most_patients": 2})
    info = info.model_copy(update={"metrics": {"deletion-auc": capped}})
    score = pooled(info, records_of("deletion-auc", [0.5, 0.6]))["lime", "deletion-auc"]
    assert score.status is Outcome.MEASURED


def test_cases_that_do_not_apply_leave_a_cell_measured() -> None:
    records = records_of("deletion-auc", [0.5, 0.4, None])
    records[2] = replace(
        records[2], status=Status.NOT_APPLICABLE, reason="there is no evidence to remove: 0.9"
    )
    score = pooled(info_of(LIME, ["deletion-auc"], 3), records)["lime", "deletion-auc"]
    assert (score.status, score.n_patients) == (Outcome.MEASURED, 2)
    assert score.reason == "1 of 3 cases not applicable: there is no evidence to remove: 0.9"


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_number_that_is_not_finite_counts_as_failed(value: float) -> None:
    score = pooled(info_of(LIME, ["latency"], 2), records_of("latency", [value, 1.0]))["lime", "latency"]
    assert (score.n_failed, score.value) == (1, 1.0)


def test_figures_beside_the_value_are_scored_too() -> None:
    records = records_of("deletion-auc", [0.5, 0.7], gain=[0.1, 0.3])
    score = pooled(info_of(LIME, ["deletion-auc"], 2), records)["lime", "deletion-auc.gain"]
    assert score.value == pytest.approx(0.2)
    assert score.low is not None


def test_a_figure_beside_the_value_that_is_no_finite_number_does_not_apply() -> None:
    records = records_of("deletion-auc", [0.5, 0.7, 0.6], gain=[0.1, math.inf, 0.3])
    records[2] = replace(records[2], details={})
    score = pooled(info_of(LIME, ["deletion-auc"], 3), records)["lime", "deletion-auc.gain"]
    assert (score.value, score.n_cases, score.n_failed, score.status) == (0.1, 1, 0, Outcome.MEASURED)
    assert score.reason.startswith("2 of 3 cases not applicable: this figure has no finite value here")


def test_a_gain_may_be_negative_whatever_the_range_of_its_metric() -> None:
    records = records_of("deletion-auc", [0.5, 0.7, 0.6], gain=[-0.3, -0.2, -0.25])
    score = pooled(info_of(LIME, ["deletion-auc"], 3), records)["lime", "deletion-auc.gain"]
    assert score.low is not None
    assert score.low < -0.25 < (score.high or 0)


def test_the_95th_percentile_of_a_time_is_over_cases() -> None:
    records = records_of("latency", [float(i) for i in range(101)])
    scores = pooled(info_of(LIME, ["latency"], 101), records)
    assert (scores["lime", "latency"].value, scores["lime", "latency.p95"].value) == (50, 95)
    assert scores["lime", "latency.p95"].low is None


def test_a_time_that_was_never_measured_has_no_percentile() -> None:
    scores = pooled(info_of(LIME, ["latency"], 2), records_of("latency", [None, None]))
    assert [key for key in scores if key[1].startswith("latency")] == [("lime", "latency")]


def test_a_figure_of_the_batch_that_was_not_computed_is_missing_and_one_that_was_is_complete() -> None:
    info = info_of({"lime": "perturbation", "rise": "perturbation"}, ["throughput"], 4)
    records = [Record(batch, "cohort", "lime", "throughput", Status.OK, value=1.0) for batch in "ab"]
    scores = pooled(info, records)
    assert (scores["lime", "throughput"].status, scores["lime", "throughput"].n_cases) == (
        Outcome.MEASURED,
        2,
    )
    assert scores["rise", "throughput"].status is Outcome.MISSING
    assert scores["rise", "throughput"].reason.startswith("1 of 1 figures of the batch not computed")
    failed = [replace(record, status=Status.FAILED, value=None, reason="no") for record in records]
    assert pooled(info, failed)["lime", "throughput"].reason == "2 of 2 figures of the batch failed: no"


def test_metrics_are_listed_by_family_in_the_order_of_the_families_and_those_of_plugins_behind() -> None:
    info = info_of(LIME, ["latency", "gini", "morf-lerf", "deletion-auc"], 1)
    of_plugin = info.metrics["gini"].model_copy(update={"family": "a family of a plugin"})
    info = info.model_copy(update={"metrics": {**info.metrics, "mine": of_plugin}})
    assert list(metrics_by_family(info).items()) == [
        ("faithfulness", ["deletion-auc", "morf-lerf"]),
        ("complexity", ["gini"]),
        ("cost", ["latency"]),
        ("a family of a plugin", ["mine"]),
    ]


def test_figures_of_several_cases_have_no_interval() -> None:
    records = [Record("cohort", "cohort", "lime", "throughput", Status.OK, value=12.5)]
    records += [
        Record(f"class {name}", "cohort", "lime", "class-consistency", Status.OK, value=value)
        for name, value in (("a", 0.5), ("b", 1.0))
    ]
    scores = pooled(info_of(LIME, ["throughput", "class-consistency"], 4), records)
    speed, consistency = scores["lime", "throughput"], scores["lime", "class-consistency"]
    assert (speed.value, speed.low, speed.n_patients) == (12.5, None, 0)
    assert (consistency.value, consistency.high) == (0.75, None)


# ------------------------------------------------------------------ groups of cases


def made_groups() -> tuple[RunInfo, dict[Group, frozenset[str]]]:
    """Nine annotated patients and one without; every third is of class 1, the last two are wrong."""
    cases = [case_info(n, int(n % 3 == 0), right=n < 8, pixels=10 * (n + 1)) for n in range(9)]
    cases.append(case_info(9))
    info = info_of(LIME, ["enrichment", "deletion-auc", "latency"], cases)
    return info, groups_of(info, "co-localisation")


def test_co_localisation_is_split_by_class_correctness_and_size() -> None:
    info, groups = made_groups()
    targets = {case.id: case.target for case in info.cohort.cases}
    for target, name in enumerate(CLASSES):
        assert groups[Group(explained=name)] == {case for case, t in targets.items() if t == target}
    assert groups[Group(subset="model wrong")] == {"P008-s18"}
    assert len(groups[Group(subset="model right")]) == 9
    by_size = [groups[Group(subset=f"{size} region")] for size in ("small", "medium", "large")]
    assert [len(members) for members in by_size] == [3, 3, 3]
    assert "P000-s10" in by_size[0]
    assert "P008-s18" in by_size[2]


def test_curves_are_split_by_class_only_and_cost_not_at_all() -> None:
    info, _ = made_groups()
    assert {group.subset for group in groups_of(info, "faithfulness")} == {""}
    assert len(groups_of(info, "faithfulness")) == 3
    assert list(groups_of(info, "cost")) == [ALL]


def test_regions_of_one_size_have_no_thirds() -> None:
    info = info_of(LIME, ["enrichment"], [case_info(n, pixels=5) for n in range(6)])
    assert not [group for group in groups_of(info, "co-localisation") if "region" in group.subset]


def test_the_score_of_a_group_rests_on_its_cases_alone() -> None:
    cases = [case_info(n, int(n >= 6)) for n in range(10)]
    records = records_of("enrichment", [2.0] * 6 + [0.5] * 4)
    found = scores_of(info_of(LIME, ["enrichment"], cases), cells_of(records))
    first, second = (found[Group(explained=name)]["lime", "enrichment"] for name in CLASSES)
    assert (first.value, first.n_patients) == (2.0, 6)
    assert (second.value, second.n_patients) == (0.5, 4)


def test_a_score_does_not_depend_on_the_order_of_the_records() -> None:
    records = records_of("latency", [0.1 * i for i in range(9)])
    info = info_of(LIME, ["latency"], 9)
    assert scores_of(info, cells_of(records)) == scores_of(info, cells_of(records[::-1]))


def test_hits_and_misses_beside_a_share_are_a_share() -> None:
    near = [0.0] * 6
    records = list(
        records_of("pointing-game", [1.0, 0.0, 0.0, 0.0, 0.0, 0.0], within_5_mm=near, gain=[0.5] * 6)
    )
    found = pooled(info_of(LIME, ["pointing-game"], 6), records)
    beside = found["lime", "pointing-game.within_5_mm"]
    assert (beside.aggregate, beside.value, beside.low) == ("share", 0, 0)
    assert beside.high == pytest.approx(1 - 0.025 ** (1 / 6))
    assert found["lime", "pointing-game.gain"].aggregate == "mean"
