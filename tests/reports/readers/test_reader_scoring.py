"""Readers whose answers are known, scored end to end."""

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from typer.testing import CliRunner

from tests.reports.made_up import NASTY, Plan, make_run
from tests.reports.readers.conftest import CORNER, RUN, answered, by_method, copy_of, same, shown_methods
from xaibench.api import XaibenchError
from xaibench.cli.app import app
from xaibench.harness.store.folder import RunFolder
from xaibench.reports import write_reports
from xaibench.reports.readers import agreement, making, reading
from xaibench.reports.readers.answers import Study
from xaibench.reports.readers.formats import Key, Ratings, Shown
from xaibench.reports.readers.results import ReaderResults
from xaibench.reports.readers.scoring import found, score_studies
from xaibench.reports.readers.writing import readers_page


def scored(run: RunFolder, key: Key, *ratings: Ratings) -> ReaderResults:
    return found(run, [Study("", key, ratings)])


@pytest.fixture(scope="module", autouse=True)
def few_draws() -> Iterator[None]:
    """Intervals of agreement are tested elsewhere; here their draws would take the most time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(agreement, "DRAWS", 10)
        yield


@pytest.fixture(scope="module")
def known(run: RunFolder, key: Key) -> ReaderResults:
    """Two readers who rate the mask 5, random 1 and the rest 3."""
    return scored(run, key, answered(key, "reader-1"), answered(key, "reader-2"))


def test_mean_ratings_are_what_was_answered(known: ReaderResults) -> None:
    means = {(row.method, row.question): row.rating for row in known.ratings}
    assert {method for method, _ in means} == shown_methods()
    for (method, question), rating in means.items():
        assert rating.value == by_method(Shown(item="0" * 8, case="", method=method))[question]
        # Answers that are all alike still leave room within 1 to 5.
        assert 1 <= rating.low <= rating.value <= rating.high <= 5
        assert rating.low < rating.high
    assert means["mask", "useful"].patients == 5  # one of six has no annotation
    assert means["broken", "useful"].patients == 3
    assert known.readers == ("reader-1", "reader-2")


def test_controls_stand_last(known: ReaderResults) -> None:
    assert [row.method for row in known.ratings][-6:] == ["mask"] * 3 + ["random"] * 3


def test_readers_who_answer_alike_agree(known: ReaderResults) -> None:
    assert {row.coefficient for row in known.agreement} == {
        "Krippendorff's alpha (ordinal)",
        "ICC(2,1)",
        "quadratic weighted kappa",
    }
    assert all(row.value == pytest.approx(1) for row in known.agreement)
    assert all(row.same == 1 and row.low < 1 for row in known.repeats)


def test_one_reader_agrees_with_nobody_else(run: RunFolder, key: Key) -> None:
    alone = scored(run, key, answered(key, "reader-1"))
    assert alone.agreement == ()
    assert "other readers" not in {row.what for row in alone.overlaps}


def test_patients_count_once_however_many_readers_rate_them(run: RunFolder, key: Key) -> None:
    patients = {case.id: case.patient for case in run.info().cohort.cases}

    def low(shown: Shown) -> Mapping[str, int]:
        return same(1 if patients[shown.case] == "P000" else 2)

    def high(shown: Shown) -> Mapping[str, int]:
        return same(3 if patients[shown.case] == "P000" else 4)

    result = scored(run, key, answered(key, "reader-1", low), answered(key, "reader-2", high))
    rating = next(row.rating for row in result.ratings if row.method == "lime" and row.question == "useful")
    assert rating.value == pytest.approx((2 + 5 * 3) / 6)
    assert rating.patients == 6


def test_repeats_count_for_the_reader_alone(run: RunFolder, key: Key) -> None:
    def forgetful(shown: Shown) -> Mapping[str, int]:
        return same(4 if shown.repeats is None else 1)

    result = scored(run, key, answered(key, "reader-1", forgetful))
    assert all(row.rating.value == 4 for row in result.ratings)
    assert [row.maps for row in result.repeats] == [
        sum(s.repeats is not None for s in key.readers["reader-1"].shown)
    ] * 3
    assert all(row.same == 0 and row.kappa == pytest.approx(0) for row in result.repeats)


def test_metrics_agree_with_readers_who_rate_by_them(run: RunFolder, key: Key) -> None:
    """A reader who answers by the rank of morf-lerf within the case agrees with it, and the slow way says how far."""
    values = {
        (r.case, r.method): r.value for r in run.records() if r.metric == "morf-lerf" and r.value is not None
    }

    def by_metric(shown: Shown) -> Mapping[str, int]:
        above = sum(
            v <= values[shown.case, shown.method] for (case, _), v in values.items() if case == shown.case
        )
        return {"on-finding": min(5, above), "useful": 6 - min(5, above), "misleading": 6 - min(5, above)}

    result = scored(run, key, answered(key, "reader-1", by_metric))
    row = {(r.metric, r.question): r for r in result.metrics}
    expected = []
    for case in key.cases:
        shown = [s for s in key.readers["reader-1"].shown if s.case == case and s.repeats is None]
        pairs = [(values[case, s.method], by_metric(s)["on-finding"]) for s in shown]
        expected.append(np.corrcoef(*(stats.rankdata(column) for column in zip(*pairs, strict=True)))[0, 1])
    assert row["morf-lerf", "on-finding"].correlation.value == pytest.approx(np.mean(expected))
    # Misleading is turned round: a low rating is good. Useful was answered the wrong way round.
    assert row["morf-lerf", "misleading"].correlation.value == pytest.approx(np.mean(expected))
    assert row["morf-lerf", "useful"].correlation.value == pytest.approx(-np.mean(expected))
    assert {metric for metric, _ in row} == {
        "morf-lerf",
        "enrichment",
    }  # neither cost nor figures of several cases
    assert all(r.corrected_p >= r.p for r in result.metrics)


def test_readers_who_answer_the_same_to_all_say_nothing_of_metrics(run: RunFolder, key: Key) -> None:
    result = scored(run, key, answered(key, "reader-1", lambda shown: same(3)))
    assert result.metrics == ()


def test_drawings_overlap_as_the_slow_way_says(known: ReaderResults, run: RunFolder) -> None:
    cases = run.cases()
    drawn = np.zeros((RUN.size, RUN.size), bool)
    (left, top), _, (right, bottom), _ = (tuple(map(int, corner)) for corner in CORNER)
    drawn[top:bottom, left:right] = True
    overlap = {row.what: row.overlap for row in known.overlaps}
    annotated = [case.region for case in cases.values() if case.region is not None]
    dices = [2 * (drawn & region).sum() / (drawn.sum() + region.sum()) for region in annotated]
    assert overlap["the annotation"].value == pytest.approx(np.mean(dices))
    assert overlap["the annotation"].patients == 5
    assert overlap["other readers"].value == 1
    assert overlap["a map without knowledge"].value == pytest.approx(drawn.mean())
    maps = [np.maximum(run.explanation("lime", case).heatmap, 0) for case in cases]
    assert overlap["lime"].value == pytest.approx(np.mean([m[drawn].sum() / m.sum() for m in maps]), rel=1e-5)


def test_nothing_marked_is_counted_and_judges_no_map(run: RunFolder, key: Key) -> None:
    ratings = answered(key, "reader-1")
    empty = ratings.model_copy(
        update={"drawn": tuple(d.model_copy(update={"outlines": ()}) for d in ratings.drawn)}
    )
    result = scored(run, key, empty)
    assert result.nothing_marked == 6
    assert {row.what for row in result.overlaps} == {"the annotation"}
    assert next(iter(result.overlaps)).overlap.value == 0


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"model": "other"}, "a run with another model"),
        (
            {"methods": {"lime": "other code"}},
            "shows method 'lime', which this run does not have or has changed since",
        ),
        ({"cases": {"P099-s01": "case"}}, "shows case 'P099-s01', which this run does not have"),
    ],
)
def test_a_study_of_another_run_is_refused(run: RunFolder, key: Key, change: dict, sentence: str) -> None:
    with pytest.raises(XaibenchError, match=sentence):
        scored(run, key.model_copy(update=change), answered(key, "reader-1"))


def test_the_command_line_makes_and_scores(run: RunFolder, tmp_path: Path) -> None:
    out, command = tmp_path / "study", CliRunner()
    made = command.invoke(app, ["readers", "make", str(run.path), "--out", str(out), "--readers", "2"])
    assert made.exit_code == 0, made.output
    assert "reader-2.html" in made.output.replace("\n", "")
    key = reading.read_key(out)
    for reader in key.readers:
        (out / f"{reader}.json").write_text(answered(key, reader).model_dump_json())
    result = command.invoke(app, ["readers", "score", str(out), "--run", str(run.path)])
    assert result.exit_code == 0, result.output
    assert "Krippendorff" in result.output
    page = (run.path / "readers.html").read_text()
    assert "&lt;b&gt;bold" in page
    assert NASTY not in page
    typed = ReaderResults.model_validate(json.loads((run.path / "readers.json").read_text()))
    rows = list(csv.DictReader((run.path / "readers-ratings.csv").read_text().splitlines()))
    assert [float(row["value"]) for row in rows] == [row.rating.value for row in typed.ratings]
    assert (run.path / "readers.md").read_text().startswith("# Readers on the maps of recurrence on phantom")


def test_the_report_links_the_readers_where_a_study_was_scored(tmp_path: Path) -> None:
    methods = {"lime": "perturbation", "mask": "control"}
    small = make_run(tmp_path, Plan(patients=2, methods=methods, metrics=("morf-lerf", "throughput")))
    assert readers_page(small) == ""
    small.write_text("readers.json", "{}")
    assert '<a href="readers.html">' in write_reports(small).read_text()
    small.close()


def test_a_study_of_one_reader_without_repeats_has_tables_without_rows(
    run: RunFolder, tmp_path: Path
) -> None:
    making.make_study(run, tmp_path, making.Plan(methods=("lime", "mask"), repeated=0.0))
    key = reading.read_key(tmp_path)
    (tmp_path / "r.json").write_text(answered(key, "reader-1").model_dump_json())
    score_studies(run, [tmp_path])
    assert (run.path / "readers-agreement.csv").read_text() == "question,coefficient,value,low,high\n"
    assert (run.path / "readers-repeats.csv").read_text() == "reader,question,maps,same,low,high,kappa\n"
    assert (run.path / "readers-metrics.csv").read_text().count(
        "\n"
    ) == 1  # two maps have no rank correlation
    rows = (run.path / "readers-ratings.csv").read_text().splitlines()
    assert rows[1].startswith("lime,on-finding,3,")


def test_readers_of_two_studies_are_told_apart(run: RunFolder, study: Path, key: Key, tmp_path: Path) -> None:
    first = copy_of(study, tmp_path / "first", answered(key, "reader-1"))
    making.make_study(run, tmp_path / "second", making.Plan(seed=5))
    other = reading.read_key(tmp_path / "second")
    (tmp_path / "second" / "r.json").write_text(answered(other, "reader-1").model_dump_json())
    score_studies(run, [first, tmp_path / "second"])
    text = json.loads((run.path / "readers.json").read_text())
    assert text["readers"] == ["first reader-1", "second reader-1"]
    assert all(row["value"] == pytest.approx(1) for row in text["agreement"])
