"""Patients into folds: no patient on both sides of a split, every class in every fold."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float64, Int

from xaibench.api import XaibenchError

DEFAULT_NAMES = ("0", "1")


def stratified_folds(
    labels: Int[np.ndarray, "p"], folds: int, seed: int, class_names: Sequence[str] = DEFAULT_NAMES
) -> Int[np.ndarray, "p"]:
    """Fold of each patient, 0 .. folds - 1, with the classes spread as evenly as can be.

    Raises XaibenchError if a class has fewer patients than there are folds.
    """
    from sklearn.model_selection import StratifiedKFold

    check_folds(labels, folds, class_names)
    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
    result = np.empty(len(labels), int)
    for number, (_, held_out) in enumerate(splitter.split(labels[:, None], labels)):
        result[held_out] = number
    return result


def check_folds(labels: Int[np.ndarray, "p"], folds: int, class_names: Sequence[str]) -> None:
    """Raise XaibenchError if the patients cannot be cut into so many folds with each class in each."""
    if folds < 2:
        raise XaibenchError(f"--folds is {folds}; cross-validation needs at least 2.")
    for label, count in enumerate(np.bincount(labels, minlength=2).tolist()):
        name = class_names[label] if label < len(class_names) else str(label)
        if count < 2:
            raise XaibenchError(
                f"Class {name} has {count} patient(s); cross-validation needs at least 2 of each class."
            )
        if count < folds:
            raise XaibenchError(
                f"{folds} folds are asked for, but class {name} has only {count} patients; "
                f"give --folds {count} or fewer."
            )


def balanced_weights(
    labels: Int[np.ndarray, "p"], in_training: Bool[np.ndarray, "p"], owners: Int[np.ndarray, "n"]
) -> Float64[np.ndarray, "n"]:
    """Weight of each slice in the loss; they sum to 1 and are 0 outside the training patients.

    The classes count alike, within a class the patients, within a patient the slices.
    """
    slices = np.bincount(owners, minlength=len(labels))
    of_class = np.array([(in_training & (labels == label)).sum() for label in (0, 1)])
    per_patient = in_training / (2 * np.maximum(of_class, 1)[labels] * slices)
    return np.asarray(per_patient[owners])
