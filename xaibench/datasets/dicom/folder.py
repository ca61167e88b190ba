"""A cohort read from a folder of DICOM files: images, segmentations or contours, and a table of labels."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from xaibench.api import Volume, XaibenchError
from xaibench.datasets.dicom.headers import is_dicom
from xaibench.datasets.dicom.options import limits_of, modality_to_read
from xaibench.datasets.dicom.patient import PatientImages, read_patient, row_of
from xaibench.datasets.dicom.pixels import windowed
from xaibench.datasets.dicom.scan import ImageFile, Scan, scan
from xaibench.datasets.files import first_files
from xaibench.datasets.labels import Labels, read_labels
from xaibench.datasets.notes import HEADER, Check, Finding, Note, cells, problem_text, sentences
from xaibench.datasets.pseudonyms import pseudonyms
from xaibench.datasets.rules import check_rule


@dataclass(frozen=True)
class Report:
    """What is remembered of a patient after the pixels are gone."""

    row: Finding
    """Without label and problem."""
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class DicomFolder:
    """One volume a patient from any folder of DICOM; labels come from a CSV file, masks from SEG or RTSTRUCT."""

    root: Path
    series: str | None = None
    """Regular expression searched for in the series description; None = of MR, axial and T2-weighted."""
    labels: Path | None = None
    """CSV file with the columns patient,label; None = clinical.csv or labels.csv in the folder."""
    roi: str | None = None
    """Regular expression searched for in the names of SEG segments and RTSTRUCT regions; None = tumour, GTV ..."""
    modality: str | None = None
    """Which images are read, by their DICOM code; None = MR, or the one kind that the folder holds."""
    window: str | None = None
    """Centre and width, such as 40,400: intensities become 0 below and 1 above; None = as in the file (CT: HU)."""

    summary: ClassVar[str] = (
        "any folder of DICOM (MR, CT, PT, CR, DX, MG, US ...), with labels as CSV and masks as SEG or RTSTRUCT"
    )
    path_field: ClassVar[str] = "root"

    @classmethod
    def accepts(cls, path: Path) -> bool:
        """Whether DICOM is among the first files of a folder, told by their first bytes."""
        return path.is_dir() and any(is_dicom(file) for file in first_files(path))

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the labels 0, 1, ..., from the labels file. Raises XaibenchError without a usable one."""
        return self._labels.names

    def volumes(self) -> Iterator[Volume]:
        """Yield one volume a patient, in the order of the pseudonyms, which is that of the PatientIDs.

        Images are float32 `[slices h w c]` in the units of the file. Raises XaibenchError if the folder or its
        labels cannot be used, or if no patient can be read.
        """
        usable = 0
        for name in self._labelled():
            found = self._read(name)
            if found is None:
                continue
            usable += 1
            yield self._volume(name, found)
        if not usable:
            reasons = sentences(note for note in self._all_notes() if note.problem)
            raise XaibenchError(f"{self.root}: no patient can be read. {' '.join(reasons[:3])}")

    def notes(self) -> list[str]:
        """Say by pseudonym which series were read, what was left out and what is wrong.

        Reads each labelled patient that `volumes` has not read yet, since only the pixels tell.
        """
        return sentences(self._all_notes())

    def check(self) -> Check:
        """Read every patient, with a label or without, and tabulate what would be read and what is wrong.

        Raises XaibenchError only where the folder is missing or holds no DICOM images.
        """
        reports = [self._report(name) for name in self._patients]
        try:
            folder, labels = self._folder_notes() + self._label_notes(), self._labels
        except XaibenchError as error:
            folder, labels = [*self._folder_notes(), Note(str(error))], None
        notes = [*folder, *(note for report in reports for note in report.notes)]
        problems = [note for note in notes if note.problem]
        rows = [self._row(report, problems, labels) for report in reports]
        return Check(rows, [problem_text(note) for note in problems])

    def check_table(self) -> tuple[list[str], list[list[str]], list[str]]:
        """Return the result of `check` as text: header and rows of the table, and the problems."""
        result = self.check()
        return HEADER, [cells(finding) for finding in result.findings], result.problems

    def label_gaps(self) -> list[str]:
        """Say where table and folder do not fit: unknown patients, patients without a line, contradictions."""
        labels = self._labels
        listed = labels.rows.keys() | labels.blank
        without = ", ".join(n for n, files in self._patients.items() if files[0].patient not in listed)
        gap = f"{labels.file} has no line for {without}; add one each, with an empty label to leave a patient out."
        found = [note for note in (*labels.notes, *self._unknown_patients()) if note.problem]
        return [*sentences(found), *([gap] if without else [])]

    # ------------------------------------------------------------ patients

    def _volume(self, name: str, found: PatientImages) -> Volume:
        return Volume(
            patient=name,
            labels=self._labels.of[self._patients[name][0].patient],
            images=found.images if self.window is None else windowed(found.images, *limits_of(self.window)),
            regions=found.regions,
            spacing_mm=found.stack.planes[0].spacing_mm,
            affine=found.stack.affine,
            region_name="tumour" if self.roi is None else "region",
            identity=found.stack.identity,
        )

    @cached_property
    def _scan(self) -> Scan:
        if not self.root.is_dir():
            raise XaibenchError(f"{self.root} is no folder; give the folder that holds the DICOM files.")
        check_rule("series", self.series)
        check_rule("region", self.roi)
        if self.window is not None:
            limits_of(self.window)
        found = scan(self.root)
        if not found.files:
            reasons = " ".join(sentences(found.notes))
            raise XaibenchError(
                f"{self.root} holds no DICOM images that can be read; check the folder. {reasons}"
            )
        return found

    @cached_property
    def _modality(self) -> str:
        return modality_to_read(self.root, {file.modality for file in self._scan.files}, self.modality)

    @cached_property
    def _patients(self) -> dict[str, list[ImageFile]]:
        """Files by pseudonym; every patient of the folder has one, so that none depends on who is skipped."""
        patients = self._scan.patients()
        return dict(zip(pseudonyms(len(patients)), patients.values(), strict=True))

    @cached_property
    def _labels(self) -> Labels:
        return read_labels(self.root, self.labels)

    @cached_property
    def _reports(self) -> dict[str, Report]:
        """Reports by pseudonym, filled as patients are read."""
        return {}

    def _labelled(self) -> list[str]:
        known = self._labels.of
        return [name for name, files in self._patients.items() if files[0].patient in known]

    def _candidates(self, name: str) -> list[ImageFile]:
        """Files of a patient to choose from; a cohort that knows its series better may leave some out."""
        return self._patients[name]

    def _read(self, name: str) -> PatientImages | None:
        found, notes = read_patient(self._candidates(name), self.series, name, self.roi, self._modality)
        relative = [replace(note, file=self._relative(note.file)) for note in notes]
        self._reports[name] = Report(row_of(name, found), tuple(relative))
        return found

    def _report(self, name: str) -> Report:
        if name not in self._reports:
            self._read(name)
        return self._reports[name]

    # ------------------------------------------------------------ notes

    def _all_notes(self) -> list[Note]:
        patients = [note for name in self._labelled() for note in self._report(name).notes]
        return [*self._folder_notes(), *self._label_notes(), *patients]

    def _folder_notes(self) -> list[Note]:
        others = self._scan.others
        text = f"{others} files are neither DICOM images nor tables (CSV, JSON) and are skipped."
        return [*self._scan.notes, *([Note(text, problem=False)] if others else [])]

    def _label_notes(self) -> list[Note]:
        labels = self._labels
        held = {files[0].patient: name for name, files in self._patients.items()}
        without = [name for patient, name in held.items() if patient not in labels.of]
        return [
            *labels.notes,
            *(Note(f"{labels.file} gives it no label, so it is skipped.", name) for name in without),
            *self._unknown_patients(),
        ]

    def _unknown_patients(self) -> list[Note]:
        return self._labels.unknown({files[0].patient for files in self._patients.values()})

    def _row(self, report: Report, problems: list[Note], labels: Labels | None) -> Finding:
        name = report.row.patient
        numbers = labels.of.get(self._patients[name][0].patient, ()) if labels else ()
        own = [note for note in problems if name in (note.subject, note.subject[5:].partition("/")[0])]
        said = " ".join(problem_text(replace(note, subject="")) for note in own)
        return replace(
            report.row,
            label=", ".join(labels.names[number] for number in numbers) if labels else "",
            problem=said,
        )

    def _relative(self, file: str) -> str:
        return str(Path(file).relative_to(self.root)) if file else ""
