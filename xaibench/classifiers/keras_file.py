"""A Keras model file, and the names of its classes; TensorFlow is imported when a file is read."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from xaibench.api import XaibenchError

if TYPE_CHECKING:
    from xaibench.classifiers.keras import KerasClassifier

SUFFIXES = (".keras", ".h5", ".hdf5")
NAMES_FILE = "classes.json"


@dataclass(frozen=True)
class KerasFile:
    """A `.keras` or `.h5` file of an image classifier; its outputs are named by `classes.json` beside it, if any."""

    path: Path

    summary: ClassVar = "any Keras image classifier (.keras or .h5), loaded in Keras' safe mode"
    path_field: ClassVar = "path"

    @classmethod
    def accepts(cls, path: Path) -> bool:
        """Tell by the name."""
        return path.suffix in SUFFIXES and not path.is_dir()

    def load(self) -> "KerasClassifier":
        """Read the file. Raises XaibenchError for one that is missing, broken, unsafe or no classifier."""
        from xaibench.classifiers.keras import KerasClassifier, load_keras

        model = load_keras(self.path)
        classifier = KerasClassifier(model, class_names=self._names())
        names = classifier.class_names
        if names and len(names) != classifier.n_classes:
            raise XaibenchError(
                f"{len(names)} class names ({', '.join(names)}) for the {classifier.n_classes} classes of "
                f"{self.path.name}; name each output, in the model's order."
            )
        return classifier

    def _names(self) -> tuple[str, ...]:
        file = self.path.parent / NAMES_FILE
        return _checked(_listed(file), str(file)) if file.is_file() else ()


def _listed(file: Path) -> list[Any]:
    """Names in their order, from a JSON list or a mapping of indices to names."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise XaibenchError(f"{file} cannot be read as JSON: {error}.") from error
    if isinstance(content, dict) and set(content) == {str(index) for index in range(len(content))}:
        return [content[str(index)] for index in range(len(content))]
    if isinstance(content, list):
        return content
    raise XaibenchError(f'{file} must hold a list of class names, or a mapping such as {{"0": "benign"}}.')


def _checked(names: list[Any], where: str) -> tuple[str, ...]:
    stripped = tuple(name.strip() if isinstance(name, str) else "" for name in names)
    if not all(stripped) or len(set(stripped)) != len(stripped):
        raise XaibenchError(f"Class names of {where} must be different, non-empty texts.")
    return stripped
