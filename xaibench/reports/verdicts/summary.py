"""The first screen: which explainer for which purpose, in a few words, and how sure that is."""

from collections.abc import Sequence

from xaibench.api import Family
from xaibench.reports.scoring.results import Results
from xaibench.reports.text import listed, p_text, percent, plural
from xaibench.reports.verdicts.faithful import gains, metric_of
from xaibench.reports.verdicts.fast import within_a_second
from xaibench.reports.verdicts.leading import lead_of

HEADINGS = ["purpose", "answer", "how sure"]
NAMED = 4
"""Explainers named; the others are counted."""


def summary(run: Results) -> list[list[str]]:
    """Lines of a table under HEADINGS; purposes that were not measured are left out."""
    region = run.info.cohort.region_name
    answers = {
        "first on average": _first(run),
        "faithful to the model": _faithful(run),
        "stable": _stable(run),
        f"on the {region}": _on_region(run),
        "within 1 s an image": _fast(run),
    }
    return [[purpose, *answer] for purpose, answer in answers.items() if answer]


def _first(run: Results) -> list[str]:
    board = run.board
    if board.ranking is None or board.stability is None or len(board.ranked) < 2:
        return []
    test = board.ranking.test
    level = [s.method for s, b in zip(board.ranking.standings, test.better[0], strict=True) if not b]
    lead = percent(board.stability.first[level[0]])
    sure = (
        f"Friedman {p_text(test.p)}, Nemenyi; {level[0]} leads in {lead} of the draws of {_patients(test.n)}"
    )
    return [level[0] if len(level) == 1 else f"not settled between {_few(level)}", sure]


def _faithful(run: Results) -> list[str]:
    metric = metric_of(run)
    found = gains(run, metric) if metric else ()
    if not found:
        return []
    shown = [gain.method for gain in found if gain.above_chance]
    sure = f"better than the same map shifted, Wilcoxon with Holm: {len(shown)} of {plural(len(found), 'explainer')}"
    return [_few(shown) or "none shown", f"{sure}, {_patients(max(gain.gain.n for gain in found))}"]


def _stable(run: Results) -> list[str]:
    metrics = [m for m in run.comparable.metrics if run.info.metrics[m].family == Family.ROBUSTNESS]
    leads = [lead for metric in metrics if (lead := lead_of(run, metric)) is not None]
    if not leads:
        return []
    answers = [
        f"{lead.metric}: {f'not settled between {_few([lead.best, *lead.level])}' if lead.level else lead.best}"
        for lead in leads
    ]
    return [
        "; ".join(answers),
        f"paired Wilcoxon with Holm, {_patients(min(lead.patients for lead in leads))}",
    ]


def _on_region(run: Results) -> list[str]:
    if not run.locations:
        return []
    ordered = sorted(run.locations, key=lambda x: (-x.enrichment.value, x.method))
    shown = [x.method for x in ordered if x.above and x.against and not x.unbeaten]
    chance = [x.method for x in ordered if x.above and x.method not in shown]
    beyond = (
        f"; beyond chance, but not beyond maps that never look at the model: {_few(chance)}" if chance else ""
    )
    patients = _patients(max(x.enrichment.n for x in ordered))
    sure = f"more than chance and than blind controls, Wilcoxon with Holm: {len(shown)} of {len(ordered)}, {patients}"
    return [(_few(shown) or "none shown") + beyond, sure]


def _fast(run: Results) -> list[str]:
    timed, quick = within_a_second(run)
    if not timed:
        return []
    return [_few(quick) or "none shown", f"interval of the median below 1 s: {len(quick)} of {len(timed)}"]


def _few(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return listed([*names[:NAMED], *([f"{more} more"] if more > 0 else [])])


def _patients(count: int) -> str:
    return plural(count, "patient")
