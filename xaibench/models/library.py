"""Models by name: the recurrence ResNet, ResNet50, or a Keras file."""

import hashlib
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from xaibench.api import Dataset, Trainable, XaibenchError, cache_folder
from xaibench.classifiers.keras import KerasClassifier, load_keras
from xaibench.cli.progress import Voice
from xaibench.harness import registry
from xaibench.harness.cohort import fit
from xaibench.harness.spec import Intensity
from xaibench.models.fold_panel import FoldPanel
from xaibench.models.model_folder import ModelFolder
from xaibench.models.panel import Panel

SUMMARIES = {
    "recurrence": "compact ResNet, 0.2 M parameters, 128 px; trained once on phantom patients of another seed",
    "resnet50": "ResNet50 with random weights, 24 M parameters, 224 px: for cost, not for accuracy",
    "PATH.keras": "any Keras image classifier, loaded in Keras' safe mode",
    "DIR": "what `xaibench train` wrote: each patient is explained by the fold model that never saw her",
}
CAUTIONS = {
    "pretext": "The backbone learnt on other phantom patients: on a phantom this is kinder than ImageNet on real MRI.",
    "none": "The backbone has random weights: this shows what it costs, not what it can do.",
}
"""By the weights of the backbone."""


@dataclass(frozen=True, eq=False)
class Chosen:
    """The model of a run."""

    name: str
    """For the title of a report; gives no path away."""
    panel: Panel
    facts: dict[str, Any]
    """What a reader must know of it, in a few words each."""
    record: dict[str, Any] = field(default_factory=dict)
    """More about it for run.json: how it was trained and validated."""


def choose_model(name: str, dataset: Dataset, voice: Voice) -> Chosen:
    """Model of a name or a path. Raises XaibenchError for an unknown name."""
    if Path(name).is_dir():
        return cross_validated(ModelFolder.existing(Path(name)))
    model, facts = single_model(name, dataset, voice)
    return Chosen(Path(name).name, Panel([KerasClassifier(model)]), facts)


def cross_validated(folder: ModelFolder) -> Chosen:
    """Fold models of a training, with its settings and results."""
    record = folder.record()
    settings, right = record["settings"], record["metrics"]["pooled"]["patient"]["confusion"]
    data, weights = settings["data"], settings["plan"]["weights"]
    facts = {
        "trained on": f"{data['patients']} patients in {folder.fold_count} folds, {data['slices']} slices",
        "held-out patients right by all their slices": f"{right['tp'] + right['tn']} of {data['patients']}",
        "backbone": settings["backbone"]["origin"],
    }
    if weights in CAUTIONS:
        facts["caution"] = CAUTIONS[weights]
    name = f"{settings['plan']['backbone']} ({folder.fold_count} folds)"
    return Chosen(name, FoldPanel(folder), facts, {"training": record})


def single_model(name: str, dataset: Dataset, voice: Voice) -> tuple[Any, dict[str, Any]]:
    """Keras model of a name or a file, and facts about it."""
    if name == "recurrence":
        return recurrence_model(dataset, voice)
    if name == "resnet50":
        return untrained_resnet50()
    if name.endswith(".keras") or Path(name).exists():
        return load_keras(Path(name)), {}
    raise XaibenchError(registry.unknown("model", name, [*SUMMARIES]))


def untrained_resnet50() -> tuple[Any, dict[str, Any]]:
    """ResNet50 with seeded random weights."""
    import keras

    from xaibench.models.recurrence import resnet50

    keras.utils.set_random_seed(0)
    return resnet50(), {"trained on": "nothing: random weights, so its explanations mean nothing either"}


def recurrence_model(dataset: Dataset, voice: Voice) -> tuple[Any, dict[str, Any]]:
    """Compact ResNet trained on patients of another seed; trained once, then taken from the cache.

    A cohort that cannot make training patients (a DICOM folder) gets the one trained on the phantom.
    """
    source = dataset if isinstance(dataset, Trainable) else registry.load("datasets", "phantom").cls()
    path = cache_folder() / "models" / f"recurrence-{training_key(source)}.keras"
    facts_file = path.with_suffix(".json")
    if not (facts_file.is_file() and path.is_file()):
        facts = train_recurrence(source, path, voice)
        facts_file.write_text(json.dumps(facts))
    facts = json.loads(facts_file.read_text())
    if source is not dataset:
        voice.say(
            "The default model has only seen the synthetic phantom; pass your own with --model PATH.keras."
        )
        facts["caution"] = "trained on the synthetic phantom, not on images like these"
    return load_keras(path), facts


def training_key(source: Trainable) -> str:
    """Key of a trained model: changes with the training patients, the architecture and the schedule."""
    code = Path(__file__).with_name("recurrence.py").read_bytes()
    return hashlib.sha256(code + source.training_key().encode()).hexdigest()[:16]


def train_recurrence(source: Trainable, path: Path, voice: Voice) -> dict[str, Any]:
    """Train, save and describe the compact ResNet; the file appears whole or not at all."""
    import keras

    from xaibench.models.recurrence import SIZE, Schedule, compact_resnet, train

    voice.say(
        "Training the recurrence ResNet on synthetic patients of another seed (about a minute, once) ..."
    )
    started = time.perf_counter()
    images, labels = [], []
    patients = 0
    for volume in source.training_volumes():
        patients += 1
        images += [fit(volume, i, (SIZE, SIZE, 1), Intensity.RAW).image for i in range(len(volume.images))]
        labels += [volume.label] * len(volume.images)
    schedule = Schedule()
    keras.utils.set_random_seed(schedule.seed)
    model = compact_resnet()
    epochs = voice.track(range(schedule.epochs), "training")
    train(model, np.stack(images), np.array(labels), schedule, epochs)
    seconds = time.perf_counter() - started
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"part-{path.name}")
    model.save(beside)
    beside.replace(path)
    voice.say(f"Trained on {patients} patients in {seconds:.0f} s; kept as {path.name}.")
    return {
        "trained on": f"{patients} synthetic patients of another seed, {len(labels)} slices",
        "training seconds": round(seconds, 1),
    }
