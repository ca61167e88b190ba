"""A Keras model file, and the names of its classes; TensorFlow is imported when a file is read."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from xaibench.classifiers.class_names import check_count, names_beside

if TYPE_CHECKING:
    from xaibench.classifiers.keras import KerasClassifier

SUFFIXES = (".keras", ".h5", ".hdf5")


@dataclass(frozen=True)
class KerasFile:
    """A `.keras` or `.h5` file of an image classifier; its outputs are named by `classes.json` beside it, if any."""

    path: Path
    output: str | None = None
    """Name of the layer that makes the output to explain, or its number from 0; None = the only one."""

    summary: ClassVar = "any Keras image classifier (.keras or .h5), loaded in Keras' safe mode"
    path_field: ClassVar = "path"

    @classmethod
    def accepts(cls, path: Path) -> bool:
        """Tell by the name."""
        return path.suffix in SUFFIXES and not path.is_dir()

    def load(self) -> "KerasClassifier":
        """Read the file. Raises XaibenchError for one that is missing, broken, unsafe or no classifier."""
        from xaibench.classifiers.keras import KerasClassifier, load_keras
        from xaibench.classifiers.keras.outputs import with_one_output

        model = with_one_output(load_keras(self.path), self.output)
        classifier = KerasClassifier(model, class_names=names_beside(self.path))
        check_count(classifier.class_names, classifier.n_classes, self.path.name)
        return classifier
