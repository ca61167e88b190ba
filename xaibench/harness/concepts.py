"""Images of concepts, for methods that ask what a model looks for."""

from collections.abc import Mapping, Sequence

import numpy as np

from xaibench.api import Dataset, Images, Intensity, LoadedModel, Need, Volume, fit
from xaibench.harness import keys
from xaibench.harness.configured import Configured

Concepts = Mapping[str, Images]
"""Images of each concept, fitted to the model's input."""


def read_concepts(
    source: Dataset | None, model: LoadedModel, intensity: Intensity, methods: Sequence[Configured]
) -> Concepts:
    """Images of the concepts, by name; empty where no method asks for them, or nothing shows any.

    An annotated patient gives the slice with the largest region, as slices of one patient tell little more; another
    one gives all slices.
    """
    if source is None or not any(Need.CONCEPTS in method.needs for method in methods):
        return {}
    shape = model.classifiers[0].input_shape
    found: dict[str, list[np.ndarray]] = {name: [] for name in source.class_names}
    for volume in source.volumes():
        images = [fit(volume, index, shape, intensity).image for index in shown_slices(volume)]
        for label in volume.labels:
            found[source.class_names[label]] += images
    return {name: np.stack(images) for name, images in found.items() if images}


def shown_slices(volume: Volume) -> list[int]:
    """Slices that show a concept."""
    if volume.regions is None or not volume.regions.any():
        return list(range(len(volume.images)))
    return [int(volume.regions.sum(axis=(1, 2)).argmax())]


def concepts_key(concepts: Concepts) -> str:
    """Key of all that the concepts show."""
    return keys.digest({name: keys.array_hash(images) for name, images in concepts.items()})
