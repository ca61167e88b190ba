"""Where the viewer's pictures stand: inside the page as long as they are small, else in files beside it."""

import base64
import re
from collections.abc import Container, Iterable, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from jinja2.utils import htmlsafe_json_dumps

from xaibench.api import XaibenchError, write_file

FOLDER = "report"
INSIDE = 8_000_000
"""Most bytes of pictures inside report.html, unless one file is asked for."""
SINGLE_FILE = 64_000_000
"""Most bytes of pictures inside a single file."""
SCRIPTS, PICTURES = "case-*.js", "picture-*.png"
INLINE = re.compile(r'(src="|style="--slice: url\()data:image/png;base64,([A-Za-z0-9+/=]+)')
"""Pictures as the templates write them; no text of a run can look so, since its quotation marks are escaped."""


def json_text(found: Mapping[str, Any]) -> str:
    """Write JSON that may stand in a script element: `<`, `>`, `&` and `'` are escaped."""
    return str(htmlsafe_json_dumps(found, allow_nan=False, separators=(",", ":")))


def placed(path: Path, pictures: Iterable[Mapping[str, Any]], single_file: bool = False) -> list[str] | None:
    """Return the pictures of each case as JSON for the page, or None where they now stand in `report/` beside it.

    Raises XaibenchError where a single file is asked for and its pictures would be too large.
    """
    texts = map(json_text, pictures)
    kept: list[str] = []
    size, most = 0, SINGLE_FILE if single_file else INSIDE
    for text in texts:
        kept.append(text)
        size += len(text)
        if size > most:
            _write_beside(path, chain(kept, texts), single_file)
            return None
    for pattern in (SCRIPTS, PICTURES):
        _remove(path / FOLDER, pattern)
    return kept


def _write_beside(path: Path, texts: Iterable[str], single_file: bool) -> None:
    """Write a file a case; each is a script, since a page opened from a disk may read no other file of pictures."""
    if single_file:
        raise XaibenchError(
            f"{path / 'report.html'} would hold more than {SINGLE_FILE // 1_000_000} MB of pictures; leave out "
            f"--single-file, and they stand in {path / FOLDER} beside it."
        )
    written = {
        _written(path / FOLDER / f"case-{number}.js", f"xaibenchPictures({number},{text});\n".encode())
        for number, text in enumerate(texts)
    }
    _remove(path / FOLDER, SCRIPTS, written)


def moved(path: Path, page: str) -> str:
    """Move the pictures of the gallery to files in `report/` too, so that the page opens before they are read."""
    names: dict[str, str] = {}

    def address(found: re.Match[str]) -> str:
        name = names.setdefault(found[2], f"{FOLDER}/picture-{len(names)}.png")
        return found[1] + name

    lighter = INLINE.sub(address, page)
    written = {_written(path / name, base64.b64decode(png)) for png, name in names.items()}
    _remove(path / FOLDER, PICTURES, written)
    return lighter


def _written(file: Path, content: bytes) -> Path:
    return write_file(file, lambda stream: stream.write(content))


def _remove(folder: Path, pattern: str, but: Container[Path] = ()) -> None:
    """Remove files of an earlier report."""
    for file in folder.glob(pattern):
        if file not in but:
            file.unlink()
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
