"""A look at the files of a folder."""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

ENOUGH = 50


def every_file(root: Path) -> Iterator[Path]:
    """Yield the files below a folder, those directly in it first, by name; linked folders are not followed."""
    for folder, folders, names in os.walk(root):
        folders.sort()
        yield from (path for name in sorted(names) if (path := Path(folder) / name).is_file())


def first_files(root: Path) -> list[Path]:
    """Return some files below a folder, enough to tell of what kind it is, that may be read."""
    return [path for path in islice(every_file(root), ENOUGH) if os.access(path, os.R_OK)]
