"""What a kind of classifier computes itself: functions of one flat batch."""

from abc import ABC, abstractmethod

import numpy as np

from xaibench.api import Need, NotApplicable
from xaibench.classifiers.probabilities import log_odds, log_probabilities


class Primitives(ABC):
    """Functions of flat batches `[n *space c]` of at most `batch_size` images. Only `_scores` must be there."""

    @property
    @abstractmethod
    def exclusive(self) -> bool:
        """Whether an image has exactly one class."""

    @abstractmethod
    def _scores(self, images: np.ndarray) -> np.ndarray:
        """Class probabilities `[n k]`."""

    def _logits(self, images: np.ndarray) -> np.ndarray:
        read_back = log_probabilities if self.exclusive else log_odds
        return read_back(self._scores(images))

    def _masked_scores(self, image: np.ndarray, masks: np.ndarray, baseline: np.ndarray) -> np.ndarray:
        kept = masks[..., None]
        return self._scores(kept * image + (1 - kept) * baseline)

    def _input_gradients(self, images: np.ndarray, targets: np.ndarray) -> np.ndarray:
        raise NotApplicable(self._why_not(Need.INPUT_GRADIENTS))

    def _features(self, images: np.ndarray, *, layer: str) -> np.ndarray:
        raise NotApplicable(self._why_not(Need.FEATURES))

    def _feature_gradients(
        self, images: np.ndarray, targets: np.ndarray, *, layer: str
    ) -> tuple[np.ndarray, np.ndarray]:
        raise NotApplicable(self._why_not(Need.FEATURE_GRADIENTS))

    def _feature_shape(self, layer: str) -> tuple[int, ...]:
        raise NotApplicable(self._why_not(Need.FEATURES))

    def _logits_from_features(self, features: np.ndarray, *, layer: str) -> np.ndarray:
        raise NotApplicable(self._why_not(Need.LOGITS_FROM_FEATURES))

    def _relevance(
        self, images: np.ndarray, targets: np.ndarray, *, rule: str, baseline: np.ndarray | None
    ) -> np.ndarray:
        raise NotApplicable(self._why_not(Need.BACKWARD_RULES))

    def _attention(self, images: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Both `[n layers heads tokens tokens]`."""
        raise NotApplicable(self._why_not(Need.ATTENTION))

    def _why_not(self, need: Need) -> str:
        """One sentence for what is not offered."""
        return f"this model does not offer {need.value}"
