"""Entries: what they hold, what they must not hold, and that they never change."""

import hashlib
import json
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest

from tests.reports.board.made_up_board import PLAN, added, made_run
from tests.reports.made_up import AT, Plan, keep
from xaibench.api import Record, Status
from xaibench.harness.store.folder import RunFolder
from xaibench.harness.store.merging import merge
from xaibench.reports.board.entry import canonical, schema
from xaibench.reports.board.folder import add
from xaibench.reports.board.making import entry_of
from xaibench.reports.board.private import publishable
from xaibench.reports.board.pseudonyms import pseudonyms_of
from xaibench.reports.board.reading import read_entry
from xaibench.reports.scoring.results import read

REQUIRED = {
    "schema_version": str,
    "evaluation_id": str,
    "retrieved_timestamp": str,
    "source_metadata": dict,
    "model_info": dict,
    "eval_library": dict,
    "evaluation_results": list,
}
"""Required fields of Every Eval Ever 0.3, with their types."""


@pytest.fixture(scope="module")
def path(made: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return add(made, tmp_path_factory.mktemp("board"))[0]


def test_an_entry_is_named_by_its_content_and_pins_its_rows(path: Path) -> None:
    assert path.stem == hashlib.sha256(path.read_bytes()).hexdigest()[:32]
    document = json.loads(path.read_text())
    rows = path.with_suffix(".jsonl").read_bytes()
    assert document["detailed_evaluation_results"]["checksum"] == hashlib.sha256(rows).hexdigest()


def test_adding_a_run_twice_changes_nothing(made: RunFolder, tmp_path: Path) -> None:
    first, new = add(made, tmp_path)
    stamps = {file: file.stat().st_mtime_ns for file in first.parent.iterdir()}
    assert new
    assert add(made, tmp_path) == (first, False)
    assert {file: file.stat().st_mtime_ns for file in first.parent.iterdir()} == stamps


def test_an_entry_has_the_fields_of_every_eval_ever(path: Path) -> None:
    document = json.loads(path.read_text())
    own = document.pop("xaibench")
    assert own["entry_version"] == 1
    assert {name: type(document[name]) for name in REQUIRED} == REQUIRED
    assert set(document) - set(REQUIRED) == {"evaluation_timestamp", "detailed_evaluation_results"}
    found = {result["evaluation_result_id"]: result for result in document["evaluation_results"]}
    result = found["lime/gini"]
    config = result["metric_config"]
    assert (config["metric_id"], config["lower_is_better"]) == ("xaibench.gini", False)
    assert (config["score_type"], config["min_score"], config["max_score"]) == ("continuous", 0, 1)
    assert "score_type" not in found["lime/enrichment"]["metric_config"]  # it has no upper bound
    interval = result["score_details"]["uncertainty"]["confidence_interval"]
    assert interval["lower"] < result["score_details"]["score"] < interval["upper"]
    assert "null" not in json.dumps(document)


def test_scores_are_those_of_the_report(made: RunFolder, path: Path) -> None:
    scores = read(made).scores
    results = json.loads(path.read_text())["evaluation_results"]
    assert len(results) > 20
    for result in results:
        score = scores[result["evaluation_name"], result["metric_config"]["metric_name"]]
        assert result["score_details"]["score"] == pytest.approx(score.value, rel=1e-9)
        assert result["score_details"]["uncertainty"]["num_samples"] == score.n_patients


def test_nothing_in_an_entry_identifies_anybody(tmp_path: Path) -> None:
    folder = made_run(
        tmp_path / "run", Plan(patients=2, metrics=("gini", "throughput")), ["lime", "grad-cam"]
    )
    case = folder.info().cohort.cases[0]
    blank = Record(case.id, case.patient, "lime", "gini", Status.NOT_APPLICABLE)
    reason = f"case {case.id} of {case.patient} in /home/jane/cohort/{case.patient}.dcm has no mask"
    keep(folder, [replace(blank, reason=reason)])
    broken = "OSError: C:\\Users\\jane\\x.dcm of Jane Doe cannot be read"
    keep(folder, [replace(blank, method="grad-cam", status=Status.FAILED, reason=broken)])
    path = added(folder, tmp_path / "board")
    written = path.read_text() + path.with_suffix(".jsonl").read_text()
    for secret in (case.id, case.patient, "jane", "Jane", ".dcm", str(tmp_path)):
        assert secret not in written, secret
    reasons = {row.method: row.reason for row in read_entry(path).rows if row.reason}
    assert reasons == {"lime": "case (a case) of (a case) in (a path) has no mask", "grad-cam": "OSError"}


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("weights of /srv/models/a.keras", "weights of (a path)"),
        ("..\\data\\a.nii", "(a path)"),
        ("~/cohort", "(a path)"),
        ("read a/b/c", "read (a path)"),
        ("trained and/or tuned, 3/4 of 256x256", "trained and/or tuned, 3/4 of 256x256"),
    ],
)
def test_paths_are_taken_out_of_text(text: str, clean: str) -> None:
    assert publishable(text) == clean


def test_pseudonyms_follow_from_the_images_and_not_from_the_names(made: RunFolder) -> None:
    described, cases = made.info().cohort.cases, made.cases()
    published = pseudonyms_of(described, cases)
    renamed = {case.id: f"X{9 - n}" for n, case in enumerate(described)}
    others = [c.model_copy(update={"id": renamed[c.id], "patient": renamed[c.id]}) for c in described]
    again = pseudonyms_of(others, {renamed[name]: case for name, case in cases.items()})
    assert again.fingerprint() == published.fingerprint()
    assert {again.cases[renamed[name]]: again.patients[renamed[name]] for name in cases} == {
        published.cases[case.id]: published.patients[case.patient] for case in described
    }
    other = pseudonyms_of(described, {**cases, described[0].id: replace(cases[described[0].id], labels=(7,))})
    assert other.fingerprint() != published.fingerprint()


def test_cases_that_are_equal_are_still_two(made: RunFolder) -> None:
    described, cases = made.info().cohort.cases[:2], made.cases()
    described = (described[0], described[1].model_copy(update={"target": described[0].target}))
    same = {case.id: cases[described[0].id] for case in described}
    assert len(set(pseudonyms_of(described, same).cases.values())) == 2


def test_the_shipped_schema_is_fresh() -> None:
    shipped = files("xaibench.reports.board").joinpath("entry.schema.json").read_text(encoding="utf-8")
    assert shipped == canonical(schema()), (
        "write it again: Path('xaibench/reports/board/entry.schema.json').write_text(canonical(schema()))"
    )


def test_merged_runs_are_one_entry_however_often_they_are_added(tmp_path: Path) -> None:
    plan = replace(PLAN, patients=2)
    for method in ("lime", "grad-cam"):
        made_run(tmp_path / method, plan, [method]).close()
    folder = merge([tmp_path / "lime", tmp_path / "grad-cam"], tmp_path / "merged")
    first, rows = entry_of(folder)
    assert sorted(first.xaibench.methods) == ["grad-cam", "lime"]
    assert len(rows.splitlines()) == 2 * (2 * 5 + 1)  # five metrics of cases, one of the batch
    assert entry_of(folder)[0].text() == first.text()
    assert first.evaluation_timestamp == AT.isoformat()
    folder.close()


def test_a_run_that_grew_is_another_entry_of_the_same_date(tmp_path: Path) -> None:
    folder = made_run(tmp_path / "run", replace(PLAN, patients=2), ["lime"])
    first, _ = entry_of(folder)
    folder.begin(folder.info(), folder.cases())  # asked for once more
    again, _ = entry_of(folder)
    assert again.text() == first.text()
    folder.close()
