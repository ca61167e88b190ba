import numpy as np

from xaibench.api import Batch


def batch(images, targets, seeds=0, **options):
    """Batch of images; one target or seed stands for all."""
    count = len(images)
    return Batch(
        images, np.broadcast_to(targets, count).copy(), np.broadcast_to(seeds, count).copy(), **options
    )


def explain(method, classifier, images, targets, seeds=0, **options):
    """Heatmaps of images; one target or seed stands for all."""
    return method(classifier, batch(images, targets, seeds, **options))
