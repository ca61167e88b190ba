"""Records to tables, figures and one HTML page; everything is rebuilt from the run folder alone.

The entries import their parts when called: plotting libraries would slow `xaibench --help`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xaibench.harness.store.folder import RunFolder

if TYPE_CHECKING:
    from xaibench.reports.scoring.leaderboard import Leaderboard
    from xaibench.reports.verdicts.criteria import Judged


def write_reports(folder: RunFolder, single_file: bool = False) -> Path:
    """Write the tables (CSV, leaderboard.md) and report.html; returns the path of report.html.

    Where the pictures of the cases are large they stand in `report/` beside report.html, unless a single file is asked
    for. A run with a cross-validated model gets study.html too (see `study_path`), linked with report.html.
    The same records give the same bytes, in whatever order they were made. Raises XaibenchError where the
    folder holds no run or a damaged one, or a single file would be too large.
    """
    from xaibench.reports.pages.writer import write

    return write(folder, single_file)


def training_page(class_names: Sequence[str], record: Mapping[str, Any]) -> str:
    """Page on the validation of a model, from what `run.json` keeps of its training; one HTML file, opens offline."""
    from xaibench.reports.pages import validation
    from xaibench.reports.pages.training import Training

    return validation.training_page(Training((class_names[0], class_names[1]), **record))


def study_path(folder: RunFolder) -> Path | None:
    """Path of study.html, or None where the run has none."""
    path = folder.path / "study.html"
    return path if path.is_file() else None


def leaderboard_table(folder: RunFolder) -> "Leaderboard":
    """Who stands where, for printing: `.header()` and `.rows()` are text, `.lines` the plain data."""
    from xaibench.reports.scoring.results import read

    return read(folder).board


def judge_run(folder: RunFolder, criteria: Path | None = None) -> "Judged":
    """Measure a run against thresholds: a YAML file, by default the shipped criteria.yaml.

    `.rows(scenario)` under `HEADER` are text, `.passes(scenario)` tells whether a scenario is met, `.passing(scenario)`
    which explainers meet it. Raises XaibenchError for a file that does not fit, and `passes` for an unknown scenario.
    """
    from xaibench.reports.scoring.results import read
    from xaibench.reports.verdicts.criteria import judge, read_criteria

    scenarios = read_criteria(criteria)
    run = read(folder)
    return judge(run.info, run.scores, scenarios)
