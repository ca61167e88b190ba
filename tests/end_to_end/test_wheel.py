"""The wheel on its own: nothing of the checkout is on the path."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]


def install(package: Path, site: Path) -> None:
    """Build a package's wheel and unpack it into a folder on Python's path, as pip would."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(site)]
    subprocess.run(build, cwd=package, check=True, capture_output=True)
    for wheel in site.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)
        wheel.unlink()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the unpacked wheel of xaibench."""
    folder = tmp_path_factory.mktemp("site")
    install(CHECKOUT, folder)
    return folder


def xaibench(site: Path, home: Path, *arguments: str) -> str:
    """Run a command of the unpacked wheel; returns what it printed."""
    environment = {**os.environ, "PYTHONPATH": str(site), "XAIBENCH_CACHE": str(home / "cache")}
    command = [sys.executable, "-P", "-m", "xaibench", *arguments]
    done = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_default_cohort_model_and_report_are_in_the_wheel(site: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    settings = ("--preset", "smoke", "--methods", "grad-cam,random", "--metrics", "enrichment,latency")
    xaibench(site, tmp_path, "run", *settings, "--out", str(out))
    assert (out / "report.html").stat().st_size > 100_000
    xaibench(site, tmp_path, "report", str(out), "--criteria", str(criteria(tmp_path)), "--require", "quick")


def criteria(folder: Path) -> Path:
    file = folder / "criteria.yaml"
    file.write_text("quick: {criteria: [{metric: latency, at_most: 60000}]}")
    return file


def test_a_new_plugin_passes_its_checks_unchanged(site: Path, tmp_path: Path) -> None:
    xaibench(site, tmp_path, "plugin", "new", "of-mine")
    install(tmp_path / "xaibench-of-mine", site)
    assert "0 broken" in xaibench(site, tmp_path, "plugin", "check", "of-mine")
