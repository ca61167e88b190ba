"""`python -m xaibench.models.ship NAME [FOLDER]` makes shipped weights again: see `shipped`.

Not part of the command line: for maintainers, after a change of a network, a schedule or the phantom.
"""

import hashlib
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np

from xaibench.api import Progress, Silent, Trainable, unknown
from xaibench.datasets.phantom.dataset import Phantom, PhantomShortcut
from xaibench.models import pretext
from xaibench.models.networks import NETWORKS, patients_right, train_network, training_slices
from xaibench.models.phantom_trained import shipped_name
from xaibench.models.shipped import Provenance, save_shipped

FRESH_SEED = 3
"""Of the phantom patients on whom the accuracy is measured; no schedule was chosen by them."""
FOLDER = Path(__file__).with_name("weights")


def ship_network(network: str, source: Phantom, folder: Path, progress: Progress) -> Provenance:
    """Train a network on a kind of phantom and measure it on 120 fresh patients, half of each class."""
    name = shipped_name(network, source)
    model, seen = train_network(NETWORKS[network], source, progress)
    fresh = training_slices(type(source)(seed=FRESH_SEED).training_volumes(), model.input_shape[1:])
    right = patients_right(model, fresh)
    return save_shipped(
        name,
        model,
        folder,
        **_common(name, source.training_key(), source),
        patients=seen.patients,
        starts_from=NETWORKS[network].starts_from,
        slices=len(seen.labels),
        seed=NETWORKS[network].schedule.seed,
        schedule=asdict(NETWORKS[network].schedule),
        quality={"fresh patients right": f"{right} of {fresh.patients}"},
    )


def ship_pretext(folder: Path, progress: Progress) -> Provenance:
    """Pre-train the compact backbone."""
    taught = pretext.lessons()
    return save_shipped(
        pretext.NAME,
        pretext.pretrain(taught, progress),
        folder,
        **_common(pretext.NAME, pretext.data_key(), pretext.cohort()),
        patients=pretext.PATIENTS,
        slices=len(taught.images),
        seed=0,
        schedule={"epochs": pretext.EPOCHS, "batch": pretext.BATCH, "rate": pretext.RATE},
        quality={},
    )


def _common(name: str, data_key: str, source: Trainable) -> dict[str, Any]:
    return {
        "command": f"python -m xaibench.models.ship {name}",
        "data_key": data_key,
        "generator_pixels": first_pixels(source),
        "versions": {package: version(package) for package in ("keras", "tensorflow", "numpy")},
    }


def first_pixels(source: Trainable) -> str:
    """SHA-256 of the images of a source's first training patient."""
    images = next(source.training_volumes()).images
    return hashlib.sha256(np.ascontiguousarray(images).tobytes()).hexdigest()


RECIPES: dict[str, Callable[[Path, Progress], Provenance]] = {
    shipped_name(network, source): partial(ship_network, network, source)
    for network in NETWORKS
    for source in (Phantom(), PhantomShortcut())
} | {pretext.NAME: ship_pretext}
"""What can be shipped, by name."""


def main() -> None:
    """Make the weights that are named on the command line."""
    name, *rest = sys.argv[1:] or [""]
    if name not in RECIPES:
        sys.exit(unknown("shipped weights", name, list(RECIPES)))
    keras.utils.set_random_seed(0)
    made = RECIPES[name](Path(rest[0]) if rest else FOLDER, Silent())
    print(made.model_dump_json(indent=2))


if __name__ == "__main__":
    main()
