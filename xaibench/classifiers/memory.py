"""Score vectors of images that are asked for again, kept by content."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable

import numpy as np

KEPT = 4096  # a few kilobytes each at most


class Memory:
    """The score vectors used last."""

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, np.ndarray] = OrderedDict()

    def get(self, image: np.ndarray, compute: Callable[[], np.ndarray]) -> tuple[np.ndarray, bool]:
        """Return the scores of an image, computed if they are new, and whether they were known."""
        key = hashlib.blake2b(np.ascontiguousarray(image).tobytes(), digest_size=16).digest()
        known = key in self._kept
        if not known:
            self._kept[key] = compute()
        self._kept.move_to_end(key)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return self._kept[key].copy(), known
