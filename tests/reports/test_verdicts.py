"""Sentences are true for the run at hand, whatever it lacks."""

from pathlib import Path

import numpy as np
import pytest

from tests.reports.made_up import Plan, info_of, make_run
from tests.reports.test_scores import records_of
from xaibench.api import Case, Record, Status
from xaibench.reports.scoring.leaderboard import leaderboard_of
from xaibench.reports.scoring.results import Results, read, scores_by_class
from xaibench.reports.scoring.scores import scores_of
from xaibench.reports.verdicts.all import sentences, verdicts
from xaibench.reports.verdicts.verdict import Verdict


def verdicts_of(values: dict[str, dict[str, list[float | None]]], patients: int = 12) -> list[Verdict]:
    metrics = sorted({metric for row in values.values() for metric in row})
    methods = {name: "control" if name in ("mask", "random", "edges") else "cam" for name in values}
    info = info_of(methods, metrics, patients)
    records = [
        r for name, row in values.items() for m, column in row.items() for r in records_of(m, column, name)
    ]
    scores = scores_of(info, records)
    return verdicts(Results(info, scores, leaderboard_of(info, scores)))


def text_of(found: list[Verdict]) -> str:
    return "\n".join(sentences(found))


def around(middle: float, patients: int = 12) -> list[float | None]:
    """Values about a middle, symmetric."""
    return [middle * (1 + 0.1 * (-1) ** i) for i in range(patients)]


def test_evidence_outside_the_tumour_is_said() -> None:
    found = verdicts_of({name: {"enrichment": around(0.3)} for name in "abc"})
    assert "Over all 12 patients, the evidence lies outside the tumour: for 3 of 3 explainers" in text_of(
        found
    )
    assert "Median enrichment of the explainers: 0.3 times what chance gives." in text_of(found)
    assert "3 less than chance (interval below 1)" in text_of(found)


def test_evidence_in_the_tumour_is_said() -> None:
    found = verdicts_of({name: {"enrichment": around(4)} for name in "abc"})
    assert "the tumour draws more relevance than chance would give it: for 3 of 3" in text_of(found)
    assert "outside" not in text_of(found)


def test_the_most_faithful_explainers_decide_where_the_evidence_lies() -> None:
    values = {name: {"enrichment": around(0.2), "deletion-auc": around(0.1)} for name in "abc"}
    values |= {name: {"enrichment": around(5), "deletion-auc": around(0.9)} for name in "defghi"}
    assert (
        "the evidence lies outside the tumour: for 3 of 3 explainers (the most faithful: a, b and c)"
        in text_of(verdicts_of(values))
    )


def test_evidence_is_located_for_each_explained_class() -> None:
    # A confounder of one class only: over all patients its trace is lost.
    info = info_of({"a": "cam"}, ["enrichment"], 12)
    values: list[float | None] = [0.3 + 0.01 * i if i < 6 else 3.0 + 0.1 * i for i in range(12)]
    records = records_of("enrichment", values, "a")
    cases = {r.case: (case_of(r.case, r.patient), int(i < 6)) for i, r in enumerate(records)}
    scores = scores_of(info, records)
    by_class = scores_by_class(info, records, cases)
    text = text_of(verdicts(Results(info, scores, leaderboard_of(info, scores), records, cases, by_class)))
    assert "In the 6 patients for whom recurrent is explained, the evidence lies outside the tumour" in text
    assert "In the 6 patients for whom non-recurrent is explained, the tumour draws more relevance" in text
    assert "Over all 12 patients, the evidence lies outside" not in text


def test_what_holds_in_every_class_is_said_once() -> None:
    info = info_of({"a": "cam"}, ["enrichment"], 12)
    values: list[float | None] = [3.0 + 0.1 * i for i in range(12)]
    records = records_of("enrichment", values, "a")
    cases = {r.case: (case_of(r.case, r.patient), int(i < 5)) for i, r in enumerate(records)}
    scores = scores_of(info, records)
    by_class = scores_by_class(info, records, cases)
    found = verdicts(Results(info, scores, leaderboard_of(info, scores), records, cases, by_class))
    said = [v for v in found if "the tumour draws more relevance" in v.text]
    assert [v.text[:20] for v in said] == ["Over all 12 patients"]
    assert said[0].particulars == (
        "likewise where non-recurrent is explained: 7 patients",
        "likewise where recurrent is explained: 5 patients",
    )


def case_of(name: str, patient: str) -> Case:
    return Case(name, patient, np.zeros((2, 2, 1), np.float32), 0, None, (1.0, 1.0), 0)


def test_intervals_around_one_settle_nothing() -> None:
    found = verdicts_of({name: {"enrichment": around(1)} for name in "abc"})
    assert "it is not settled" in text_of(found)
    assert "3 not distinguishable from chance" in text_of(found)


def test_one_patient_settles_nothing() -> None:
    found = verdicts_of({"a": {"enrichment": [0.1]}, "random": {"enrichment": [1.0]}}, patients=1)
    assert "it is not settled" in text_of(found)
    assert "random has enrichment 1; one patient gives no interval." in text_of(found)
    assert "there are no intervals" in text_of(found)


def test_random_with_enrichment_one_is_said_with_its_interval() -> None:
    found = verdicts_of({"a": {"enrichment": around(3)}, "random": {"enrichment": around(1)}})
    assert "random has enrichment 1 within its interval: 1 [0.9" in text_of(found)


def test_random_without_enrichment_one_is_a_warning() -> None:
    found = verdicts_of({"a": {"enrichment": around(3)}, "random": {"enrichment": around(1.5)}})
    assert any(v.warns and "random does not have enrichment 1" in v.text for v in found)


@pytest.mark.parametrize(
    ("best", "expected"),
    [
        (0.5, "mask, the annotation itself, is first in relevance-mass (1 [1, 1])."),
        (1.0, "is first in relevance-mass (1 [1, 1]), together with a."),
    ],
)
def test_mask_first_in_relevance_mass_is_said(best: float, expected: str) -> None:
    values = {"a": {"relevance-mass": [best] * 12}, "mask": {"relevance-mass": [1.0] * 12}}
    assert expected in text_of(verdicts_of(values))


def test_mask_behind_an_explainer_is_a_warning() -> None:
    found = verdicts_of({"a": {"relevance-mass": [0.9] * 12}, "mask": {"relevance-mass": [0.8] * 12}})
    assert any(
        v.warns and "mask is not first in relevance-mass" in v.text and "behind a" in v.text for v in found
    )


def test_controls_that_beat_half_of_the_explainers_are_a_warning() -> None:
    values = {"a": 0.2, "b": 0.6, "edges": 0.4, "random": 0.9, "mask": 0.1}
    found = verdicts_of({name: {"deletion-auc": [value] * 12} for name, value in values.items()})
    text = "In deletion-auc, 2 of 2 explainers do worse than mask and 1 than edges; no control asks"
    assert any(v.warns and text in v.text for v in found)


def test_a_control_that_beats_the_explainers_in_enrichment_is_a_warning() -> None:
    values = {"a": around(2), "b": around(2.1), "edges": around(2.7), "random": around(1)}
    found = verdicts_of({name: {"enrichment": value} for name, value in values.items()})
    text = "In enrichment, 2 of 2 explainers do worse than edges; no control asks"
    assert any(v.warns and text in v.text for v in found)


def test_controls_that_nobody_does_worse_than_are_said_too() -> None:
    found = verdicts_of({"a": {"enrichment": around(3)}, "random": {"enrichment": around(1)}})
    assert "In enrichment, no explainer does worse than a control." in text_of(found)


def test_mask_alone_ahead_in_deletion_is_no_warning() -> None:
    values = {"a": 0.2, "edges": 0.4, "mask": 0.1}
    found = verdicts_of({name: {"deletion-auc": [value] * 12} for name, value in values.items()})
    assert [v.warns for v in found if "deletion-auc" in v.text] == [False]


@pytest.mark.parametrize(("share", "flagged"), [(0.04, False), (0.06, True)])
def test_methods_with_tied_pixels_are_named_above_five_percent(share: float, flagged: bool) -> None:
    info = info_of({"a": "cam"}, ["deletion-auc"], 12)
    records = [
        Record(f"P{i}-s0", f"P{i}", "a", "deletion-auc", Status.OK, 0.5, details={"tied_share": share})
        for i in range(12)
    ]
    scores = scores_of(info, records)
    text = text_of(verdicts(Results(info, scores, leaderboard_of(info, scores))))
    assert ("share their value with others" in text) == flagged
    assert ("a 6.0 %" in text) == flagged


def test_few_patients_are_a_warning() -> None:
    few = verdicts_of({"a": {"deletion-auc": around(0.5, 4)}}, patients=4)
    assert "The cohort has only 4 patients" in text_of(few)
    assert "has only" not in text_of(verdicts_of({"a": {"deletion-auc": around(0.5)}}))


def test_all_failed_says_so_and_nothing_else() -> None:
    names = ("a", "mask", "random")
    values: dict[str, dict[str, list[float | None]]] = {
        name: {metric: [None] * 12 for metric in ("deletion-auc", "enrichment", "relevance-mass")}
        for name in names
    }
    text = text_of(verdicts_of(values))
    assert "None of 1 explainer could be ranked." in text
    assert "Co-localisation was not measured: 12 of 12 cases failed" in text
    assert "first in" not in text
    assert "within its interval" not in text


def test_without_masks_nothing_is_said_about_the_tumour(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", Plan(patients=4, masks=False))
    results = read(folder)
    folder.close()
    text = text_of(verdicts(results))
    assert "Co-localisation was not measured: " in text
    assert "no annotated region" in text
    assert "evidence lies" not in text


def test_a_run_of_controls_only_has_verdicts() -> None:
    text = text_of(verdicts_of({"random": {"enrichment": around(1)}}))
    assert "None of 0 explainers could be ranked." in text
