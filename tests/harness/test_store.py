"""A run on disk: nothing is lost, nothing is half written."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.harness.conftest import Compute
from tests.harness.in_memory import one_case, prepared_run
from tests.harness.plugins import Brightness, Mean, Misbehaves, Stacked
from xaibench.api import API_VERSION, CohortExplanation, Explanation, Record, Status, XaibenchError
from xaibench.harness.store import arrays
from xaibench.harness.store.folder import RunFolder, read_info
from xaibench.harness.store.records import RecordStore
from xaibench.harness.store.run_info import RunInfo

OK = Record(
    *("P1-s00", "P1", "rise", "iou", Status.OK),
    key="k1",
    value=0.1 + 0.2,
    details={"tied_share": 0.25},
    fold=3,
    seconds=1.5,
    forward=3,
    backward=2,
)
FAILED = Record("P2-s00", "P2", "rise", "iou", Status.FAILED, key="k2", reason="ValueError: no")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RecordStore]:
    with closing(RecordStore(tmp_path / "records.sqlite")) as opened:
        yield opened


# ---------------------------------------------------------------- records


def test_records_come_back_as_they_were_written(store: RecordStore) -> None:
    store.append([FAILED, OK])
    assert store.records() == [OK, FAILED]
    assert {record.key for record in store.records()} == {"k1", "k2"}


def test_records_are_readable_with_plain_sqlite_and_say_which_contract_they_are_of(
    store: RecordStore, tmp_path: Path
) -> None:
    store.append([OK])
    with closing(sqlite3.connect(tmp_path / "records.sqlite")) as database:
        rows = database.execute("SELECT value, status, api_version FROM records").fetchall()
    assert rows == [(0.1 + 0.2, "ok", API_VERSION)]


def test_a_second_record_of_a_key_replaces_the_first_and_failures_are_kept(store: RecordStore) -> None:
    store.append([FAILED])
    better = replace(FAILED, status=Status.OK, value=0.1, reason="")
    store.append([better])
    assert store.records() == [better]
    assert [(f.case, f.method, f.metric, f.reason) for f in store.failures()] == [
        ("P2-s00", "rise", "iou", "ValueError: no")
    ]


def test_forgotten_failures_are_computed_again_but_stay_in_the_history(store: RecordStore) -> None:
    store.append([OK, FAILED])
    store.forget_failures()
    assert store.records() == [OK]
    assert len(store.failures()) == 1


def test_the_records_of_a_cell_are_written_together_or_not_at_all(store: RecordStore) -> None:
    broken = replace(OK, key="k3", reason="\ud800")  # nothing that UTF-8 can hold
    with pytest.raises(UnicodeEncodeError):
        store.append([FAILED, broken])
    assert store.records() == []
    store.append([OK])
    assert store.records() == [OK]


def test_a_file_that_is_no_database_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "records.sqlite").write_text(
        "this is no database, but it is long enough to be read as one" * 20
    )
    with pytest.raises(XaibenchError, match=r"file is not a database\); delete it"):
        RunFolder(tmp_path)


# ---------------------------------------------------------------- arrays


@pytest.mark.parametrize("annotated", [True, False])
@pytest.mark.parametrize("spacing", [(0.8, 0.7), None])
def test_cases_come_back_as_they_were(
    tmp_path: Path, annotated: bool, spacing: tuple[float, float] | None
) -> None:
    rng = np.random.default_rng(0)
    case = replace(
        one_case(1),
        image=rng.random((5, 7, 1), dtype=np.float32),
        region=rng.random((5, 7)) > 0.5 if annotated else None,
        labels=(0, 1),
        spacing_mm=spacing,
        slice_index=3,
        region_name="lesion",
    )
    arrays.save_case(tmp_path / "case.npz", case, "key")
    found = arrays.load_case(tmp_path / "case.npz", case.id)
    np.testing.assert_array_equal(found.image, case.image)
    np.testing.assert_array_equal(found.region, case.region)  # type: ignore[arg-type]
    for name in ("id", "patient", "labels", "spacing_mm", "slice_index", "region_name"):
        assert getattr(found, name) == getattr(case, name)


def test_trap_22_explanations_come_back_bit_for_bit(tmp_path: Path) -> None:
    heatmap = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)
    made = Explanation(heatmap, 1, 0.25, 3, 1, promised_total=0.1 + 0.2, details={"a": 1 / 3})
    arrays.save_explanation(tmp_path / "map.npz", made)
    found = arrays.load_explanation(tmp_path / "map.npz")
    np.testing.assert_array_equal(found.heatmap, heatmap)
    assert found.heatmap.dtype == np.float32
    assert {**vars(found), "heatmap": None} == {**vars(made), "heatmap": None}


def test_cohort_explanations_come_back_by_label(tmp_path: Path) -> None:
    with_region = CohortExplanation(
        np.ones((3, 3, 1), np.float32),
        np.zeros((3, 3), np.float32),
        np.full((3, 3), -1),
        np.full((3, 3), 0.5, np.float32),
    )
    made = {0: replace(with_region, region=None), 2: with_region}
    arrays.save_classes(tmp_path / "classes.npz", made)
    found = arrays.load_classes(tmp_path / "classes.npz")
    assert set(found) == {0, 2}
    assert found[0].region is None
    for name in ("image", "map", "sources", "region"):
        np.testing.assert_array_equal(getattr(found[2], name), getattr(with_region, name))


@pytest.mark.parametrize("content", [b"garbage", b"", b"PK\x03\x04 cut off"])
def test_a_damaged_file_is_one_sentence_that_says_what_to_do(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "map.npz").write_bytes(content)
    with pytest.raises(XaibenchError, match=r"map\.npz is damaged .*; delete it and start the run again"):
        arrays.load_explanation(tmp_path / "map.npz")


def test_a_truncated_file_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "map.npz"
    arrays.save_explanation(file, Explanation(np.ones((64, 64), np.float32), 0, 1.0, 1, 0))
    whole = file.read_bytes()
    for length in range(0, len(whole), 37):
        file.write_bytes(whole[:length])
        with pytest.raises(XaibenchError, match="is damaged"):
            arrays.load_explanation(file)


# ---------------------------------------------------------------- the folder


def test_a_heatmap_belongs_to_the_key_of_its_method_and_case(compute: Compute) -> None:
    folder = compute(prepared_run({"grad-cam++": Brightness()}, {"mean": Mean()}))
    assert folder.explanation("grad-cam++", "P0-s00") is not None
    other = compute(prepared_run({"grad-cam++": Misbehaves("fine")}, {"mean": Mean()}, seed=1))
    assert len(list(folder.path.glob("heatmaps/grad-cam++/P0-s00-*.npz"))) == 2
    assert len(other.cases()) == 3


def test_a_half_written_file_is_never_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", die)
    with pytest.raises(KeyboardInterrupt):
        arrays.save_explanation(tmp_path / "map.npz", Explanation(np.ones((2, 2), np.float32), 0, 1.0, 1, 0))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"garbage", b"", None])
def test_a_damaged_or_lost_heatmap_is_made_again_with_its_records(
    compute: Compute, content: bytes | None
) -> None:
    prepared = prepared_run({"a": Brightness(), "b": Brightness()}, {"mean": Mean()})
    folder = compute(prepared)
    before = [replace(record, seconds=0.0) for record in folder.records()]
    (file,) = folder.path.glob("heatmaps/a/P1-s00-*.npz")
    heatmap = arrays.load_explanation(file).heatmap
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)
        assert folder.explanation("a", "P1-s00") is None
    computed: list[str] = []
    again = compute(prepared, watch=lambda result, cells: computed.append(result.cell.unit.id))
    assert computed == ["P1-s00"]
    assert [replace(record, seconds=0.0) for record in again.records()] == before
    np.testing.assert_array_equal(arrays.load_explanation(file).heatmap, heatmap)


def test_a_malformed_database_is_one_sentence(compute: Compute) -> None:
    folder = compute(prepared_run({"a": Brightness()}, {"mean": Mean()}))
    folder.close()
    file = folder.path / "records.sqlite"
    content = bytearray(file.read_bytes())
    content[100:] = b"\xff" * (len(content) - 100)
    file.write_bytes(content)
    with pytest.raises(XaibenchError, match=r"records\.sqlite cannot be used .*; delete it"):
        RunFolder(folder.path).records()


def test_a_folder_without_a_run_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(XaibenchError, match="holds no run"):
        RunFolder.existing(tmp_path)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(XaibenchError, match="holds no run"):
        read_info(tmp_path)


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_an_output_that_is_a_file_or_below_one_is_one_sentence(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(XaibenchError, match=r"cannot be made .*; choose another --out folder"):
        RunFolder(tmp_path / place)


def test_an_output_that_cannot_be_written_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)  # root, who runs the tests in CI, may write everywhere
    with pytest.raises(XaibenchError, match=r"cannot be made \(Permission denied\)"):
        RunFolder(tmp_path / "run")


def test_run_json_comes_back_as_it_was(compute: Compute) -> None:
    prepared = prepared_run({"a": Brightness(), "b": Stacked()}, {"mean": Mean()})
    folder = compute(prepared)
    assert read_info(folder.path) == prepared.info
    stored = json.loads((folder.path / "run.json").read_text())
    assert (stored["format"], stored["api_version"]) == (1, API_VERSION)
    assert stored["metrics"]["mean"]["range"] == [None, None]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"format": 2}, "a run of another version of xaibench"),
        ({"format": 1, "surprise": 3}, r"is not readable \(surprise: extra inputs are not permitted\)"),
        ({"cohort": {}}, r"is not readable \(cohort\.name: field required\)"),
    ],
)
def test_another_run_json_is_one_sentence(compute: Compute, change: dict[str, object], sentence: str) -> None:
    folder = compute(prepared_run({"a": Brightness()}, {"mean": Mean()}))
    stored = json.loads((folder.path / "run.json").read_text()) | change
    (folder.path / "run.json").write_text(json.dumps(stored, indent=2))
    with pytest.raises(XaibenchError, match=sentence) as told:
        read_info(folder.path)
    assert "\n" not in str(told.value)


def test_run_json_that_is_no_json_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(XaibenchError, match=r"another version|not readable"):
        read_info(tmp_path)


def test_what_run_json_says_of_case_and_metric() -> None:
    info: RunInfo = prepared_run({"a": Brightness(), "b": Brightness()}, {"mean": Mean()}).info
    case = info.cohort.cases[1]
    assert case.predicted == int(np.argmax(case.scores))
    assert info.metrics["mean"].bounds == (-np.inf, np.inf)
    assert info.cohort.patients == ("P0", "P1", "P2")
    assert info.competitors() == ["a", "b"]
    assert info.controls() == []
