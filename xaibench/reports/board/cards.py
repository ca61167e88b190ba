"""A card a method: what it is, what it needs, with which parameters and where it was run."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from xaibench.harness.store.run_info import MethodInfo
from xaibench.reports.board.contents import Posted
from xaibench.reports.board.together import Together
from xaibench.reports.text import ABSENT

Pages = Sequence[tuple[Sequence[Posted], Sequence[Together]]]
PageFile = Callable[[Sequence[Posted]], str]


@dataclass(frozen=True, eq=False)
class Ran:
    """A method in one entry."""

    posted: Posted
    page_file: str
    place: str
    """Place among those it was ranked with, `-` where it has none."""
    state: str


@dataclass(frozen=True, eq=False)
class Variant:
    """A method with one set of parameters and one version of its code."""

    facts: MethodInfo
    runs: Sequence[Ran]


@dataclass(frozen=True, eq=False)
class Card:
    """All variants of a method."""

    name: str
    variants: Sequence[Variant]

    @property
    def facts(self) -> MethodInfo:
        """What the first variant says of itself."""
        return self.variants[0].facts


def cards(pages: Pages, page_file: PageFile) -> list[Card]:
    """Cards of all methods, by name."""
    found: dict[str, dict[str, list[Ran]]] = {}
    facts: dict[str, MethodInfo] = {}
    for page, groups in pages:
        for one in page:
            for name, info in one.section.methods.items():
                key = info.model_dump_json()
                facts[key] = info
                ran = _ran(one, name, page_file(page), groups)
                found.setdefault(name, {}).setdefault(key, []).append(ran)
    return [
        Card(name, [Variant(facts[key], runs) for key, runs in sorted(variants.items())])
        for name, variants in sorted(found.items())
    ]


def card_file(name: str) -> str:
    """File of a method's card: names that differ by case alone are different files everywhere."""
    return f"method-{hashlib.sha256(name.encode()).hexdigest()[:16]}.html"


def _ran(one: Posted, name: str, file: str, groups: Sequence[Together]) -> Ran:
    for group in groups:
        for line in group.board.lines:
            if line.method.partition("@")[0] == name and one in group.origins[line.method]:
                return Ran(one, file, line.place, line.state.value)
    return Ran(one, file, ABSENT, "withdrawn")
