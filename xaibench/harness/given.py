"""Heatmaps that were made elsewhere, as an explainer of one run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from xaibench.api import Batch, Classifier, Heatmap, Heatmaps, Need, NotApplicable
from xaibench.harness import keys
from xaibench.harness.configured import Configured
from xaibench.harness.declared import UNRECORDED, check_name, declared
from xaibench.harness.registry import Plugin


@dataclass(frozen=True)
class GivenMaps:
    """Maps that somebody else made; each stands for its image, class and classifier alone."""

    content: str = ""
    """Hash of the maps."""
    maps: Mapping[str, Heatmap] = field(default_factory=dict, metadata=UNRECORDED)
    """Maps by case."""
    questions: dict[str, Heatmap] = field(default_factory=dict, metadata=UNRECORDED)
    """Maps by what they answer; filled when the run is prepared."""

    family: ClassVar[str] = "given"
    needs: ClassVar[frozenset[Need]] = frozenset()
    source: ClassVar[str] = "made elsewhere"

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps:
        """Return the map of each image; NotApplicable for a question that nobody answered."""
        names = [question(classifier, *single) for single in batch]
        if not all(name in self.questions for name in names):
            raise NotApplicable("the heatmaps were made elsewhere, so none can be made for a changed case")
        return np.stack([self.questions[name] for name in names])


def given_method(name: str, maps: Mapping[str, Heatmap]) -> Configured:
    """Method that gives those maps, by the name of their case. Raises Undeclared for a name that cannot be used."""
    check_name(name)
    content = keys.digest({case: keys.array_hash(heatmap) for case, heatmap in sorted(maps.items())})
    facts = declared("methods", GivenMaps)
    plugin = Plugin("methods", name, GivenMaps, facts, "made elsewhere", content)
    return Configured(plugin, GivenMaps(content, maps))


def question(classifier: Classifier, image: np.ndarray, target: int, seed: int) -> str:
    """What a map answers: this image, this class, these draws, this classifier."""
    return keys.digest(keys.array_hash(np.asarray(image)), target, seed, classifier.fingerprint)
