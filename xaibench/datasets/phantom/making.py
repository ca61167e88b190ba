"""Writes a phantom cohort as a folder of DICOM files and a clinical table, whole or not at all."""

import glob
import os
import shutil
import time
from pathlib import Path

from xaibench.api import XaibenchError
from xaibench.datasets.dicom.writing import FINDING, OBJECT, Series, write_segmentation, write_series
from xaibench.datasets.phantom.anatomy import PhantomPatient, stream
from xaibench.datasets.phantom.enrolment import Enrolled, clinical_table, enrol

TABLE = "clinical.csv"
STALE_SECONDS = 3600


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
        part.replace(root)
    except OSError as error:
        raise XaibenchError(
            f"{root} cannot be written ({error.strerror}); choose another folder (or, for the cache, set "
            f"XAIBENCH_CACHE)."
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def remove_leftovers(root: Path) -> None:
    """Delete what killed runs left beside the folder, if it is too old to belong to a running one."""
    for part in root.parent.glob(f".{glob.escape(root.name)}.*.part"):
        if time.time() - part.stat().st_mtime > STALE_SECONDS:
            shutil.rmtree(part, ignore_errors=True)


def write_patient(folder: Path, person: Enrolled) -> None:
    """Write one patient: a folder with her MR series, and her segmentation beside it."""
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
        age=person.age(),
        echo_ms=int(rng.integers(92, 110)),
        repetition_ms=int(rng.integers(400, 560)) * 10,
        stored=drawn.stored_images(range(drawn.build.slices)),
        slope=drawn.rescale_slope,
        spacing_mm=drawn.build.spacing_mm,
        levels_mm=drawn.build.levels().tolist(),
    )


def prefix(shortcut: bool) -> str:
    """How PatientIDs of a cohort begin."""
    return "SHORTCUT-" if shortcut else "PHANTOM-"
