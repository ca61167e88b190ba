"""A run on disk: nothing is lost, nothing is half written, another run is refused."""

import json
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from xaibench.api import Case, CohortExplanation, Explanation, Record, Status, XaibenchError
from xaibench.harness.store.folder import RunFolder

OK = Record(
    "P1-s00", "P1", "rise", "iou", Status.OK, 0.5, details={"tied_share": 0.25}, seconds=1.5, forward=3
)
FAILED = Record("P2-s00", "P2", "rise", "iou", Status.FAILED, reason="ValueError: no")


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "run")


def test_records_come_back_as_they_were_written(folder: RunFolder) -> None:
    folder.append([FAILED, OK])
    assert folder.records() == [OK, FAILED]
    assert folder.finished() == {("P1-s00", "rise", "iou"), ("P2-s00", "rise", "iou")}


def test_records_are_readable_with_plain_sqlite(folder: RunFolder) -> None:
    folder.append([OK])
    rows = (
        sqlite3.connect(folder.path / "records.sqlite")
        .execute("SELECT value, status FROM records")
        .fetchall()
    )
    assert rows == [(0.5, "ok")]


def test_a_second_record_of_a_cell_replaces_the_first_and_failures_are_kept(folder: RunFolder) -> None:
    folder.append([FAILED])
    better = Record("P2-s00", "P2", "rise", "iou", Status.OK, 0.1)
    folder.append([better])
    assert folder.records() == [better]
    assert [(f.case, f.reason) for f in folder.failures()] == [("P2-s00", "ValueError: no")]


def test_forgotten_failures_are_computed_again_but_stay_in_the_history(folder: RunFolder) -> None:
    folder.append([OK, FAILED])
    folder.forget_failures()
    assert folder.records() == [OK]
    assert len(folder.failures()) == 1


@pytest.mark.parametrize("with_mask", [True, False])
def test_cases_come_back_as_they_were(folder: RunFolder, with_mask: bool) -> None:
    rng = np.random.default_rng(0)
    mask = rng.random((5, 7)) > 0.5 if with_mask else None
    case = Case("P1-s03", "P1", rng.random((5, 7, 1), dtype=np.float32), 1, mask, (0.8, 0.7), 3)
    folder.save_case(case, target=1)
    found, target = folder.cases()["P1-s03"]
    assert target == 1
    np.testing.assert_array_equal(found.image, case.image)
    assert (found.patient, found.label, found.spacing_mm, found.slice_index) == ("P1", 1, (0.8, 0.7), 3)
    if mask is None:
        assert found.mask is None
    else:
        np.testing.assert_array_equal(found.mask, mask)


def test_trap_22_explanations_come_back_bit_for_bit(folder: RunFolder) -> None:
    heatmap = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)
    folder.save_explanation("grad-cam++", "P1-s00", Explanation(heatmap, 1, 0.25, 3, 1))
    found = folder.explanation("grad-cam++", "P1-s00")
    assert found is not None
    np.testing.assert_array_equal(found.heatmap, heatmap)
    assert (found.target, found.seconds, found.forward, found.backward) == (1, 0.25, 3, 1)
    assert folder.explanation("grad-cam++", "P9-s00") is None


def test_cohort_explanations_come_back_by_label(folder: RunFolder) -> None:
    explanation = CohortExplanation(
        np.ones((3, 3, 1), np.float32), np.zeros((3, 3), np.float32), np.full((3, 3), -1)
    )
    folder.save_cohort_explanations("stacked", {0: explanation, 1: explanation})
    found = folder.cohort_explanations("stacked")
    assert found is not None
    assert set(found) == {0, 1}
    np.testing.assert_array_equal(found[1].sources, explanation.sources)
    assert folder.cohort_explanations("other") is None


def test_another_run_is_refused_and_what_differs_is_named(folder: RunFolder) -> None:
    folder.begin({"identity": {"settings": {"preset": "smoke"}, "model": "abc"}})
    folder.begin({"identity": {"settings": {"preset": "smoke"}, "model": "abc"}})
    with pytest.raises(XaibenchError, match=r"another run: model differ.*choose another --out"):
        folder.begin({"identity": {"settings": {"preset": "smoke"}, "model": "xyz"}})


def test_a_half_written_file_is_never_seen(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", die)
    with pytest.raises(KeyboardInterrupt):
        folder.save_explanation("rise", "P1-s00", Explanation(np.ones((2, 2), np.float32), 0, 1.0, 1, 0))
    assert folder.explanation("rise", "P1-s00") is None


def test_a_damaged_heatmap_is_one_sentence(folder: RunFolder) -> None:
    folder.save_explanation("rise", "P1-s00", Explanation(np.ones((2, 2), np.float32), 0, 1.0, 1, 0))
    (folder.path / "heatmaps" / "rise" / "P1-s00.npz").write_bytes(b"garbage")
    with pytest.raises(XaibenchError, match="damaged"):
        folder.explanation("rise", "P1-s00")


def test_a_folder_without_a_run_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(XaibenchError, match="holds no run"):
        RunFolder.existing(tmp_path)


def test_a_file_that_is_no_database_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "records.sqlite").write_text(
        "this is no database, but it is long enough to be read as one" * 20
    )
    with pytest.raises(XaibenchError, match="no readable run database"):
        RunFolder(tmp_path)


def test_run_json_is_written_once_and_readable(folder: RunFolder) -> None:
    folder.begin({"identity": {"a": 1}, "spec": {"preset": "smoke"}})
    assert json.loads((folder.path / "run.json").read_text())["spec"] == {"preset": "smoke"}
