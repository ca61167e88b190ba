"""The classifiers of a run, and which of them may explain which patient."""

import hashlib
from collections.abc import Sequence

from xaibench.api import Volume
from xaibench.classifiers.keras import KerasClassifier


class Panel:
    """One classifier, which explains every patient."""

    def __init__(self, members: Sequence[KerasClassifier]) -> None:
        self.members = members

    def of(self, volume: Volume) -> KerasClassifier:
        """Classifier that may explain the patient of a volume."""
        return self.members[0]

    def folds(self) -> dict[str, int]:
        """Fold by pseudonym of the patients seen so far; empty without cross-validation."""
        return {}

    def notes(self) -> list[str]:
        """Sentences for the reader on who explains whom, once every patient was seen."""
        return []

    @property
    def fingerprint(self) -> str:
        """Hash of all members; a single one's own."""
        prints = [member.fingerprint for member in self.members]
        return prints[0] if len(prints) == 1 else hashlib.sha256(" ".join(prints).encode()).hexdigest()
