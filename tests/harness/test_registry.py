"""Plugins are found by name; unknown, broken and doubled ones are named in one sentence."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from xaibench.api import XaibenchError
from xaibench.harness import registry

Install = Callable[[str, str, str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Installs the metadata of a package that registers one dataset: package, name, value."""

    def write(package: str, name: str, value: str) -> None:
        folder = tmp_path / f"{package}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text(f"[xaibench.methods]\n{name} = {value}\n")

    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "ours_plugin.py").write_text(
        "class Good:\n    family = 'test'\n    needs = frozenset()\n    source = 'nobody'\n"
    )
    registry.forget()
    yield write
    registry.forget()


def test_an_unknown_name_gets_the_likely_one() -> None:
    with pytest.raises(XaibenchError, match="no method 'grad-camm'; did you mean 'grad-cam'"):
        registry.load("methods", "grad-camm")


def test_a_broken_plugin_is_named_and_does_not_stop_the_others(install: Install) -> None:
    install("ours", "good", "ours_plugin:Good")
    install("theirs", "bad", "no_such_module:Thing")
    plugins, problems = registry.load_all("methods")
    assert "good" in [plugin.name for plugin in plugins]
    assert "'bad' of theirs 1.0" in problems[0]
    assert "no_such_module" in problems[0]
    assert len(problems) == 1


def test_a_broken_plugin_is_an_error_where_it_is_named(install: Install) -> None:
    install("theirs", "bad", "no_such_module:Thing")
    with pytest.raises(XaibenchError, match="theirs"):
        registry.select("methods", "bad")


def test_a_class_that_declares_too_little_is_named_with_what_is_missing(install: Install) -> None:
    install("theirs", "odd", "pathlib:Path")
    _, problems = registry.load_all("methods")
    assert "does not declare family, needs, source" in problems[0]


def test_two_plugins_of_one_name_name_both_packages(install: Install) -> None:
    install("ours", "same", "ours_plugin:Good")
    install("theirs", "same", "ours_plugin:Good")
    with pytest.raises(XaibenchError, match=r"'same': (ours 1\.0 and theirs 1\.0|theirs 1\.0 and ours 1\.0)"):
        registry.load("methods", "same")


def test_selection_by_family_names_and_all() -> None:
    cams, _ = registry.select("methods", "family:cam, random")
    names = [plugin.name for plugin in cams]
    assert "grad-cam" in names
    assert "random" in names
    assert "occlusion" not in names
    everything, _ = registry.select("methods", "all")
    assert {plugin.name for plugin in everything} == set(registry.entries("methods"))


@pytest.mark.parametrize(
    ("expression", "message"), [("family:camm", "did you mean 'cam'"), (" , ", "No methods are named")]
)
def test_a_selection_of_nothing_is_one_sentence(expression: str, message: str) -> None:
    with pytest.raises(XaibenchError, match=message):
        registry.select("methods", expression)
