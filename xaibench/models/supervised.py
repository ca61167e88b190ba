"""Training of a small network from scratch: schedule, loop, and variants of the images."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from jaxtyping import Float32, Int


@dataclass(frozen=True)
class Schedule:
    """How a network is trained."""

    epochs: int = 20
    batch: int = 32
    rate: float = 3e-3
    seed: int = 0


def train(
    model: Any,
    images: Float32[np.ndarray, "n h w c"],
    labels: Int[np.ndarray, "n"],
    schedule: Schedule,
    epochs: Iterable[int],
) -> None:
    """Train in place: AdamW, one-cycle cosine rate, classes weighted to count alike, images varied anew each epoch.

    `epochs` is range(schedule.epochs), perhaps under a progress bar.
    """
    keras.utils.set_random_seed(schedule.seed)
    steps = schedule.epochs * -(-len(images) // schedule.batch)
    warm_up = max(1, steps // 10)
    rate = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=schedule.rate / 10,
        decay_steps=steps - warm_up,
        warmup_target=schedule.rate,
        warmup_steps=warm_up,
    )
    model.compile(
        optimizer=keras.optimizers.AdamW(rate, weight_decay=1e-3),
        loss=keras.losses.SparseCategoricalCrossentropy(),
    )
    counts = np.bincount(labels, minlength=int(labels.max()) + 1)
    weights = (len(labels) / np.maximum(counts, 1) / np.count_nonzero(counts))[labels]
    rng = np.random.default_rng(schedule.seed)
    for _epoch in epochs:
        order = rng.permutation(len(images))
        for start in range(0, len(order), schedule.batch):
            rows = order[start : start + schedule.batch]
            model.train_on_batch(varied(images[rows], rng), labels[rows], sample_weight=weights[rows])


def varied(
    images: Float32[np.ndarray, "n h w c"], rng: np.random.Generator
) -> Float32[np.ndarray, "n h w c"]:
    """Plausible variants: mirrored left to right, shifted by up to 6 pixels, contrast changed, noise added."""
    result = np.empty_like(images)
    for index, image in enumerate(images):
        shifted = np.roll(image, rng.integers(-6, 7, size=2), axis=(0, 1))
        mirrored = shifted[:, ::-1] if rng.random() < 0.5 else shifted
        spread = float(image.std())
        noise = rng.normal(0, 0.03 * spread, image.shape)
        result[index] = mirrored * rng.uniform(0.85, 1.15) + noise + rng.normal(0, 0.1 * spread)
    return result
