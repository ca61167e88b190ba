"""A file of MedMNIST (Yang et al. 2023, doi:10.1038/s41597-022-01721-8), as it is published."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from xaibench.api import Volume, XaibenchError
from xaibench.datasets.arrays import Arrays
from xaibench.datasets.arrays_file import arrays_of, is_medmnist
from xaibench.datasets.medmnist_classes import CLASSES

Split = Literal["train", "val", "test"]
COLOURS = 3


@dataclass(frozen=True)
class MedMnist:
    """One split of a data set; every image is a patient's of their own, for nothing says whose it is.

    Names of the classes follow from the name of the file, such as `chestmnist_224.npz`; several labels an image are
    read as such. A volume of the 3-D sets is a patient of as many slices.
    """

    path: Path
    split: Split = "test"

    summary: ClassVar[str] = "a file of MedMNIST such as breastmnist.npz; --split train, val or test"
    path_field: ClassVar[str] = "path"

    @classmethod
    def accepts(cls, path: Path) -> bool:
        """Whether it is an archive with the six arrays of a data set."""
        return path.suffix.lower() == ".npz" and is_medmnist(path)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the labels 0, 1, ..."""
        return self._arrays.class_names

    def volumes(self) -> Iterator[Volume]:
        """Yield one volume an image. Raises XaibenchError for a file that cannot be read, or does not fit."""
        return self._arrays.volumes()

    def notes(self) -> list[str]:
        """Say how much the split holds, and that patients are not known."""
        unknown = "MedMNIST does not say whose an image is: each counts as a patient's of their own."
        return [f"The split {self.split} is read.", *self._arrays.notes(), unknown]

    def check_table(self) -> tuple[list[str], list[list[str]], list[str]]:
        """Return header and rows of a table with a row an image."""
        return self._arrays.check_table()

    @cached_property
    def _arrays(self) -> Arrays:
        held = arrays_of(self.path, f"{self.split}_", ("images", "labels"))
        if len(held) != 2:
            raise XaibenchError(f"{self.path} holds no split {self.split}; it is no file of MedMNIST.")
        images, labels = held["images"], held["labels"]
        names = CLASSES.get(self.path.stem.lower().partition("_")[0])
        if images.ndim == 3 or images.shape[-1] == COLOURS:
            return Arrays(images, labels=labels, names=names)
        slices = images.shape[1]
        return Arrays(
            images.reshape(-1, *images.shape[2:]),
            labels=np.repeat(labels, slices, axis=0),
            patients=np.repeat(np.arange(len(images)), slices),
            names=names,
        )
