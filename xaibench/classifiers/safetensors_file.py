"""Weights in a safetensors file, for a network that a function of an installed package builds."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from xaibench.api import XaibenchError
from xaibench.classifiers.callable import imported, input_shape
from xaibench.classifiers.class_names import check_count, names_beside
from xaibench.classifiers.outputs import Activation
from xaibench.classifiers.packages import needed

if TYPE_CHECKING:
    from xaibench.classifiers.torch.classifier import TorchClassifier


@dataclass(frozen=True)
class SafetensorsFile:
    """A `.safetensors` file of a PyTorch network; its outputs are named by `classes.json` beside it, if any."""

    path: Path
    function: str = ""
    """`package.module:function` that returns the network, a `torch.nn.Module`; it is called without arguments."""
    input_shape: str = ""
    """Height, width and channels (depth before them for volumes), such as `128,128,1`."""
    activation: Activation = ""
    """What turns the outputs into probabilities, where the network itself does not show it: `softmax`, `sigmoid`, or
    `none` if they are probabilities."""

    summary: ClassVar = (
        "weights (.safetensors) of a PyTorch network that --function module:function builds (extra torch)"
    )
    path_field: ClassVar = "path"

    @classmethod
    def accepts(cls, path: Path) -> bool:
        """Tell by the name."""
        return path.suffix == ".safetensors" and not path.is_dir()

    def load(self) -> "TorchClassifier":
        """Build the network and read its weights. Raises XaibenchError in one sentence for what does not fit."""
        if not self.function or not self.input_shape:
            raise XaibenchError(
                f"{self.path.name} holds weights alone: say what builds the network and what it takes, "
                f"--function package.module:function --input-shape 128,128,1."
            )
        shape, build = input_shape(self.input_shape), imported(self.function)
        needed("torch", "torch", "PyTorch networks")
        needed("safetensors", "torch", "Files of safetensors")
        from xaibench.classifiers.torch.building import built, exported
        from xaibench.classifiers.torch.classifier import torch_classifier

        names = names_beside(self.path)
        model = built(build, self.function, self.path)
        classifier = torch_classifier(exported(model, shape), model, self.activation, class_names=names)
        check_count(names, classifier.n_classes, self.path.name)
        return classifier
