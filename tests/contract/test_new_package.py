"""`xaibench plugin new`: the written package, installed from its wheel, keeps the contract unchanged."""

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.honest import HonestClassifier
from tests.harness.packages import Site
from xaibench.api import XaibenchError
from xaibench.harness import registry
from xaibench.harness.contract.checks import Finding, check, check_plugin
from xaibench.harness.contract.template import KINDS, write_package
from xaibench.harness.contract.trial import put_on_trial
from xaibench.harness.registry import Plugin


def install(package: Path, site: Site) -> None:
    """Build the wheel of a package and unpack it into a folder on Python's path, as pip would."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(site.path)]
    subprocess.run(build, cwd=package, check=True, capture_output=True)
    for wheel in site.path.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site.path)
    site.forget()


def findings_of(plugin: Plugin) -> Iterator[Finding]:
    """Checks of a plugin; methods and metrics are tried on a classifier that needs no TensorFlow."""
    if plugin.kind == "datasets":
        return check_plugin(plugin, {})
    return check(put_on_trial(plugin, HonestClassifier()))


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_package_passes_every_check_unchanged(kind: str, tmp_path: Path, site: Site) -> None:
    install(write_package("my-Own.2", kind, tmp_path), site)
    plugin = registry.load(f"{kind}s", "my-Own.2")  # type: ignore[arg-type]
    assert plugin.package == "xaibench-my-own-2 0.1.0"
    findings = list(findings_of(plugin))
    assert findings
    assert [finding for finding in findings if finding.problem] == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_package_is_clean_by_the_linter(kind: str, tmp_path: Path) -> None:
    package = write_package("mine", kind, tmp_path)
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, str(package)], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_package_holds_source_test_metadata_and_a_page(kind: str, tmp_path: Path) -> None:
    package = write_package("mine", kind, tmp_path)
    files = {file.name: file.read_text() for file in package.iterdir()}
    assert set(files) == {"pyproject.toml", "xaibench_mine.py", "test_xaibench_mine.py", "README.md"}
    assert "{{" not in "".join(files.values())
    assert f'[project.entry-points."xaibench.{kind}s"]' in files["pyproject.toml"]


@pytest.mark.parametrize("name", ["..", "/etc/x", "<script>", "a b", ""])
def test_a_name_that_cannot_be_registered_is_one_sentence(name: str, tmp_path: Path) -> None:
    with pytest.raises(XaibenchError, match="has a name with other characters than letters"):
        write_package(name, "method", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_kind_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(XaibenchError, match="no kind of plugin 'metod'; did you mean 'method'"):
        write_package("mine", "metod", tmp_path)


def test_a_folder_that_exists_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "xaibench-mine").mkdir()
    with pytest.raises(XaibenchError, match="exists; choose another --out, or another name"):
        write_package("mine", "method", tmp_path)


def test_a_name_that_begins_with_a_digit_gets_a_class_that_does_not(tmp_path: Path) -> None:
    package = write_package("3d-cam", "method", tmp_path)
    assert "class Method3dCam:" in (package / "xaibench_3d_cam.py").read_text()


def test_the_example_package_keeps_every_promise(site: Site) -> None:
    install(Path(__file__).parents[1] / "plugin_package", site)
    plugin = registry.load("methods", "brightness")
    assert plugin.package == "brightness-explainer 1.2"
    assert [finding for finding in findings_of(plugin) if finding.problem] == []
