"""The fold models of a cross-validated model as the classifiers of a run."""

from xaibench.api import Volume
from xaibench.classifiers.keras import KerasClassifier
from xaibench.models.model_folder import ModelFolder
from xaibench.models.panel import Panel
from xaibench.models.samples import volume_key


class FoldPanel(Panel):
    """Each patient is explained by the model that never saw her; the folds share one set of traced functions."""

    def __init__(self, folder: ModelFolder) -> None:
        first = KerasClassifier(folder.fold_model(0))
        others = [folder.fold_model(fold).get_weights() for fold in range(1, folder.fold_count)]
        super().__init__([first, *map(first.sibling, others)])
        self.folder = folder
        self.fold_of = folder.fold_of_keys()
        self.keys: dict[str, str] = {}

    def of(self, volume: Volume) -> KerasClassifier:
        """Classifier of the patient's fold; of fold 0 for a patient who was not in the training."""
        self.keys[volume.patient] = volume_key(volume)
        return self.members[self.fold_of.get(self.keys[volume.patient], 0)]

    def folds(self) -> dict[str, int]:
        """Fold by pseudonym of the patients seen so far."""
        return self.folder.assign(self.keys).folds

    def notes(self) -> list[str]:
        """Say who explains whom. Raises XaibenchError where nobody can tell who a patient is."""
        return self.folder.assign(self.keys).notes
