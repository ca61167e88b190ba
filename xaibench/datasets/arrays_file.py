"""A cohort of arrays in an `.npz` file, such as `numpy.savez` writes and MedMNIST publishes."""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from xaibench.api import Volume, XaibenchError
from xaibench.datasets.arrays import Arrays

FIELDS = ("images", "regions", "labels", "patients", "class_names")


@dataclass(frozen=True)
class ArraysFile:
    """Arrays called images, and if there are any, regions, labels, patients and class_names; as in `Arrays`."""

    path: Path
    split: str | None = None
    """What the names of the arrays begin with: `test` reads test_images, test_labels ...; None = nothing."""

    summary: ClassVar[str] = "an .npz file with images, and regions, labels, patients if there are any"
    path_field: ClassVar[str] = "path"

    @classmethod
    def accepts(cls, path: Path) -> bool:
        """Whether it is called so and is an archive."""
        return path.suffix.lower() == ".npz" and path.is_file() and zipfile.is_zipfile(path)

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
        )

    def _found(self) -> dict[str, np.ndarray]:
        """Arrays of the file by what they hold; objects are never unpickled."""
        start = f"{self.split}_" if self.split else ""
        try:
            with self.path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
                held = list(file)
                found = {name: file[start + name] for name in FIELDS if start + name in held}
        except Exception as error:  # zipfile, zlib and numpy raise a dozen kinds on damaged bytes
            raise XaibenchError(
                f"{self.path} is no .npz file of plain arrays that can be read; write it with numpy.savez."
            ) from error
        if "images" not in found:
            raise XaibenchError(
                f"{self.path} holds no array {start}images (found: {', '.join(held) or 'none'}); name it so, or give "
                f"its beginning with --split."
            )
        return found
