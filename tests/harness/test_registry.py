"""Plugins are found by name; unknown, broken and doubled ones are named in one sentence."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.packages import Site
from xaibench.api import XaibenchError
from xaibench.harness import registry

GOOD = """
from dataclasses import dataclass

@dataclass(frozen=True)
class Good:
    family = "good"
    needs = frozenset()
    source = "nobody"

    def __call__(self, classifier, batch):
        return batch.images.mean(axis=-1)

def function(classifier, batch):
    return batch.images.mean(axis=-1)
"""


@pytest.fixture(autouse=True)
def good_plugin(site: Site) -> None:
    site.write("ours_plugin.py", GOOD)


def test_a_plugin_is_loaded_with_its_facts_its_package_and_a_hash_of_its_source(site: Site) -> None:
    site.install("ours", "methods", {"good": "ours_plugin:Good"})
    plugin = registry.load("methods", "good")
    assert (plugin.kind, plugin.name, plugin.package) == ("methods", "good", "ours 1.0")
    assert plugin.facts.family == "good"
    site.write("ours_plugin.py", GOOD + "# changed")
    assert registry.load("methods", "good").code != plugin.code


def test_an_unknown_name_gets_the_likely_one() -> None:
    with pytest.raises(XaibenchError, match="no method 'grad-camm'; did you mean 'grad-cam'"):
        registry.load("methods", "grad-camm")


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("bad", "no_such_module:Thing", "cannot be loaded from no_such_module:Thing: ModuleNotFoundError: "),
        ("bad", "ours_plugin:Thing", "cannot be loaded from ours_plugin:Thing: AttributeError: "),
        ("bad", "raises:Thing", "cannot be loaded from raises:Thing: RuntimeError: two lines; mend or"),
        ("bad", "exits:Thing", "cannot be loaded from exits:Thing: SystemExit: 0; mend or uninstall it"),
        ("bad", "unreadable:Thing", "cannot be loaded from unreadable:Thing: SyntaxError: "),
        ("bad", "ours_plugin:function", "is a function, no class"),
        ("bad", "pathlib:Path", "is no frozen dataclass"),
        ("../bad", "ours_plugin:Good", "has a name with other characters than letters"),
        ("/etc/bad", "ours_plugin:Good", "has a name with other characters than letters"),
        ("..", "ours_plugin:Good", "has a name with other characters than letters"),
        ("<script>", "ours_plugin:Good", "has a name with other characters than letters"),
    ],
)
def test_a_broken_plugin_is_named_and_does_not_stop_the_others(
    site: Site, name: str, value: str, sentence: str
) -> None:
    site.write("raises.py", "raise RuntimeError('two\\nlines')")
    site.write("exits.py", "raise SystemExit(0)")
    site.write("unreadable.py", "this is no Python")
    site.install("ours", "methods", {"good": "ours_plugin:Good"})
    site.install("theirs", "methods", {name: value})
    plugins, problems = registry.load_all("methods")
    assert "good" in [plugin.name for plugin in plugins]
    assert len(problems) == 1
    assert f"Method {name!r} of theirs 1.0 {sentence}" in problems[0]
    assert "\n" not in problems[0]
    with pytest.raises(registry.BrokenPluginError, match=r"of theirs 1\.0"):
        registry.select("methods", name)


def test_a_module_beside_it_that_cannot_be_read_does_not_stop_a_plugin(site: Site) -> None:
    site.write("theirs/__init__.py", GOOD + "\ndef late():\n    from theirs import new\n")
    site.write("theirs/new.py", "this is no Python")
    site.install("theirs", "methods", {"theirs": "theirs:Good"})
    assert registry.load("methods", "theirs").name == "theirs"


def test_two_plugins_of_one_name_name_both_packages(site: Site) -> None:
    site.install("ours", "methods", {"same": "ours_plugin:Good"})
    site.install("theirs", "methods", {"same": "ours_plugin:Good"})
    with pytest.raises(XaibenchError, match=r"'same': (ours 1\.0 and theirs 1\.0|theirs 1\.0 and ours 1\.0)"):
        registry.load("methods", "same")


def test_the_same_name_in_two_kinds_is_no_conflict(site: Site) -> None:
    site.install("ours", "methods", {"same": "ours_plugin:Good"})
    site.install("ours", "metrics", {"same": "tests.harness.plugins:Mean"})
    assert registry.load("methods", "same").kind == "methods"
    assert registry.load("metrics", "same").kind == "metrics"


def test_selection_by_family_names_and_all(site: Site) -> None:
    site.install("ours", "methods", {"good": "ours_plugin:Good", "fine": "ours_plugin:Good"})
    chosen, problems = registry.select("methods", "family:good, random,good")
    assert [plugin.name for plugin in chosen] == ["fine", "good", "random"]
    assert problems == []
    everything, _ = registry.select("methods", "all")
    assert {plugin.name for plugin in everything} == set(registry.entries("methods"))


@pytest.mark.parametrize(
    ("expression", "message"), [("family:camm", "did you mean 'cam'"), (" , ", "No methods are named")]
)
def test_a_selection_of_nothing_is_one_sentence(expression: str, message: str) -> None:
    with pytest.raises(XaibenchError, match=message):
        registry.select("methods", expression)


def test_broken_plugins_that_nobody_asked_for_are_not_loaded(site: Site, tmp_path: Path) -> None:
    site.write("notes.py", f"open({str(tmp_path / 'imported')!r}, 'w').close()\nraise RuntimeError")
    site.install("theirs", "methods", {"bad": "notes:Thing"})
    assert registry.select("methods", "random")[1] == []
    assert not (tmp_path / "imported").exists()


def test_a_plugin_of_any_kind_is_found_by_its_name() -> None:
    found = {
        name: registry.find(name).kind for name in ("random", "iou", "phantom", "tiny", "python-function")
    }
    assert list(found.values()) == ["methods", "metrics", "datasets", "models", "classifiers"]
    with pytest.raises(XaibenchError, match="There is no plugin 'phantm'; did you mean 'phantom'"):
        registry.find("phantm")


def test_no_plugin_imports_tensorflow_before_it_is_used() -> None:
    code = "import sys; from xaibench.harness import registry\nfrom xaibench.harness.declared import KINDS\n"
    code += "for kind in KINDS: registry.load_all(kind)\n"
    code += "sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
