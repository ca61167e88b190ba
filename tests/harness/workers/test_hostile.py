"""Nothing that a plugin does takes the run with it, or changes what others get."""

from pathlib import Path

import numpy as np
import pytest

from tests.harness.packages import Site
from tests.harness.workers import hostile
from tests.harness.workers.conftest import SETTINGS, RunInWorkers, kebab
from xaibench.api import Record, Silent, Status, XaibenchError
from xaibench.harness.run import run as run_here
from xaibench.harness.spec import RunSpec
from xaibench.harness.store.folder import RunFolder


def of(folder: RunFolder, method: str) -> list[Record]:
    return [record for record in folder.records() if record.method == method]


def test_what_ends_a_process_is_recorded_set_aside_and_harms_nobody(run: RunInWorkers) -> None:
    folder = run(
        methods=",".join(["bright", *map(kebab, hostile.ENDS)]), metrics="mean", options={"count": 4}
    )
    assert [record.status for record in of(folder, "bright")] == [Status.OK] * 4
    for name, (_, reason) in hostile.ENDS.items():
        records = of(folder, kebab(name))
        assert [record.status for record in records] == [Status.FAILED] * 4
        assert all(reason in record.reason for record in records), records
        aside = [record.reason.startswith("set aside, as it ended 2 processes") for record in records]
        assert 1 <= sum(aside) <= 2  # a second process may have begun the third when the first two ended


def test_what_takes_more_memory_than_it_may_is_killed(run: RunInWorkers) -> None:
    folder = run(methods="take-all-memory", metrics="mean", cell_timeout=30.0, options={"count": 1})
    (record,) = folder.records()
    assert record.reason == "took more than the 0.4 GiB of memory that a worker may have, so it was killed"


def test_what_fails_is_recorded_and_harms_nobody(run: RunInWorkers) -> None:
    folder = run(methods=",".join(["bright", *map(kebab, hostile.FAILS)]), metrics="mean")
    assert [record.status for record in of(folder, "bright")] == [Status.OK] * 3
    for name, (_, reason) in hostile.FAILS.items():
        assert all(record.reason.startswith(reason) for record in of(folder, kebab(name))), name


def test_what_one_method_changes_is_not_changed_for_the_next(
    run: RunInWorkers, capfd: pytest.CaptureFixture[str]
) -> None:
    methods = ["bright", "divides-by-zero", *map(kebab, hostile.HARMLESS)]
    folder = run(workers=1, methods=",".join(methods), metrics="mean")
    assert {record.status for record in folder.records()} == {Status.OK}
    means = [record.value for record in of(folder, "bright")]
    for method in methods:
        assert np.allclose([record.value for record in of(folder, method)], means), method
    assert capfd.readouterr() == ("", "")


def test_a_method_that_changes_the_model_fails_and_harms_nobody(run: RunInWorkers) -> None:
    alone = run(name="alone", methods="bright", metrics="score")
    folder = run(workers=1, methods="patches-model,bright", metrics="score")
    assert {record.status for record in of(folder, "patches-model")} == {Status.FAILED}
    assert all("changed the model" in record.reason for record in of(folder, "patches-model"))
    values = [[record.value for record in of(one, "bright")] for one in (alone, folder)]
    assert values[0] == values[1]


def test_in_one_process_a_method_that_changes_the_model_stops_the_run(
    installed: Site, tmp_path: Path
) -> None:
    spec = RunSpec(**{**SETTINGS, "methods": "patches-model,bright", "metrics": "mean"})
    with pytest.raises(
        XaibenchError, match="patches-model changed the model: its answer to P0-s00 is another"
    ):
        run_here(spec, tmp_path / "run", Silent())


def test_a_metric_that_ends_its_process_costs_only_its_own_records(run: RunInWorkers) -> None:
    folder = run(methods="bright", metrics="ends,mean")
    found = {(record.metric, record.status) for record in folder.records()}
    assert found == {("ends", Status.FAILED), ("mean", Status.OK)}
    reasons = [record.reason for record in folder.records() if record.metric == "ends"]
    assert sorted(reasons)[0] == "ended its process (exit code 4)"


def test_a_cohort_that_ends_the_process_is_told_in_a_sentence(run: RunInWorkers) -> None:
    with pytest.raises(XaibenchError, match=r"reads data and model ended its process \(exit code 5\)"):
        run(methods="bright", metrics="mean", options={"end": True})


def test_a_refusal_of_the_worker_is_the_run_s(run: RunInWorkers) -> None:
    with pytest.raises(XaibenchError, match="Class 7 is asked for, but the model has classes 0 to 1"):
        run(methods="bright", metrics="mean", target="7")
    with pytest.raises(XaibenchError, match="There is no method 'brigth'"):
        run(methods="brigth", metrics="mean")
