"""Thresholds: pass, fail, or cannot be said."""

from pathlib import Path

import pytest

from tests.reports.records import Values, around, results_of
from xaibench.api import XaibenchError
from xaibench.harness.store.folder import RunFolder
from xaibench.reports import judge_run
from xaibench.reports.verdicts.criteria import (
    HEADER,
    Answer,
    Criterion,
    Judged,
    answer_of,
    judge,
    read_criteria,
)

YAML = """
triage:
  purpose: urgent use
  criteria:
    - {metric: latency, at_most: 1000, source: mine}
    - {metric: morf-lerf, at_least: 0.2}
"""


def judged(tmp_path: Path, text: str, values: Values) -> Judged:
    file = tmp_path / "criteria.yaml"
    file.write_text(text)
    run = results_of(values)
    return judge(run.info, run.scores, read_criteria(file))


@pytest.mark.parametrize(
    ("low", "high", "at_most", "at_least"),
    [
        (0.1, 0.2, Answer.PASS, Answer.FAIL),
        (0.6, 0.9, Answer.FAIL, Answer.PASS),
        (0.4, 0.6, Answer.UNSAID, Answer.UNSAID),
        (0.5, 0.5, Answer.PASS, Answer.PASS),
    ],
)
def test_the_whole_interval_must_lie_on_one_side(
    low: float, high: float, at_most: Answer, at_least: Answer
) -> None:
    assert answer_of(Criterion(metric="x", at_most=0.5), low, high) is at_most
    assert answer_of(Criterion(metric="x", at_least=0.5), low, high) is at_least


def test_a_scenario_is_met_by_an_explainer_that_passes_all_of_it(tmp_path: Path) -> None:
    values: Values = {
        "good": {"latency": around(20), "morf-lerf": around(0.5)},
        "slow": {"latency": around(5000), "morf-lerf": around(0.5)},
        "random": {"latency": around(1), "morf-lerf": around(0.9)},
    }
    found = judged(tmp_path, YAML, values)
    assert found.passing("triage") == ["good"], "controls are not judged"
    assert found.passes("triage")
    answers = {(row[1], row[2]): row[4] for row in found.rows()}
    assert answers["slow", "latency at most 1000"] == "fail"
    assert all(len(row) == len(HEADER) for row in found.rows("triage"))


def test_named_explainers_must_all_pass(tmp_path: Path) -> None:
    values: Values = {
        "good": {"latency": around(20), "morf-lerf": around(0.5)},
        "slow": {"latency": around(5000), "morf-lerf": around(0.5)},
    }
    named = YAML.replace("  criteria:", "  methods: [good, slow]\n  criteria:")
    assert not judged(tmp_path, named, values).passes("triage")
    assert judged(tmp_path, named.replace(", slow", ""), values).passes("triage")
    assert not judged(tmp_path, named.replace("slow", "absent"), values).passes("triage")


def test_an_interval_that_crosses_or_is_missing_passes_nothing(tmp_path: Path) -> None:
    values: Values = {"a": {"latency": around(1000), "morf-lerf": around(0.5)}}
    found = judged(tmp_path, YAML, values)
    assert not found.passes("triage")
    assert {row[4] for row in found.rows()} == {"cannot be said", "pass"}
    (first, _) = judged(tmp_path, YAML, {"a": {"latency": [5.0], "morf-lerf": [0.9]}}).judgements
    assert (first.answer, first.shown) == (Answer.UNSAID, "5, no interval")
    (absent, _) = judged(tmp_path, YAML.replace("latency", "lateness"), values).judgements
    assert (absent.answer, absent.shown) == (Answer.UNSAID, "not among the figures of this run")


def test_an_unknown_scenario_is_one_sentence(tmp_path: Path) -> None:
    found = judged(tmp_path, YAML, {"a": {"latency": [1.0]}})
    with pytest.raises(XaibenchError, match="no scenario 'triagee'; did you mean 'triage'"):
        found.passes("triagee")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("triage: {criteria: [{metric: x}]}", "give either at_least or at_most"),
        ("triage: {criteria: [{metric: x, at_most: 1, at_least: 0}]}", "give either at_least or at_most"),
        ("triage: {criteria: [{metric: x, at_mots: 1}]}", "at_mots"),
        ("triage: [", "cannot be read"),
        ("- a", "holds no scenarios"),
    ],
)
def test_a_file_that_does_not_fit_is_one_sentence(text: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(XaibenchError, match=sentence):
        judged(tmp_path, text, {"a": {"latency": [1.0]}})


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(XaibenchError, match=r"none\.yaml cannot be read"):
        read_criteria(tmp_path / "none.yaml")


def test_the_shipped_file_says_what_is_the_reviews_and_what_is_not(folder: RunFolder) -> None:
    scenarios = read_criteria()
    assert {name: s.criteria[0].threshold for name, s in scenarios.items()} == {
        "triage": 1000,
        "reading": 3000,
        "offline": 10_000,
    }
    assert all(criterion.source for scenario in scenarios.values() for criterion in scenario.criteria)
    assert {j.scenario for j in judge_run(folder).judgements} == set(scenarios)
