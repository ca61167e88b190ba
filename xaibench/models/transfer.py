"""Training as in Provenzano et al. 2025 (Tomography 11(3):38): transfer, cross-validation, shuffle test."""

from pathlib import Path
from typing import Any

import numpy as np

from xaibench.api import Dataset, Labelled, Progress, XaibenchError, seed_of, unknown
from xaibench.models.backbones import INPUT_SHAPES, Backbone, make_backbone
from xaibench.models.folds import check_folds, stratified_folds
from xaibench.models.learning import Learner
from xaibench.models.model_folder import ModelFolder
from xaibench.models.plan import Plan, description, make_learner
from xaibench.models.samples import Samples, slices_of
from xaibench.models.scoring import evaluation, patient_scores
from xaibench.models.shuffle_test import Row, read_rows, shuffle_test, statistics_of, summary

__all__ = ["Plan", "samples_and_backbone", "train", "train_dataset"]


def train_dataset(dataset: Dataset, plan: Plan, out: Path, progress: Progress) -> ModelFolder:
    """Train on a dataset's slices (see samples.slices_of); see `train`."""
    return train(*samples_and_backbone(dataset, plan), plan, out, progress)


def samples_and_backbone(dataset: Dataset, plan: Plan) -> tuple[Samples, Backbone]:
    """Read what a plan trains on, and make the backbone. Raises XaibenchError for what cannot be trained."""
    if plan.backbone not in INPUT_SHAPES:
        raise XaibenchError(unknown("backbone", plan.backbone, list(INPUT_SHAPES)))
    if isinstance(dataset, Labelled) and (gaps := dataset.label_gaps()):
        raise XaibenchError(" ".join(gaps))
    samples = slices_of(dataset, INPUT_SHAPES[plan.backbone], plan.mask_share, plan.intensity)
    check_folds(
        samples.patient_labels, plan.folds, samples.class_names
    )  # before the backbone, which takes longer
    return samples, make_backbone(plan.backbone, plan.weights)


def train(samples: Samples, backbone: Backbone, plan: Plan, out: Path, progress: Progress) -> ModelFolder:
    """Cross-validate, keep the fold models, run the shuffle test; the same call again does what is missing.

    Raises XaibenchError for classes too small for the folds, and for a folder that holds something else.
    """
    check_folds(samples.patient_labels, plan.folds, samples.class_names)
    folder = ModelFolder(out)
    folder.begin(description(samples, backbone, plan))
    if folder.complete and set(range(plan.permutations)) <= set(read_rows(folder.permutations_file)):
        progress.say(f"{out} is complete already.")
    else:
        learner = make_learner(samples, backbone, plan)
        if not folder.complete:
            validate(samples, learner, plan, folder)
        shuffle(samples, learner, plan, folder.permutations_file, progress)
    report(samples, plan, folder)
    return folder


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


def shuffle(samples: Samples, learner: Learner, plan: Plan, file: Path, progress: Progress) -> list[Row]:
    """Run the permutations that a file does not hold yet; returns all of the plan."""
    return shuffle_test(
        learner,
        samples.patient_labels,
        samples.owners,
        folds=plan.folds,
        permutations=plan.permutations,
        seed=plan.seed,
        how=plan.patient_score,
        file=file,
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
