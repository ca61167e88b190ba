"""`xaibench run` with a PyTorch program, a network's weights and an ONNX model, made here."""

import csv
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Command

SIZE = 32
METHODS = ["grad-cam", "saliency", "occlusion"]


def run(xaibench: Command, cohort: Path, out: Path, model: Path, *options: str) -> dict[tuple[str, str], str]:
    """Value of each method and metric over all patients; `-` where there is none."""
    done = xaibench(
        *("run", "--dataset", cohort, "--model", model, "--preset", "smoke", "--out", out),
        *("--methods", ",".join(METHODS), "--metrics", "pointing-game,gini,forward-passes", *options),
    )
    assert done.exit_code == 0, done.errors
    with (out / "scores.csv").open(newline="") as file:
        found = [row for row in csv.DictReader(file) if (row["class"], row["subset"]) == ("all", "all")]
    return {(row["method"], row["metric"]): row["value"] for row in found if row["method"] in METHODS}


def test_a_torch_program_and_its_weights_give_the_same_run(
    xaibench: Command, cohort: Path, tmp_path: Path
) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    from tests.classifiers.twins import torch_network
    from xaibench.classifiers.torch.building import exported

    network = torch_network()
    torch.export.save(exported(network, (SIZE, SIZE, 1)), tmp_path / "m.pt2")
    save_file(network.state_dict(), tmp_path / "m.safetensors")
    build = ("--function", "tests.classifiers.twins:torch_network", "--input-shape", f"{SIZE},{SIZE},1")
    of_program = run(xaibench, cohort, tmp_path / "a", tmp_path / "m.pt2")
    of_weights = run(xaibench, cohort, tmp_path / "b", tmp_path / "m.safetensors", *build)
    assert of_program == of_weights
    assert {method for method, _ in of_program} == set(METHODS)
    assert "-" not in of_program.values()


def test_an_onnx_model_is_explained_by_what_needs_scores_alone(
    xaibench: Command, cohort: Path, tmp_path: Path
) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    from tests.classifiers.onnx_models import save_model

    save_model(tmp_path / "m.onnx", units=2, shape=("batch", 1, SIZE, SIZE))
    values = run(xaibench, cohort, tmp_path / "out", tmp_path / "m.onnx")
    assert values["occlusion", "gini"] != "-"
    assert values["grad-cam", "gini"] == values["saliency", "gini"] == "-"


def test_a_pickle_is_refused_with_what_to_do(xaibench: Command, tmp_path: Path) -> None:
    (tmp_path / "m.pth").write_bytes(b"any")
    done = xaibench("run", "--model", tmp_path / "m.pth", "--out", tmp_path / "out")
    assert done.exit_code == 2
    assert "m.pth is a pickle" in done.errors
