"""Training as in Provenzano et al. 2025 (Tomography 11(3):38): transfer, cross-validation, shuffle test."""

import hashlib
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from xaibench.api import Dataset, Intensity, Labelled, Progress, XaibenchError, seed_of
from xaibench.models.backbones import DEFAULT_WEIGHTS, INPUT_SHAPES, Backbone, make_backbone
from xaibench.models.fine_tuning import TuningLearner, TuningSchedule
from xaibench.models.folds import check_folds, stratified_folds
from xaibench.models.heads import HeadSchedule
from xaibench.models.learning import FrozenLearner, Learner
from xaibench.models.model_folder import ModelFolder
from xaibench.models.samples import Samples, slices_of
from xaibench.models.scoring import evaluation, patient_scores
from xaibench.models.shuffle_test import read_rows, shuffle_test, statistics_of, summary

PatientScore = Literal["mean", "max"]
DECISIVE = ("samples", "folds", "heads", "learning", "fine_tuning", "scoring", "shuffle_test")
"""Modules whose code decides the numbers of a folder."""


@dataclass(frozen=True)
class Plan:
    """How to train and validate. Raises XaibenchError for what makes no sense."""

    backbone: str = "compact"
    weights: str | None = None
    """imagenet, pretext, none or a file; None = pretext for compact, imagenet for resnet50."""
    folds: int = 5
    permutations: int = 100
    hidden: int = 0
    fine_tune: int = 0
    """Last blocks to unfreeze."""
    patient_score: str = "mean"
    """A patient's probability is the mean or the max over the slices."""
    mask_share: float = 0.5
    """Train on slices whose annotated area is at least this share of the patient's largest."""
    intensity: Intensity = Intensity.RAW
    """What the slices are made to before the model sees them; a run of the model must do the same."""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.patient_score not in get_args(PatientScore):
            raise XaibenchError(f"--patient-score is {self.patient_score!r}; give mean or max.")
        for name in ("permutations", "hidden", "fine_tune", "seed"):
            if getattr(self, name) < 0:
                option = name.replace("_", "-")
                raise XaibenchError(f"--{option} is {getattr(self, name)}; give 0 or more.")


def train_dataset(
    dataset: Dataset,
    plan: Plan,
    out: Path,
    progress: Progress,
) -> ModelFolder:
    """Train on a dataset's slices (see samples.slices_of); see `train`."""
    if plan.backbone not in INPUT_SHAPES:
        raise XaibenchError(
            f"There is no backbone {plan.backbone!r}; choose one of {', '.join(INPUT_SHAPES)}."
        )
    if isinstance(dataset, Labelled) and (gaps := dataset.label_gaps()):
        raise XaibenchError(" ".join(gaps))
    samples = slices_of(dataset, INPUT_SHAPES[plan.backbone], plan.mask_share, plan.intensity)
    check_folds(samples.patient_labels, plan.folds, samples.class_names)  # before the minutes of a backbone
    return train(samples, make_backbone(plan.backbone, plan.weights, progress), plan, out, progress)


def train(samples: Samples, backbone: Backbone, plan: Plan, out: Path, progress: Progress) -> ModelFolder:
    """Cross-validate, keep the fold models, run the shuffle test; the same call again does what is missing.

    Raises XaibenchError for classes too small for the folds, and for a folder that holds something else.
    """
    check_folds(samples.patient_labels, plan.folds, samples.class_names)
    folder = ModelFolder(out)
    folder.begin(identity(samples, backbone, plan))
    if folder.complete and set(range(plan.permutations)) <= set(read_rows(folder.permutations_file)):
        progress.say(f"{out} is complete already.")
    else:
        learner = make_learner(samples, backbone, plan)
        if not folder.complete:
            validate(samples, learner, plan, folder)
        shuffle(samples, learner, plan, folder, progress)
    report(samples, plan, folder)
    return folder


def make_learner(samples: Samples, backbone: Backbone, plan: Plan) -> Learner:
    """Learner of a plan: the head alone, or the last blocks too."""
    head = HeadSchedule(hidden=plan.hidden, seed=seed_of(plan.seed, "head"))
    if not plan.fine_tune:
        return FrozenLearner(samples, backbone, head)
    schedule = TuningSchedule(seed=seed_of(plan.seed, "fine-tuning"))
    return TuningLearner(samples, backbone, head, plan.fine_tune, schedule)


def validate(samples: Samples, learner: Learner, plan: Plan, folder: ModelFolder) -> None:
    """Train the fold models and write down what each says of the patients it never saw."""
    folds = stratified_folds(samples.patient_labels, plan.folds, plan.seed, samples.class_names)
    outcome = learner(samples.patient_labels[None], folds[None], folder.save_fold)
    scores = patient_scores(outcome.probabilities, samples.owners, plan.patient_score)[0]
    key = folder.identity_key()
    hashed = {name: sorted(identity.under(key)) for name, identity in samples.identities.items()}
    patients = {
        name: {
            "fold": folds[number],
            "label": samples.patient_labels[number],
            "probability": scores[number],
            "identity": hashed.get(name, []),
            "image": samples.image_hashes.get(name, ""),
            "slices": outcome.probabilities[0, samples.owners == number],
        }
        for number, name in enumerate(samples.names)
    }
    folder.write("curves.json", outcome.curves)
    table = {"folds": plan.folds, "class_names": samples.class_names, "patients": patients}
    folder.write("folds.json", table)


def shuffle(samples: Samples, learner: Learner, plan: Plan, folder: ModelFolder, progress: Progress) -> None:
    """Run the permutations that are missing."""
    shuffle_test(
        learner,
        samples.patient_labels,
        samples.owners,
        folds=plan.folds,
        permutations=plan.permutations,
        seed=plan.seed,
        how=plan.patient_score,
        file=folder.permutations_file,
        progress=progress,
    )


def report(samples: Samples, plan: Plan, folder: ModelFolder) -> None:
    """Write metrics.json from the tables of the folder: pooled, by fold, and the shuffle test."""
    rows = read_rows(folder.permutations_file)
    table = folder.patients()
    labels = np.array([table[name]["label"] for name in samples.names])
    scores = np.array([table[name]["probability"] for name in samples.names])
    folds = np.array([table[name]["fold"] for name in samples.names])
    by_slice = np.zeros(len(samples.owners))
    for number, name in enumerate(samples.names):
        by_slice[samples.owners == number] = table[name]["slices"]

    def part(chosen: np.ndarray) -> dict[str, Any]:
        slices = chosen[samples.owners]
        owners = samples.owners[slices]
        seed = seed_of(plan.seed, "bootstrap")
        return {
            "patient": evaluation(labels[chosen], scores[chosen], np.flatnonzero(chosen), seed),
            "slice": evaluation(samples.labels[slices], by_slice[slices], owners, seed),
        }

    metrics = {
        "pooled": part(np.ones(len(labels), bool)),
        "folds": [part(folds == fold) for fold in range(plan.folds)],
        "shuffle_test": summary(
            statistics_of(labels, scores), [rows[number] for number in range(plan.permutations)]
        ),
    }
    folder.write("metrics.json", metrics)


def identity(samples: Samples, backbone: Backbone, plan: Plan) -> dict[str, Any]:
    """What must be the same for a folder to be continued; the number of permutations may grow."""
    here = Path(__file__)
    code = b"".join(here.with_name(f"{name}.py").read_bytes() for name in DECISIVE) + here.read_bytes()
    settings = asdict(replace(plan, weights=plan.weights or DEFAULT_WEIGHTS.get(plan.backbone)))
    del settings["permutations"]
    if settings["weights"] not in ("imagenet", "pretext", "none"):
        settings["weights"] = Path(str(settings["weights"])).name
    return {
        "plan": settings,
        "data": {
            "hash": samples.fingerprint(),
            "patients": len(samples.names),
            "positive": int(samples.patient_labels.sum()),
            "slices": len(samples.labels),
        },
        "backbone": {"origin": backbone.origin, "hash": backbone.fingerprint()},
        "class imbalance": "each class, then each patient, then each slice weighs alike in the loss",
        "code": hashlib.sha256(code).hexdigest(),
    }
