"""What the page of a run shows, from its entry alone."""

from xaibench.reports.board.contents import Posted
from xaibench.reports.pages.appendix import Table
from xaibench.reports.text import brief, span


def facts_of(one: Posted) -> dict[str, str]:
    """What was run, on what, where."""
    section, machine = one.section, one.section.machine
    return {
        "model": section.model.name,
        "cohort": section.cohort.name,
        "patients": str(len(section.cohort.patients)),
        "cases": str(len(section.cohort.cases)),
        "seed": str(section.seed),
        "date": one.date,
        "machine": f"{machine.cpu}, {machine.cores} cores, {machine.memory_gib:g} GiB, {machine.system}",
        "xaibench": one.published.entry.eval_library.version,
        "model fingerprint": section.model.key,
        "cohort fingerprint": section.cohort.key,
    }


def spec_table(one: Posted) -> Table:
    """Settings and versions."""
    section = one.section
    pairs = [
        *section.spec.items(),
        *((f"version: {name}", found) for name, found in section.versions.items()),
    ]
    return Table("Settings and versions", ["what", "value"], [[name, _text(value)] for name, value in pairs])


def result_table(one: Posted) -> Table:
    """Score of each method and metric with its interval."""
    rows = []
    for result in one.published.entry.evaluation_results:
        interval = result.score_details.uncertainty.confidence_interval
        rows.append(
            [
                result.evaluation_name,
                result.metric_config.metric_name,
                "lower" if result.metric_config.lower_is_better else "higher",
                brief(result.score_details.score),
                span(interval.lower, interval.upper) if interval else "",
                str(result.score_details.uncertainty.num_samples),
            ]
        )
    header = ["method", "metric", "better", "score", "95 % interval", "patients"]
    return Table("Scores as published", header, rows)


def verification_table(one: Posted) -> Table:
    """All verifications, the latest last, and what did not fit."""
    found = one.badge.verifications if one.badge else ()
    rows = [[each.text, "; ".join(each.problems) or "nothing", each.caution] for each in found]
    return Table("Verifications", ["what came out", "what does not fit", "what it could miss"], rows)


def _text(value: object) -> str:
    return "none" if value is None or value == {} else str(value)
