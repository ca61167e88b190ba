"""`xaibench list ... --markdown` writes the tables of docs/, where each method and metric is described."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.harness.conftest import site as site
from tests.harness.packages import Site
from xaibench.cli.app import app
from xaibench.harness import registry
from xaibench.harness.declared import Kind
from xaibench.harness.registry import Plugin

DOCS = Path(__file__).parents[2] / "docs"
KINDS: tuple[Kind, ...] = ("methods", "metrics")
FOREIGN = """
from dataclasses import dataclass

@dataclass(frozen=True)
class Foreign:
    family = "cam"
    needs = frozenset()
    source = "|A| and B 2020"

    def __call__(self, classifier, batch):
        return batch.images.mean(axis=-1)
"""


def listed(kind: Kind) -> list[list[str]]:
    """Cells of the table that the command writes."""
    done = CliRunner().invoke(app, ["list", kind, "--markdown"])
    assert done.exit_code == 0, done.output
    return cells(done.output)


def cells(text: str) -> list[list[str]]:
    """Cells of the Markdown table in a text, its header first, without the line below the header."""
    lines = [line for line in text.splitlines() if line.startswith("|") and not line.startswith("|:")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def ours(kind: Kind) -> list[Plugin]:
    return [plugin for plugin in registry.load_all(kind)[0] if plugin.package.startswith("xaibench ")]


@pytest.mark.parametrize("kind", KINDS)
def test_the_table_in_the_docs_is_the_one_of_today(kind: Kind) -> None:
    header, *rows = listed(kind)
    expected = [header, *(row for row in rows if row[-1] == "xaibench")]
    page = f"docs/{kind}.md"
    renew = f"sed -i '/^|/d' {page} && uv run xaibench list {kind} --markdown >> {page}"
    assert cells((DOCS / f"{kind}.md").read_text()) == expected, f"{page} is stale; renew it: {renew}"


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_of_a_family_has_a_section_for_each_of_its_members_and_no_other(kind: Kind) -> None:
    described = {
        (page.stem, name)
        for page in DOCS.glob(f"{kind}/*.md")
        for name in re.findall(r"^## (.+)$", page.read_text(), re.MULTILINE)
    }
    registered = {(str(plugin.facts.family), plugin.name) for plugin in ours(kind)}
    assert described == registered, f"docs/{kind}/FAMILY.md: sections are missing, or left over"


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_of_the_table_links_to_the_page_of_every_family(kind: Kind) -> None:
    linked = set(re.findall(rf"\({kind}/([\w-]+)\.md\)", (DOCS / f"{kind}.md").read_text()))
    assert linked == {plugin.facts.family for plugin in ours(kind)}


def test_a_plugin_of_another_package_is_listed_without_the_version_and_with_its_bars_escaped(
    site: Site,
) -> None:
    site.write("foreign_plugin.py", FOREIGN)
    site.install("foreign", "methods", {"theirs": "foreign_plugin:Foreign"})
    assert ["theirs", "cam", "nothing", "yes", r"\|A\| and B 2020", "foreign"] in listed("methods")
