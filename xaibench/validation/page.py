"""The judgements as a page in Markdown, and as the table that reports read."""

import json
from collections.abc import Sequence
from dataclasses import asdict

import pandas as pd

from xaibench.validation.judge import OFTEN, Judgement
from xaibench.validation.worlds import BOX

WIDE = 99
"""Margin beyond which a figure tells no more."""
INTRODUCTION = """# Is the benchmark itself right?

Each metric scores maps whose order is known, on a model whose evidence is known: its answer hangs on the
brightest {box} x {box} square of the image and on nothing else. The first rung of each ladder is the truth (or the
explainer that is steady, that hangs on the model, that is concentrated), the last ones know nothing. {repeats} worlds
of {cases} cases each; *truth first* is the share of them in which the truth beat every map without knowledge, *all in
order* that in which approximations lay between as well; the margin is in standard deviations over the worlds. A
metric passes if the truth is first in at least {often:.0%} of the worlds."""


def page(judgements: Sequence[Judgement], repeats: int, cases: int) -> str:
    """Say what was done, and what became of each metric."""
    tried = [one for one in judgements if one.tried]
    left = [f"- {one.metric}: {one.reason}" for one in judgements if not one.tried]
    parts = [
        INTRODUCTION.format(box=BOX, repeats=repeats, cases=cases, often=OFTEN),
        table(tried).to_markdown(index=False),
    ]
    return "\n\n".join([*parts, "Not judged:", "\n".join(left)]) + "\n"


def table(judgements: Sequence[Judgement]) -> pd.DataFrame:
    """A row a metric."""
    return pd.DataFrame(
        [
            {
                "metric": one.metric,
                "family": one.family,
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
    """Judgements for other programs."""
    return json.dumps([asdict(one) | {"passed": one.passed} for one in judgements], indent=2) + "\n"

