"""Which T2-weighted series of a TCGA-CESC patient shows the cervix, by description and number of slices.

The rule reads what radiographers typed, since the index holds no geometry; it was made from the 273 descriptions
of index version 25, without looking at the images. The reader still refuses a series that is not axial.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

AXIAL = re.compile(r"(?<![^\W_])(ax\w*|tra|a(?= t2))(?![^\W_])", re.IGNORECASE)
# Single-shot and lymph-node (linf.) series are overviews of the abdomen; fat suppression changes the contrast.
OVERVIEW = re.compile(r"sssh|haste|linf|spir|spair|\+\s*fs", re.IGNORECASE)
THIN = re.compile(r"3\s?mm|(?<![^\W_])hr(?![^\W_])", re.IGNORECASE)
FEWEST = 18


class Described(NamedTuple):
    """What is known of a series without its pixels."""

    uid: str
    description: str
    slices: int
    date: str
    number: int
    """Series number: grows during a study."""


def main_series(candidates: Iterable[Described]) -> Described | None:
    """Return the axial T2-weighted series that shows the cervix best, None if there is no axial one.

    In this order: no overview and no fat suppression; at least 18 slices; thin slices or high resolution by
    description; the earlier study; the later series of it, since overviews are taken first.
    """
    axial = [one for one in candidates if "t2" in one.description.lower() and AXIAL.search(one.description)]
    return min(axial, key=_preference, default=None)


def _preference(one: Described) -> tuple[bool, bool, bool, str, int, str]:
    return (
        OVERVIEW.search(one.description) is not None,
        one.slices < FEWEST,
        THIN.search(one.description) is None,
        one.date,
        -one.number,
        one.uid,
    )
