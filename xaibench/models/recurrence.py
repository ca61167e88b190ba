"""The default model: a compact ResNet that tells recurrent tumours of the phantom."""

from dataclasses import dataclass
from typing import ClassVar

from xaibench.api import Dataset, LoadedModel, Progress


@dataclass(frozen=True)
class RecurrenceResnet:
    """Compact ResNet trained on phantom patients who are in no cohort (see phantom_trained)."""

    summary: ClassVar[str] = "compact ResNet, 0.2 M parameters, 128 px, trained on other phantom patients"

    def load(self, dataset: Dataset, progress: Progress) -> LoadedModel:
        """Load the model for a cohort. Raises XaibenchError for images that do not fit."""
        from xaibench.models.phantom_trained import phantom_trained  # imports TensorFlow

        return phantom_trained("recurrence", dataset, progress)
