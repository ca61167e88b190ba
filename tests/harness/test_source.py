"""The hash of a plugin's source changes with every module of its own package that it imports, and no other."""

import sys
from collections.abc import Mapping

import pytest

from tests.harness.packages import Site
from xaibench.harness import registry
from xaibench.harness.declared import Kind
from xaibench.harness.source import closure, code_hash

PACKAGE = {
    "theirs/__init__.py": "",
    "theirs/method.py": "from theirs.helper import FACTOR\nimport numpy\nfrom xaibench.api import Need\n",
    "theirs/helper.py": "from .deep import constants\nFACTOR = constants.ONE\n",
    "theirs/deep/__init__.py": "",
    "theirs/deep/constants.py": "ONE = 1\n",
    "theirs/unused.py": "TWO = 2\n",
    "others.py": "THREE = 3\n",
}


@pytest.fixture
def package(site: Site) -> Site:
    write(site, PACKAGE)
    return site


def write(site: Site, files: Mapping[str, str]) -> None:
    for file, text in files.items():
        site.write(file, text)


@pytest.mark.parametrize("file", ["theirs/method.py", "theirs/helper.py", "theirs/deep/constants.py"])
def test_a_module_that_is_imported_however_deep_counts(package: Site, file: str) -> None:
    before = code_hash("theirs.method")
    package.write(file, PACKAGE[file] + "# changed\n")
    assert code_hash("theirs.method") != before


@pytest.mark.parametrize("file", ["theirs/unused.py", "others.py"])
def test_a_module_that_is_not_imported_does_not_count(package: Site, file: str) -> None:
    before = code_hash("theirs.method")
    package.write(file, "changed = True\n")
    assert code_hash("theirs.method") == before


def test_the_same_source_has_the_same_hash(package: Site) -> None:
    before = code_hash("theirs.method")
    write(package, PACKAGE)
    assert code_hash("theirs.method") == before


@pytest.mark.parametrize(
    ("file", "statement"),
    [
        ("theirs/method.py", "import theirs.deep.constants"),
        ("theirs/method.py", "from theirs.deep import constants"),
        ("theirs/method.py", "from .deep import constants"),
        ("theirs/method.py", "from .deep.constants import ONE"),
        ("theirs/method.py", "def late():\n    from theirs.deep.constants import ONE"),
        ("theirs/method.py", "try:\n    from .deep.constants import ONE\nexcept ImportError:\n    ONE = 1"),
        ("theirs/deep/method.py", "from . import constants"),
        ("theirs/deep/method.py", "from .constants import ONE"),
        ("theirs/deep/method.py", "from ..deep.constants import ONE"),
        ("theirs/deep/__init__.py", "from .constants import ONE"),
    ],
)
def test_every_way_to_import_counts(package: Site, file: str, statement: str) -> None:
    package.write(file, statement)
    module = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    before = code_hash(module)
    package.write("theirs/deep/constants.py", "ONE = 2\n")
    assert code_hash(module) != before


def test_modules_that_import_each_other_end(package: Site) -> None:
    package.write("theirs/helper.py", "from theirs import method\n")
    assert {"theirs.method", "theirs.helper"} <= closure("theirs.method")
    assert code_hash("theirs.method") == code_hash("theirs.helper")  # the same modules decide both


def test_looking_for_sources_imports_nothing(package: Site) -> None:
    package.write("theirs/lazy/__init__.py", "raise SystemExit(0)")
    package.write("theirs/lazy/work.py", "ONE = 1")
    package.write("theirs/method.py", "def late():\n    from theirs.lazy import work")
    before = code_hash("theirs.method")
    package.write("theirs/lazy/work.py", "ONE = 2")
    assert code_hash("theirs.method") != before
    assert not [name for name in sys.modules if name.startswith("theirs")]


def test_what_many_plugins_share_does_not_count() -> None:
    found = closure("xaibench.methods.rise")
    assert "xaibench.methods.rise" in found
    assert not [name for name in found if name.startswith(("xaibench.api", "xaibench.harness"))]


@pytest.mark.parametrize("kind", ["methods", "metrics"])
def test_no_plugin_of_ours_depends_on_reports_or_the_command_line(kind: Kind) -> None:
    for name, entry in registry.entries(kind).items():
        found = [one for one in closure(entry.module) if one.startswith(("xaibench.reports", "xaibench.cli"))]
        assert found == [], name


def test_a_module_without_source_counts_by_its_name() -> None:
    assert code_hash("itertools") != code_hash("math")
    assert code_hash("no.such.module") == code_hash("no.such.module")
