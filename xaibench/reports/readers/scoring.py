"""Scores the ratings of reader studies, and writes what follows beside the report of the run."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from xaibench.harness.store.folder import RunFolder
from xaibench.reports.readers.against_metrics import metric_agreement
from xaibench.reports.readers.answers import Study, answers, check_run, drawings, first_time
from xaibench.reports.readers.maps import finite_map
from xaibench.reports.readers.overlaps import overlaps
from xaibench.reports.readers.rated import method_ratings, reader_agreement, repeated
from xaibench.reports.readers.reading import read_key, read_ratings
from xaibench.reports.readers.results import ReaderResults
from xaibench.reports.readers.writing import write
from xaibench.reports.scoring.results import read


def score_studies(folder: RunFolder, studies: Sequence[Path]) -> Path:
    """Score the ratings in the folders of studies of one run; returns the path of readers.html in the run folder.

    Beside it stand readers.json, readers.md and a CSV file for each table. Raises XaibenchError for a file that does
    not fit.
    """
    return write(folder, found(folder, [_study(path, alone=len(studies) == 1) for path in studies]))


def _study(path: Path, alone: bool) -> Study:
    key = read_key(path)
    return Study("" if alone else path.resolve().name, key, read_ratings(path, key))


def found(folder: RunFolder, studies: Sequence[Study]) -> ReaderResults:
    """All results of the studies."""
    run = read(folder)
    for study in studies:
        check_run(study.key, run.info)
    table = answers(studies, {case.id: case.patient for case in run.info.cohort.cases})
    methods = sorted(table["method"].unique(), key=lambda name: (run.info.methods[name].is_control, name))
    drawn = drawings(studies)
    return ReaderResults(
        readers=tuple(sorted(table["reader"].unique())),
        maps=len(first_time(table).groupby(["case", "method"])),
        patients=table["patient"].nunique(),
        nothing_marked=sum(not one.drawn.outlines for one in drawn),
        ratings=method_ratings(table, methods),
        agreement=reader_agreement(table),
        repeats=repeated(table),
        metrics=metric_agreement(run, table),
        overlaps=overlaps(drawn, run.cases, methods, partial(finite_map, folder)),
    )
