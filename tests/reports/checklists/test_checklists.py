"""Checklists and the methods paragraph: what the run knows stands there, the rest is left open."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.reports.made_up import NASTY, Plan, make_run
from xaibench.api import HeldOut, XaibenchError
from xaibench.cli.app import app
from xaibench.harness.store.folder import RunFolder
from xaibench.reports.checklists import claim, clix
from xaibench.reports.checklists.items import checklist
from xaibench.reports.checklists.paragraph import methods_paragraph, sources
from xaibench.reports.checklists.writing import OPEN, filled, write_checklists
from xaibench.reports.readers.results import Figure, MethodRating, ReaderResults
from xaibench.reports.scoring.results import Results, read

METRICS = ("morf-lerf", "enrichment", "sensitivity-norm", "latency", "throughput")
METHODS = {
    "lime": "perturbation",
    "grad-cam": "cam",
    NASTY: "cam",
    "broken": "cam",
    "mask": "control",
    "random": "control",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunFolder]:
    """Five patients; the model gets the first wrong, one has no annotation."""
    folder = make_run(
        tmp_path_factory.mktemp("checklists") / "run",
        Plan(patients=5, wrong=1, methods=METHODS, metrics=METRICS),
    )
    yield folder
    folder.close()


@pytest.fixture(scope="module")
def results(run: RunFolder) -> Results:
    return read(run)


@pytest.fixture(scope="module")
def written(run: RunFolder) -> dict[str, str]:
    """Text of each file by its name."""
    return {path.name: path.read_text() for path in write_checklists(run)}


def cells(text: str) -> dict[int, str]:
    """Last cell of each row by number."""
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {int(row[0]): row[-1] for row in rows if row[0].isdigit()}


@pytest.mark.parametrize(("name", "count"), [("claim-2024", 44), ("clix-m", 14)])
def test_every_item_is_there_once_and_in_order(name: str, count: int) -> None:
    asked = checklist(name)
    assert [item.number for item in asked.items] == list(range(1, count + 1))
    assert len({item.subject for item in asked.items}) == count
    assert "doi:10." in asked.source


@pytest.mark.parametrize(("name", "answers"), [("claim-2024", claim.ANSWERS), ("clix-m", clix.ANSWERS)])
def test_answers_are_for_items_that_exist(name: str, answers: dict) -> None:
    assert set(answers) <= {item.number for item in checklist(name).items}


def test_what_the_run_cannot_know_is_left_open() -> None:
    found = cells(filled(checklist("claim-2024"), {6: "Known."}))
    assert found[6] == f"Known. {OPEN}: the clinical question behind it."
    assert all(cell == f"{OPEN}." for number, cell in found.items() if number != 6)


def test_claim_says_what_the_run_knows(written: dict[str, str]) -> None:
    found = cells(written["checklist-claim-2024.md"])
    assert "5 patients (4 non-recurrent and 1 recurrent; 5 images) of the cohort phantom" in found[21]
    assert "4 of 5 images have an annotated tumour" in found[14]
    assert "Accuracy over patients: 4 of 5, 0.8 [0.284, 0.995]" in found[37]
    assert "non-recurrent: 3 of 4, 0.75 [0.194, 0.994]; recurrent: 1 of 1" in found[37]
    assert "1 patient with a misclassified image: P000" in found[39]
    assert "tensorflow 2.21.0" in found[23]
    assert "robustness: sensitivity-norm" in found[30]
    assert "controls: mask and random" in found[31]
    assert "none who is explained was in the training" in found[20]
    for number in (1, 2, 3, 4, 5, 13, 15, 16, 18, 24, 25, 26, 27, 33, 34, 40, 41, 44):
        assert found[number] == f"{OPEN}."


def test_failed_cells_are_counted(results: Results) -> None:
    failed = sum(record.status.value == "failed" for record in results.records)
    assert failed > 0
    assert f"Of {len(results.records)} cells, {failed} failed and" in claim.ANSWERS[12](results)


@pytest.mark.parametrize("held_out", [HeldOut.NO, HeldOut.UNKNOWN])
def test_partitions_are_open_where_the_run_does_not_know_them(results: Results, held_out: HeldOut) -> None:
    model = results.info.model.model_copy(update={"held_out": held_out})
    other = Results(results.info.model_copy(update={"model": model}), [], {})
    assert claim.ANSWERS[20](other) == ""
    assert held_out.value in claim.ANSWERS[19](other)


def test_names_stay_within_their_cells(written: dict[str, str]) -> None:
    for text in written.values():
        assert "<b>" not in text.replace("\\|", "")
        widths = {
            len(line.replace("\\|", "").split("|")) for line in text.splitlines() if line.startswith("| ")
        }
        assert len(widths) == 1


def test_clix_takes_what_readers_answered(results: Results) -> None:
    figures = {"lime": 2.5, "grad-cam": 4.0, "mask": 5.0}
    readers = ReaderResults(
        readers=("reader-1", "reader-2"),
        maps=6,
        patients=2,
        nothing_marked=0,
        ratings=tuple(
            MethodRating(
                method=name, question="on-finding", rating=Figure(value=v, low=1, high=5, patients=2)
            )
            for name, v in figures.items()
        ),
        **dict.fromkeys(("agreement", "repeats", "metrics", "overlaps"), ()),
    )
    # The mask is a control, and says nothing of the explainers.
    assert "2 readers, mean ratings 2.5 (lime) to 4 (grad-cam)" in clix.ANSWERS[2](results, readers)
    assert clix.ANSWERS[3](results, readers) == ""
    assert clix.ANSWERS[2](results, None) == ""


def test_clix_gives_the_range_of_the_explainers(results: Results) -> None:
    values = [results.scores[name, "morf-lerf"].value for name in results.info.competitors()]
    known = [value for value in values if value is not None]
    text = clix.ANSWERS[5](results, None)
    assert f"morf-lerf {min(known):.3g} to {max(known):.3g}" in text
    assert "latency" not in text


def test_the_paragraph_states_what_a_reader_needs_to_repeat_the_study(run: RunFolder) -> None:
    info = run.info()
    text = methods_paragraph(info)
    assert "\n" not in text
    for part in (
        *(
            "classifier recurrence",
            "5 patients",
            "the predicted class",
            "4 explainers",
            "Controls were mask and random",
        ),
        *("5 metrics", "preset 'smoke'", "seed 0", "xaibench 0.1.0", "tensorflow 2.21.0", "Python 3.11.9"),
        *(info.model.key, info.cohort.key, "bootstrap-t", "Holm"),
    ):
        assert part in text
    assert ["explainer", "lime", "samples = 200", "Made up 2024"] in sources(info)
    assert len(sources(info)) == len(info.methods) + len(info.metrics)


def test_the_command_writes_three_files(run: RunFolder, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["checklist", str(run.path)])
    assert result.exit_code == 0, result.output
    told = result.output.replace("\n", "")
    for name in ("checklist-claim-2024.md", "checklist-clix-m.md", "methods-paragraph.md"):
        assert name in told
        assert (run.path / name).is_file()
    assert isinstance(CliRunner().invoke(app, ["checklist", str(tmp_path)]).exception, XaibenchError)


def test_a_damaged_reader_study_is_said(run: RunFolder) -> None:
    file = run.path / "readers.json"
    file.write_text(json.dumps({"readers": 3}))
    try:
        with pytest.raises(XaibenchError, match=r"readers\.json is damaged"):
            write_checklists(run)
    finally:
        file.unlink()
