"""The items of a checklist, declared in a YAML file each."""

from importlib import resources

import yaml

from xaibench.harness.store.run_info import Part


class Item(Part):
    """One item."""

    number: int
    section: str = ""
    """Of a paper; empty where the checklist has none."""
    subject: str
    """What it asks for, in our words."""
    open: str = ""
    """What a run cannot know of it, where it knows something; empty = nothing is left, or all of it."""


class Checklist(Part):
    """A published checklist."""

    title: str
    source: str
    note: str
    items: tuple[Item, ...]


def checklist(name: str) -> Checklist:
    """Read a shipped checklist: `claim-2024` or `clix-m`."""
    text = resources.files(__package__).joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    return Checklist.model_validate(yaml.safe_load(text))
