"""Where the patient is in an image: chance inside the body is higher than chance in an image that is half air."""

import numpy as np

from xaibench.api import Case, Image, Region
from xaibench.metrics.common.once import once_a_case


@once_a_case
def body_of(case: Case) -> Region:
    """Return the body, with the annotated region in it."""
    body = _brightest_piece(case.image)
    return body if case.region is None else body | case.region


def _brightest_piece(image: Image) -> Region:
    """Largest connected piece above the triangle threshold (Zack et al. 1977), its holes filled.

    That threshold expects a histogram with one large peak, the air, and finds where its flank ends; Otsu's would cut
    dark muscle off. An image of one intensity is all body.
    """
    from scipy import ndimage
    from skimage.filters import threshold_triangle  # slow to import

    grey = image.mean(axis=-1)
    if grey.min() == grey.max():
        return np.ones(grey.shape, bool)
    filled = ndimage.binary_fill_holes(grey > threshold_triangle(grey))
    pieces, _ = ndimage.label(filled)
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    return np.asarray(pieces == sizes.argmax())
