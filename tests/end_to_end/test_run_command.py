"""`xaibench run` from the command line to the files on disk, on real DICOM."""

import csv
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Command

COST = {"latency", "peak-memory", "throughput"}
QUICK = "random,mask,edges,grad-cam,stacked-feature-maps"
METRICS = "family:co-localisation,family:cost,deletion-auc,sensitivity-norm,mprt,class-consistency,gini"


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "scores.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def means(folder: Path, metric: str) -> dict[str, float]:
    """Figure of each method over all cases."""
    everything = {"metric": metric, "class": "all", "subset": "all"}
    return {row["method"]: float(row["value"]) for row in rows(folder) if everything.items() <= row.items()}


def timeless(folder: Path) -> list[dict[str, str]]:
    return [row for row in rows(folder) if row["metric"].split(".")[0] not in COST]


@pytest.fixture(scope="module")
def arguments(cohort: Path, model_file: Path) -> list[str]:
    return [
        "--dataset",
        str(cohort),
        "--model",
        str(model_file),
        "--preset",
        "smoke",
        "--metrics",
        METRICS,
        "--methods",
        QUICK,
    ]


@pytest.fixture(scope="module")
def undisturbed(arguments: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a run that nobody interrupted."""
    out = tmp_path_factory.mktemp("runs") / "whole"
    command = [sys.executable, "-m", "xaibench", "run", *arguments, "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "report.html" in done.stdout
    return out


def test_every_method_and_metric_has_a_row_with_an_interval_or_a_reason(undisturbed: Path) -> None:
    info = json.loads((undisturbed / "run.json").read_text())
    found = rows(undisturbed)
    wanted = {(method, metric) for method in info["methods"] for metric in info["metrics"]}
    assert wanted <= {(row["method"], row["metric"]) for row in found}
    for row in found:
        assert all(value.strip() and value.lower() != "nan" for value in row.values()), row
        measured = row["value"] != "-"
        assert measured == (row["status"] in ("measured", "incomplete")), row
        if row["low"] == "-":
            assert row["reason"] != "measured", row
        else:
            assert float(row["low"]) <= float(row["value"]) <= float(row["high"]), row


def test_the_annotation_itself_is_first_in_relevance_mass(undisturbed: Path) -> None:
    mass = means(undisturbed, "relevance-mass")
    assert mass["mask"] == pytest.approx(1.0)
    assert max(mass, key=mass.__getitem__) == "mask"


def test_no_identifying_value_reaches_the_run_folder(undisturbed: Path, cohort: Path) -> None:
    import pydicom

    header = pydicom.dcmread(next(cohort.rglob("*.dcm")), stop_before_pixels=True)
    values = [
        str(header.PatientID),
        str(header.SeriesInstanceUID),
        str(header.StudyDate),
        str(header.PatientName),
    ]
    secrets = [value.encode() for value in values if len(value) > 3]
    assert secrets
    for file in undisturbed.rglob("*"):
        content = file.read_bytes() if file.is_file() else b""
        assert not [secret for secret in secrets if secret in content], file
        assert str(cohort).encode() not in content, file


def test_the_report_needs_nothing_from_outside(undisturbed: Path) -> None:
    page = (undisturbed / "report.html").read_text()
    assert 'src="http' not in page
    assert "<script src" not in page
    assert "@import" not in page
    for name in ("scores.csv", "leaderboard.csv", "leaderboard.md"):
        assert (undisturbed / name).stat().st_size > 0


def test_the_report_is_written_again_from_the_folder_alone(undisturbed: Path, xaibench: Command) -> None:
    before = (undisturbed / "scores.csv").read_bytes()
    (undisturbed / "scores.csv").unlink()
    done = xaibench("report", undisturbed)
    assert done.exit_code == 0, done.errors
    assert (undisturbed / "scores.csv").read_bytes() == before


def test_a_pipeline_can_require_a_scenario(undisturbed: Path, tmp_path: Path, xaibench: Command) -> None:
    refused = xaibench("report", undisturbed, "--require", "triage")
    assert refused.exit_code == 1
    assert "triage: not met" in refused.output
    easy = tmp_path / "easy.yaml"
    easy.write_text("mine: {methods: [grad-cam], criteria: [{metric: latency, at_most: 60000}]}")
    met = xaibench("report", undisturbed, "--criteria", easy, "--require", "mine")
    assert met.exit_code == 0, met.errors
    assert "mine: met; every criterion is passed by" in met.output
    misspelt = xaibench("report", undisturbed, "--require", "triag")
    assert misspelt.exit_code == 2
    assert "no scenario 'triag'; did you mean 'triage'" in misspelt.errors


@pytest.mark.nightly
@pytest.mark.parametrize("records", [100])
def test_killed_at_any_moment_it_goes_on_to_the_same_scores(
    records: int, arguments: list[str], undisturbed: Path, tmp_path: Path
) -> None:
    out = tmp_path / "killed"
    command = [sys.executable, "-m", "xaibench", "run", *arguments, "--out", str(out)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and count(out) < records:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = count(out)
    assert kept >= records
    again = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert again.returncode == 0, again.stderr
    assert timeless(out) == timeless(undisturbed)


def count(folder: Path) -> int:
    """Records in the database, read by plain SQLite."""
    import sqlite3

    file = folder / "records.sqlite"
    if not file.exists():
        return 0
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=5)
    try:
        return int(connection.execute("SELECT count(*) FROM records").fetchone()[0])
    except sqlite3.OperationalError:  # the table is not there yet
        return 0
    finally:
        connection.close()


def test_a_finished_run_is_not_computed_again(undisturbed: Path, arguments: list[str]) -> None:
    before = (undisturbed / "scores.csv").read_bytes()
    stamps = {file: file.stat().st_mtime_ns for file in undisturbed.glob("heatmaps/*/*.npz")}
    command = [sys.executable, "-m", "xaibench", "run", *arguments, "--out", str(undisturbed)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert (undisturbed / "scores.csv").read_bytes() == before
    assert {file: file.stat().st_mtime_ns for file in stamps} == stamps


def test_another_method_in_the_same_folder_leaves_what_was_made(
    undisturbed: Path, arguments: list[str], tmp_path: Path, xaibench: Command
) -> None:
    grown = tmp_path / "grown"
    shutil.copytree(undisturbed, grown)
    before = count(grown)
    done = xaibench("run", *arguments[:-1], f"{QUICK},centre", "--out", grown)
    assert done.exit_code == 0, done.errors
    own = [row for row in rows(grown) if row["method"] == "centre"]
    assert {row["status"] for row in own} == {"measured", "not applicable"}
    assert count(grown) == before * 6 / 5
    history = json.loads((grown / "run.json").read_text())["history"]
    assert {entry["spec"]["methods"] for entry in history} >= {QUICK}


def test_an_installed_plugin_is_listed_run_and_checked(
    installed_plugin: None, arguments: list[str], tmp_path: Path, xaibench: Command
) -> None:
    assert "brightness" in xaibench("list", "methods").output
    checked = xaibench("plugin", "check", "brightness")
    assert checked.exit_code == 0, checked.output
    assert "0 broken" in checked.output
    mine = [*arguments[:-1], "brightness,random", "--metrics", "iou,latency"]
    done = xaibench("run", *mine, "--out", tmp_path / "run")
    assert done.exit_code == 0, done.errors
    assert {row["method"] for row in rows(tmp_path / "run")} == {"brightness", "random"}


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (["--methods", "grad-camm"], "no method 'grad-camm'; did you mean 'grad-cam'"),
        (["--metrics", "dicee"], "no metric 'dicee'; did you mean 'dice'"),
        (["--dataset", "phantm"], "no dataset 'phantm'; did you mean 'phantom'"),
        (["--dataset", "./no/such/folder"], "no/such/folder"),
        (["--model", "recurence"], "no model 'recurence'; did you mean 'recurrence'"),
        (["--model", "none.keras"], "none.keras"),
        (["--target", "7"], "Class 7 is asked for, but the model has classes 0 to 1"),
        (["--config", "none.yaml"], "none.yaml cannot be read"),
    ],
)
def test_wrong_input_is_one_sentence_and_exit_code_2(
    wrong: list[str], sentence: str, arguments: list[str], tmp_path: Path, xaibench: Command
) -> None:
    done = xaibench("run", *arguments, "--out", tmp_path / "run", *wrong)
    assert done.exit_code == 2
    assert sentence in " ".join(done.errors.split())
    assert "Traceback" not in done.errors


def test_a_failing_cell_gives_exit_code_1_and_is_named(
    arguments: list[str], tmp_path: Path, xaibench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    from xaibench.methods.edges import Edges

    def fail(*_: object) -> None:
        raise RuntimeError("edges fell off")

    monkeypatch.setattr(Edges, "__call__", fail)
    done = xaibench("run", *arguments, "--out", tmp_path / "run")
    assert done.exit_code == 1
    assert "edges: RuntimeError: edges fell off" in " ".join(done.errors.split())
    assert "edges fell off" in (tmp_path / "run" / "report.html").read_text()
    found = rows(tmp_path / "run")
    assert {row["status"] for row in found if row["method"] == "edges"} <= {"failed", "not applicable"}
    assert "measured" in {row["status"] for row in found if row["method"] == "grad-cam"}


@pytest.mark.nightly
def test_the_run_uses_less_than_4_gib(arguments: list[str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "xaibench", "run", *arguments, "--out", str(tmp_path / "run")]
    child = "import resource, subprocess, sys; code = subprocess.call(sys.argv[1:], stdout=2);"
    child += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(code)"
    done = subprocess.run(
        [sys.executable, "-c", child, *command], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 4 * 2**20  # kibibytes
