"""The page: one HTML file that opens offline, with every picture inside it."""

from collections.abc import Mapping, Sequence

from xaibench.harness.store.folder import RunFolder
from xaibench.reports.in_words.cases import InWords
from xaibench.reports.pages import appendix
from xaibench.reports.pages.appendix import Table
from xaibench.reports.pages.beside import json_text
from xaibench.reports.pages.markdown import subtitle
from xaibench.reports.pages.rendering import rendered
from xaibench.reports.pages.training import STUDY
from xaibench.reports.pages.values import by_group, entries
from xaibench.reports.pages.viewer import rows, viewer_index
from xaibench.reports.pictures.figures import panels
from xaibench.reports.pictures.gallery import case_rows, shown_note
from xaibench.reports.pictures.pictures import DIVERGING, SEQUENTIAL, gradient
from xaibench.reports.pictures.ranks import rank_plots
from xaibench.reports.pictures.simulated import simulated_rows
from xaibench.reports.readers.writing import readers_page
from xaibench.reports.scoring.families import metrics_by_family
from xaibench.reports.scoring.performance import Performance
from xaibench.reports.scoring.results import Results
from xaibench.reports.text import ABSENT, figure
from xaibench.reports.verdicts.criteria import HEADER, judge, read_criteria
from xaibench.reports.verdicts.summary import HEADINGS, summary
from xaibench.reports.verdicts.verdict import Question


def page(
    folder: RunFolder,
    run: Results,
    asked: Sequence[Question],
    told: Mapping[str, InWords],
    pictures: Sequence[str],
) -> str:
    """Render the report of a run; `told` are its cases in words, `pictures` those of the viewer that stand inside."""
    info, board = run.info, run.board
    index = viewer_index(run, told)
    return rendered(
        "report.html.j2",
        info=info,
        board=board,
        left_out=_left_out(board.left_out),
        subtitle=subtitle(info),
        questions=asked,
        summary=Table("Which explainer for which purpose", HEADINGS, summary(run)),
        confusion=confusion(run.performance),
        families=metrics_by_family(info),
        groups=entries(run),
        rank_plots=rank_plots(board),
        by_group=by_group(run),
        agreement=agreement(run),
        criteria=criteria(run),
        panels=panels(info, run.scores, board),
        cases=case_rows(folder, run, told),
        shown_note=shown_note(info, run.cases),
        rows=rows(info),
        index=index,
        index_json=json_text(index),
        pictures=pictures,
        bars={"unsigned": gradient(SEQUENTIAL), "signed": gradient(DIVERGING)},
        cohort=simulated_rows(folder, run),
        study=STUDY if "training" in info.model.record else "",
        readers=readers_page(folder),
        failures=appendix.failure_tables(run.records, folder.failures()),
        glossary=appendix.glossary(info),
        methods=appendix.methods(info),
        provenance=appendix.provenance(info),
    )


def _left_out(reasons: Mapping[str, str]) -> list[str]:
    """Metrics that do not count, those of one reason together."""
    names: dict[str, list[str]] = {}
    for metric, reason in reasons.items():
        names.setdefault(reason, []).append(metric)
    return [f"{', '.join(metrics)} ({reason})" for reason, metrics in names.items()]


def confusion(performance: Performance | None) -> Table | None:
    """Patients by true and predicted class; None where no patient has exactly one label."""
    if performance is None:
        return None
    counts = performance.confusion()
    rows = [[f"is {name}", *map(str, row)] for name, row in zip(counts.index, counts.to_numpy(), strict=True)]
    return Table(
        "Confusion matrix (patients)", ["label", *(f"called {name}" for name in counts.columns)], rows
    )


def agreement(run: Results) -> Table | None:
    """Rank correlations between the facts that count; None where there are fewer than two."""
    facts = list(run.board.facts)
    if len(facts) < 2 or not run.fact_agreements:
        return None
    shown = {
        pair: figure(found.correlation.value, found.correlation.low, found.correlation.high, against=0.0)
        for found in run.fact_agreements
        if found.correlation.n  # otherwise one of the two ties all explainers in every patient
        for pair in ((found.first, found.second), (found.second, found.first))
    }
    rows = [[fact, *(shown.get((fact, other), ABSENT) for other in facts)] for fact in facts]
    caption = (
        "Kendall's tau over the explainers, mean over patients with its 95 % interval: 1 = two metrics put the "
        "explainers in the same order, 0 = in unrelated ones, -1 = in opposite ones"
    )
    return Table(caption, ["fact", *facts], rows)


def criteria(run: Results) -> Table:
    """The shipped thresholds, for each explainer and scenario."""
    judged = judge(run.info, run.scores, read_criteria())
    uses = "; ".join(f"{name}: {scenario.purpose}" for name, scenario in judged.scenarios.items())
    return Table(
        f"Pass, fail, or cannot be said because the 95 % interval crosses the threshold ({uses})",
        HEADER,
        judged.rows(),
    )
