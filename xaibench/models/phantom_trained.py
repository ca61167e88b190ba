"""Small networks trained on patients whom a dataset makes for that purpose, usually the phantom's.

Trained once and then taken from the cache.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from xaibench.api import (
    Dataset,
    HeldOut,
    Intensity,
    LoadedModel,
    Match,
    Progress,
    Trainable,
    Volume,
    cache_folder,
    fit,
    write_file,
)
from xaibench.classifiers.keras import KerasClassifier, load_keras
from xaibench.datasets.phantom.dataset import Phantom
from xaibench.models import compact_resnet, supervised
from xaibench.models.model_folder import save_keras
from xaibench.models.supervised import Schedule

NETWORKS: dict[str, Callable[[], Any]] = {"recurrence": compact_resnet.compact_resnet}


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
    """Model of one of NETWORKS, trained on the dataset's own training patients.

    A cohort that cannot make any (a DICOM folder) gets the model that was trained on the phantom.
    """
    source = dataset if isinstance(dataset, Trainable) else Phantom()
    path = cache_folder() / "models" / f"{name}-{training_key(name, source)}.keras"
    facts_file = path.with_suffix(".json")
    if not (facts_file.is_file() and path.is_file()):
        facts = train_on(name, source, path, progress)
        write_file(facts_file, lambda out: out.write(json.dumps(facts).encode()))
    facts = json.loads(facts_file.read_text(encoding="utf-8"))
    if source is not dataset:
        progress.say(
            "The default model has only seen the synthetic phantom; pass your own with --model PATH.keras."
        )
        facts["caution"] = "trained on the synthetic phantom, not on images like these"
    names = tuple(source.class_names) if isinstance(source, Dataset) else ()
    classifier = KerasClassifier(load_keras(path))
    return PhantomTrained(name=name, classifiers=(classifier,), facts=facts, class_names=names, source=source)


def training_key(name: str, source: Trainable) -> str:
    """Key of a trained model: changes with the training patients, the architecture and the schedule."""
    modules = (supervised, compact_resnet)
    code = b"".join(Path(str(module.__file__)).read_bytes() for module in modules)
    return hashlib.sha256(code + f"{name} {source.training_key()}".encode()).hexdigest()[:16]


def train_on(name: str, source: Trainable, path: Path, progress: Progress) -> dict[str, str]:
    """Train a network, save it, and say what it was trained on."""
    progress.say(f"Training {name} on synthetic patients who are in no cohort (about a minute, once) ...")
    started = time.perf_counter()
    schedule = Schedule()
    keras.utils.set_random_seed(schedule.seed)
    model = NETWORKS[name]()
    images, labels, patients = training_slices(source, model.input_shape[1:])
    epochs = progress.track(range(schedule.epochs), "training")
    supervised.train(model, images, labels, schedule, epochs)
    save_keras(model, path)
    progress.say(
        f"Trained on {patients} patients in {time.perf_counter() - started:.0f} s; kept as {path.name}."
    )
    return {"trained on": f"{patients} synthetic patients of another seed, {len(labels)} slices"}


def training_slices(source: Trainable, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray, int]:
    """Images `[n h w c]` and labels `[n]` of all slices of the training patients, and how many these are."""
    images: list[np.ndarray] = []
    labels: list[int] = []
    patients = 0
    for volume in source.training_volumes():
        patients += 1
        images += [fit(volume, i, shape, Intensity.RAW).image for i in range(len(volume.images))]
        labels += [volume.label] * len(volume.images)
    return np.stack(images), np.array(labels), patients
