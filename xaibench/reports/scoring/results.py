"""A run folder read and scored once, for all reports."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from xaibench.api import Case, Record, XaibenchError
from xaibench.harness.store.folder import RunFolder
from xaibench.reports.scoring.leaderboard import Leaderboard, leaderboard_of
from xaibench.reports.scoring.scores import Info, Scores, scores_of


@dataclass(frozen=True)
class Results:
    """A run's facts, cases, records, scores and leaderboard."""

    info: Info
    scores: Scores
    board: Leaderboard
    records: Sequence[Record] = ()
    cases: Mapping[str, tuple[Case, int]] = field(default_factory=dict)
    """Cases by name, with the explained class of each."""
    by_class: Mapping[str, Scores] = field(default_factory=dict)
    """Enrichment within the patients whose explained class it is, by the name of the class."""


def read(folder: RunFolder) -> Results:
    """Read and score a run; raises XaibenchError where the folder holds none."""
    info = folder.info()
    if not info:
        raise XaibenchError(f"{folder.path} holds no run (no run.json); give the --out folder of a run.")
    records, cases = folder.records(), folder.cases()
    scores = scores_of(info, records)
    return Results(
        info, scores, leaderboard_of(info, scores), records, cases, scores_by_class(info, records, cases)
    )


def class_name(info: Info, label: int) -> str:
    """Name a class."""
    names = info["cohort"]["class_names"]
    return str(names[label]) if 0 <= label < len(names) else f"class {label}"


def scores_by_class(
    info: Info, records: Sequence[Record], cases: Mapping[str, tuple[Case, int]]
) -> dict[str, Scores]:
    """Score enrichment separately for the cases of each explained class."""
    metrics = {name: facts for name, facts in info["metrics"].items() if name == "enrichment"}
    found = {}
    for target in sorted({target for _, target in cases.values()}):
        names = {name for name, (_, explained) in cases.items() if explained == target}
        cohort = {**info["cohort"], "cases": len(names)}
        part = {**info, "metrics": metrics, "cohort": cohort}
        found[class_name(info, target)] = scores_of(part, [r for r in records if r.case in names])
    return found
