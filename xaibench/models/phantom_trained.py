"""Small networks that learnt on patients whom a dataset makes for that purpose.

Those of the phantom are shipped; for another dataset that makes training patients, a network is trained once and
then taken from the cache.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from xaibench.api import (
    Dataset,
    HeldOut,
    LoadedModel,
    Match,
    Progress,
    Trainable,
    Volume,
    cache_folder,
)
from xaibench.classifiers.keras import KerasClassifier, load_keras
from xaibench.datasets.phantom.dataset import Phantom
from xaibench.models import cbam_resnet, compact_resnet, compact_vit, networks, pretext, supervised
from xaibench.models.model_folder import save_keras
from xaibench.models.networks import NETWORKS, train_network
from xaibench.models.shipped import Provenance, load_shipped, shipped_provenance


@dataclass(frozen=True, eq=False, kw_only=True)
class PhantomTrained(LoadedModel):
    """A model trained on patients who are in no cohort."""

    source: Trainable
    """Makes the training patients."""

    def held_out(self, matches: Mapping[str, Match]) -> tuple[HeldOut, list[str]]:
        """Every patient is held out: those of the training are made for it, and never explained."""
        return HeldOut.YES, []

    def training_volumes(self, classifier: int) -> Iterator[Volume]:
        """Make the training patients again."""
        return self.source.training_volumes()


def phantom_trained(name: str, dataset: Dataset, progress: Progress) -> PhantomTrained:
    """Model of one of NETWORKS for a dataset: shipped for any phantom, trained for others that can train one.

    A cohort that cannot make training patients (a DICOM folder) gets the one of the phantom, with a caution.
    """
    if isinstance(dataset, Trainable) and not isinstance(dataset, Phantom):
        return _trained_for(name, dataset, progress)
    if isinstance(dataset, Phantom):
        return _shipped(name, type(dataset)(), {})
    progress.say(
        "The default model has only seen the synthetic phantom; pass your own with --model PATH.keras."
    )
    return _shipped(
        name, Phantom(), {"caution": "trained on the synthetic phantom, not on images like these"}
    )


def shipped_name(name: str, source: Phantom) -> str:
    """Name of a network's weights that learnt on a kind of phantom."""
    return f"{name}-phantom-shortcut" if source.shortcut else f"{name}-phantom"


def _shipped(name: str, source: Phantom, cautions: Mapping[str, str]) -> PhantomTrained:
    keras.utils.set_random_seed(0)
    model = NETWORKS[name].build()
    made = load_shipped(shipped_name(name, source), model)
    return PhantomTrained(
        name=name,
        classifiers=(KerasClassifier(model),),
        facts={**facts_of(made), **cautions},
        record={"weights": made.model_dump()},
        class_names=source.class_names,
        source=source,
    )


def facts_of(made: Provenance) -> dict[str, str]:
    """Tell what a reader must know of shipped weights."""
    built_on = ""
    if made.starts_from:
        taught = shipped_provenance(made.starts_from)
        built_on = f", on a backbone taught with {taught.patients} others"
    return {
        "trained on": f"{made.patients} synthetic patients who are in no cohort, {made.slices} slices{built_on}",
        **made.quality,
        "weights": f"shipped with xaibench, SHA-256 {made.sha256[:12]}",
    }


def _trained_for(name: str, source: Any, progress: Progress) -> PhantomTrained:
    path = cache_folder() / "models" / f"{name}-{training_key(name, source)}.keras"
    if not path.is_file():
        progress.say(f"Training {name} on the training patients of this dataset (a minute or so, once) ...")
        model, _ = train_network(NETWORKS[name], source, progress)
        save_keras(model, path)
    return PhantomTrained(
        name=name,
        classifiers=(KerasClassifier(load_keras(path)),),
        facts={"trained on": "patients whom the dataset makes for training, who are in no cohort"},
        class_names=tuple(source.class_names),
        source=source,
    )


def training_key(name: str, source: Trainable) -> str:
    """Key of a trained model: changes with the training patients, the architecture and the schedule."""
    modules = (supervised, networks, compact_resnet, cbam_resnet, compact_vit, pretext)
    code = b"".join(Path(str(module.__file__)).read_bytes() for module in modules)
    return hashlib.sha256(code + f"{name} {source.training_key()}".encode()).hexdigest()[:16]
