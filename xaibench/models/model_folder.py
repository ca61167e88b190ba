"""A cross-validated model on disk: its fold models, who was held out of which, and how good they are.

`training.json` says what was trained on what; `fold-0.keras` ... are the fold models; `folds.json` holds fold,
label and held-out probability of each patient, and is written last: a folder that has it is whole. Beside them
lie `metrics.json`, `curves.json` and `permutations.jsonl`, to which the shuffle test appends.
"""

import json
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from xaibench.api import XaibenchError, write_file
from xaibench.models.known_patients import KnownPatients

FOLDS = "folds.json"
KEY = "identity.key"
SEEDS_FILE = "seeds.json"


class ModelFolder:
    """Reads and writes the folder of one cross-validated model."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.permutations_file = path / "permutations.jsonl"

    @classmethod
    def existing(cls, path: Path) -> "ModelFolder":
        """Open a folder that must hold a whole model. Raises XaibenchError if it does not."""
        folder = cls(path)
        if not folder.complete:
            raise XaibenchError(
                f"{path} holds no trained model (no folds.json); make one with `xaibench train --out {path}`."
            )
        return folder

    @property
    def complete(self) -> bool:
        """Whether every fold model and table is there."""
        return (self.path / FOLDS).is_file()

    def begin(self, identity: Mapping[str, Any]) -> None:
        """Claim the folder for a training, or check that it is the same one: differing ones are refused by name."""
        self.path.mkdir(parents=True, exist_ok=True)
        if not (self.path / "training.json").is_file():
            if any(not file.name.startswith(".") for file in self.path.iterdir()):
                raise XaibenchError(f"{self.path} holds other files; choose another --out folder.")
            self.write("training.json", identity)
        known = self.read("training.json")
        differing = sorted(k for k in {*known, *identity} if known.get(k) != identity.get(k))
        if differing:
            raise XaibenchError(
                f"{self.path} holds another training: {', '.join(differing)} differ; choose another --out, "
                f"or delete the folder to start afresh."
            )

    def save_fold(self, fold: int, classifier: Any) -> None:
        """Keep the Keras classifier of a fold, whole or not at all."""
        save_keras(classifier, self._fold_file(fold))

    def fold_model(self, fold: int) -> Any:
        """Return the Keras classifier of a fold."""
        from xaibench.classifiers.keras import load_keras  # imports TensorFlow

        return load_keras(self._fold_file(fold))

    def _fold_file(self, fold: int) -> Path:
        return self.path / f"fold-{fold}.keras"

    @property
    def fold_count(self) -> int:
        """Number of folds."""
        return int(self.read(FOLDS)["folds"])

    def patients(self) -> dict[str, dict[str, Any]]:
        """By pseudonym: fold, label, held-out probability of class 1, and hashes of identifiers and image."""
        found: dict[str, dict[str, Any]] = self.read(FOLDS)["patients"]
        return found

    def identity_key(self) -> bytes:
        """Return the random key of the hashes of identifiers, made on first use."""
        file = self.path / KEY
        if not file.is_file():
            write_file(file, lambda out: out.write(secrets.token_hex(32).encode()))
        return bytes.fromhex(file.read_text("ascii"))

    def known_patients(self) -> KnownPatients:
        """Who was in the training. Without the key, which may be deleted, patients are known by images alone."""
        patients = self.patients().values()
        if any("image" not in patient for patient in patients):
            raise XaibenchError(
                f"{self.path} was written by an older version of xaibench; train again in another folder."
            )
        if (self.path / KEY).is_file():
            return KnownPatients.of(self.identity_key(), patients)
        return KnownPatients.of(b"", [{**patient, "identity": []} for patient in patients])

    def record(self) -> dict[str, Any]:
        """How it was trained and validated, for run.json and the page of the training."""
        return {
            "settings": self.read("training.json"),
            "metrics": self.read("metrics.json"),
            "curves": self.read("curves.json"),
            "seeds": self.read(SEEDS_FILE)["trainings"] if (self.path / SEEDS_FILE).is_file() else [],
        }

    def read(self, name: str) -> Any:
        """Return the content of a JSON file. Raises XaibenchError if it is missing or damaged."""
        try:
            return json.loads((self.path / name).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise XaibenchError(
                f"{self.path / name} cannot be read ({error}); train again in another folder."
            ) from error

    def write(self, name: str, content: Any) -> None:
        """Write a JSON file whole or not at all."""
        self.write_text(name, json.dumps(content, indent=2, allow_nan=False, default=_plain) + "\n")

    def write_text(self, name: str, text: str) -> Path:
        """Write a text file whole or not at all; returns its path."""
        return write_file(self.path / name, lambda out: out.write(text.encode()))


def save_keras(model: Any, path: Path) -> None:
    """Save a Keras model as a file that appears whole or not at all."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / path.name
        model.save(made)
        write_file(path, lambda out: out.write(made.read_bytes()))


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no place in a JSON file")
