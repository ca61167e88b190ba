"""TCGA-CESC: cervical cancer with T2-weighted MR, fetched from the Imaging Data Commons, with TCGA's follow-up."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from xaibench.api import Volume, XaibenchError, cache_folder
from xaibench.datasets.dicom.folder import DicomFolder
from xaibench.datasets.dicom.scan import ImageFile
from xaibench.datasets.idc.tcga_labels import (
    CLASS_NAMES,
    PAPER,
    Radiotherapy,
    Recurrence,
    Rule,
    make_rule,
)
from xaibench.datasets.idc.tcga_series import Described, main_series
from xaibench.datasets.labels import Labels


def default_root() -> Path:
    """Folder that `xaibench data fetch tcga-cesc` writes to unless told otherwise."""
    return cache_folder() / "tcga-cesc"


@dataclass(frozen=True)
class TcgaCesc:
    """One axial T2-weighted series a patient, labelled by recurrence; the collection holds no masks of its MR."""

    root: Path | None = None
    """Folder of the fetched files; None = the user's cache, or below XAIBENCH_CACHE."""
    recurrence: Recurrence = "pfi"
    """pfi: an event of the progression-free interval; tumor-status; new-tumor-event."""
    radiotherapy: Radiotherapy = "yes"
    """yes: only patients of whom it is stated; any: all."""
    series: str | None = None
    """Regular expression searched for in the series description; None = the one that fetch takes by default."""

    class_names: ClassVar[tuple[str, ...]] = CLASS_NAMES
    summary: ClassVar[str] = "TCGA-CESC cervix T2W MR, recurrence after radiotherapy (data fetch tcga-cesc)"

    def volumes(self) -> Iterator[Volume]:
        """Yield one volume a patient whom the rule labels; 0 non-recurrent, 1 recurrent.

        Raises XaibenchError if nothing was fetched, or the rule is unknown.
        """
        return self._folder.volumes()

    def notes(self) -> list[str]:
        """Say what the rule gives and what the paper had, and what the reader of the files says."""
        counts = self._rule.counts()
        said = (
            f"TCGA-CESC by {self._rule}: {counts.non_recurrent} non-recurrent and {counts.recurrent} recurrent "
            f"patients; the paper had {PAPER.non_recurrent} and {PAPER.recurrent}, which no public rule gives."
        )
        return [said, *self._folder.notes()]

    @property
    def _rule(self) -> Rule:
        return make_rule(self.recurrence, self.radiotherapy)

    @cached_property
    def _folder(self) -> DicomFolder:
        rule = self._rule
        root = self.root or default_root()
        if not any(root.glob("*/*/*.dcm")):
            raise XaibenchError(
                f"{root} holds no fetched TCGA-CESC; fetch it with `xaibench data fetch tcga-cesc --out {root}`."
            )
        return _Fetched(root, self.series, rule=rule)


@dataclass(frozen=True)
class _Fetched(DicomFolder):
    """The fetched folder, with the labels of a rule and the series that fetch takes."""

    rule: Rule = field(default_factory=Rule)

    @cached_property
    def _labels(self) -> Labels:
        return self.rule.labels()

    def _candidates(self, name: str) -> list[ImageFile]:
        """Files of the main series, so that a folder fetched with all series gives the same cases."""
        files = super()._candidates(name)
        main = main_series(_described(files)) if self.series is None else None
        return [file for file in files if file.series == main.uid] if main else files


def _described(files: list[ImageFile]) -> Iterator[Described]:
    series: dict[str, list[ImageFile]] = {}
    for file in files:
        series.setdefault(file.series, []).append(file)
    for uid, group in series.items():
        slices = sum(len(file.planes) for file in group)
        yield Described(uid, group[0].description, slices, *group[0].order)
