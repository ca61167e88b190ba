"""The run: every cell is recorded, one bad plugin stops nobody, and what is finished is never done again."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.closed_form import images, linear, small_resnet
from tests.harness.plugins import (
    Again,
    Bad,
    Brightness,
    ClassMean,
    Counted,
    Drawn,
    ImagesASecond,
    Mean,
    Misbehaves,
    Needy,
    OwnScore,
    Redealt,
    Stacked,
    TargetScore,
)
from xaibench.api import Case, Record, Status
from xaibench.harness.cell import Entry, Workbench
from xaibench.harness.run import Run
from xaibench.harness.store.folder import RunFolder


def silent(_running: str, _finished: int) -> None:
    """Nobody watches."""


def make_run(
    folder: Path,
    methods: dict[str, Any],
    metrics: dict[str, Any],
    classifiers: Sequence[Any] = (),
    timeout: float = 30.0,
) -> Run:
    classifiers = classifiers or [small_resnet(size=8)]
    cases = [
        Case(f"P{i}-s00", f"P{i}", image, i % 2, None, (1.0, 1.0), 0)
        for i, image in enumerate(images(classifiers[0], 3))
    ]
    return Run(
        bench=Workbench(
            {case.patient: classifiers[i % len(classifiers)] for i, case in enumerate(cases)},
            {case.id: 0 for case in cases},
            seed=0,
            timeout=timeout,
            folds={case.patient: i % len(classifiers) for i, case in enumerate(cases)}
            if len(classifiers) > 1
            else {},
        ),
        folder=RunFolder(folder),
        cases=cases,
        class_names=("no", "yes"),
        methods=[Entry(name, plugin) for name, plugin in methods.items()],
        metrics=[Entry(name, plugin) for name, plugin in metrics.items()],
    )


def records_of(run: Run) -> list[Record]:
    run.execute(silent)
    return run.folder.records()


def test_every_method_case_and_metric_has_one_record(tmp_path: Path) -> None:
    metrics = {"mean": Mean(), "speed": ImagesASecond(), "class-mean": ClassMean()}
    run = make_run(tmp_path, {"a": Brightness(), "b": Stacked()}, metrics)
    records = records_of(run)
    assert len(records) == run.total() == 2 * (3 + 1 + 2)
    assert {r.case for r in records if r.metric == "mean"} == {"P0-s00", "P1-s00", "P2-s00"}
    assert {(r.case, r.patient) for r in records if r.metric == "speed"} == {("cohort", "cohort")}
    by_class = [r for r in records if r.metric == "class-mean"]
    assert {r.case for r in by_class} == {"class no", "class yes"}
    assert {r.status for r in by_class if r.method == "a"} == {Status.NOT_APPLICABLE}
    assert {r.status for r in by_class if r.method == "b"} == {Status.OK}


def test_values_details_and_costs_are_recorded(tmp_path: Path) -> None:
    run = make_run(tmp_path, {"a": Brightness()}, {"mean": Mean(), "again": Again()})
    records = {(r.case, r.metric): r for r in records_of(run)}
    case = run.cases[1]
    record = records[case.id, "mean"]
    assert record.value == pytest.approx(case.image.mean(), rel=1e-5)
    assert record.details == {"half": pytest.approx(case.image.mean() / 2, rel=1e-5)}
    assert (record.forward, records[case.id, "again"].forward) == (0, 1)
    explanation = run.folder.explanation("a", case.id)
    assert explanation is not None
    assert (explanation.forward, explanation.backward) == (1, 0)


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("raises", "RuntimeError: no idea"),
        ("nan", "returned NaN or infinite values"),
        ("shape", "returned shape (1, 3, 8) where (1, 8, 8) was asked for"),
        ("hangs", "took longer than the cell timeout of 0.2 s"),
    ],
)
def test_a_bad_method_is_recorded_with_its_reason_and_the_others_go_on(
    tmp_path: Path, how: str, reason: str
) -> None:
    methods = {"bad": Misbehaves(how), "good": Brightness()}
    records = records_of(make_run(tmp_path, methods, {"mean": Mean(), "speed": ImagesASecond()}, timeout=0.2))
    bad = [r for r in records if r.method == "bad"]
    assert len(bad) == 4
    assert all(r.status is Status.FAILED and reason in r.reason and r.value is None for r in bad)
    assert all(r.status is Status.OK for r in records if r.method == "good")


def test_trap_11_a_bad_metric_loses_neither_the_others_nor_the_heatmap(tmp_path: Path) -> None:
    metrics = {"bad": Bad(), "nan": Bad("nan"), "mean": Mean()}
    run = make_run(tmp_path, {"a": Brightness()}, metrics)
    reasons = {r.metric: r.reason for r in records_of(run)}
    assert reasons["bad"] == "ZeroDivisionError: division by zero"
    assert "NaN" in reasons["nan"]
    assert reasons["mean"] == ""
    assert run.folder.explanation("a", "P0-s00") is not None


def test_trap_04_an_all_zero_map_is_scored_not_refused(tmp_path: Path) -> None:
    run = make_run(tmp_path, {"zero": Misbehaves("fine")}, {"mean": Mean()})
    run.cases[:] = [Case("P0-s00", "P0", run.cases[0].image * 0, 0, None, (1.0, 1.0), 0)]
    assert [(r.status, r.value) for r in records_of(run)] == [(Status.OK, 0.0)]


def test_a_method_the_model_cannot_serve_is_not_applicable(tmp_path: Path) -> None:
    run = make_run(
        tmp_path, {"cam": Needy()}, {"mean": Mean(), "speed": ImagesASecond()}, [linear(np.ones((8, 8, 1)))]
    )
    records = records_of(run)
    assert {r.status for r in records} == {Status.NOT_APPLICABLE}
    assert "needs feature maps, which this model does not offer" in records[0].reason


def test_a_finished_run_computes_nothing_again(tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    methods = {"a": Counted(str(calls))}
    first = records_of(make_run(tmp_path / "run", methods, {"mean": Mean(), "again": Again()}))
    done = len(calls.read_text())
    second = records_of(make_run(tmp_path / "run", methods, {"mean": Mean(), "again": Again()}))
    assert first == second
    assert len(calls.read_text()) == done


def test_only_the_missing_metric_is_computed_and_from_the_kept_heatmap(tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    methods = {"a": Counted(str(calls))}
    records_of(make_run(tmp_path / "run", methods, {"mean": Mean()}))
    done = len(calls.read_text())
    run = make_run(tmp_path / "run", methods, {"mean": Mean(), "more": Mean()})
    assert len(records_of(run)) == 6
    assert len(calls.read_text()) == done


def test_a_failure_is_not_tried_again_unless_it_is_forgotten(tmp_path: Path) -> None:
    records_of(make_run(tmp_path, {"a": Misbehaves("raises")}, {"mean": Mean()}))
    mended = make_run(tmp_path, {"a": Misbehaves("fine")}, {"mean": Mean()})
    assert {r.status for r in records_of(mended)} == {Status.FAILED}
    mended.folder.forget_failures()
    assert {r.status for r in records_of(mended)} == {Status.OK}
    assert len(mended.folder.failures()) == 3


def test_draws_depend_on_the_case_and_the_method_alone(tmp_path: Path) -> None:
    alone = make_run(tmp_path / "alone", {"b": Drawn()}, {"mean": Mean(), "again": Again()})
    among = make_run(tmp_path / "among", {"a": Drawn(), "b": Drawn()}, {"mean": Mean(), "again": Again()})
    among.cases.reverse()
    values = {(r.method, r.case): r.value for r in records_of(among) if r.metric == "mean"}
    for record in records_of(alone):
        if record.metric == "mean":
            assert record.value == values["b", record.case]
            assert record.value != values["a", record.case]
        else:
            assert record.value == 0  # the metric re-ran the method with the same seed
    assert len(set(values.values())) == 6


def test_heatmaps_are_kept_as_float32_whatever_the_method_returns(tmp_path: Path) -> None:
    run = make_run(tmp_path, {"a": Misbehaves("float64")}, {"mean": Mean()})
    records_of(run)
    explanation = run.folder.explanation("a", "P0-s00")
    assert explanation is not None
    assert explanation.heatmap.dtype == np.float32


def test_each_case_is_explained_and_scored_by_the_classifier_of_its_fold(tmp_path: Path) -> None:
    folds = [small_resnet(size=8, seed=seed) for seed in (0, 1)]
    methods = {"a": OwnScore(str(tmp_path / "calls"))}
    metrics = {"mean": Mean(), "score": TargetScore(), "speed": ImagesASecond()}
    run = make_run(tmp_path / "run", methods, metrics, folds)
    records = {(r.case, r.metric): r for r in records_of(run)}
    for number, case in enumerate(run.cases):
        own, other = (folds[n % 2].scores(case.image)[0] for n in (number, number + 1))
        assert abs(own - other) > 1e-3
        for metric in ("mean", "score"):
            record = records[case.id, metric]
            assert record.value == pytest.approx(own, abs=1e-6)
            assert record.fold == number % 2
    assert records["cohort", "speed"].value == 3  # a batch of both folds comes back in order and whole
    assert records["cohort", "speed"].fold is None


def test_a_cohort_is_explained_by_held_out_maps_each_made_once_for_a_case_and_label(tmp_path: Path) -> None:
    folds = [small_resnet(size=8, seed=seed) for seed in (0, 1)]
    calls = tmp_path / "calls"
    metrics = {"class-mean": ClassMean(), "redealt": Redealt(), "again": Redealt()}
    run = make_run(tmp_path / "run", {"a": OwnScore(str(calls))}, metrics, folds)
    records = {(r.case, r.metric): r for r in records_of(run)}
    last = run.cases[-1]  # whose map the stand-in gives for the class
    for label, name in enumerate(run.class_names):
        record = records[f"class {name}", "redealt"]
        assert record.value == pytest.approx(folds[0].scores(last.image)[label], abs=1e-6)
        assert record.details == {"classifiers": 2.0}
        assert record.fold is None
    made = calls.read_text().splitlines()
    assert len(made) == len(set(made)) == len(run.cases) * 2


def test_a_map_of_a_case_for_its_own_label_is_not_made_again_for_the_cohort(tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    metrics = {"mean": Mean(), "class-mean": ClassMean()}
    run = make_run(tmp_path / "run", {"a": OwnScore(str(calls))}, metrics)
    records_of(run)
    made = calls.read_text().splitlines()
    others = [case for case in run.cases if case.label != run.bench.targets[case.id]]
    assert len(made) == 1 + len(run.cases) + len(others)  # the first call warms up


def test_sources_count_all_cases_though_the_model_has_no_class_for_some(tmp_path: Path) -> None:
    run = make_run(tmp_path, {"a": Stacked()}, {"class-mean": ClassMean()})
    run = replace(run, class_names=("no", "yes", "unknown"))
    run.cases[0] = replace(run.cases[0], label=2)
    records = {r.case: r for r in records_of(run)}
    assert "so none stands for label 2" in records["class unknown"].reason
    explanations = run.folder.cohort_explanations("a")
    assert explanations is not None
    assert {label: set(found.sources.ravel().tolist()) for label, found in explanations.items()} == {
        0: {1},  # the stand-in names the first of the cases that it is given
        1: {1},
    }
