"""The shipped clinical table gives the labels of TCGA-CESC by rule."""

import csv
from importlib.resources import files

import pytest

from xaibench.api import XaibenchError
from xaibench.datasets.idc.tcga_labels import (
    Counts,
    Rule,
    clinical_rows,
    counts_table,
    every_rule,
    label_counts,
    make_rule,
)
from xaibench.datasets.idc.tcga_series import Described, main_series


@pytest.mark.parametrize(
    ("recurrence", "radiotherapy", "counts"),
    [
        ("pfi", "yes", (28, 6, 0)),
        ("tumor-status", "yes", (27, 7, 0)),
        ("new-tumor-event", "yes", (28, 4, 2)),
        ("pfi", "any", (30, 24, 0)),
        ("tumor-status", "any", (29, 25, 0)),
        ("new-tumor-event", "any", (42, 10, 2)),
    ],
)
def test_each_rule_gives_its_counts_as_counted_in_the_file(recurrence, radiotherapy, counts):
    text = files("xaibench.datasets.idc").joinpath("data/tcga_cesc_labels.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    kept = [row for row in rows if radiotherapy == "any" or row["radiation_therapy"] == "YES"]
    column = {
        "pfi": "pfi_event",
        "tumor-status": "tumor_status",
        "new-tumor-event": "new_tumor_event_after_initial_treatment",
    }[recurrence]
    told = [row[column] for row in kept]
    plain = (
        sum(value in ("0", "TUMOR FREE", "NO") for value in told),
        sum(value in ("1", "WITH TUMOR", "YES") for value in told),
        told.count(""),
    )
    assert label_counts()[Rule(recurrence, radiotherapy)] == Counts(*plain) == counts


def test_table_has_54_patients_of_whom_34_had_radiotherapy():
    rows = clinical_rows()
    assert len({row["patient"] for row in rows}) == len(rows) == 54
    assert sum(row["radiation_therapy"] == "YES" for row in rows) == 34


def test_no_rule_gives_the_counts_of_the_paper():
    assert len(label_counts()) == 6
    assert all(counts[:2] != (21, 7) for counts in label_counts().values())


def test_patients_without_a_stated_event_get_no_label():
    labels = Rule("new-tumor-event", "yes").labels()
    assert len(labels.of) == 32
    assert "TCGA-VS-A9UC" not in labels.of
    assert labels.of["TCGA-VS-A9U6"] == (1,)
    assert labels.names == ("non-recurrent", "recurrent")


def test_lines_are_those_of_the_file():
    text = files("xaibench.datasets.idc").joinpath("data/tcga_cesc_labels.csv").read_text(encoding="utf-8")
    lines = text.splitlines()
    for patient, line in Rule().labels().rows.items():
        assert lines[line - 1].startswith(patient)


@pytest.mark.parametrize("choice", [("dfs", "yes"), ("pfi", "no")])
def test_unknown_rule_is_refused_with_the_known_ones(choice):
    with pytest.raises(XaibenchError, match=r"choose one of (pfi, tumor-status, new-tumor-event|yes, any)\."):
        make_rule(*choice)


def test_rules_are_made_by_their_names():
    assert [make_rule(rule.recurrence, rule.radiotherapy) for rule in every_rule()] == every_rule()


def test_counts_are_shown_beside_the_papers():
    header, rows = counts_table(Rule("tumor-status", "yes"))
    assert all(len(row) == len(header) for row in rows)
    assert ["tumor-status", "yes", "27", "7", "0", "chosen"] in rows
    assert [row[-1] for row in rows].count("chosen") == 1
    assert rows[-1][:4] == ["the paper", "yes", "21", "7"]


def series(description, slices=30, number=5, date="2004-01-01"):
    return Described(f"{description}/{slices}/{number}/{date}", description, slices, date, number)


@pytest.mark.parametrize(
    ("best", "others"),
    [
        (series("AXI T2 3mm HR", 32), [series("AXI T2 ssSH 5MM", 50), series("SAG T2", 60)]),
        (series("A T2 3mm"), [series("A T2 FSE", 49, number=9), series("C T2 3mm"), series("S T2 3mm")]),
        (series("AX T2 FRFSE", 30, number=9), [series("AX T2 FRFSE", 60, number=3)]),
        (series("AX T2 FRFSE", number=8), [series("AX T2 FRFSE+FS", 40, number=10)]),
        (series("t2_tse_tra", 30), [series("t2_haste_tra_bh", 30), series("t2_tse_tra linf", 40)]),
        (series("t2_tse_tra", 30, number=7), [series("t2_tse_tra", 15, number=9)]),
        (series("AXI T2"), [series("AXI T2", date="2005-01-01"), series("AXI T1 3mm HR"), series("ADC")]),
        (series("t2_tse_tra linf", number=6), [series("t2_haste_tra_bh"), series("t2_tse_cor")]),
    ],
)
def test_main_series_shows_the_cervix_in_axial_planes(best, others):
    assert main_series([*others, best]) == main_series([best, *others]) == best


def test_patient_without_axial_series_has_no_main_series():
    assert main_series([series("COR T2"), series("S T2 3mm"), series("post contrast T2")]) is None
