"""The slices a classifier is trained on: images, labels, and whose they are."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from jaxtyping import Int

from xaibench.api import Dataset, Identity, Images, Intensity, Targets, Volume, XaibenchError, fit
from xaibench.models.known_patients import image_hash


@dataclass(frozen=True, eq=False)
class Samples:
    """Slices are the samples, the patient is the unit: all slices of a patient bear the same label.

    Raises XaibenchError for what no classifier can be trained on: see `problem`.
    """

    images: Images
    labels: Targets
    """0 or 1 for each slice; 1 is the finding (recurrent)."""
    patients: tuple[str, ...]
    """Pseudonym for each slice."""
    class_names: tuple[str, ...] = ("negative", "positive")
    identities: Mapping[str, Identity] = field(default_factory=dict)
    """What tells each patient again in another export, by pseudonym."""
    image_hashes: Mapping[str, str] = field(default_factory=dict)
    """Hash of each patient's volume, by pseudonym."""

    def __post_init__(self) -> None:
        sentence = self._problem()
        if sentence:
            raise XaibenchError(sentence)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Pseudonyms of the patients, sorted; their positions number the patients."""
        return tuple(sorted(set(self.patients)))

    @cached_property
    def owners(self) -> Int[np.ndarray, "n"]:
        """Number of each slice's patient."""
        number = {name: index for index, name in enumerate(self.names)}
        return np.array([number[name] for name in self.patients])

    @cached_property
    def patient_labels(self) -> Int[np.ndarray, "p"]:
        """Label of each patient."""
        labels = np.zeros(len(self.names), int)
        labels[self.owners] = self.labels
        return labels

    def fingerprint(self) -> str:
        """Hash of images, labels and patients."""
        digest = hashlib.sha256(f"{self.patients} {self.labels.tolist()} {self.images.shape}".encode())
        digest.update(np.ascontiguousarray(self.images).tobytes())
        return digest.hexdigest()

    def _problem(self) -> str:
        """Say in a sentence what is wrong; empty if nothing is."""
        if not len(self.images) == len(self.labels) == len(self.patients):
            return (
                f"{len(self.images)} images, {len(self.labels)} labels and {len(self.patients)} patients are "
                f"given; give one of each for every slice."
            )
        found = sorted(set(self.labels.tolist()))
        if found != [0, 1]:
            return f"The slices have the labels {found}; training takes two classes, 0 and 1, each with patients."
        if (self.patient_labels[self.owners] != self.labels).any():
            wrong = self.patients[int((self.patient_labels[self.owners] != self.labels).argmax())]
            return f"Patient {wrong} has slices of both classes; give all slices of a patient one label."
        return self._twins() or self._unusable_slice()

    def _twins(self) -> str:
        first: dict[str, str] = {}
        for name, image in self.image_hashes.items():
            other = first.setdefault(image, name)
            if other != name:
                return (
                    f"Patients {other} and {name} have the same images, so one could be trained on to explain the "
                    f"other; leave one out."
                )
        return ""

    def _unusable_slice(self) -> str:
        low, high = self.images.min(axis=(1, 2, 3)), self.images.max(axis=(1, 2, 3))
        bad = np.flatnonzero(~(low < high) | ~np.isfinite(low) | ~np.isfinite(high))
        if not len(bad):
            return ""
        first = int(bad[0])
        number = self.patients[:first].count(self.patients[first])
        return (
            f"Patient {self.patients[first]}, slice {number} of those chosen: every pixel is {low[first]:g} or "
            f"some are not finite ({len(bad)} such slices in all); leave them out or repair the series."
        )


def slices_of(
    dataset: Dataset,
    input_shape: tuple[int, int, int],
    mask_share: float = 0.5,
    intensity: Intensity = Intensity.RAW,
) -> Samples:
    """Slices of a dataset for training, fitted to the model's input.

    Of a volume with a mask, those whose annotated area is at least `mask_share` of the largest (0 takes
    all); of a volume without one, all. Raises XaibenchError for an empty or unusable dataset.
    """
    if not 0 <= mask_share <= 1:
        raise XaibenchError(f"--mask-share is {mask_share}; give a share of the largest area, from 0 to 1.")
    images, labels, patients = [], [], []
    identities, hashes = {}, {}
    for volume in dataset.volumes():
        chosen = chosen_slices(volume, mask_share)
        images += [fit(volume, int(index), input_shape, intensity).image for index in chosen]
        labels += [volume.label] * len(chosen)
        patients += [volume.patient] * len(chosen)
        identities[volume.patient], hashes[volume.patient] = volume.identity, image_hash(volume)
    if not images:
        raise XaibenchError("The dataset holds no slice to train on; see `xaibench data check`.")
    names = tuple(dataset.class_names)
    return Samples(np.stack(images), np.array(labels), tuple(patients), names, identities, hashes)


def chosen_slices(volume: Volume, mask_share: float) -> Int[np.ndarray, "chosen"]:
    """Indices of the slices whose annotated area is at least that share of the largest; all without a mask."""
    if volume.regions is None or not volume.regions.any():
        return np.arange(len(volume.images))
    areas = volume.regions.sum(axis=(1, 2))
    return np.flatnonzero(areas >= mask_share * areas.max())
