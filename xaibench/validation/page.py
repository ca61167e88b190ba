"""The judgements as a page in Markdown, and as the table that reports read."""

import json
from collections.abc import Sequence
from dataclasses import asdict

import pandas as pd

from xaibench.validation.arenas import ARENAS
from xaibench.validation.judge import OFTEN, Judgement
from xaibench.validation.nouns import Arena

WIDE = 99
"""Margin beyond which a figure tells no more."""
INTRODUCTION = f"""# Is the benchmark itself right?

Each metric scores maps whose order is known, on models whose evidence is known. The first map of each ladder is the
truth, the last ones know nothing. *Truth first* is the share of the worlds in which the truth beat every map without
knowledge, *all in order* that in which approximations lay between as well; the margin is in standard deviations over
the worlds. A metric passes in an arena if the truth is first in at least {OFTEN:.0%} of its worlds, and it passes if it
does so in every arena where it was tried."""


def page(judgements: Sequence[Judgement], worlds: int, scenes: int) -> str:
    """Say what was done, and what became of each metric."""
    sections = [section(arena, judgements, worlds, scenes) for arena in ARENAS]
    left = dict.fromkeys(f"- {one.metric}: {one.reason}" for one in judgements if not one.tried)
    rest = "## Not judged\n\n" + "\n".join(left) if left else ""
    return "\n\n".join(filter(None, [INTRODUCTION, *sections, rest])) + "\n"


def section(arena: Arena, judgements: Sequence[Judgement], worlds: int, scenes: int) -> str:
    """What an arena is, and a row for each metric that was tried there; empty if none was."""
    tried = [one for one in judgements if one.tried and one.arena == arena.name]
    if not tried:
        return ""
    made, held = arena.size(worlds, scenes)
    shown = table(tried).drop(columns="arena").to_markdown(index=False)
    return f"## {arena.name.capitalize()}\n\n{arena.about} {made} worlds of {held} cases each.\n\n{shown}"


def table(judgements: Sequence[Judgement]) -> pd.DataFrame:
    """A row a metric and arena."""
    return pd.DataFrame(
        [
            {
                "metric": one.metric,
                "family": one.family,
                "arena": one.arena,
                "passes": "yes" if one.passed else "**no**",
                "truth first": f"{one.truth_held or 0:.0%}",
                "all in order": f"{one.order_held or 0:.0%}",
                "margin": f"{one.margin or 0:.1f}" if (one.margin or 0) < WIDE else f"over {WIDE}",
                "scores, from truth to no knowledge": "; ".join(
                    f"{n} {v:.3g}" for n, v in one.values.items()
                ),
            }
            for one in judgements
        ]
    )


def as_json(judgements: Sequence[Judgement]) -> str:
    """Judgements for other programs, an entry a metric and arena."""
    return json.dumps([asdict(one) | {"passed": one.passed} for one in judgements], indent=2) + "\n"
