"""A cross-validated model on disk: its fold models, who was held out of which, and how good they are.

`training.json` says what was trained on what; `fold-0.keras` ... are the fold models; `folds.json` holds fold,
label and held-out probability of each patient, and is written last: a folder that has it is whole. Beside them
lie `metrics.json`, `curves.json` and `permutations.jsonl`, to which the shuffle test appends.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from xaibench.api import XaibenchError
from xaibench.classifiers.keras import load_keras


@dataclass(frozen=True)
class Assignment:
    """Which fold model may explain which patient."""

    folds: dict[str, int]
    """Fold by pseudonym."""
    notes: list[str]
    """Sentences for the reader of a run."""


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
        return (self.path / "folds.json").is_file()

    def begin(self, identity: Mapping[str, Any]) -> None:
        """Claim the folder for a training, or check that it is the same one: differing ones are refused by name."""
        self.path.mkdir(parents=True, exist_ok=True)
        if not (self.path / "training.json").is_file():
            if any(not file.name.startswith("part-") for file in self.path.iterdir()):
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
        beside = self.path / f"part-fold-{fold}.keras"
        classifier.save(beside)
        beside.replace(self.path / f"fold-{fold}.keras")

    def fold_model(self, fold: int) -> Any:
        """Return the Keras classifier of a fold."""
        return load_keras(self.path / f"fold-{fold}.keras")

    @property
    def fold_count(self) -> int:
        """Number of folds."""
        return int(self.read("folds.json")["folds"])

    def patients(self) -> dict[str, dict[str, Any]]:
        """By pseudonym: fold, label, probability (of class 1, held out), and key (hash of her volume)."""
        found: dict[str, dict[str, Any]] = self.read("folds.json")["patients"]
        return found

    def fold_of_keys(self) -> dict[str, int]:
        """Fold by the hash of the patient's volume."""
        return {entry["key"]: int(entry["fold"]) for entry in self.patients().values() if entry["key"]}

    def assign(self, keys: Mapping[str, str]) -> Assignment:
        """Fold model for each patient of a cohort, by the hash of her volume (samples.volume_key).

        A patient of the training goes to the model that never saw her, whatever she is called now. If none
        of the cohort was in the training, all go to fold 0. Raises XaibenchError where a pseudonym of the
        training comes with other images beside patients who are known: nobody can tell who that is.
        """
        known, fold_of = self.patients(), self.fold_of_keys()
        strangers = [name for name, key in keys.items() if key not in fold_of]
        if len(strangers) == len(keys):
            note = "No patient of this cohort was in the model's training (by their images): fold 0 explains all."
            return Assignment(dict.fromkeys(keys, 0), [note])
        for name in strangers:
            if name in known:
                raise XaibenchError(
                    f"Patient {name} has other images than when {self.path} was trained, while others have the "
                    f"same; train again on this cohort, or choose the same series."
                )
        notes = ["Each patient is explained by the fold model that never saw her."]
        if strangers:
            notes.append(f"Not in the training, so explained by fold 0: {', '.join(sorted(strangers))}.")
        return Assignment({name: fold_of.get(key, 0) for name, key in keys.items()}, notes)

    def record(self) -> dict[str, Any]:
        """How it was trained and validated, for run.json and the page of the training."""
        return {
            "settings": self.read("training.json"),
            "metrics": self.read("metrics.json"),
            "curves": self.read("curves.json"),
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
        beside = self.path / f"part-{name}"
        beside.write_text(text, "utf-8")
        return beside.replace(self.path / name)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no place in a JSON file")
