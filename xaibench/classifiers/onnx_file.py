"""An ONNX model, and the names of its classes; onnxruntime is imported when a file is read."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from xaibench.classifiers.class_names import check_count, names_beside
from xaibench.classifiers.outputs import Activation
from xaibench.classifiers.packages import needed

if TYPE_CHECKING:
    from xaibench.classifiers.onnx_classifier import OnnxClassifier


@dataclass(frozen=True)
class OnnxFile:
    """A `.onnx` file of an image classifier; its outputs are named by `classes.json` beside it, if any."""

    path: Path
    channels: Literal["", "first", "last"] = ""
    """Where the channels of the model's input stand; empty = by its sizes, an axis of at most 4 being the channels."""
    activation: Activation = ""
    """What turns the outputs into probabilities: `softmax`, `sigmoid`, or `none` if they are probabilities; empty = by
    their values."""
    output: str | None = None
    """Name of the output to explain; None = the only one."""

    summary: ClassVar = "an ONNX image classifier (.onnx), which gives scores only (extra onnx)"
    path_field: ClassVar = "path"

    @classmethod
    def accepts(cls, path: Path) -> bool:
        """Tell by the name."""
        return path.suffix == ".onnx" and not path.is_dir()

    def load(self) -> "OnnxClassifier":
        """Read the file. Raises XaibenchError for one that is missing, broken or no classifier."""
        needed("onnxruntime", "onnx", "ONNX models")
        from xaibench.classifiers.onnx_classifier import OnnxClassifier

        names = names_beside(self.path)
        classifier = OnnxClassifier(self.path, self.channels, self.activation, self.output, names)
        check_count(names, classifier.n_classes, self.path.name)
        return classifier
