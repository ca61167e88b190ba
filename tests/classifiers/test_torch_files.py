"""Files of PyTorch models: read without unpickling, refused in one sentence otherwise."""

import json
import pickle
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import save_file

from tests.classifiers.twins import SIZE, torch_network
from xaibench.api import XaibenchError
from xaibench.classifiers.safetensors_file import SafetensorsFile
from xaibench.classifiers.torch.building import exported
from xaibench.classifiers.torch_file import TorchFile

BUILD = "tests.classifiers.twins:torch_network"
IMAGES = np.random.default_rng(0).random((3, SIZE, SIZE, 1), dtype=np.float32)


@pytest.fixture(scope="module")
def network() -> Any:
    return torch_network(seed=7)


@pytest.fixture(scope="module")
def archive(network: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("torch") / "network.pt2"
    torch.export.save(exported(network, IMAGES.shape[1:]), path)
    return path


@pytest.fixture(scope="module")
def weights(network: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "network.safetensors"
    save_file(network.state_dict(), path)
    return path


def test_both_files_of_a_network_answer_as_it_does(network, archive: Path, weights: Path) -> None:
    with torch.no_grad():
        expected = network(torch.tensor(IMAGES).movedim(-1, 1)).softmax(1)
    of_program = TorchFile(archive).load()
    of_weights = SafetensorsFile(weights, BUILD, f"{SIZE},{SIZE},1").load()
    for classifier in (of_program, of_weights):
        np.testing.assert_allclose(classifier.scores(IMAGES), expected, atol=1e-6)
        assert classifier.verify(IMAGES)
        assert classifier.default_layer == "block"
    assert of_program.fingerprint == of_weights.fingerprint
    assert of_program.fingerprint != TorchFile(archive, activation="sigmoid").load().fingerprint


def test_classes_are_named_by_the_file_beside(archive: Path, tmp_path: Path) -> None:
    file = TorchFile(tmp_path / "copy.pt2")
    file.path.write_bytes(archive.read_bytes())
    (tmp_path / "classes.json").write_text('["benign", "malignant"]')
    assert file.load().class_names == ("benign", "malignant")
    (tmp_path / "classes.json").write_text('["benign", "malignant", "other"]')
    with pytest.raises(XaibenchError, match=r"3 class names .* for the 2 classes of copy.pt2"):
        file.load()


# ---------------------------------------------------------------- nothing is unpickled or executed


class Bomb:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def changed(archive: Path, target: Path, entry: str, change: Callable[[bytes], bytes]) -> Path:
    """Copy of an archive with one entry changed, or a new one."""
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(target, "w") as copy:
        names = source.namelist()
        root = names[0].split("/")[0]
        for name in {*names, f"{root}/{entry}"}:
            content = source.read(name) if name in names else b""
            copy.writestr(name, change(content) if name == f"{root}/{entry}" else content)
    return target


def in_json(content: bytes, change: Callable[[Any], None]) -> bytes:
    loaded = json.loads(content)
    change(loaded)
    return json.dumps(loaded).encode()


def pickled_weight(config: Any) -> None:
    config["config"]["stem.weight"]["use_pickle"] = True


def opaque_constant(config: Any) -> None:
    config["config"]["c"] = {
        "path_name": "opaque_obj_0",
        "is_param": False,
        "use_pickle": False,
        "tensor_meta": None,
    }


def other_function(program: Any) -> None:
    program["graph_module"]["graph"]["nodes"][0]["target"] = "torch.os.system"


def file_of_a_tensor(program: Any) -> None:
    argument = {"name": "filename", "arg": {"as_string": "/etc/passwd"}, "kind": 1}
    program["graph_module"]["graph"]["nodes"][0]["inputs"].append(argument)


def size_that_calls(program: Any) -> None:
    def visit(content: Any) -> None:
        if isinstance(content, dict) and "expr_str" in content:
            content["expr_str"] = "exec(chr(112))"
        for value in content.values() if isinstance(content, dict) else content:
            if isinstance(value, dict | list):
                visit(value)

    visit(program)


@pytest.mark.parametrize(
    ("entry", "change", "message"),
    [
        ("data/weights/model_weights_config.json", pickled_weight, r"'stem.weight' of .* is pickled"),
        ("data/constants/model_constants_config.json", opaque_constant, r"'c' of .* is pickled"),
        ("models/model.json", other_function, r"calls 'torch.os.system', no operation of aten"),
        ("models/model.json", file_of_a_tensor, "passes the text '/etc/passwd'"),
        ("models/model.json", size_that_calls, r"computes a size as 'exec\(chr\(112\)\)'"),
    ],
)
def test_what_could_execute_code_is_refused_before_it_is_loaded(
    entry: str, change: Any, message: str, archive: Path, tmp_path: Path
) -> None:
    unsafe = changed(archive, tmp_path / "x.pt2", entry, lambda content: in_json(content, change))
    with pytest.raises(XaibenchError, match=f"x.pt2 is refused: .*{message}.*could execute code"):
        TorchFile(unsafe).load()


@pytest.mark.parametrize(
    "entry", ["data/sample_inputs/model.pt", "data/aotinductor/model/model.so", "models/b.json"]
)
def test_what_is_pickled_or_compiled_is_not_run(entry: str, archive: Path, tmp_path: Path) -> None:
    traces = tmp_path / "executed"
    bomb = pickle.dumps(Bomb(traces))
    with pytest.raises(XaibenchError, match="is refused"):
        TorchFile(changed(archive, tmp_path / "x.pt2", entry, lambda _: bomb)).load()
    assert not traces.exists()


def test_the_bomb_of_these_tests_explodes_in_torchs_own_reader(archive: Path, tmp_path: Path) -> None:
    traces = tmp_path / "executed"
    armed = changed(
        archive, tmp_path / "x.pt2", "data/weights/weight_0", lambda _: pickle.dumps(Bomb(traces))
    )
    armed = changed(
        armed,
        tmp_path / "y.pt2",
        "data/weights/model_weights_config.json",
        lambda c: in_json(c, pickled_weight),
    )
    with pytest.raises(XaibenchError, match="pickled"):
        TorchFile(armed).load()
    assert not traces.exists()
    with pytest.raises(Exception, match=r".*"):  # whatever torch makes of what it has unpickled
        torch.export.load(armed)
    assert traces.exists()


@pytest.mark.parametrize("name", ["m.pt", "m.pth", "m.ckpt"])
def test_pickles_are_refused_with_what_to_do(name: str, tmp_path: Path) -> None:
    assert TorchFile.accepts(tmp_path / name)
    with pytest.raises(XaibenchError, match=rf"{name} is a pickle.*torch.export.save.*safetensors"):
        TorchFile(tmp_path / name).load()


@pytest.mark.parametrize("content", [b"", b"PK no zip", pickle.dumps(1)])
def test_a_broken_file_is_one_sentence(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "m.pt2").write_bytes(content)
    with pytest.raises(XaibenchError, match="no archive of an exported program"):
        TorchFile(tmp_path / "m.pt2").load()
    with pytest.raises(XaibenchError, match="no model file"):
        TorchFile(tmp_path / "none.pt2").load()


# ---------------------------------------------------------------- weights of a function's network


def no_network() -> str:
    return "no network"


def fails() -> None:
    raise RuntimeError("no such thing")


@pytest.mark.parametrize(
    ("function", "shape", "message"),
    [
        ("", "32,32,1", "say what builds the network"),
        (BUILD, "", "say what builds the network"),
        (f"{__name__}:no_network", "32,32,1", "returned a str; it must return a torch.nn.Module"),
        (f"{__name__}:fails", "32,32,1", "cannot build the network: no such thing"),
        (f"{__name__}:missing", "32,32,1", "no function"),
        (BUILD, "32,32,2", r"cannot be exported for images \(32, 32, 2\)"),
        ("torch.nn:ReLU", "32,32,1", "does not hold the weights of torch.nn:ReLU"),
    ],
)
def test_a_function_that_does_not_fit_is_one_sentence(
    function: str, shape: str, message: str, weights: Path
) -> None:
    with pytest.raises(XaibenchError, match=message):
        SafetensorsFile(weights, function, shape).load()


def test_missing_or_broken_weights_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(XaibenchError, match="no file of weights"):
        SafetensorsFile(tmp_path / "none.safetensors", BUILD, "32,32,1").load()
    (tmp_path / "m.safetensors").write_bytes(b"broken")
    with pytest.raises(XaibenchError, match="does not hold the weights"):
        SafetensorsFile(tmp_path / "m.safetensors", BUILD, "32,32,1").load()


@pytest.mark.parametrize(
    "file", [TorchFile(Path("m.pt2")), SafetensorsFile(Path("m.safetensors"), BUILD, "4,4,1")]
)
def test_a_missing_package_is_one_sentence(file: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import tests.classifiers.twins  # noqa: F401 - has been imported when torch is taken away

    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(
        XaibenchError, match=r"not installed; install it with `pip install 'xaibench\[torch\]'`"
    ):
        file.load()
