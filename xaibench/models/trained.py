"""The folder that `xaibench train` wrote, as a model: a classifier a fold, each for the patients it never saw."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from xaibench.api import (
    Dataset,
    HeldOut,
    Intensity,
    LoadedModel,
    Match,
    NotApplicable,
    Progress,
    Volume,
)
from xaibench.models.known_patients import KnownPatients
from xaibench.models.model_folder import FOLDS, ModelFolder

CAUTIONS = {
    "pretext": "The backbone learnt on other phantom patients: on a phantom this is kinder than ImageNet on real MRI.",
    "none": "The backbone has random weights: this shows what it costs, not what it can do.",
}
"""By the weights of the backbone."""


@dataclass(frozen=True)
class TrainedFolder:
    """Fold models of a training; each patient is explained by the one that never saw them."""

    root: Path

    summary: ClassVar[str] = "what `xaibench train` wrote: each patient by the fold model that never saw them"
    path_field: ClassVar[str] = "root"

    @classmethod
    def accepts(cls, path: Path) -> bool:
        """Whether a path is a folder with the table of its folds."""
        return (path / FOLDS).is_file()

    def load(self, dataset: Dataset, progress: Progress) -> LoadedModel:
        """Load all fold models; they share one set of traced functions. Raises XaibenchError for a damaged folder."""
        from xaibench.classifiers.keras import KerasClassifier  # imports TensorFlow

        folder = ModelFolder.existing(self.root)
        first = KerasClassifier(folder.fold_model(0))
        others = [folder.fold_model(fold).get_weights() for fold in range(1, folder.fold_count)]
        record = folder.record()
        plan = record["settings"]["plan"]
        return FoldModels(
            name=f"{plan['backbone']} ({folder.fold_count} folds)",
            classifiers=(first, *map(first.sibling, others)),
            facts=facts_of(record, folder.fold_count),
            record={"training": record},
            class_names=tuple(folder.read(FOLDS)["class_names"]),
            intensity=Intensity(plan["intensity"]),
            known=folder.known_patients(),
            dataset=dataset,
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class FoldModels(LoadedModel):
    """A classifier a fold, and who was held out of which."""

    known: KnownPatients
    dataset: Dataset
    """Cohort that is explained: patients of the training are looked for here."""

    def match(self, volume: Volume) -> Match:
        """Return the fold that never saw the patient; fold 0 for one who is not found in the training."""
        return self.known.match(volume)

    def held_out(self, matches: Mapping[str, Match]) -> tuple[HeldOut, list[str]]:
        """Held out if every patient is found in the training; who is not found may have been there all the same."""
        strangers = sorted(patient for patient, match in matches.items() if not match.known_by)
        if not strangers:
            return HeldOut.YES, ["Each patient is explained by the fold model that never saw them."]
        who = "No patient" if len(strangers) == len(matches) else f"Of this cohort, {', '.join(strangers)}"
        verb = "was found" if len(strangers) == len(matches) else "could not be found"
        return HeldOut.UNKNOWN, [
            f"{who} {verb} in the model's training, neither by identifiers nor by images: explained by fold 0, "
            f"which may or may not have seen them."
        ]

    def training_volumes(self, classifier: int) -> Iterator[Volume]:
        """Yield the volumes of the dataset whose patients a fold model was trained on.

        Raises NotApplicable where the dataset holds none of them.
        """
        found = False
        for volume in self.dataset.volumes():
            match = self.match(volume)
            if match.known_by and match.classifier != classifier:
                found = True
                yield volume
        if not found:
            raise NotApplicable("the patients that this model was trained on are not in this dataset")


def facts_of(record: Mapping[str, Any], folds: int) -> dict[str, str]:
    """Tell what a reader must know of a training."""
    settings, right = record["settings"], record["metrics"]["pooled"]["patient"]["confusion"]
    data, weights = settings["data"], settings["plan"]["weights"]
    facts = {
        "trained on": f"{data['patients']} patients in {folds} folds, {data['slices']} slices",
        "held-out patients right by all their slices": f"{right['tp'] + right['tn']} of {data['patients']}",
        "backbone": settings["backbone"]["origin"],
    }
    return facts | ({"caution": CAUTIONS[weights]} if weights in CAUTIONS else {})
