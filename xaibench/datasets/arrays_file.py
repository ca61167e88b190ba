"""A cohort of arrays in an `.npz` file, such as `numpy.savez` writes and MedMNIST publishes."""

import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from xaibench.api import Volume, XaibenchError
from xaibench.datasets.arrays import Arrays

FIELDS = ("images", "regions", "labels", "patients", "class_names", "spacing_mm")
OF_MEDMNIST = {f"{split}_{what}.npy" for split in ("train", "val", "test") for what in ("images", "labels")}


@dataclass(frozen=True)
class ArraysFile:
    """Arrays called images, and perhaps regions, labels, patients, class_names and spacing_mm; as in `Arrays`."""

    path: Path
    split: str | None = None
    """What the names of the arrays begin with: `test` reads test_images, test_labels ...; None = nothing."""

    summary: ClassVar[str] = "an .npz file with images, and regions, labels, patients if there are any"
    path_field: ClassVar[str] = "path"

    @classmethod
    def accepts(cls, path: Path) -> bool:
        """Whether it is called so and is an archive, but none of MedMNIST."""
        is_archive = path.suffix.lower() == ".npz" and path.is_file() and zipfile.is_zipfile(path)
        return is_archive and not is_medmnist(path)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the labels 0, 1, ..."""
        return self._arrays.class_names

    def volumes(self) -> Iterator[Volume]:
        """Yield one volume a patient. Raises XaibenchError for a file that cannot be read, or does not fit."""
        return self._arrays.volumes()

    def notes(self) -> list[str]:
        """Say how much the file holds."""
        return self._arrays.notes()

    def check_table(self) -> tuple[list[str], list[list[str]], list[str]]:
        """Return header and rows of a table with a row a patient."""
        return self._arrays.check_table()

    @cached_property
    def _arrays(self) -> Arrays:
        found = self._found()
        names = found.get("class_names")
        return Arrays(
            images=found["images"],
            regions=found.get("regions"),
            labels=found.get("labels"),
            patients=found.get("patients"),
            names=None if names is None else tuple(map(str, names)),
            spacing_mm=_spacing(found.get("spacing_mm")),
        )

    def _found(self) -> dict[str, np.ndarray]:
        """Arrays of the file by what they hold; objects are never unpickled."""
        start = f"{self.split}_" if self.split else ""
        found = arrays_of(self.path, start, FIELDS)
        if "images" not in found:
            with zipfile.ZipFile(self.path) as archive:
                held = ", ".join(name.removesuffix(".npy") for name in archive.namelist()) or "none"
            raise XaibenchError(
                f"{self.path} holds no array {start}images (found: {held}); name it so, or give its beginning with "
                f"--split."
            )
        return found


def arrays_of(path: Path, start: str, names: Iterable[str]) -> dict[str, np.ndarray]:
    """Return those of the named arrays of an archive that there are; their names there begin with `start`.

    Objects are never unpickled. Raises XaibenchError for a file that cannot be read.
    """
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            return {name: file[start + name] for name in names if start + name in file.files}
    except Exception as error:  # zipfile, zlib and numpy raise a dozen kinds on damaged bytes
        raise XaibenchError(
            f"{path} is no .npz file of plain arrays that can be read; write it with numpy.savez."
        ) from error


def _spacing(held: np.ndarray | None) -> tuple[float, float] | None:
    if held is None:
        return None
    steps = np.asarray(held, np.float64)
    if steps.shape != (2,) or not (np.isfinite(steps) & (steps > 0)).all():
        raise XaibenchError(
            "The array spacing_mm must hold the distance of the rows and of the columns, in mm."
        )
    return float(steps[0]), float(steps[1])


def is_medmnist(path: Path) -> bool:
    """Whether an archive holds the arrays of MedMNIST; nothing is read of them."""
    if not path.is_file() or not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist()) >= OF_MEDMNIST
