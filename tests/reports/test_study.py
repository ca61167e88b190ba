"""The study page: the paper's results in order, in words that fit the numbers, whole without this or that."""

import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.models.made_up import made_samples, tiny_backbone
from tests.reports.made_up import METHODS, NASTY, Plan, keep, make_run
from tests.reports.made_up_study import figures, make_study, training_of_made_up
from tests.reports.test_report import Page
from xaibench.api import Silent, Status
from xaibench.harness.store.folder import RunFolder
from xaibench.models.transfer import Plan as TrainingPlan
from xaibench.models.transfer import train
from xaibench.reports import study_path, write_reports
from xaibench.reports.pages import training
from xaibench.reports.pages.training import Training
from xaibench.reports.scoring.results import Results, read
from xaibench.reports.verdicts.study import accuracy, cautions, other_seeds, shuffle_test

SECTIONS = [
    *("findings", "accuracy", "shuffle-test", "curves", "feature-maps", "cohort-explanations", "explainers"),
    "provenance",
]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunFolder]:
    folder = make_study(tmp_path_factory.mktemp("study") / "run")
    write_reports(folder)
    yield folder
    folder.close()


@pytest.fixture(scope="module")
def text(study: RunFolder) -> str:
    return (study.path / "study.html").read_text()


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def words(page: Page) -> str:
    return " ".join(" ".join(page.text).split())


def made_up(**metrics: Any) -> Training:
    found = deepcopy(training_of_made_up())
    patient = found["metrics"]["pooled"]["patient"]
    patient["accuracy"] |= metrics.pop("accuracy", {})
    found["metrics"] |= metrics
    return Training(("fine", "ill"), found["settings"], found["metrics"], found["curves"])


def test_sections_follow_the_paper(page: Page) -> None:
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert [name for name in ids if name in SECTIONS] == SECTIONS
    links = {attrs["href"] for tag, attrs in page.tags if tag == "a"}
    assert links <= {f"#{name}" for name in ids} | {"report.html"}
    assert page.open == []


def test_the_two_pages_lead_to_each_other(study: RunFolder, text: str) -> None:
    assert 'href="study.html"' in (study.path / "report.html").read_text()
    assert 'href="report.html"' in text
    assert study_path(study) == study.path / "study.html"


def test_nothing_is_loaded_from_elsewhere(page: Page, text: str) -> None:
    assert "<script" not in text
    sources = [attrs["src"] or "" for _, attrs in page.tags if "src" in attrs]
    assert sources
    assert all(source.startswith("data:") for source in sources)
    assert all(found.startswith("data:") for found in re.findall(r"url\(([^)]*)\)", text))


def test_pictures_have_words_and_tables_have_captions(page: Page) -> None:
    images = [attrs for tag, attrs in page.tags if tag == "img"]
    assert all(attrs.get("alt") for attrs in images)
    tables = sum(tag == "table" for tag, _ in page.tags)
    assert tables == sum(tag == "caption" for tag, _ in page.tags)


def test_plots_of_validation_say_what_they_show(page: Page) -> None:
    alts = [attrs.get("alt") or "" for tag, attrs in page.tags if tag == "img"]
    assert sum(alt.startswith("Histogram of the ") for alt in alts) == 3
    assert (
        "Histogram of the accuracy with shuffled labels: mean 0.5, highest 0.75; with the true labels 0.833."
        in alts
    )
    assert "Cross-entropy of the held-out patients by step, 2 folds: at the end 0.4 to 0.5." in alts
    assert any(
        alt.startswith("Observed share by predicted probability of patients: 0 observed") for alt in alts
    )


def test_three_patients_a_class_are_shown_with_their_maps(page: Page) -> None:
    alts = [attrs.get("alt") or "" for tag, attrs in page.tags if tag == "img"]
    slices = [alt for alt in alts if alt.startswith("Slice of")]
    assert len(slices) == 6
    assert sum("P003" in alt or "P007" in alt or "P011" in alt for alt in slices) == 3
    assert alts.count("The same map laid over the slice.") == 6


def test_simulated_images_stand_with_all_that_was_measured(page: Page) -> None:
    found = words(page)
    assert "the model gives it 0.9 [0.8, 0.95] probability of recurrent: recognised" in found
    assert "shuffled labels: 0.4 [0.1, 0.7], 20 % of them recognised; p = 0.02, not corrected" in found
    assert "random feature maps: 0.6 [0.5, 0.65]" in found
    assert "40 % of the stacked map lies in the composed tumour, which is 10 % of the image: 4 times" in found
    assert "the image stays alike to 0.7 [0.6, 0.8]" in found
    assert found.count("composed tumour outlined") == 4


def test_the_source_map_names_who_gave_the_pixels(page: Page) -> None:
    alts = [attrs.get("alt") or "" for tag, attrs in page.tags if tag == "img"]
    # 24 rows: 2 of nobody, 22 in turn of three patients.
    expected = "P003 33 %, P007 29 %, P011 29 %, nobody 8.3 %"
    assert (
        f"Image of recurrent simulated by stacked-feature-maps: the patient who gave each pixel: {expected}."
        in alts
    )


def test_names_are_escaped(text: str) -> None:
    assert NASTY not in text
    assert "&lt;b&gt;bold&lt;/b&gt;" in text


def test_the_page_does_not_say_where_it_was_made(study: RunFolder, text: str) -> None:
    assert str(study.path) not in text
    assert str(Path.home()) not in text


def test_no_number_is_nan(page: Page) -> None:
    assert not re.search(r"\b(nan|NaN|inf|None)\b", words(page).replace("NaN or infinite values", ""))


@pytest.mark.nightly
def test_the_same_folder_gives_the_same_bytes(study: RunFolder, text: str) -> None:
    write_reports(study)
    assert (study.path / "study.html").read_text() == text


def test_a_run_without_training_has_no_study(folder: RunFolder, report: str) -> None:
    assert study_path(folder) is None
    assert "study.html" not in report


def test_a_study_without_shuffles_generator_or_figures_has_a_page(tmp_path: Path) -> None:
    others = {name: family for name, family in METHODS.items() if family != "generator"}
    record = {"training": training_of_made_up(permutations=0, fine_tune=1)}
    folder = make_run(tmp_path / "run", Plan(patients=4, regions=False, methods=others), record=record)
    write_reports(folder)
    found = words(Page((folder.path / "study.html").read_text()))
    folder.close()
    assert "No shuffle test was run, so it is not known what accuracy chance gives" in found
    assert "stacked-feature-maps was not among the methods" in found
    assert "No simulated image has been made." in found


def test_a_class_whose_images_were_not_measured_says_why(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", Plan(patients=4))
    blank = figures("stacked-feature-maps", "recurrent")[0]
    keep(folder, [replace(blank, status=Status.FAILED, value=None, reason="took too long", details={})])
    report = words(Page(write_reports(folder).read_text()))
    folder.close()
    assert "class-consistency was not measured: took too long" in report


@pytest.mark.nightly
def test_a_trained_folder_as_it_is_makes_a_page(tmp_path: Path) -> None:
    plan = TrainingPlan(folds=2, permutations=3, weights="none")
    model = train(made_samples(6, 4, 2), tiny_backbone(), plan, tmp_path / "model", Silent())
    folder = make_run(tmp_path / "run", Plan(patients=10), record={"training": model.record()})
    write_reports(folder)
    found = words(Page((folder.path / "study.html").read_text()))
    folder.close()
    assert "10 of 10 patients are classified rightly by a model that never saw them" in found
    assert "10 (6 non-recurrent, 4 recurrent)" in found


# ------------------------------------------------------------------ sentences and tables


def test_accuracy_stands_beside_the_papers_and_the_larger_class() -> None:
    found = accuracy(made_up())
    assert found.text == (
        "10 of 12 patients are classified rightly by a model that never saw them: accuracy 83 % "
        "(95 % interval 55 % to 95 %). The paper's 93 % lies within this interval."
    )
    assert found.particulars[0] == "always naming the larger class: 75 %"
    assert "Wilson" in found.test
    assert not found.warns


@pytest.mark.parametrize(
    ("low", "high", "where"), [(0.5, 0.9, "above"), (0.9, 0.97, "within"), (0.95, 1.0, "below")]
)
def test_where_the_papers_accuracy_lies(low: float, high: float, where: str) -> None:
    found = accuracy(made_up(accuracy={"low": low, "high": high}))
    assert found.text.endswith(f"The paper's 93 % lies {where} this interval.")


def test_an_accuracy_no_better_than_the_larger_class_is_a_warning() -> None:
    assert accuracy(made_up(accuracy={"value": 0.75})).warns


@pytest.mark.parametrize(
    ("null", "p", "counted", "warns"),
    [
        ([0.5, 0.6], 0.01, "0 of 2 cross-validations are as accurate", False),
        ([0.5, 10 / 12], 0.04, "1 of 2 cross-validations is as accurate", False),
        ([0.9, 10 / 12], 0.5, "2 of 2 cross-validations are as accurate", True),
    ],
)
def test_the_shuffle_test_is_said(null: list[float], p: float, counted: str, warns: bool) -> None:
    test = {
        "observed": 10 / 12,
        "p": p,
        "null": null,
        "null_mean": 0.6,
        "null_sd": 0.1,
        "null_max": max(null),
    }
    found = shuffle_test(made_up(shuffle_test={"permutations": 2, "headline": "accuracy", "accuracy": test}))
    assert counted in found.text
    assert found.test.endswith(f"p = {p}")
    assert found.warns == warns
    assert ("It is not shown that the model has learned anything" in found.text) == warns


def test_trap_40_the_spread_over_training_seeds_stands_beside_the_single_run() -> None:
    seeds = [{"seed": n, "figures": {"accuracy": value}} for n, value in enumerate((0.7, 0.9, 0.8))]
    found = replace(made_up(), seeds=seeds)
    (said,) = other_seeds(found)
    assert said.text == "Over 3 trainings with other seeds, accuracy lies between 70 % and 90 %, median 80 %."
    table = training.seeds_table(found)
    assert table is not None
    assert table.rows == [["accuracy", "0.8", "0.7", "0.9"]]
    assert training.seeds_table(made_up()) is None
    assert other_seeds(made_up()) == []


def cautioned(study: RunFolder, facts: dict[str, str], patients: int) -> list[str]:
    run = read(study)
    cohort = run.info.cohort.model_copy(update={"cases": run.info.cohort.cases[:patients]})
    model = run.info.model.model_copy(update={"facts": facts})
    info = run.info.model_copy(update={"model": model, "cohort": cohort})
    return [v.text for v in cautions(Results(info, run.records, run.cases), made_up())]


def test_small_classes_are_a_caution(study: RunFolder) -> None:
    assert cautioned(study, {}, 12) == [
        "Only 3 of 12 patients are ill: what is said of them rests on very few."
    ]


def test_another_cohort_and_the_makers_caution_are_said(study: RunFolder) -> None:
    found = cautioned(study, {"caution": "Kinder than\nreal MRI."}, 5)
    assert found[1:] == [
        "The models were trained on 12 patients, and 5 patients are explained: the explanations are not of the same "
        "cohort.",
        "Kinder than real MRI.",
    ]


def test_tables_hold_the_counts() -> None:
    found = made_up()
    patients, slices = training.confusion_tables(found)
    assert [row[1:] for row in patients.rows] == [["8", "1"], ["1", "2"]]
    assert [row[1:] for row in slices.rows] == [["16", "2"], ["2", "4"]]
    assert training.accuracy_table(found).rows[0][:2] == ["accuracy", "0.833 [0.552, 0.953]"]
    folds = training.fold_table(found)
    assert [row[:3] for row in folds.rows] == [["fold 0", "6", "1"], ["fold 1", "6", "2"]]
    assert folds.rows[0][3] == "0.833"


def test_the_shuffle_table_holds_the_null() -> None:
    assert training.shuffle_table(made_up()).rows[0] == ["accuracy", "0.833", "0.2", "0.5", "0.177", "0.75"]


def test_undefined_measures_are_a_dash() -> None:
    undefined = {"value": None, "low": None, "high": None}
    assert training.shown(undefined) == "-"
