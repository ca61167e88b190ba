"""Public cervix cohorts of the Imaging Data Commons: what would be fetched, shown before it is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from xaibench.api import XaibenchError, cache_folder
from xaibench.datasets.idc.download import IdcSeries, Index, find_series, missing
from xaibench.datasets.idc.tcga_labels import Rule, clinical_rows, counts_table, every_rule, make_rule
from xaibench.datasets.idc.tcga_series import Described, main_series

COHORTS = ("tcga-cesc", "cc-tumor-heterogeneity")
T2 = "Modality = 'MR' AND SeriesDescription ILIKE '%t2%'"
TCGA = f"collection_id = 'tcga_cesc' AND {T2}"
CC_T2 = f"collection_id = 'cc_tumor_heterogeneity' AND (Modality = 'RTSTRUCT' OR ({T2}))"
CC_ALL = "collection_id = 'cc_tumor_heterogeneity' AND Modality IN ('MR', 'RTSTRUCT')"

Table = tuple[list[str], list[list[str]]]


@dataclass(frozen=True)
class Plan:
    """What would be fetched."""

    tables: tuple[Table, ...]
    """Header and rows, as text."""
    notes: tuple[str, ...]
    series: tuple[IdcSeries, ...]

    def size(self) -> str:
        """Say how much it is, under which licence, and where it comes from."""
        licences = ", ".join(sorted({one.licence for one in self.series}))
        sources = ", ".join(sorted({f"https://doi.org/{one.doi}" for one in self.series}))
        gigabytes = sum(one.megabytes for one in self.series) / 1000
        return (
            f"{_patients(self.series)} patients, {len(self.series)} series, "
            f"{sum(one.files for one in self.series):,} files, {gigabytes:.2f} GB. Licence: {licences}. "
            f"Source: {sources}."
        )

    def left(self, out: Path) -> str:
        """Say how much of it a folder does not hold yet."""
        wanted = missing(self.series, out)
        gigabytes = sum(one.megabytes for one in wanted) / 1000
        return f"{out} lacks {len(wanted)} of the {len(self.series)} series: {gigabytes:.2f} GB to fetch."


def default_out(cohort: str) -> Path:
    """Folder to fetch a cohort to unless another is given: where the dataset of that name looks for it."""
    return cache_folder() / cohort


def make_plan(
    cohort: str, index: Index, series: str, recurrence: str | None, radiotherapy: str | None
) -> Plan:
    """Plan of a cohort; `series` is main or all. Raises XaibenchError for an unknown choice."""
    if cohort not in COHORTS:
        raise XaibenchError(f"There is no cohort {cohort!r} to fetch; choose one of {', '.join(COHORTS)}.")
    if series not in ("main", "all"):
        raise XaibenchError(f"--series {series} is neither main nor all; choose one of them.")
    if cohort == "tcga-cesc":
        return plan_tcga_cesc(index, make_rule(recurrence or "pfi", radiotherapy or "yes"), series == "all")
    if recurrence or radiotherapy:
        raise XaibenchError(
            "--recurrence and --radiotherapy choose patients of tcga-cesc; leave them out here."
        )
    return plan_cc_tumor_heterogeneity(index, series == "all")


def plan_tcga_cesc(index: Index, rule: Rule, every_series: bool) -> Plan:
    """T2-weighted MR of the patients whom the rule labels: their main series, or every one."""
    found = {patient: list(group) for patient, group in _by_patient(find_series(index, TCGA))}
    offered = {patient: group if every_series else _main(group) for patient, group in found.items()}
    labels = rule.labels().of
    chosen = tuple(one for patient, group in offered.items() if patient in labels for one in group)
    treated = sum(row["radiation_therapy"] == "YES" for row in clinical_rows() if row["patient"] in found)
    notes = (
        f"{len(found)} patients have T2-weighted MR, {treated} of them stated radiotherapy.",
        f"{rule} gives a label to {len(labels)} patients: these are fetched.",
    )
    return Plan((_tcga_table(offered, labels), counts_table(rule)), notes, chosen)


def plan_cc_tumor_heterogeneity(index: Index, every_series: bool) -> Plan:
    """Contours with the T2-weighted MR in every plane, since the index does not say which one was drawn on."""
    series = find_series(index, CC_ALL if every_series else CC_T2)
    header = ["patient", "MR series", "RTSTRUCT", "files", "MB"]
    rows = [_cc_row(patient, list(group)) for patient, group in _by_patient(series)]
    note = "No outcome is published with it: a run needs a labels.csv of your own (columns patient,label)."
    return Plan(((header, rows),), (note,), tuple(series))


def _by_patient(series: Sequence[IdcSeries]) -> Iterator[tuple[str, Iterator[IdcSeries]]]:
    return groupby(series, key=lambda one: one.patient)


def _patients(series: Sequence[IdcSeries]) -> int:
    return len({one.patient for one in series})


def _main(group: Sequence[IdcSeries]) -> list[IdcSeries]:
    described = [Described(one.uid, one.description, one.files, one.date, one.number) for one in group]
    main = main_series(described)
    return [one for one in group if main and one.uid == main.uid]


def _tcga_table(offered: Mapping[str, Sequence[IdcSeries]], labels: Mapping[str, tuple[int, ...]]) -> Table:
    rules = [rule for rule in every_rule() if rule.radiotherapy == "any"]
    header = [
        "patient",
        "radiotherapy",
        *(rule.recurrence for rule in rules),
        "series",
        "files",
        "MB",
        "fetch",
    ]
    rows = {row["patient"]: row for row in clinical_rows()}
    return header, [
        [
            patient,
            rows[patient]["radiation_therapy"].lower(),
            *(_label(rule, rows[patient]) for rule in rules),
            ", ".join(one.description for one in group) or "none is axial",
            *_amounts(group),
            "yes" if patient in labels and group else "",
        ]
        for patient, group in offered.items()
        if patient in rows
    ]


def _label(rule: Rule, row: Mapping[str, str]) -> str:
    label = rule.label(row)
    return "" if label is None else str(label)


def _cc_row(patient: str, group: Sequence[IdcSeries]) -> list[str]:
    contours = sum(one.modality == "RTSTRUCT" for one in group)
    return [patient, str(len(group) - contours), str(contours), *_amounts(group)]


def _amounts(group: Sequence[IdcSeries]) -> list[str]:
    return [str(sum(one.files for one in group)), f"{sum(one.megabytes for one in group):.1f}"]
