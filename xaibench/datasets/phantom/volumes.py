"""A phantom patient as a volume of the slices about the tumour, as files would hold them; nothing is written."""

from collections.abc import Sequence

import numpy as np

from xaibench.api import Identity, Regions, Volume
from xaibench.datasets.phantom.patient import PhantomPatient

SLICES = 5


def drawn_volume(
    name: str, labels: Sequence[int], drawn: PhantomPatient, identity: Identity | None = None
) -> Volume:
    """Render the slices about the tumour's largest area."""
    masks = drawn.tumour_masks()
    chosen = slices_about_largest(masks)
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


def slices_about_largest(masks: Regions) -> slice:
    """Return the 5 slices about the one with the largest area, all within the volume."""
    largest = int(masks.sum(axis=(1, 2)).argmax())
    start = min(max(largest - SLICES // 2, 0), len(masks) - SLICES)
    return slice(start, start + SLICES)
