"""Writes all reports of a run folder."""

from collections.abc import Sequence
from pathlib import Path

from xaibench.harness.store.folder import RunFolder
from xaibench.reports.in_words.cases import in_words, words_frame
from xaibench.reports.pages.beside import moved, placed
from xaibench.reports.pages.frames import csv_text, leaderboard_frame, patients_frame, scores_frame
from xaibench.reports.pages.markdown import leaderboard_markdown
from xaibench.reports.pages.page import page
from xaibench.reports.pages.study import study_page
from xaibench.reports.pages.training import STUDY, training_of
from xaibench.reports.pages.viewer import case_pictures
from xaibench.reports.scoring.results import Results, read
from xaibench.reports.verdicts.all import questions
from xaibench.reports.verdicts.verdict import Question


def write(folder: RunFolder, single_file: bool = False) -> Path:
    """Write the files, study.html only for a cross-validated model; returns the path of report.html.

    Raises XaibenchError where a single file is asked for and would be too large.
    """
    run = read(folder)
    asked, told = questions(run), in_words(folder, run)
    folder.write_text("words.csv", csv_text(words_frame(told)))
    for name, text in tables(run, asked).items():
        folder.write_text(name, text)
    training = training_of(run.info)
    if training is not None:
        folder.write_text(STUDY, study_page(folder, run, training))
    pictures = placed(folder.path, case_pictures(folder, run, told), single_file)
    text = page(folder, run, asked, told, pictures or [])
    return folder.write_text("report.html", text if pictures is not None else moved(folder.path, text))


def tables(run: Results, asked: Sequence[Question]) -> dict[str, str]:
    """Text of each table of scores, by the name of its file."""
    return {
        "scores.csv": csv_text(scores_frame(run.by_group)),
        "patients.csv": csv_text(patients_frame(run.cells)),
        "leaderboard.csv": csv_text(leaderboard_frame(run.info, run.scores, run.board)),
        "leaderboard.md": leaderboard_markdown(run, asked),
    }
