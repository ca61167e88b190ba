"""The plan of a run: its passes are the run's own, and nothing is written."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.harness.conftest import Compute
from tests.harness.in_memory import Patients, likes_bright, made_cases, prepared_run
from tests.harness.packages import Site
from tests.harness.plugins import (
    Again,
    BadMetric,
    Brightness,
    ClassMean,
    Mean,
    Misbehaves,
    NeedsFeatures,
    Relabelled,
    Stacked,
    TargetScore,
    Together,
)
from xaibench.api import LoadedModel, Measurement, Passes, Silent, XaibenchError
from xaibench.harness.cells import Result
from xaibench.harness.describe import Sources
from xaibench.harness.plan import Plan, plan_missing, plan_run
from xaibench.harness.prepare import Prepared
from xaibench.harness.run import compute_missing, run
from xaibench.harness.spec import RunSpec
from xaibench.harness.store.folder import RunFolder


@dataclass(frozen=True)
class Curve(Mean):
    """Asks the model a fixed number of times."""

    steps: int = 7

    def __call__(self, classifier: Any, case: Any, explanation: Any, explain: Any) -> Measurement:
        masks = np.ones((self.steps, *case.image.shape[:-1]), np.float32)
        return Measurement(float(classifier.masked_scores(case.image, masks, case.image)[:, 0].mean()))


CASE_METRICS: Mapping[str, Any] = {"mean": Mean(), "again": Again(), "score": TargetScore(), "curve": Curve()}
COHORT_METRICS: Mapping[str, Any] = {"class": ClassMean(), "relabelled": Relabelled()}


def plan_of(prepared: Prepared, folder: RunFolder | None, tmp_path: Path, retry_failed: bool = False) -> Plan:
    with closing(RunFolder(tmp_path / "scratch")) as scratch:
        return plan_missing(prepared, folder or scratch, scratch, retry_failed)


def passes_of(prepared: Prepared, compute: Compute, **settings: Any) -> Passes:
    """Passes that a run counts itself."""
    counted: list[Passes] = []

    def watch(result: Result, cells: int) -> None:
        counted.append(result.passes)

    compute(prepared, watch=watch, **settings)
    return Passes(sum(one.forward for one in counted), sum(one.backward for one in counted))


@pytest.mark.parametrize(
    ("methods", "metrics", "settings"),
    [
        ({"a": Brightness()}, CASE_METRICS, {}),
        ({"a": Brightness(), "b": Stacked()}, {**CASE_METRICS, "together": Together()}, {}),
        ({"a": Brightness()}, {"together": Together()}, {}),
        ({"a": Brightness()}, CASE_METRICS, {"folds": 3}),
        ({"a": Stacked()}, COHORT_METRICS, {}),
        (
            {"a": Stacked(), "b": Stacked()},
            {**CASE_METRICS, **COHORT_METRICS, "together": Together()},
            {"folds": 2},
        ),
        ({"a": Brightness(), "bad": Misbehaves("raises"), "needy": NeedsFeatures()}, CASE_METRICS, {}),
        ({"a": Brightness()}, {**CASE_METRICS, "bad": BadMetric()}, {"preset": "smoke"}),
    ],
)
def test_the_passes_of_the_plan_are_the_runs_own(
    methods: dict[str, Any],
    metrics: dict[str, Any],
    settings: dict[str, Any],
    compute: Compute,
    tmp_path: Path,
) -> None:
    classifiers = [likes_bright(1.0 + fold) for fold in range(settings.get("folds", 1))]
    preset = settings.get("preset", "standard")
    prepared = prepared_run(methods, metrics, made_cases(10), classifiers, preset=preset)
    plan = plan_of(prepared, None, tmp_path)
    spent = passes_of(prepared, compute)
    assert (plan.forward, plan.backward) == (spent.forward, spent.backward)
    assert plan.forward > 0


def test_a_plan_counts_only_what_a_folder_lacks(compute: Compute, tmp_path: Path) -> None:
    first = compute(prepared_run({"a": Brightness()}, {"mean": Mean()}, made_cases(4)))
    more = {"methods": {"a": Brightness(), "b": Stacked()}, "metrics": {**CASE_METRICS, **COHORT_METRICS}}
    prepared = prepared_run(**more, cases=made_cases(6))
    plan = plan_of(prepared, first, tmp_path)
    spent = passes_of(prepared, compute)
    assert plan.forward == spent.forward
    assert plan.cells == 6 + 2 + 6 + 2  # `a` lacks metrics everywhere, `b` everything
    with closing(RunFolder(tmp_path / "run")) as folder:
        assert plan_of(prepared, folder, tmp_path).cells == 0


def test_failed_cells_are_planned_where_they_are_to_be_tried_again(compute: Compute, tmp_path: Path) -> None:
    prepared = prepared_run(
        {"a": Brightness(), "b": Misbehaves("raises")}, {"mean": Mean(), "score": TargetScore()}
    )
    folder = compute(prepared)
    assert plan_of(prepared, folder, tmp_path).cells == 0
    assert plan_of(prepared, folder, tmp_path, retry_failed=True).cells == 3


def test_a_plan_by_method_sums_to_the_whole(tmp_path: Path) -> None:
    prepared = prepared_run({"a": Brightness(), "b": Brightness()}, CASE_METRICS)
    plan = plan_of(prepared, None, tmp_path)
    assert [share.method for share in plan.shares] == ["a", "b"]
    assert plan.cells == sum(share.cells for share in plan.shares) == 6
    assert [len(row) for row in plan.rows()] == [len(plan.header())] * 2
    assert plan.summary().startswith(f"6 cells, {plan.forward:,} forward and 0 backward passes, about ")
    assert plan.seconds > 0


def test_passes_are_those_of_the_run_and_of_nothing_before_it(compute: Compute, tmp_path: Path) -> None:
    prepared = prepared_run({"a": Brightness()}, CASE_METRICS)
    prepared.folds.classifiers[0].scores(next(iter(prepared.cases.values())).image)
    with closing(RunFolder(tmp_path / "other")) as folder:
        folder.begin(prepared.info, prepared.cases)
        spent = compute_missing(prepared, folder, lambda result, cells: None)
    assert spent.forward == passes_of(prepared, compute).forward


# ---------------------------------------------------------------- from a spec


@pytest.fixture
def sources(site: Site) -> Sources:
    site.install("ours", "methods", {"bright": "tests.harness.plugins:Brightness"})
    site.install("ours", "metrics", {"mean": "tests.harness.plugins:Mean"})
    return Sources(Patients(tuple(made_cases(3))), "in memory", LoadedModel("test", (likes_bright(),)))


SPEC = RunSpec(methods="bright", metrics="mean")


def test_a_dry_run_leaves_no_folder_behind(sources: Sources, tmp_path: Path) -> None:
    plan = plan_run(SPEC, tmp_path / "run", Silent(), sources)
    assert (plan.cells, plan.forward) == (3, 4)
    assert not (tmp_path / "run").exists()


def test_a_dry_run_in_a_folder_changes_nothing_there(sources: Sources, tmp_path: Path) -> None:
    with closing(run(SPEC, tmp_path / "run", Silent(), sources=sources)):
        pass
    before = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    more = replace(sources, dataset=Patients(tuple(made_cases(5))))
    assert plan_run(SPEC, tmp_path / "run", Silent(), more).cells == 2
    assert {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()} == before


def test_a_folder_of_another_version_is_told(sources: Sources, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"identity": {}}')
    with pytest.raises(XaibenchError, match="another version of xaibench"):
        plan_run(SPEC, tmp_path, Silent(), sources)
