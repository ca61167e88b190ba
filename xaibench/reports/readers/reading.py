"""Reads keys and ratings, which come from other machines: bounded, checked, and refused in one sentence."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from xaibench.api import XaibenchError
from xaibench.harness.store.run_info import Part
from xaibench.reports.readers.formats import Key, Ratings
from xaibench.reports.text import one_line, plural

MOST_BYTES = 16 * 2**20
KEY = "key.json"
Kind = TypeVar("Kind", bound=Part)


def read_key(folder: Path) -> Key:
    """Key of a study's folder. Raises XaibenchError where there is none."""
    path = folder / KEY
    if not path.is_file():
        raise XaibenchError(f"{folder} holds no {KEY}; give the --out folder of `xaibench readers make`.")
    return _parsed(path, Key, "the key of a reader study")


def read_ratings(folder: Path, key: Key) -> list[Ratings]:
    """Ratings of a study's folder, each complete, by reader. Raises XaibenchError for the first thing that is not.

    Every JSON file beside the key is one reader's.
    """
    found = []
    for path in sorted(folder.glob("*.json")):
        if path.name != KEY:
            ratings = _parsed(path, Ratings, "a file of ratings")
            _check(path, ratings, key)
            found.append(ratings)
    if not found:
        raise XaibenchError(f"{folder} holds no ratings; put the files that the readers saved beside {KEY}.")
    for reader in _repeated(ratings.reader for ratings in found):
        raise XaibenchError(f"{folder} holds two files of {reader}; keep the one that counts.")
    return sorted(found, key=lambda ratings: ratings.reader)


def _parsed(path: Path, kind: type[Kind], what: str) -> Kind:
    if path.is_symlink() or not path.is_file():
        raise XaibenchError(f"{path} is no regular file.")
    if path.stat().st_size > MOST_BYTES:
        raise XaibenchError(f"{path} is larger than {MOST_BYTES // 2**20} MiB, and so is not {what}.")
    try:
        return kind.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))[:80] or "the file"
        raise XaibenchError(
            f"{path} is not {what}: {where}: {one_line(first['msg'])[:200].lower()}."
        ) from error


def _check(path: Path, ratings: Ratings, key: Key) -> None:
    """Refuse what the key does not know, what is there twice, and what is missing."""
    if ratings.study != key.study:
        raise XaibenchError(f"{path} is of another study ({ratings.study}, the key is of {key.study}).")
    if ratings.reader not in key.readers:
        raise XaibenchError(f"{path} is of {ratings.reader}, for whom this study has no page.")
    of_reader = key.readers[ratings.reader]
    _check_names(path, "map", [r.item for r in ratings.rated], [s.item for s in of_reader.shown])
    _check_names(path, "drawing", [d.image for d in ratings.drawn], list(of_reader.images))


def _check_names(path: Path, what: str, found: list[str], wanted: list[str]) -> None:
    for name in _repeated(found):
        raise XaibenchError(f"{path} has {what} {name} twice.")
    for name in sorted(set(found) - set(wanted)):
        raise XaibenchError(f"{path} has {what} {name}, which the key does not know.")
    missing = len(set(wanted) - set(found))
    if missing:
        raise XaibenchError(
            f"{path} lacks {missing} of {plural(len(wanted), what)}; load it into the reader's page, finish and save."
        )


def _repeated(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]
