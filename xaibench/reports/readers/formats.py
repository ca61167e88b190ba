"""The files of a reader study: the key, which names the methods, and the ratings, which a page saves.

Ratings come from other machines: sizes are bounded, texts are plain names, and unknown fields are refused.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from xaibench.harness.store.run_info import Part
from xaibench.reports.readers.questions import HIGHEST, LOWEST, NAMES

FORMAT: Literal[1] = 1
MOST_ITEMS = 20_000
MOST_OUTLINES, MOST_POINTS = 50, 5000
MOST_PIXELS = 100_000

Token = Annotated[str, StringConstraints(pattern="^[0-9a-f]{8,32}$")]
"""Name without a meaning."""
ReaderName = Annotated[str, StringConstraints(pattern="^[A-Za-z0-9_-]{1,40}$")]
Rating = Annotated[int, Field(ge=LOWEST, le=HIGHEST, strict=True)]
Coordinate = Annotated[float, Field(ge=0, le=MOST_PIXELS, allow_inf_nan=False)]
Point = tuple[Coordinate, Coordinate]
"""Column and row in pixels of the image, from its upper left corner; a pixel's centre is at a half."""
Outline = Annotated[tuple[Point, ...], Field(min_length=3, max_length=MOST_POINTS)]
"""Corners of a closed polygon."""


class Shown(Part):
    """One map as a reader sees it, and what it is."""

    item: Token
    case: str
    method: str
    repeats: Token | None = None
    """The item that shows the same map earlier; None = shown for the first time."""


class ReaderKey(Part):
    """What one reader is shown, in the order of their page."""

    shown: tuple[Shown, ...] = Field(max_length=MOST_ITEMS)
    images: Mapping[Token, str]
    """Case of each image."""


class Key(Part):
    """What the pages do not say; the file stays with whoever runs the study."""

    format: Literal[1] = FORMAT
    study: Token
    seed: int
    model: str
    """Hash of the model of the run."""
    cases: Mapping[str, str]
    """Hash of each case that is shown."""
    methods: Mapping[str, str]
    """Hash of each method that is shown."""
    readers: Mapping[ReaderName, ReaderKey]


class Rated(Part):
    """The answers on one map."""

    item: Token
    ratings: Mapping[str, Rating]

    @model_validator(mode="after")
    def _all_questions(self) -> "Rated":
        if set(self.ratings) != set(NAMES):
            raise ValueError(f"item {self.item} must have one rating for each of {', '.join(NAMES)}")
        return self


class Drawn(Part):
    """Where a reader would have looked on an image, drawn before any of its maps was shown."""

    image: Token
    outlines: tuple[Outline, ...] = Field(max_length=MOST_OUTLINES)
    """Empty where there was nothing to mark."""


class Ratings(Part):
    """What a page saves."""

    format: Literal[1] = FORMAT
    study: Token
    reader: ReaderName
    rated: tuple[Rated, ...] = Field(max_length=MOST_ITEMS)
    drawn: tuple[Drawn, ...] = Field(max_length=MOST_ITEMS)
