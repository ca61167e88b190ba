"""The list of a made cohort's files with their hashes, so that a damaged cohort is not taken for a whole one."""

import hashlib
from pathlib import Path

from pydantic import BaseModel, ValidationError

from xaibench.datasets.files import every_file

NAME = "manifest.json"


class Manifest(BaseModel):
    """What a made cohort holds."""

    made_of: str
    """All that decides the files: options, seed, version of the generator."""
    files: dict[str, str]
    """SHA-256 of each file by its path in the folder."""


def write_manifest(root: Path, made_of: str) -> None:
    """Write the manifest of a folder that holds a cohort and nothing else."""
    text = Manifest(made_of=made_of, files=hashes(root)).model_dump_json(indent=1)
    (root / NAME).write_text(text, encoding="utf-8", newline="\n")


def fault_of(root: Path, made_of: str) -> str:
    """Say what keeps a folder from being the cohort as it was made; empty if nothing does."""
    try:
        manifest = Manifest.model_validate_json((root / NAME).read_bytes())
    except (OSError, ValidationError):
        return f"it has no {NAME} that can be read"
    if manifest.made_of != made_of:
        return "it holds a cohort of other options or of another version"
    changed = sorted(dict(set(manifest.files.items()) ^ set(hashes(root).items())))
    return f"{len(changed)} of its files are missing, changed or new, such as {changed[0]}" if changed else ""


def hashes(root: Path) -> dict[str, str]:
    """SHA-256 of each file by its path; hidden files are the system's own."""
    files = (path for path in every_file(root) if not path.name.startswith(".") and path != root / NAME)
    return {path.relative_to(root).as_posix(): _sha256(path) for path in files}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
