"""A small real world for the command line: a DICOM cohort, a Keras file, an installed plugin package."""

import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from xaibench.cli.app import main
from xaibench.datasets.phantom.dataset import make_phantom
from xaibench.harness import registry
from xaibench.models.tiny import tiny_classifier

PLUGIN = Path(__file__).parents[1] / "plugin_package"
Command = Callable[..., "Finished"]


@pytest.fixture(scope="session")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """DICOM folder of four phantom patients, two of them recurrent."""
    folder = tmp_path_factory.mktemp("cohorts") / "four"
    make_phantom(folder, patients=4, recurrent=2, seed=5)
    return folder


@pytest.fixture(scope="session")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny untrained classifier of 64 px as a .keras file."""
    path = tmp_path_factory.mktemp("models") / "tiny.keras"
    tiny_classifier(64, 64).save(path)
    return path


@pytest.fixture(scope="session")
def plugin_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder into which the example plugin package is installed from its wheel."""
    site = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(site)]
    subprocess.run(build, cwd=PLUGIN, check=True, capture_output=True)
    with zipfile.ZipFile(next(site.glob("*.whl"))) as wheel:
        wheel.extractall(site)
    return site


@pytest.fixture
def installed_plugin(plugin_site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The example plugin beside xaibench."""
    monkeypatch.syspath_prepend(plugin_site)
    registry.forget()
    yield
    registry.forget()


@dataclass(frozen=True)
class Finished:
    """What a command left behind."""

    exit_code: int
    output: str
    errors: str


@pytest.fixture
def xaibench(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command line in this process, through the same entry as the installed program; cells too, if not told."""
    monkeypatch.setenv("XAIBENCH_WORKERS", "0")

    def run(*arguments: object) -> Finished:
        monkeypatch.setattr(sys, "argv", ["xaibench", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main()
        written = capsys.readouterr()
        return Finished(int(stop.value.code or 0), written.out, written.err)

    return run
