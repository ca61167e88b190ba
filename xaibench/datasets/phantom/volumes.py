"""A phantom patient as a volume of the slices about the tumour, as files would hold them; nothing is written."""

from collections.abc import Sequence

import numpy as np

from xaibench.api import Identity, Regions, Volume
from xaibench.datasets.phantom.patient import PhantomPatient


def drawn_volume(
    name: str, labels: Sequence[int], drawn: PhantomPatient, slices: int, identity: Identity | None = None
) -> Volume:
    """Render so many slices about the tumour's largest area."""
    masks = drawn.tumour_masks()
    chosen = about_largest(masks, slices)
    stored = drawn.stored_images(range(len(masks))[chosen])
    spacing = drawn.physique.spacing_mm
    return Volume(
        patient=name,
        labels=tuple(labels),
        images=(stored * drawn.rescale_slope).astype(np.float32)[..., None],
        regions=masks[chosen],
        spacing_mm=(spacing, spacing),
        region_name="tumour",
        identity=identity or Identity(),
    )


def about_largest(masks: Regions, count: int) -> slice:
    """Return the slices about the one with the largest area, all within the volume."""
    largest = int(masks.sum(axis=(1, 2)).argmax())
    start = min(max(largest - count // 2, 0), len(masks) - count)
    return slice(start, start + count)
