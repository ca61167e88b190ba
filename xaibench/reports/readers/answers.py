"""The answers of all readers in one table, each map by its true name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from xaibench.api import XaibenchError
from xaibench.harness.store.run_info import RunInfo
from xaibench.reports.readers.formats import Drawn, Key, Ratings
from xaibench.reports.readers.questions import NAMES

MAP = ["patient", "case", "method"]
"""What names a map."""


@dataclass(frozen=True)
class Study:
    """A study and what its readers saved."""

    name: str
    """Stands before the names of the readers where there are several studies; else empty."""
    key: Key
    ratings: Sequence[Ratings]

    def reader(self, ratings: Ratings) -> str:
        """Name of a reader among all studies."""
        return f"{self.name} {ratings.reader}".strip()


@dataclass(frozen=True)
class Drawing:
    """What a reader drew on a case."""

    reader: str
    case: str
    drawn: Drawn


def check_run(key: Key, info: RunInfo) -> None:
    """Refuse the key of another run. Raises XaibenchError."""
    if key.model != info.model.key:
        raise XaibenchError(
            "The reader study is of a run with another model; give the run that it was made of."
        )
    methods = {name: method.key for name, method in info.methods.items()}
    known = {"case": (key.cases, info.cohort.case_keys), "method": (key.methods, methods)}
    for noun, (wanted, present) in known.items():
        for name, made_of in wanted.items():
            if present.get(name) != made_of:
                raise XaibenchError(
                    f"The reader study shows {noun} {name!r}, which this run does not have or has changed since; "
                    f"give the run that it was made of."
                )


def answers(studies: Sequence[Study], patients: Mapping[str, str]) -> pd.DataFrame:
    """One row for each map that a reader was shown: reader, item, repeats, patient, case, method, and the ratings."""
    rows = []
    for study in studies:
        for ratings in study.ratings:
            given = {rated.item: rated.ratings for rated in ratings.rated}
            rows += [
                {"reader": study.reader(ratings), **shown.model_dump(), **given[shown.item]}
                | {"patient": patients[shown.case]}
                for shown in study.key.readers[ratings.reader].shown
            ]
    return pd.DataFrame(rows, columns=["reader", "item", "repeats", *MAP, *NAMES])


def first_time(answers: pd.DataFrame) -> pd.DataFrame:
    """Answers on maps that are shown for the first time."""
    return answers[answers["repeats"].isna()]


def drawings(studies: Sequence[Study]) -> list[Drawing]:
    """What each reader drew on each case."""
    return [
        Drawing(study.reader(ratings), study.key.readers[ratings.reader].images[drawn.image], drawn)
        for study in studies
        for ratings in study.ratings
        for drawn in ratings.drawn
    ]
