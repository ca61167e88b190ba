"""Writes all reports of a run folder."""

from pathlib import Path

from xaibench.harness.store.folder import RunFolder
from xaibench.reports.pages.page import page
from xaibench.reports.pages.study import study_page
from xaibench.reports.pages.tables import leaderboard_csv, leaderboard_markdown, scores_csv
from xaibench.reports.pages.training import STUDY, training_of
from xaibench.reports.scoring.results import read
from xaibench.reports.verdicts.all import sentences, verdicts


def write(folder: RunFolder) -> Path:
    """Write the files, study.html only for a cross-validated model; returns the path of report.html."""
    results = read(folder)
    info, scores, board = results.info, results.scores, results.board
    found = verdicts(results)
    folder.write_text("scores.csv", scores_csv(scores))
    folder.write_text("leaderboard.csv", leaderboard_csv(info, scores, board))
    folder.write_text("leaderboard.md", leaderboard_markdown(info, scores, board, sentences(found)))
    training = training_of(info)
    if training is not None:
        folder.write_text(STUDY, study_page(folder, results, training))
    return folder.write_text("report.html", page(folder, results, found))
