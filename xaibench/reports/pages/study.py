"""The study page, laid out as the results of Provenzano et al. 2025 (Tomography 11(3):38); one offline file."""

from dataclasses import dataclass

from xaibench.api import Case
from xaibench.harness.store.folder import RunFolder
from xaibench.reports.pages import appendix, training
from xaibench.reports.pages.appendix import Table
from xaibench.reports.pages.markdown import subtitle
from xaibench.reports.pages.rendering import rendered
from xaibench.reports.pages.training import Training
from xaibench.reports.pages.validation import sections
from xaibench.reports.pictures.gallery import by_class, map_tile, outline_note
from xaibench.reports.pictures.pictures import slice_picture
from xaibench.reports.pictures.simulated import simulated_rows
from xaibench.reports.pictures.tiles import Tile
from xaibench.reports.scoring.groups import class_name
from xaibench.reports.scoring.leaderboard import Leaderboard
from xaibench.reports.scoring.results import Results
from xaibench.reports.verdicts.overall import overall_verdicts
from xaibench.reports.verdicts.study import study_findings

GENERATOR = "stacked-feature-maps"
SAMPLES = 3
"""Patients of each explained class whose feature maps are shown."""
CAPTION = (
    "Places, shared by explainers that the tests cannot tell apart, and mean ranks; controls are not ranked"
)


@dataclass(frozen=True)
class Sample:
    """One patient: the slice, its most important feature map, and the map laid over the slice."""

    title: str
    slice: Tile
    map: Tile


def study_page(folder: RunFolder, run: Results, found: Training) -> str:
    """Render the page of a run whose model was cross-validated."""
    return rendered(
        "study.html.j2",
        info=run.info,
        subtitle=subtitle(run.info),
        facts=training.facts(found),
        verdicts=study_findings(run, found),
        **sections(found),
        samples=samples(folder, run),
        cohort=simulated_rows(folder, run),
        ranking=overall_verdicts(run),
        ranks=ranks(run.board),
        provenance=appendix.provenance(run.info),
    )


def samples(folder: RunFolder, run: Results) -> dict[str, list[Sample]]:
    """Feature maps of a few patients by class; empty where the generator did not run."""
    if GENERATOR not in run.info.methods:
        return {}
    return {
        name: [_sample(folder, run, case, name) for case in queue[:SAMPLES]]
        for name, queue in by_class(run.info, run.cases).items()
    }


def _sample(folder: RunFolder, run: Results, case: Case, explained: str) -> Sample:
    of_case = {(r.method, r.metric): r for r in run.records if r.case == case.id}
    outlined = outline_note(case)
    shown = Tile(
        "slice", f"Slice of {case.id}, {outlined}.", slice_picture(case.image, case.region), outlined
    )
    return Sample(
        f"{case.id}, labelled {', '.join(class_name(run.info, label) for label in case.labels) or 'nothing'}",
        shown,
        map_tile(folder, GENERATOR, case, explained, of_case),
    )


def ranks(board: Leaderboard) -> Table:
    """Places of all explainers: what the report's leaderboard holds in full."""
    header = board.header()
    rows = [[row[1], row[0], *row[2:]] for row in board.rows()]
    return Table(CAPTION, [header[1], header[0], *header[2:]], rows)
