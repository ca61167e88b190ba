"""Series of the Imaging Data Commons are planned without a network, and fetched whole or not at all."""

import logging
import sys
from dataclasses import asdict
from types import SimpleNamespace

import pytest

from xaibench.api import XaibenchError
from xaibench.datasets.idc.cohorts import COHORTS, Plan, make_plan
from xaibench.datasets.idc.download import IdcSeries, PackagedIndex, fetch, find_series, missing, open_index


def series(uid="1.1", patient="TCGA-VS-A8EC", description="AX T2", files=3, **other):
    facts = {"modality": "MR", "megabytes": 2.5, "date": "2004-01-01", "number": 3}
    facts |= {"licence": "CC BY 3.0", "doi": "10.1/x"} | other
    return IdcSeries(patient, uid, description, files=files, **facts)


class FakeIndex:
    """Delivers as many files of a series as it is told, all of them by default; like the original it never raises."""

    def __init__(self, *known, delivers=None, contents=b"DICM"):
        self.known, self.delivers, self.contents = known, delivers or {}, contents
        self.asked = []
        self.conditions = []

    def rows(self, condition):
        self.conditions.append(condition)
        return [asdict(one) for one in self.known]

    def download(self, uid, folder):
        self.asked.append(uid)
        (files,) = (one.files for one in self.known if one.uid == uid)
        for number in range(self.delivers.get(uid, files)):
            (folder / f"{number}.dcm").write_bytes(self.contents)


def straight(items, what):
    return items


FIRST, SECOND, THIRD = series("1.1"), series("1.2", files=2), series("1.3", patient="TCGA-VS-A8EG")


def held(out):
    """Files by series that lie below a folder."""
    found = {}
    for file in out.rglob("*"):
        if file.is_file():
            found[file.parent.name] = found.get(file.parent.name, 0) + 1
    return found


def test_series_are_fetched_to_patient_and_series_folders(tmp_path):
    fetch(FakeIndex(FIRST, SECOND, THIRD), [FIRST, SECOND, THIRD], tmp_path / "c", straight)
    assert held(tmp_path / "c") == {"1.1": 3, "1.2": 2, "1.3": 3}
    assert (tmp_path / "c" / "TCGA-VS-A8EG" / "1.3" / "0.dcm").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


def test_whole_series_are_not_fetched_again(tmp_path):
    index = FakeIndex(FIRST, SECOND)
    fetch(index, [FIRST], tmp_path / "c", straight)
    assert missing([FIRST, SECOND], tmp_path / "c") == [SECOND]
    fetch(index, [FIRST, SECOND], tmp_path / "c", straight)
    assert index.asked == ["1.1", "1.2"]


@pytest.mark.parametrize(("arrive", "contents"), [(0, b"DICM"), (1, b"DICM"), (2, b"")])
def test_trap_25_download_that_stays_short_in_silence_is_an_error_that_names_the_series(
    tmp_path, arrive, contents
):
    index = FakeIndex(FIRST, SECOND, THIRD, delivers={"1.2": arrive}, contents=contents)
    wanted = [SECOND] if not contents else [FIRST, SECOND, THIRD]
    expected = (
        r"TCGA-VS-A8EC, series 'AX T2' \(SeriesInstanceUID 1\.2\): . of 2 files arrived; check the network"
    )
    with pytest.raises(XaibenchError, match=expected):
        fetch(index, wanted, tmp_path / "c", straight)
    assert "1.2" not in held(tmp_path / "c")
    assert not any(tmp_path.glob(".*"))


def test_fetch_goes_on_after_an_error(tmp_path):
    with pytest.raises(XaibenchError):
        fetch(FakeIndex(FIRST, SECOND, delivers={"1.2": 0}), [FIRST, SECOND, THIRD], tmp_path / "c", straight)
    again = FakeIndex(FIRST, SECOND, THIRD)
    fetch(again, [FIRST, SECOND, THIRD], tmp_path / "c", straight)
    assert again.asked == ["1.2", "1.3"]
    assert held(tmp_path / "c") == {"1.1": 3, "1.2": 2, "1.3": 3}


def test_stopped_fetch_leaves_no_half_series_and_goes_on(tmp_path):
    class Stopped(FakeIndex):
        def download(self, uid, folder):
            (folder / "0.dcm").write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(Stopped(FIRST), [FIRST], tmp_path / "c", straight)
    assert held(tmp_path) == {}
    fetch(FakeIndex(FIRST), [FIRST], tmp_path / "c", straight)
    assert held(tmp_path / "c") == {"1.1": 3}


def test_rest_of_a_killed_fetch_is_not_counted(tmp_path):
    part = tmp_path / ".c-partial" / "1.1"
    part.mkdir(parents=True)
    for number in range(3):
        (part / f"old{number}.dcm").write_bytes(b"half")
    with pytest.raises(XaibenchError, match="0 of 3 files"):
        fetch(FakeIndex(FIRST, delivers={"1.1": 0}), [FIRST], tmp_path / "c", straight)


def test_short_series_in_place_is_fetched_again(tmp_path):
    place = FIRST.folder(tmp_path / "c")
    place.mkdir(parents=True)
    (place / "other.dcm").write_bytes(b"DICM")
    fetch(FakeIndex(FIRST), [FIRST], tmp_path / "c", straight)
    assert sorted(path.name for path in place.iterdir()) == ["0.dcm", "1.dcm", "2.dcm"]


def test_what_the_library_says_is_passed_on(tmp_path):
    class Loud(FakeIndex):
        def download(self, uid, folder):
            raise RuntimeError("no\nroute")

    with pytest.raises(XaibenchError, match=r"0 of 3 files arrived \(no route\); check"):
        fetch(Loud(FIRST), [FIRST], tmp_path / "c", straight)


def test_disk_without_room_is_told_before_anything_is_fetched(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1e9))
    index = FakeIndex(large := series(megabytes=4000.0))
    with pytest.raises(XaibenchError, match=r"has 1\.0 GB left and 4\.0 GB are to come"):
        fetch(index, [large], tmp_path / "c", straight)
    assert index.asked == []


def test_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "c").write_text("a file")
    with pytest.raises(XaibenchError, match="cannot be written"):
        fetch(FakeIndex(FIRST), [FIRST], tmp_path / "c", straight)


def test_missing_package_is_told_with_the_commands_that_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "idc_index", None)
    with pytest.raises(XaibenchError, match=r"uv sync --extra idc.*pip install 'xaibench\[idc\]'"):
        open_index()


def test_library_is_asked_for_bare_files_and_leaves_everybodys_logging_alone(tmp_path, monkeypatch):
    asked = []

    class Client:
        def __init__(self):
            logging.getLogger().addHandler(logging.NullHandler())
            logging.getLogger().setLevel(1)

        def download_dicom_series(self, uid, folder, **options):
            asked.append((uid, folder, options))

    before = list(logging.getLogger().handlers), logging.getLogger().level
    monkeypatch.setitem(sys.modules, "idc_index", SimpleNamespace(IDCClient=Client))
    PackagedIndex().download("1.1", tmp_path)
    quiet = {"quiet": True, "show_progress_bar": False, "dirTemplate": None}
    assert asked == [("1.1", str(tmp_path), quiet)]
    assert (logging.getLogger().handlers, logging.getLogger().level) == before


def test_index_without_the_collection_is_told():
    with pytest.raises(XaibenchError, match="lists no series"):
        find_series(FakeIndex(), "collection_id = 'x'")


def test_plan_says_size_licence_source_and_what_is_left(tmp_path):
    plan = Plan((), (), (FIRST, SECOND, THIRD))
    said = "2 patients, 3 series, 8 files, 0.01 GB. Licence: CC BY 3.0. Source: https://doi.org/10.1/x."
    assert plan.size() == said
    fetch(FakeIndex(FIRST), [FIRST], tmp_path, straight)
    assert plan.left(tmp_path) == f"{tmp_path} lacks 2 of the 3 series: 0.01 GB to fetch."


def test_plan_takes_the_main_series_of_labelled_patients_or_all_of_them():
    index = FakeIndex(
        series("1", description="AXI T2 ssSH 5MM", files=50),
        series("2", description="AXI T2 3mm HR"),
        series("3", "TCGA-VS-A8EB", description="AXI T2"),
    )
    chosen = [make_plan("tcga-cesc", index, kind, None, None).series for kind in ("main", "all")]
    assert [[one.uid for one in plan] for plan in chosen] == [["2"], ["1", "2"]]
    assert len(make_plan("tcga-cesc", index, "all", None, "any").series) == 3


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (("tcga", "main", None, None), "choose one of tcga-cesc, cc-tumor-heterogeneity"),
        (("tcga-cesc", "axial", None, None), "neither main nor all"),
        (("tcga-cesc", "main", "dfs", None), "no rule recurrence = 'dfs'"),
        (("cc-tumor-heterogeneity", "main", "pfi", None), "leave them out here"),
    ],
)
def test_unknown_choice_is_refused_before_the_index_is_asked(choice, said):
    cohort, *rest = choice
    index = FakeIndex(FIRST)
    with pytest.raises(XaibenchError, match=said):
        make_plan(cohort, index, *rest)
    assert index.conditions == []


# ---------------------------------------------------------------- the index itself


@pytest.fixture(scope="module")
def packaged():
    pytest.importorskip("idc_index_data", reason="the extra idc is not installed")
    return open_index()


def test_packaged_index_lists_54_patients_34_with_radiotherapy(packaged):
    plan = make_plan("tcga-cesc", packaged, "main", None, None)
    (header, rows), _ = plan.tables
    assert len(rows) == 54
    assert [row[header.index("radiotherapy")] for row in rows].count("yes") == 34
    assert [row[-1] for row in rows].count("yes") == len(plan.series) == 34
    assert "none is axial" not in {row[header.index("series")] for row in rows}
    assert plan.notes[0] == "54 patients have T2-weighted MR, 34 of them stated radiotherapy."
    assert {one.licence for one in plan.series} == {"CC BY 3.0"}


def test_trap_27_packaged_index_holds_273_t2_series_and_no_pathology(packaged):
    series = make_plan("tcga-cesc", packaged, "all", None, "any").series
    assert (len(series), sum(one.files for one in series)) == (273, 9185)
    assert {one.modality for one in series} == {"MR"}
    assert sum(one.megabytes for one in series) == pytest.approx(5851, abs=1)


def test_packaged_index_plans_contours_with_their_mr(packaged):
    plan = make_plan("cc-tumor-heterogeneity", packaged, "main", None, None)
    assert len(plan.tables[0][1]) == 23
    modalities = [one.modality for one in plan.series]
    assert set(modalities) == {"MR", "RTSTRUCT"}
    assert modalities.count("RTSTRUCT") == 68
    everything = make_plan("cc-tumor-heterogeneity", packaged, "all", None, None).series
    assert [one.modality for one in everything].count("MR") == 523
    assert {one.uid for one in plan.series} < {one.uid for one in everything}


def test_every_cohort_has_a_plan_with_whole_rows(packaged):
    for cohort in COHORTS:
        for header, rows in make_plan(cohort, packaged, "main", None, None).tables:
            assert all(len(row) == len(header) for row in rows)
