"""Concepts of the phantom: patients who show one thing strongly, and who are in no cohort."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from xaibench.api import Volume, seed_of
from xaibench.datasets.phantom.patient import PhantomPatient, stream
from xaibench.datasets.phantom.tumour import draw_foci
from xaibench.datasets.phantom.volumes import drawn_volume

LARGER = 1.35
"""Radii of a large tumour against its own."""
FOCI = 20
"""Foci of an uneven tumour; an invasive one has 6 to 11, another one at most 1."""
FULL_BLADDER = 1.2
"""Size of the largest bladder that patients of a cohort have, against the average."""

Change = Callable[[PhantomPatient], PhantomPatient]


def with_large_tumour(drawn: PhantomPatient) -> PhantomPatient:
    """Enlarge the tumour."""
    x, y, z = drawn.tumour.radii
    return replace(drawn, tumour=replace(drawn.tumour, radii=(LARGER * x, LARGER * y, LARGER * z)))


def with_uneven_tumour(drawn: PhantomPatient) -> PhantomPatient:
    """Fill the tumour with foci."""
    size = float(np.mean(drawn.tumour.radii))
    foci = draw_foci(stream(drawn.seed, "concept"), size, FOCI)
    return replace(drawn, tumour=replace(drawn.tumour, foci=foci))


def with_full_bladder(drawn: PhantomPatient) -> PhantomPatient:
    """Fill the bladder: the negative control, for it tells nothing of the class."""
    return replace(drawn, physique=replace(drawn.physique, bladder=FULL_BLADDER))


CONCEPTS: dict[str, Change] = {
    "large tumour": with_large_tumour,
    "uneven tumour": with_uneven_tumour,
    "full bladder": with_full_bladder,
}


@dataclass(frozen=True)
class PhantomConcepts:
    """Each concept is shown by patients of its own, who have all else that training patients have as often as they."""

    patients: int = 40
    """Of each concept; half of their tumours grow invasively."""
    shortcut: bool = False
    """Whether half of them have a prosthesis, as in the training of the phantom with a shortcut."""
    seed: int = 0

    class_names: ClassVar[tuple[str, ...]] = tuple(CONCEPTS)
    summary: ClassVar[str] = "images of concepts for tcav: large tumour, uneven tumour, full bladder"

    def volumes(self) -> Iterator[Volume]:
        """Yield the patients of each concept in turn, the slice of the largest tumour each; nothing is written."""
        for number, change in enumerate(CONCEPTS.values()):
            for index in range(self.patients):
                seed = seed_of("phantom concept", number, index, self.seed)
                metal = self.shortcut and index % 4 >= 2
                drawn = PhantomPatient.draw(seed, invasive=index % 2 == 1, prosthesis=metal)
                name = f"C{number * self.patients + index + 1:03d}"
                yield drawn_volume(name, (number,), change(drawn), slices=1)

    def notes(self) -> list[str]:
        """Say that nobody is real."""
        return [
            f"Synthetic images of {len(CONCEPTS)} concepts, {self.patients} patients each, seed {self.seed}."
        ]
