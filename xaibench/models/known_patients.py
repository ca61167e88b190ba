"""Who was in a training, and which fold held them out, without naming anybody."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from xaibench.api import Match, Volume


@dataclass(frozen=True)
class KnownPatients:
    """Fold of each patient of a training, by hashes that survive another export or another pseudonym."""

    key: bytes
    """Of the hashes of identifiers."""
    by_identity: Mapping[str, int]
    by_image: Mapping[str, int]

    @classmethod
    def of(cls, key: bytes, patients: Iterable[Mapping[str, Any]]) -> "KnownPatients":
        """Index entries of fold, `identity` (a list of hashes) and `image` (a hash, or empty)."""
        entries = list(patients)
        times = Counter(known for entry in entries for known in entry["identity"])
        return cls(
            key=key,
            # What two patients share, such as a UID that an anonymiser gave to all, tells nobody apart.
            by_identity={
                known: entry["fold"] for entry in entries for known in entry["identity"] if times[known] == 1
            },
            by_image={entry["image"]: entry["fold"] for entry in entries if entry["image"]},
        )

    def match(self, volume: Volume) -> Match:
        """Find the patient by identifiers, else by image; a match without `known_by` if neither can tell."""
        hashes = volume.identity.under(self.key)
        folds = {self.by_identity[known] for known in hashes if known in self.by_identity}
        if len(folds) == 1:
            return Match(folds.pop(), "identity")
        image = image_hash(volume)
        if folds or image not in self.by_image:  # identifiers of two patients name nobody
            return Match()
        return Match(self.by_image[image], "image")


def image_hash(volume: Volume) -> str:
    """Hash of a patient's pixels as acquired: the same under any pseudonym, another after any change of a pixel."""
    digest = hashlib.sha256(str(volume.images.shape).encode())
    digest.update(np.ascontiguousarray(volume.images).tobytes())
    return digest.hexdigest()[:16]
