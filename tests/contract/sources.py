"""Where the datasets, models and classifiers that are registered find something to read, for their contract."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from xaibench.harness.contract.datasets import SmallDataset

Options = Mapping[str, Any]
Make = Callable[[Path], Options]


def small_phantom(folder: Path) -> Options:
    return {"root": folder / "cohort", "patients": 2, "recurrent": 1}


def dicom_folder(folder: Path) -> Options:
    from xaibench.datasets.phantom.dataset import make_phantom

    make_phantom(folder / "cohort", patients=2, recurrent=1, seed=3)
    return {"root": folder / "cohort"}


def picture_folder(folder: Path) -> Options:
    from PIL import Image

    for volume in SmallDataset().volumes():
        place = folder / SmallDataset.class_names[volume.label] / f"{volume.patient}.png"
        place.parent.mkdir(exist_ok=True)
        Image.fromarray((volume.images[0, ..., 0] * 200).astype(np.uint8)).save(place)
    return {"root": folder}


def nifti_folder(folder: Path) -> Options:
    import nibabel

    lines = ["image,label"]
    for volume in SmallDataset().volumes():
        nibabel.save(
            nibabel.Nifti1Image(np.moveaxis(volume.images[..., 0], 0, -1), np.eye(4)),
            folder / f"{volume.patient}.nii.gz",
        )
        lines.append(f"{volume.patient},{volume.label}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return {"root": folder}


def arrays_file(folder: Path) -> Options:
    volumes = list(SmallDataset().volumes())
    np.savez(
        folder / "cohort.npz",
        images=np.concatenate([volume.images for volume in volumes]),
        regions=np.concatenate([volume.regions for volume in volumes if volume.regions is not None]),
        labels=np.repeat([volume.label for volume in volumes], 3),
        patients=np.repeat([volume.patient for volume in volumes], 3),
    )
    return {"path": folder / "cohort.npz"}


def medmnist_file(folder: Path) -> Options:
    images = np.random.default_rng(0).integers(0, 256, (4, 28, 28)).astype(np.uint8)
    held = {"images": images, "labels": np.array([[0], [1], [1], [0]], np.uint8)}
    arrays = {f"{split}_{what}": held[what] for split in ("train", "val", "test") for what in held}
    np.savez(folder / "breastmnist.npz", **arrays)
    return {"path": folder / "breastmnist.npz"}


def keras_file(folder: Path) -> Options:
    from xaibench.models.tiny import tiny_classifier

    tiny_classifier(12, 10, channels=3, classes=3).save(folder / "tiny.keras")
    return {"path": folder / "tiny.keras"}


def onnx_file(folder: Path) -> Options:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    from tests.classifiers.onnx_models import save_model

    save_model(folder / "sums.onnx")
    return {"path": folder / "sums.onnx"}


def torch_file(folder: Path) -> Options:
    torch = pytest.importorskip("torch")
    from tests.classifiers.twins import torch_network
    from xaibench.classifiers.torch.building import exported

    torch.export.save(exported(torch_network(channels=3, classes=3), (12, 10, 3)), folder / "tiny.pt2")
    return {"path": folder / "tiny.pt2"}


def safetensors_file(folder: Path) -> Options:
    pytest.importorskip("torch")
    from safetensors.torch import save_file

    from tests.classifiers.twins import torch_network

    save_file(torch_network().state_dict(), folder / "tiny.safetensors")
    return {
        "path": folder / "tiny.safetensors",
        "function": "tests.classifiers.twins:torch_network",
        "input_shape": "12,10,1",
    }


def python_function(folder: Path) -> Options:
    return {"function": f"{__name__}:brightness_scores", "input_shape": "8,10,1"}


def brightness_scores(images: np.ndarray) -> np.ndarray:
    """Probability of the second class: the mean brightness, within 0 .. 1."""
    bright = np.clip(images.mean(axis=(1, 2, 3)), 0, 1)
    return np.stack([1 - bright, bright], axis=1).astype(np.float32)


OPTIONS: Mapping[str, Make] = {
    "arrays": arrays_file,
    "dicom-folder": dicom_folder,
    "image-folder": picture_folder,
    "keras-file": keras_file,
    "medmnist": medmnist_file,
    "nifti": nifti_folder,
    "onnx-file": onnx_file,
    "phantom": small_phantom,
    "phantom-concepts": lambda folder: {"patients": 2},
    "phantom-shortcut": small_phantom,
    "python-function": python_function,
    "safetensors-file": safetensors_file,
    "torch-file": torch_file,
}
"""What each source is made with; one that is not named here is made with nothing."""

ELSEWHERE: Mapping[str, str] = {
    "cbam-resnet": "takes the phantom it was trained on: tests/models",
    "compact-vit": "takes the phantom it was trained on: tests/models",
    "recurrence": "takes the phantom it was trained on: tests/models",
    "resnet50": "24 million parameters, of the same code as tiny: tests/models",
    "tcga-cesc": "takes a download: tests/datasets/test_tcga_cesc.py",
    "trained": "takes a training: tests/end_to_end/test_study_command.py",
}
"""Sources that are not checked here, and why."""
