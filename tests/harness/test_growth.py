"""Runs grow (trap 39): every finished record is kept to the last digit, and only what is new is computed."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

import xaibench
from tests.harness.conftest import Calls
from tests.harness.in_memory import Patients, likes_bright, made_cases
from tests.harness.packages import Site
from xaibench.api import LoadedModel, Record, Silent, Status, XaibenchError
from xaibench.harness.describe import Sources
from xaibench.harness.run import run
from xaibench.harness.spec import RunSpec
from xaibench.harness.store.folder import RunFolder

OURS = "tests.harness.plugins"
METHODS = {"bright": "Brightness", "scaled": "Scaled", "drawn": "Drawn", "stacked": "Stacked"}
METRICS = {
    "mean": "Mean",
    "times": "Times",
    "again": "Again",
    "together": "Together",
    "class-mean": "ClassMean",
}
Run = Callable[..., RunFolder]


@pytest.fixture
def grow(tmp_path: Path, site: Site, calls: Calls) -> Iterator[Run]:
    """Runs a spec in one folder, on patients in memory."""
    site.install("ours", "methods", {name: f"{OURS}:{cls}" for name, cls in METHODS.items()})
    site.install("ours", "metrics", {name: f"{OURS}:{cls}" for name, cls in METRICS.items()})
    with ExitStack() as stack:

        def start(patients: int = 3, retry_failed: bool = False, **settings: Any) -> RunFolder:
            spec = RunSpec(**{"methods": "bright,scaled", "metrics": "mean,again", **settings})
            model = LoadedModel("test", (likes_bright(),))
            sources = Sources(Patients(tuple(made_cases(patients))), "in memory", model)
            folder = run(spec, tmp_path / "run", Silent(), retry_failed=retry_failed, sources=sources)
            return stack.enter_context(closing(folder))

        yield start


def records_of(folder: RunFolder) -> dict[str, Record]:
    return {record.key: record for record in folder.records()}


def new_records(before: dict[str, Record], after: dict[str, Record]) -> list[Record]:
    """Records that joined those before; seconds and all, no other was touched."""
    assert {key: after[key] for key in before} == before
    return [record for key, record in after.items() if key not in before]


# ---------------------------------------------------------------- more


def test_trap_39_one_more_method_keeps_every_record(grow: Run, calls: Calls) -> None:
    before, asked = records_of(grow()), calls()
    new = new_records(before, records_of(grow(methods="bright,drawn,scaled")))
    assert len(new) == 3 * 2
    assert {record.method for record in new} == {"drawn"}
    assert calls() == asked  # `drawn` notes no calls; the others were not asked again


def test_trap_39_one_more_metric_is_computed_from_kept_heatmaps(grow: Run, calls: Calls) -> None:
    before, asked = records_of(grow()), calls()
    new = new_records(before, records_of(grow(metrics="mean,again,times")))
    assert [(r.metric, r.status) for r in new] == [("times", Status.OK)] * 2 * 3
    assert calls() == asked


def test_trap_39_more_patients_keep_the_records_of_the_first(grow: Run, calls: Calls) -> None:
    before, asked = records_of(grow(patients=6)), calls()
    new = new_records(before, records_of(grow(patients=8)))
    assert {record.patient for record in new} == {"P6", "P7"}
    new_images = {f"{case.image.sum():.6f}" for case in made_cases(8)[6:]}
    assert {call.split()[0] for call in calls()[len(asked) :]} == new_images


def test_trap_39_a_larger_number_of_patients_keeps_those_of_the_smaller(grow: Run) -> None:
    before = records_of(grow(patients=8, preset="smoke", metrics="mean"))  # four patients
    new = new_records(before, records_of(grow(patients=8, metrics="mean")))
    assert {record.patient for record in before.values()} == {"P0", "P1", "P2", "P3"}
    assert {record.patient for record in new} == {"P4", "P5", "P6", "P7"}


def test_figures_of_time_take_eight_patients_so_that_more_do_not_change_them(grow: Run) -> None:
    settings = {"methods": "bright", "metrics": "together,mean"}
    before = records_of(grow(patients=8, **settings))
    new = new_records(before, records_of(grow(patients=10, **settings)))
    assert {record.metric for record in new} == {"mean"}


def test_a_figure_of_the_whole_cohort_is_made_anew_for_more_patients(grow: Run, calls: Calls) -> None:
    settings = {"methods": "stacked", "metrics": "class-mean"}
    first = grow(patients=2, **settings)
    before = records_of(first)
    after = records_of(grow(patients=3, **settings))
    assert not set(before) & set(after)
    assert {record.case for record in after.values()} == {"class no", "class yes"}
    assert set(before) <= first.finished()  # it comes back with the smaller cohort
    asked = calls()
    assert records_of(grow(patients=2, **settings)) == before
    assert calls() == asked


# ---------------------------------------------------------------- changed


def test_trap_39_a_longer_timeout_computes_only_what_failed(
    grow: Run, site: Site, calls: Calls, tmp_path: Path
) -> None:
    site.write(
        "slow.py",
        """
        import time
        from dataclasses import dataclass
        from tests.harness.plugins import Brightness

        @dataclass(frozen=True)
        class Slow(Brightness):
            def __call__(self, classifier, batch):
                time.sleep(0.3)
                return Brightness.__call__(self, classifier, batch)
        """,
    )
    site.install("slow", "methods", {"slow": "slow:Slow"})
    settings = {"methods": "bright,slow", "metrics": "mean,again"}
    first = grow(cell_timeout=0.1, **settings)
    failed = {record.key for record in first.failed()}
    before = {key: record for key, record in records_of(first).items() if key not in failed}
    assert {record.method for record in first.failed()} == {"slow"}
    assert {record.reason for record in first.failed()} == {"took longer than the cell timeout of 0.1 s"}
    unchanged = grow(cell_timeout=20, **settings)
    assert {record.key for record in unchanged.failed()} == failed
    new = new_records(before, records_of(grow(cell_timeout=20, retry_failed=True, **settings)))
    assert {(record.method, record.status) for record in new} == {("slow", Status.OK)}
    assert {record.key for record in new} == failed
    assert len(first.failures()) == len(failed)


def test_trap_39_a_changed_parameter_makes_only_the_records_of_its_method_anew(
    grow: Run, calls: Calls
) -> None:
    first = grow()
    before, asked = records_of(first), calls()
    after = records_of(grow(parameters={"scaled": {"factor": 3.0}}))
    kept = {key: record for key, record in before.items() if record.method == "bright"}
    new = new_records(kept, after)
    assert {record.method for record in new} == {"scaled"}
    means = {record.case: record.value for record in new if record.metric == "mean"}
    old = {r.case: r.value for r in before.values() if (r.method, r.metric) == ("scaled", "mean")}
    assert means == {case: pytest.approx(3 * (value or 0), rel=1e-5) for case, value in old.items()}
    assert len(calls()) > len(asked)
    asked = calls()
    assert records_of(grow()) == before  # the old parameter again: all is there
    assert calls() == asked


def test_trap_39_a_changed_parameter_of_a_metric_makes_only_its_records_anew(grow: Run, calls: Calls) -> None:
    settings = {"metrics": "mean,times"}
    before, asked = records_of(grow(**settings)), calls()
    after = records_of(grow(**settings, parameters={"times": {"factor": 5.0}}))
    kept = {key: record for key, record in before.items() if record.metric == "mean"}
    assert {record.metric for record in new_records(kept, after)} == {"times"}
    assert calls() == asked  # from kept heatmaps


PLUGIN = """
from dataclasses import dataclass
from tests.harness.plugins import Brightness
from theirs_helper import FACTOR

@dataclass(frozen=True)
class Theirs(Brightness):
    def __call__(self, classifier, batch):
        return Brightness.__call__(self, classifier, batch) * FACTOR
"""


def test_trap_39_a_changed_source_at_the_same_version_makes_its_own_maps_anew(
    grow: Run, site: Site, calls: Calls
) -> None:
    site.write("theirs/__init__.py", PLUGIN.replace("theirs_helper", "theirs.helper"))
    site.write("theirs/helper.py", "FACTOR = 1")
    site.install("theirs", "methods", {"theirs": "theirs:Theirs"})
    settings = {"methods": "bright,theirs", "metrics": "mean"}
    first = grow(**settings)
    before, asked = records_of(first), calls()
    maps = {path: path.stat().st_mtime_ns for path in first.path.glob("heatmaps/*/*.npz")}
    site.write("theirs/helper.py", "FACTOR = 2")
    second = grow(**settings)
    kept = {key: record for key, record in before.items() if record.method == "bright"}
    new = new_records(kept, records_of(second))
    assert {record.method for record in new} == {"theirs"}
    assert len(calls()) == len(asked) + 1 + 3  # the first call warms up
    for record in new:
        old = next(r for r in before.values() if (r.method, r.case) == ("theirs", record.case))
        assert record.value == pytest.approx(2 * (old.value or 0), rel=1e-5)
        served = second.explanation("theirs", record.case)
        assert served is not None
        assert served.heatmap.mean() == pytest.approx(record.value, rel=1e-5)
    assert {path: path.stat().st_mtime_ns for path in maps} == maps


def test_trap_39_a_changed_report_file_keeps_every_record(tmp_path: Path) -> None:
    package = tmp_path / "copy" / "xaibench"
    shutil.copytree(
        Path(xaibench.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__", "*.keras")
    )
    script = dedent(
        """
        import sys
        from pathlib import Path
        import xaibench
        from tests.harness.in_memory import Patients, likes_bright, made_cases
        from xaibench.api import LoadedModel, Silent
        from xaibench.harness.describe import Sources
        from xaibench.harness.run import run
        from xaibench.harness.spec import RunSpec

        assert str(Path(xaibench.__file__)).startswith(sys.argv[1])
        sources = Sources(Patients(tuple(made_cases(2))), "in memory", LoadedModel("test", (likes_bright(),)))
        spec = RunSpec(methods="random,centre", metrics="relevance-mass")
        for record in run(spec, Path(sys.argv[2]), Silent(), sources=sources).records():
            print(record)
        """
    )
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(package.parent), str(root)])}
    command = [sys.executable, "-c", script, str(package.parent), str(tmp_path / "run")]

    def records() -> str:
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    before = records()
    assert before.count("\n") == 4
    for file in [*package.glob("reports/**/*.py"), *package.glob("cli/*.py")]:
        file.write_text(file.read_text() + "\n# changed\n")
    assert records() == before


# ---------------------------------------------------------------- what run.json tells


def test_run_json_keeps_the_history_of_what_was_asked(grow: Run) -> None:
    grow(methods="bright")
    grow(methods="bright,drawn")
    folder = grow(methods="drawn", patients=4)
    info = folder.info()
    assert [request.spec["methods"] for request in info.history] == ["bright", "bright,drawn", "drawn"]
    assert info.spec["methods"] == "drawn"
    assert [a.at <= b.at for a, b in zip(info.history, info.history[1:], strict=False)] == [True, True]
    assert {record.method for record in folder.records()} == {"drawn"}
    stored = json.loads((folder.path / "run.json").read_text())
    assert [request["spec"]["methods"] for request in stored["history"]] == [
        "bright",
        "bright,drawn",
        "drawn",
    ]


def test_another_model_makes_all_records_anew_and_the_old_ones_stay(tmp_path: Path, grow: Run) -> None:
    first = grow()
    before = first.finished()
    model = LoadedModel("other", (likes_bright(8.0),))
    sources = Sources(Patients(tuple(made_cases(3))), "in memory", model)
    other = run(RunSpec(methods="bright,scaled", metrics="mean,again"), first.path, Silent(), sources=sources)
    with closing(other):
        assert not {record.key for record in other.records()} & before
        assert before < other.finished()


OLD = {
    "spec": {"methods": "all", "metrics": "all", "dataset": "phantom", "preset": "smoke", "seed": 0},
    "model": {"name": "recurrence", "hash": "0" * 64, "parameters": 175000, "input_shape": [128, 128, 1]},
    "cohort": {"name": "phantom", "hash": "1" * 64, "class_names": ["no", "yes"], "patients": 4},
    "methods": {"random": {"package": "xaibench 0.1.0", "parameters": {"seed": 0}}},
    "metrics": {"iou": {"package": "xaibench 0.1.0", "parameters": {}, "range": [0.0, 1.0]}},
    "machine": {"cores": 2},
    "versions": {"xaibench": "0.1.0"},
    "identity": {"settings": {}, "model": "0" * 64, "cohort": "1" * 64, "plugins": {}, "code": "2" * 64},
}
"""`run.json` as version 0.1 wrote it."""


@pytest.fixture
def old_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps(OLD, indent=2))
    return folder


def test_a_folder_of_version_0_1_is_told_apart_in_one_sentence(old_folder: Path, grow: Run) -> None:
    files = {path: path.read_bytes() for path in old_folder.iterdir()}
    with pytest.raises(XaibenchError, match="a run of another version of xaibench") as told:
        grow()
    assert "\n" not in str(told.value)
    assert "choose another --out folder" in str(told.value)
    assert {path: path.read_bytes() for path in old_folder.iterdir()} == files


def test_reading_a_folder_of_version_0_1_is_the_same_sentence(old_folder: Path) -> None:
    with (
        closing(RunFolder.existing(old_folder)) as folder,
        pytest.raises(XaibenchError, match="a run of another version of xaibench"),
    ):
        folder.records()
