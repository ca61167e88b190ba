"""The models that learnt to tell recurrent tumours of the phantom (see phantom_trained)."""

from dataclasses import dataclass
from typing import ClassVar

from xaibench.api import Dataset, LoadedModel, Progress


@dataclass(frozen=True)
class RecurrenceResnet:
    """The default model: a compact ResNet."""

    summary: ClassVar[str] = "compact ResNet, 0.2 M parameters, 128 px, trained on other phantom patients"

    def load(self, dataset: Dataset, progress: Progress) -> LoadedModel:
        """Load the model for a cohort. Raises XaibenchError for images that do not fit."""
        return _load("recurrence", dataset, progress)


@dataclass(frozen=True)
class CbamResnet:
    """The compact ResNet with channel and spatial attention in each block."""

    summary: ClassVar[str] = "compact ResNet with CBAM attention, 128 px, trained on other phantom patients"

    def load(self, dataset: Dataset, progress: Progress) -> LoadedModel:
        """Load the model for a cohort. Raises XaibenchError for images that do not fit."""
        return _load("cbam-resnet", dataset, progress)


@dataclass(frozen=True)
class CompactVit:
    """A compact vision transformer on the pre-trained compact backbone."""

    summary: ClassVar[str] = (
        "compact vision transformer, 128 px, pre-trained and trained on other phantom patients"
    )

    def load(self, dataset: Dataset, progress: Progress) -> LoadedModel:
        """Load the model for a cohort. Raises XaibenchError for images that do not fit."""
        return _load("compact-vit", dataset, progress)


def _load(name: str, dataset: Dataset, progress: Progress) -> LoadedModel:
    from xaibench.models.phantom_trained import phantom_trained  # imports TensorFlow

    return phantom_trained(name, dataset, progress)
