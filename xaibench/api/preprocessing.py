"""What becomes of an image before a model sees it."""

from dataclasses import dataclass

import numpy as np

from xaibench.api.arrays import AnyImages


@dataclass(frozen=True)
class Preprocessing:
    """`factor * image + offset`, then perhaps the channels in reverse order.

    It changes each pixel in its place, so a map of the preprocessed image is a map of the image.
    """

    factor: tuple[float, ...]
    """One for all channels, or one a channel of the image."""
    offset: tuple[float, ...]
    """One for all channels, or one a channel of the image."""
    reverses_channels: bool = False
    """Whether red, green and blue become blue, green and red."""

    def __call__(self, images: AnyImages) -> AnyImages:
        """Return images, with any leading axes, as the model takes them."""
        changed = images * np.asarray(self.factor, np.float32) + np.asarray(self.offset, np.float32)
        return self.in_order(changed)

    def gradients(self, gradients: AnyImages) -> AnyImages:
        """Gradients with respect to the images, from those with respect to what the model takes (chain rule)."""
        return self.in_order(gradients) * np.asarray(self.factor, np.float32)

    def in_order(self, images: AnyImages) -> AnyImages:
        """Return images, or maps of their channels, with the channels in the other order, if it reverses them."""
        return images[..., ::-1] if self.reverses_channels else images
