"""Weights that come with xaibench: undamaged, of today's phantom and networks, and right on fresh patients.

The slow test trains them anew: `pytest -m slow tests/models/test_shipped.py`.
"""

import shutil
from itertools import islice
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from xaibench.api import Silent, XaibenchError
from xaibench.datasets.phantom.dataset import Phantom, PhantomShortcut
from xaibench.models import pretext, ship, shipped
from xaibench.models.networks import NETWORKS, Slices, patients_right, training_slices
from xaibench.models.phantom_trained import shipped_name
from xaibench.models.ship import FOLDER, RECIPES, first_pixels, ship_network
from xaibench.models.shipped import Provenance, load_shipped, save_shipped, shipped_provenance

SOURCES = [Phantom(), PhantomShortcut()]
EACH = [(network, source) for network in NETWORKS for source in SOURCES]
FACTS: dict[str, Any] = {
    "command": "c",
    "data_key": "k",
    "generator_pixels": "p",
    "patients": 1,
    "slices": 2,
    "seed": 0,
    "schedule": {"epochs": 1},
    "versions": {},
    "quality": {},
}


def tiny(seed: int) -> Any:
    keras.utils.set_random_seed(seed)
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), keras.layers.BatchNormalization()])


def weights_of(model: Any) -> np.ndarray:
    return np.concatenate([weight.ravel() for weight in model.get_weights()])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder of shipped weights, in place of the package's."""
    monkeypatch.setattr(shipped, "files", lambda _: tmp_path)
    return tmp_path / "weights"


def test_weights_come_back_as_they_were_saved(folder: Path) -> None:
    made = save_shipped("it", tiny(0), folder, **FACTS)
    other = tiny(1)
    assert load_shipped("it", other) == made
    np.testing.assert_array_equal(weights_of(other), weights_of(tiny(0)))


@pytest.mark.parametrize("name", RECIPES)
def test_one_wrong_bit_is_noticed(name: str, folder: Path) -> None:
    shutil.copytree(FOLDER, folder)
    file = folder / f"{name}.npz"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(XaibenchError, match=rf"weights {name}\.npz .* are damaged: .*install xaibench again"):
        load_shipped(name, None)


def test_a_missing_file_is_one_sentence(folder: Path) -> None:
    with pytest.raises(XaibenchError, match=r"The file it\.json .* is missing"):
        shipped_provenance("it")


def test_nothing_else_is_shipped() -> None:
    assert sorted(file.name for file in FOLDER.iterdir()) == sorted(
        f"{name}.{suffix}" for name in RECIPES for suffix in ("json", "npz")
    )
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 6e6


@pytest.mark.parametrize(("network", "source"), EACH)
def test_trap_40_the_weights_are_of_todays_network_and_phantom(network: str, source: Phantom) -> None:
    """If this fails, the phantom or a schedule was changed: make the weights again (see models/ship.py)."""
    made = shipped_provenance(shipped_name(network, source))
    assert made.data_key == source.training_key()
    assert made.generator_pixels == first_pixels(source)
    assert made.schedule == ship.asdict(NETWORKS[network].schedule)
    load_shipped(shipped_name(network, source), NETWORKS[network].build())


def test_the_pretext_is_of_todays_network_and_phantom() -> None:
    made = shipped_provenance(pretext.NAME)
    assert made.data_key == pretext.data_key()
    assert made.generator_pixels == first_pixels(pretext.cohort())
    assert made.schedule == {"epochs": pretext.EPOCHS, "batch": pretext.BATCH, "rate": pretext.RATE}
    assert pretext.pretext_backbone().output_shape == (None, 16, 16, 96)


@pytest.mark.parametrize(
    ("network", "source"),
    [pytest.param(*each, marks=[] if each[0] == "recurrence" else pytest.mark.nightly) for each in EACH],
)
def test_fresh_patients_are_told_apart(network: str, source: Phantom) -> None:
    model = NETWORKS[network].build()
    load_shipped(shipped_name(network, source), model)
    patients = islice(type(source)(seed=77).training_volumes(), 8)
    slices = training_slices(patients, model.input_shape[1:])
    assert set(slices.labels.tolist()) == {0, 1}
    assert patients_right(model, slices) >= 7


def test_a_patient_is_right_by_the_mean_of_the_slices() -> None:
    class Fixed:
        def predict_on_batch(self, images: np.ndarray) -> np.ndarray:
            chance = images[:, 0, 0, 0]
            return np.stack([1 - chance, chance], axis=1)

    chances = np.array([0.9, 0.4, 0.4, 0.1, 0.8, 0.8], np.float32)  # means 0.57, 0.1, 0.8
    images = chances[:, None, None, None]
    slices = Slices(images, np.array([1, 1, 1, 0, 0, 0]), np.array([0, 0, 0, 1, 2, 2]))
    assert patients_right(Fixed(), slices) == 2


@pytest.mark.slow
@pytest.mark.parametrize(("network", "source"), EACH)
def test_trained_anew_a_network_is_as_accurate(network: str, source: Phantom, tmp_path: Path) -> None:
    """Another machine may train other weights, but not worse ones: at most 4 of 120 patients fewer are right."""

    def right(made: Provenance) -> int:
        return int(made.quality["fresh patients right"].split()[0])

    anew = ship_network(network, source, tmp_path, Silent())
    assert right(anew) >= right(shipped_provenance(shipped_name(network, source))) - 4
