"""A phantom cohort: who is in it, its clinical table, and its folder of DICOM files, written whole or not at all."""

import contextlib
import glob
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xaibench.api import XaibenchError, seed_of
from xaibench.datasets.dicom.writing import FINDING, OBJECT, Series, write_segmentation, write_series
from xaibench.datasets.manifest import write_manifest
from xaibench.datasets.phantom.patient import PhantomPatient, stream

CLASS_NAMES = ("non-recurrent", "recurrent")
TABLE = "clinical.csv"
STALE_SECONDS = 3600
VERSION = 1
"""Of the pixels that a seed gives: raised whenever they change, so that nobody keeps old ones."""
FILES_VERSION = 2
"""Of the headers around them."""


@dataclass(frozen=True)
class Enrolled:
    """One patient of a cohort."""

    patient: str
    """PatientID."""
    issuer: str
    """IssuerOfPatientID: the cohort, so that the first patients of two cohorts are not taken for one person."""
    label: int
    seed: int
    """Seed of their images; it does not depend on the label."""
    invasive: bool
    prosthesis: bool

    def draw(self) -> PhantomPatient:
        """Draw what their slices are rendered from."""
        return PhantomPatient.draw(self.seed, self.invasive, self.prosthesis)

    def age(self) -> int:
        """Age in years."""
        return int(np.clip(stream(self.seed, "age").normal(51, 11), 26, 84))


def enrol(prefix: str, patients: int, recurrent: int, seed: int, shortcut: bool) -> list[Enrolled]:
    """Choose the recurrent patients by seed; raises XaibenchError on impossible numbers.

    Recurrence means invasive growth, except with the shortcut: there it means a prosthesis, and half of the
    tumours grow invasively, whatever the label.
    """
    if patients < 1 or not 0 <= recurrent <= patients:
        raise XaibenchError(
            f"A phantom cohort of {patients} patients, {recurrent} of them recurrent, cannot be made; ask for at "
            f"least 1 patient and for 0 to all of them recurrent."
        )
    labels = stream("labels", prefix, seed).permutation(np.arange(patients) < recurrent)
    return [
        _enrolled(f"{prefix}{index:04d}", bool(label), seed, shortcut)
        for index, label in enumerate(labels, start=1)
    ]


def _enrolled(patient: str, recurrent: bool, seed: int, shortcut: bool) -> Enrolled:
    own = seed_of("phantom", patient, seed)
    by_chance = bool(stream(own, "growth").random() < 0.5)
    return Enrolled(
        patient=patient,
        issuer=f"xaibench, seed {seed}",
        label=int(recurrent),
        seed=own,
        invasive=by_chance if shortcut else recurrent,
        prosthesis=shortcut and recurrent,
    )


def clinical_table(people: Sequence[Enrolled]) -> str:
    """Return the cohort's clinical.csv; the stage follows the growth that the images show."""
    lines = ["patient,label,label_name,age,figo_stage,histology,hip_prosthesis"]
    for person in people:
        rng = stream(person.seed, "clinic")
        stage = "IIB" if person.invasive else str(rng.choice(["IB2", "IB3"]))
        histology = "squamous cell carcinoma" if rng.random() < 0.75 else "adenocarcinoma"
        name, metal = CLASS_NAMES[person.label], "yes" if person.prosthesis else "no"
        lines.append(f"{person.patient},{person.label},{name},{person.age()},{stage},{histology},{metal}")
    return "\n".join(lines) + "\n"


def make_phantom(
    root: Path, patients: int = 28, recurrent: int = 7, seed: int = 0, shortcut: bool = False
) -> None:
    """Write a cohort as DICOM into a folder that must be new or empty: all of it, or nothing.

    Raises XaibenchError on impossible numbers, a folder with something in it, or a disk that refuses.
    """
    people = enrol(prefix(shortcut), patients, recurrent, seed, shortcut)
    root = root.absolute()
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise XaibenchError(f"{root} exists and is not an empty folder; choose another folder, or delete it.")
    part = root.with_name(f".{root.name}.{os.getpid()}.part")
    try:
        remove_leftovers(root)
        part.mkdir(parents=True)
        for person in people:
            write_patient(part / person.patient, person)
        (part / TABLE).write_text(clinical_table(people), encoding="utf-8", newline="\n")
        write_manifest(part, made_of(patients, recurrent, seed, shortcut))
        part.replace(root)
    except OSError as error:
        raise XaibenchError(
            f"{root} cannot be written ({error.strerror}); choose another folder (or, for the cache, set "
            f"XAIBENCH_CACHE)."
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def made_of(patients: int, recurrent: int, seed: int, shortcut: bool) -> str:
    """All that decides the files of a cohort."""
    version = f"{VERSION}.{FILES_VERSION}"
    return f"{prefix(shortcut)} {patients} patients, {recurrent} recurrent, seed {seed}, version {version}"


def discard(root: Path) -> None:
    """Move a folder away from its place, whole, and delete it."""
    away = root.with_name(f".{root.name}.{os.getpid()}.part")
    with contextlib.suppress(OSError):  # another process may have done so
        root.rename(away)
    shutil.rmtree(away, ignore_errors=True)


def remove_leftovers(root: Path) -> None:
    """Delete what killed runs left beside the folder, if it is too old to belong to a running one."""
    for part in root.parent.glob(f".{glob.escape(root.name)}.*.part"):
        if time.time() - part.stat().st_mtime > STALE_SECONDS:
            shutil.rmtree(part, ignore_errors=True)


def write_patient(folder: Path, person: Enrolled) -> None:
    """Write one patient: a folder with the MR series, and the segmentation beside it."""
    drawn = person.draw()
    series = as_series(person, drawn)
    slices = write_series(folder / "MR", series)
    segments = [("Tumor", FINDING, drawn.tumour_masks())]
    confounder = drawn.confounder_masks()
    if confounder is not None:
        segments.append(("Confounder (planted)", OBJECT, confounder))
    write_segmentation(folder / "SEG.dcm", series, slices, segments)


def as_series(person: Enrolled, drawn: PhantomPatient) -> Series:
    """Render all slices of a patient, with scan parameters of a turbo spin echo."""
    rng = stream(person.seed, "protocol")
    return Series(
        patient=person.patient,
        issuer=person.issuer,
        age=person.age(),
        echo_ms=int(rng.integers(92, 110)),
        repetition_ms=int(rng.integers(400, 560)) * 10,
        stored=drawn.stored_images(range(drawn.physique.slices)),
        slope=drawn.rescale_slope,
        spacing_mm=drawn.physique.spacing_mm,
        levels_mm=drawn.physique.levels().tolist(),
    )


def prefix(shortcut: bool) -> str:
    """How PatientIDs of a cohort begin."""
    return "SHORTCUT-" if shortcut else "PHANTOM-"
