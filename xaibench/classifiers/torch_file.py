"""An exported PyTorch program, and the names of its classes; torch is imported when a file is read."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from xaibench.api import XaibenchError
from xaibench.classifiers.class_names import check_count, names_beside
from xaibench.classifiers.outputs import Activation
from xaibench.classifiers.packages import needed

if TYPE_CHECKING:
    from xaibench.classifiers.torch.classifier import TorchClassifier

PICKLED = (".pt", ".pth", ".ckpt")


@dataclass(frozen=True)
class TorchFile:
    """A `.pt2` file of `torch.export.save`; its outputs are named by `classes.json` beside it, if any."""

    path: Path
    activation: Activation = ""
    """What turns the outputs into probabilities, where the program itself does not show it: `softmax`, `sigmoid`, or
    `none` if they are probabilities."""

    summary: ClassVar = (
        "a PyTorch image classifier saved by torch.export (.pt2), loaded without unpickling (extra torch)"
    )
    path_field: ClassVar = "path"

    @classmethod
    def accepts(cls, path: Path) -> bool:
        """Tell by the name; pickled models are taken to be refused with a reason."""
        return path.suffix in (".pt2", *PICKLED) and not path.is_dir()

    def load(self) -> "TorchClassifier":
        """Read the file. Raises XaibenchError for one that is missing, broken, pickled, unsafe or no classifier."""
        if self.path.suffix in PICKLED:
            raise XaibenchError(
                f"{self.path.name} is a pickle, which executes code when it is loaded; save the model with "
                f"torch.export.save(torch.export.export(model.eval(), (images,)), 'name.pt2'), or its weights with "
                f"safetensors.torch.save_model(model, 'name.safetensors')."
            )
        needed("torch", "torch", "Files of torch.export")
        from xaibench.classifiers.torch.archive import load_archive, run_by_torch
        from xaibench.classifiers.torch.classifier import torch_classifier

        exported = load_archive(self.path)
        names = names_beside(self.path)
        classifier = torch_classifier(exported, run_by_torch(exported), self.activation, class_names=names)
        check_count(names, classifier.n_classes, self.path.name)
        return classifier
