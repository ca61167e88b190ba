"""Pre-training of the compact backbone: it learns to find and measure tumours, and never sees recurrence.

No public weights exist for it, so it learnt on phantom patients of a seed of their own; its weights are shipped.
"""

import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from jaxtyping import Float32

from xaibench.api import Image, Images, Intensity, Progress, Region, fit
from xaibench.datasets.phantom.cohort import VERSION
from xaibench.datasets.phantom.dataset import Phantom
from xaibench.models.compact_resnet import SIZE, compact_resnet
from xaibench.models.shipped import load_shipped
from xaibench.models.supervised import varied

LAYERS = keras.layers
NAME = "pretext-compact"
PATIENTS, SEED = 60, 9001
EPOCHS, BATCH, RATE = 24, 32, 3e-3


class Lessons(NamedTuple):
    """Slices and what the backbone is taught of them; nothing here derives from a recurrence label."""

    images: Images
    tumour: Float32[np.ndarray, "n 1"]
    """1 where the slice shows annotated tumour."""
    level: Float32[np.ndarray, "n 1"]
    """Height of the slice in its series, 0 to 1."""
    measures: Float32[np.ndarray, "n 3"]
    """Size, irregularity and unevenness of the tumour, standardised; 0 where there is none."""


def pretext_backbone() -> Any:
    """Compact ResNet up to its last maps, with the weights that are shipped."""
    model = trunk(compact_resnet())
    load_shipped(NAME, model)
    return model


def trunk(network: Any) -> Any:
    """Part of a compact ResNet that makes the last maps."""
    return keras.Model(network.input, network.get_layer("block4").output, name="pretext_compact")


def cohort(root: Path | None = None) -> Phantom:
    """Patients of the pre-training; none of them is in a cohort of another seed."""
    return Phantom(patients=PATIENTS, recurrent=PATIENTS // 2, seed=SEED, root=root)


def data_key() -> str:
    """What decides the lessons."""
    return f"{cohort()}, phantom version {VERSION}"


def lessons() -> Lessons:
    """Every slice of the pretext patients, whose files are removed again."""
    images, masks, levels = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for volume in cohort(Path(folder) / "cohort").volumes():
            cases = [fit(volume, i, (SIZE, SIZE, 1), Intensity.RAW) for i in range(len(volume.images))]
            images += [case.image for case in cases]
            masks += [case.region for case in cases]
            levels += np.linspace(0, 1, len(cases)).tolist()
    measures = np.array([measured(i, m) for i, m in zip(images, masks, strict=True)], np.float32)
    tumour = measures[:, :1] > 0
    standard = (measures - measures[tumour[:, 0]].mean(axis=0)) / measures[tumour[:, 0]].std(axis=0)
    return Lessons(
        np.stack(images),
        tumour.astype(np.float32),
        np.array(levels, np.float32)[:, None],
        np.where(tumour, standard, 0).astype(np.float32),
    )


def measured(image: Image, mask: Region | None) -> tuple[float, float, float]:
    """Size (root of the area, pixels), irregularity (outline over a square's) and unevenness (SD inside over SD).

    All are 0 without a tumour.
    """
    if mask is None or not mask.any():
        return 0.0, 0.0, 0.0
    size = float(np.sqrt(mask.sum()))
    outline = np.diff(mask, axis=0).sum() + np.diff(mask, axis=1).sum()
    return size, float(outline / (4 * size)), float(image[mask].std() / image.std())


def pretrain(taught: Lessons, progress: Progress, epochs: int = EPOCHS) -> Any:
    """Train a fresh backbone on the three tasks together; returns the part that makes maps."""
    keras.utils.set_random_seed(0)
    backbone = trunk(compact_resnet(taught.images.shape[1]))
    pooled = LAYERS.GlobalAveragePooling2D()(backbone.output)
    tasks = {
        "tumour": LAYERS.Dense(1, activation="sigmoid", name="tumour")(pooled),
        "level": LAYERS.Dense(1, name="level")(pooled),
        "measures": LAYERS.Dense(3, name="measures")(pooled),
    }
    model = keras.Model(backbone.input, tasks)
    steps = epochs * -(-len(taught.images) // BATCH)
    rate = keras.optimizers.schedules.CosineDecay(
        RATE / 10, max(1, steps - steps // 10), warmup_target=RATE, warmup_steps=max(1, steps // 10)
    )
    model.compile(
        optimizer=keras.optimizers.AdamW(rate, weight_decay=1e-3),
        loss={"tumour": "binary_crossentropy", "level": "mse", "measures": "mse"},
        loss_weights={"tumour": 1.0, "level": 5.0, "measures": 1.0},
    )
    rng = np.random.default_rng(0)
    for _epoch in progress.track(range(epochs), "pre-training"):
        order = rng.permutation(len(taught.images))
        for start in range(0, len(order), BATCH):
            _learn(model, taught, order[start : start + BATCH], rng)
    return backbone


def _learn(model: Any, taught: Lessons, rows: np.ndarray, rng: np.random.Generator) -> None:
    targets = {name: getattr(taught, name)[rows] for name in ("tumour", "level", "measures")}
    alike = np.ones(len(rows), np.float32)
    # Only a tumour can be measured.
    weights = {"tumour": alike, "level": alike, "measures": taught.tumour[rows, 0]}
    model.train_on_batch(varied(taught.images[rows], rng), targets, sample_weight=weights)
