"""Labels of TCGA-CESC by a rule of the user's choice, from the clinical table shipped with xaibench."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from xaibench.api import XaibenchError
from xaibench.datasets.labels import Labels

Recurrence = Literal["pfi", "tumor-status", "new-tumor-event"]
Radiotherapy = Literal["yes", "any"]

TABLE = Path(__file__).parent / "data" / "tcga_cesc_labels.csv"
CLASS_NAMES = ("non-recurrent", "recurrent")
COLUMNS: Mapping[str, tuple[str, tuple[str, str]]] = {
    "pfi": ("pfi_event", ("0", "1")),
    "tumor-status": ("tumor_status", ("TUMOR FREE", "WITH TUMOR")),
    "new-tumor-event": ("new_tumor_event_after_initial_treatment", ("NO", "YES")),
}
"""Column of each rule, and what stands in it for label 0 and label 1."""


class Counts(NamedTuple):
    """Patients of each class."""

    non_recurrent: int
    recurrent: int
    unknown: int
    """Patients of whom the table does not say it; they get no label."""


PAPER = Counts(21, 7, 0)  # Provenzano et al. 2025, Tomography 11(3):38; its abstract says 27 women


@dataclass(frozen=True)
class Rule:
    """Who is in the cohort, and what counts as recurrence."""

    recurrence: Recurrence = "pfi"
    """pfi: an event of the progression-free interval; tumor-status: with tumour at last follow-up; new-tumor-event:
    one after the initial treatment."""
    radiotherapy: Radiotherapy = "yes"
    """yes: patients of whom the table states radiotherapy; any: all."""

    def __str__(self) -> str:
        """Name the rule as on the command line."""
        return f"--recurrence {self.recurrence} --radiotherapy {self.radiotherapy}"

    def includes(self, row: Mapping[str, str]) -> bool:
        """Whether a patient of the table is in the cohort."""
        return self.radiotherapy == "any" or row["radiation_therapy"] == "YES"

    def label(self, row: Mapping[str, str]) -> int | None:
        """Label of a patient of the table; None where the table does not say it."""
        column, values = COLUMNS[self.recurrence]
        return values.index(row[column]) if row[column] in values else None

    def labels(self) -> Labels:
        """Labels of the patients whom the rule includes and who have one."""
        of = {row["patient"]: self.label(row) for row in clinical_rows() if self.includes(row)}
        known = {patient: (label,) for patient, label in of.items() if label is not None}
        lines = {row["patient"]: line for line, row in enumerate(clinical_rows(), start=2)}
        named = f"The clinical table ({self})"
        return Labels(CLASS_NAMES, known, {patient: lines[patient] for patient in known}, named, ())

    def counts(self) -> Counts:
        """Patients of each class among those whom the rule includes."""
        found = [self.label(row) for row in clinical_rows() if self.includes(row)]
        return Counts(found.count(0), found.count(1), found.count(None))


@cache
def clinical_rows() -> tuple[Mapping[str, str], ...]:
    """Rows of the shipped table, one a patient, in the order of the patients; an empty text = not stated."""
    with TABLE.open(newline="", encoding="utf-8") as file:
        return tuple(csv.DictReader(file))


def every_rule() -> list[Rule]:
    """Every rule there is."""
    return [
        Rule(recurrence, radiotherapy)
        for radiotherapy, recurrence in product(get_args(Radiotherapy), get_args(Recurrence))
    ]


def make_rule(recurrence: str, radiotherapy: str) -> Rule:
    """Rule of these names. Raises XaibenchError if there is none."""
    _refuse_unknown("recurrence", recurrence, get_args(Recurrence))
    _refuse_unknown("radiotherapy", radiotherapy, get_args(Radiotherapy))
    named: dict[tuple[str, str], Rule] = {(rule.recurrence, rule.radiotherapy): rule for rule in every_rule()}
    return named[recurrence, radiotherapy]


def label_counts() -> dict[Rule, Counts]:
    """Patients of each class for every rule."""
    return {rule: rule.counts() for rule in every_rule()}


def counts_table(chosen: Rule) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the counts of every rule, the chosen one marked, and the paper's below."""
    header = ["recurrence", "radiotherapy", *CLASS_NAMES, "not stated", ""]
    rows = [
        [rule.recurrence, rule.radiotherapy, *map(str, counts), "chosen" if rule == chosen else ""]
        for rule, counts in label_counts().items()
    ]
    return header, [*rows, ["the paper", "yes", *map(str, PAPER[:2]), "", "no rule gives these counts"]]


def _refuse_unknown(option: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise XaibenchError(
            f"TCGA-CESC has no rule {option} = {value!r}; choose one of {', '.join(choices)}."
        )
