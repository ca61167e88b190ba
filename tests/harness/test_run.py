"""The run: every cell is recorded, one bad plugin stops nobody, and what is finished is never done again."""

from dataclasses import replace

import numpy as np
import pytest

from tests.harness.conftest import Calls, Compute
from tests.harness.in_memory import CLASSES, likes_bright, made_cases, one_case, prepared_run
from tests.harness.plugins import (
    Again,
    Annotation,
    BadMetric,
    Brightness,
    ClassMean,
    Drawn,
    ForVolumes,
    Mean,
    Misbehaves,
    NeedsFeatures,
    OwnScore,
    Promises,
    Relabelled,
    Seeded,
    Stacked,
    TargetScore,
    Together,
    WithDetails,
)
from xaibench.api import Explanation, Record, Status
from xaibench.harness.cells import Result
from xaibench.harness.store.folder import RunFolder


def by_case(folder: RunFolder) -> dict[tuple[str, str], Record]:
    return {(record.case, record.metric): record for record in folder.records()}


def explanation_of(folder: RunFolder, method: str, case: str) -> Explanation:
    found = folder.explanation(method, case)
    assert found is not None
    return found


# ---------------------------------------------------------------- what is recorded


def test_every_method_unit_and_metric_has_one_record(compute: Compute) -> None:
    metrics = {"mean": Mean(), "together": Together(), "class-mean": ClassMean()}
    records = compute(prepared_run({"a": Brightness(), "b": Stacked()}, metrics)).records()
    assert len(records) == len({record.key for record in records}) == 2 * (3 + 1 + 2)
    assert {r.case for r in records if r.metric == "mean"} == {"P0-s00", "P1-s00", "P2-s00"}
    assert {(r.case, r.patient) for r in records if r.metric == "together"} == {("cohort", "cohort")}
    by_class = [r for r in records if r.metric == "class-mean"]
    assert {r.case for r in by_class} == {"class no", "class yes"}
    assert {r.status for r in by_class if r.method == "a"} == {Status.NOT_APPLICABLE}
    assert {r.status for r in by_class if r.method == "b"} == {Status.OK}


def test_values_details_and_costs_are_recorded(compute: Compute) -> None:
    prepared = prepared_run({"a": Brightness()}, {"mean": Mean(), "again": Again(), "score": TargetScore()})
    folder = compute(prepared)
    records, image = by_case(folder), prepared.cases["P1-s00"].image
    record = records["P1-s00", "mean"]
    assert record.value == pytest.approx(image.mean(), rel=1e-5)
    assert record.details == {"half": pytest.approx(image.mean() / 2, rel=1e-5)}
    assert [records["P1-s00", name].forward for name in ("mean", "again", "score")] == [0, 1, 1]
    made = explanation_of(folder, "a", "P1-s00")
    assert (made.forward, made.backward) == (1, 0)
    assert made.seconds > 0


def test_what_a_method_tells_beside_its_map_is_kept(compute: Compute) -> None:
    prepared = prepared_run({"details": WithDetails(), "promises": Promises()}, {"mean": Mean()})
    folder, image = compute(prepared), prepared.cases["P1-s00"].image
    assert explanation_of(folder, "details", "P1-s00").details == {"mean": pytest.approx(image.mean())}
    assert explanation_of(folder, "promises", "P1-s00").promised_total == pytest.approx(image.sum())
    assert explanation_of(folder, "details", "P1-s00").promised_total is None


@pytest.mark.parametrize("how", ["float64", "fine"])
def test_heatmaps_are_kept_as_float32_whatever_the_method_returns(compute: Compute, how: str) -> None:
    prepared = prepared_run({"a": Misbehaves(how)}, {"mean": Mean()})
    heatmap = explanation_of(compute(prepared), "a", "P0-s00").heatmap
    assert heatmap.dtype == np.float32
    np.testing.assert_array_equal(heatmap, prepared.cases["P0-s00"].image.mean(axis=-1))


def test_a_metric_draws_from_the_seed_of_the_run(compute: Compute) -> None:
    records = compute(prepared_run({"a": Brightness()}, {"seeded": Seeded(seed=7)}, seed=7)).records()
    assert {record.value for record in records} == {7.0}


# ---------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("raises", "RuntimeError: no idea"),
        ("exits", "SystemExit"),
        ("nan", "returned NaN or infinite values"),
        ("shape", "returned shape (1, 3, 8) where (1, 8, 8) was asked for"),
        ("list", "returned shape (1, 1) where (1, 8, 8) was asked for"),
        ("nothing", "returned shape () where (1, 8, 8) was asked for"),
        ("complex", "returned values of type complex"),
        ("spoils", "read-only"),
        ("hangs", "took longer than the cell timeout of"),
    ],
)
def test_a_bad_method_is_recorded_with_its_reason_and_the_others_go_on(
    compute: Compute, how: str, reason: str
) -> None:
    methods = {"bad": Misbehaves(how), "good": Brightness()}
    metrics = {"mean": Mean(), "together": Together()}
    cases = made_cases(2)
    timeout = 0.1 if how == "hangs" else 30.0
    records = compute(prepared_run(methods, metrics, cases, cell_timeout=timeout)).records()
    bad = [record for record in records if record.method == "bad"]
    assert len(bad) == 3
    assert all(r.status is Status.FAILED and reason in r.reason and r.value is None for r in bad)
    assert all(r.status is Status.OK for r in records if r.method == "good")


def test_several_cases_together_have_the_time_of_each(compute: Compute) -> None:
    prepared = prepared_run({"bad": Misbehaves("hangs")}, {"together": Together()}, cell_timeout=0.1)
    assert [r.reason for r in compute(prepared).records()] == ["took longer than the cell timeout of 0.3 s"]


@pytest.mark.parametrize(
    ("how", "status", "reason"),
    [
        ("raises", Status.FAILED, "ZeroDivisionError: division by zero"),
        ("nan", Status.FAILED, "the metric gave NaN or an infinite value"),
        ("nan in details", Status.FAILED, "the metric gave NaN or an infinite value"),
        ("number", Status.FAILED, "the metric returned float, no Measurement"),
        ("nothing", Status.FAILED, "the metric returned NoneType, no Measurement"),
        ("spoils the map", Status.FAILED, "read-only"),
        ("spoils the image", Status.FAILED, "read-only"),
        ("spoils the region", Status.FAILED, "read-only"),
        ("has no meaning", Status.NOT_APPLICABLE, "the case is too small"),
    ],
)
def test_trap_11_a_bad_metric_loses_neither_the_others_nor_the_heatmap(
    compute: Compute, how: str, status: Status, reason: str
) -> None:
    prepared = prepared_run({"a": Brightness()}, {"bad": BadMetric(how), "mean": Mean()}, [one_case(1)])
    folder = compute(prepared)
    records = by_case(folder)
    assert records["P1-s00", "bad"].status is status
    assert reason in records["P1-s00", "bad"].reason
    assert records["P1-s00", "mean"].value == pytest.approx(prepared.cases["P1-s00"].image.mean(), rel=1e-5)
    np.testing.assert_array_equal(
        explanation_of(folder, "a", "P1-s00").heatmap, prepared.cases["P1-s00"].image[..., 0]
    )


@pytest.mark.parametrize("how", ["spoils the map", "spoils the image", "spoils the region"])
def test_a_metric_cannot_spoil_a_kept_heatmap_or_a_case_for_the_others(compute: Compute, how: str) -> None:
    compute(prepared_run({"a": Brightness()}, {"mean": Mean()}))
    metrics = {"bad": BadMetric(how), "mean": Mean(), "then": Mean(), "score": TargetScore()}
    spoilt = by_case(compute(prepared_run({"a": Brightness()}, metrics)))
    fresh = by_case(compute(prepared_run({"a": Brightness()}, metrics), "fresh"))
    assert {name: record.value for name, record in spoilt.items()} == {
        name: record.value for name, record in fresh.items()
    }
    assert {record.status for (_, metric), record in spoilt.items() if metric == "bad"} == {Status.FAILED}


def test_trap_04_an_all_zero_map_is_scored_not_refused(compute: Compute) -> None:
    black = replace(one_case(0), image=np.zeros((8, 8, 1), np.float32))
    records = compute(prepared_run({"zero": Brightness()}, {"mean": Mean()}, [black])).records()
    assert [(r.status, r.value) for r in records] == [(Status.OK, 0.0)]


@pytest.mark.parametrize(
    ("method", "reason"),
    [
        (NeedsFeatures(), "the method needs feature maps, which this model does not offer"),
        (ForVolumes(), "the method does not explain images of 2 dimensions"),
        (Annotation(), "the case has no annotated region"),
    ],
)
def test_a_method_that_cannot_serve_model_or_case_is_not_applicable(
    compute: Compute, method: Brightness, reason: str
) -> None:
    metrics = {"mean": Mean(), "together": Together()}
    records = compute(prepared_run({"a": method}, metrics, made_cases(2, regions=False))).records()
    assert {(r.status, r.reason) for r in records} == {(Status.NOT_APPLICABLE, reason)}
    assert len(records) == 3


def test_only_a_method_that_needs_the_region_is_given_it(compute: Compute) -> None:
    prepared = prepared_run({"mask": Annotation()}, {"mean": Mean()})
    folder = compute(prepared)
    region = prepared.cases["P1-s00"].region
    np.testing.assert_array_equal(explanation_of(folder, "mask", "P1-s00").heatmap, region)


# ---------------------------------------------------------------- what is not done again


def test_a_finished_run_computes_nothing_again(compute: Compute, calls: Calls) -> None:
    prepared = prepared_run({"a": Brightness()}, {"mean": Mean(), "again": Again(), "together": Together()})
    first, asked = compute(prepared).records(), calls()
    assert compute(prepared).records() == first
    assert calls() == asked


def test_a_stopped_run_goes_on_where_it_was(compute: Compute, calls: Calls) -> None:
    def stop(result: Result, cells: int) -> None:
        if result.cell.unit.id == "P1-s00":
            raise KeyboardInterrupt

    prepared = prepared_run({"a": Brightness()}, {"mean": Mean()})
    with pytest.raises(KeyboardInterrupt):
        compute(prepared, watch=stop)
    assert len(calls()) == 3  # the first call warms up
    records = compute(prepared).records()
    assert [record.case for record in records] == ["P0-s00", "P1-s00", "P2-s00"]
    assert len(calls()) == 5
    assert records == compute(prepared).records()


def test_only_the_missing_metric_is_computed_and_from_the_kept_heatmap(
    compute: Compute, calls: Calls
) -> None:
    compute(prepared_run({"a": Brightness()}, {"mean": Mean()}))
    asked = calls()
    more = compute(prepared_run({"a": Brightness()}, {"mean": Mean(), "more": Mean()}))
    assert len(more.records()) == 6
    assert calls() == asked


def test_a_failure_is_not_tried_again_unless_it_is_forgotten(compute: Compute, calls: Calls) -> None:
    prepared = prepared_run({"a": Misbehaves("raises")}, {"mean": Mean()})
    compute(prepared)
    assert len(compute(prepared).failures()) == 3
    again = compute(prepared, retry_failed=True)
    assert len(again.failures()) == 6
    assert {record.status for record in again.records()} == {Status.FAILED}


# ---------------------------------------------------------------- draws, folds


def test_draws_depend_on_the_case_and_the_method_alone(compute: Compute) -> None:
    metrics = {"mean": Mean(), "again": Again()}
    alone = compute(prepared_run({"b": Drawn()}, metrics), "alone")
    reverse = made_cases(4)[::-1]
    among = compute(prepared_run({"a": Drawn(), "b": Drawn()}, metrics, reverse), "among")
    values = {(r.method, r.case): r.value for r in among.records() if r.metric == "mean"}
    for record in alone.records():
        if record.metric == "mean":
            assert record.value == values["b", record.case]
        else:
            assert record.value == 0  # the metric ran the method again with the same seed
    assert len(set(values.values())) == 8


def test_another_seed_of_the_run_draws_other_maps(compute: Compute) -> None:
    runs = [compute(prepared_run({"a": Drawn()}, {"mean": Mean()}, seed=n), f"seed{n}") for n in (0, 1)]
    values = [[record.value for record in run.records()] for run in runs]
    assert not set(values[0]) & set(values[1])


def test_each_case_is_explained_and_scored_by_the_classifier_of_its_fold(compute: Compute) -> None:
    folds = [likes_bright(1.0), likes_bright(9.0)]
    metrics = {"mean": Mean(), "score": TargetScore(), "together": Together()}
    prepared = prepared_run({"a": OwnScore()}, metrics, classifiers=folds)
    records = by_case(compute(prepared))
    for number, (name, case) in enumerate(prepared.cases.items()):
        own, other = (folds[n % 2].scores(case.image)[0] for n in (number, number + 1))
        assert abs(own - other) > 1e-3
        for metric in ("mean", "score"):
            assert records[name, metric].value == pytest.approx(own, abs=1e-6)
            assert records[name, metric].fold == number % 2
        assert records["cohort", "together"].details[name] == pytest.approx(own, abs=1e-6)
    assert records["cohort", "together"].value == 3
    assert records["cohort", "together"].fold is None


def test_a_run_of_one_model_knows_no_folds(compute: Compute) -> None:
    records = compute(prepared_run({"a": Brightness()}, {"mean": Mean()})).records()
    assert {record.fold for record in records} == {None}


# ---------------------------------------------------------------- cohorts


def test_a_cohort_is_explained_by_held_out_maps_each_made_once_for_a_case_and_label(
    compute: Compute, calls: Calls
) -> None:
    folds = [likes_bright(1.0), likes_bright(9.0)]
    metrics = {"class-mean": ClassMean(), "relabelled": Relabelled(), "again": Relabelled()}
    prepared = prepared_run({"a": Stacked()}, metrics, classifiers=folds)
    records = by_case(compute(prepared))
    first = prepared.cases["P0-s00"]  # whose map the stand-in gives for the class
    for label, name in enumerate(CLASSES):
        record = records[f"class {name}", "relabelled"]
        assert record.value == pytest.approx(folds[0].scores(first.image)[label], abs=1e-6)
        assert record.details == {"classifiers": 2.0}
        assert record.fold is None
    assert len(calls()) == len(set(calls())) == len(prepared.cases) * 2


def test_a_map_of_a_case_for_its_own_label_is_not_made_again_for_the_cohort(
    compute: Compute, calls: Calls
) -> None:
    prepared = prepared_run({"a": Stacked()}, {"mean": Mean(), "class-mean": ClassMean()})
    compute(prepared)
    others = [case for case in prepared.cases.values() if case.label != prepared.targets[case.id]]
    assert len(others) == 1
    assert len(calls()) == 1 + len(prepared.cases) + len(others)  # the first call warms up


def test_sources_count_all_cases_though_the_model_has_no_class_for_some(compute: Compute) -> None:
    cases = made_cases(labels=(2, 1, 0))
    prepared = prepared_run({"a": Stacked()}, {"m": ClassMean()}, cases, class_names=(*CLASSES, "unknown"))
    folder = compute(prepared)
    records = by_case(folder)
    assert records["class unknown", "m"].status is Status.NOT_APPLICABLE
    assert "no class of the model stands for label 2" in records["class unknown", "m"].reason
    explanations = folder.cohort_explanations("a")
    assert explanations is not None
    sources = {label: set(made.sources.ravel().tolist()) for label, made in explanations.items()}
    assert sources == {0: {1}, 1: {0}}  # places among the two cases that the model has classes for


def test_cases_of_several_labels_stand_in_no_class(compute: Compute) -> None:
    cases = [one_case(0), replace(one_case(1), labels=(0, 1)), one_case(2)]
    prepared = prepared_run({"a": Stacked()}, {"m": ClassMean(), "mean": Mean()}, cases)
    records = by_case(compute(prepared))
    assert {name for name, _ in records} == {"P0-s00", "P1-s00", "P2-s00", "class no"}
