"""Two runs compared: who is paired with whom, what is tested, and what the page says."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.reports.made_up import NASTY, Plan, make_run
from tests.reports.records import Values, results_of
from xaibench.cli.compare import compare, names_of
from xaibench.reports.comparison.changes import Change, changes
from xaibench.reports.comparison.page import findings
from xaibench.reports.comparison.pairing import Pair
from xaibench.reports.scoring.results import Results

RNG = np.random.default_rng(1)
BEFORE = RNG.normal(0.5, 0.1, 14).round(4)
AFTER = (BEFORE + RNG.normal(0.12, 0.08, 14)).round(4)


def pair_of(first: Results, second: Results) -> Pair:
    return Pair(first, second, ("old", "new"))


def pair(first: Values, second: Values, **settings: Any) -> Pair:
    return pair_of(results_of(first, **settings), results_of(second, **settings))


def one(found: Sequence[Change], method: str, metric: str) -> Change:
    return next(change for change in found if (change.method, change.metric) == (method, metric))


def test_a_change_is_tested_by_patient_and_corrected_for_all_tests() -> None:
    same = BEFORE.tolist()
    first = {"lime": {"morf-lerf": same}, "rise": {"morf-lerf": same}}
    second = {"lime": {"morf-lerf": AFTER.tolist()}, "rise": {"morf-lerf": same}}
    found = one(changes(pair(first, second)), "lime", "morf-lerf").comparison
    assert found is not None
    expected = stats.wilcoxon(AFTER - BEFORE).pvalue
    assert found.p == pytest.approx(expected)
    assert found.corrected_p == pytest.approx(2 * expected)  # two tests, the other with p = 1
    assert found.difference.value == pytest.approx(np.median(AFTER - BEFORE))
    assert found.difference.value > 0


def test_positive_means_that_the_second_run_is_better_whatever_the_direction() -> None:
    noise = {"lime": {"sensitivity-norm": [0.5, 0.6, 0.7]}}
    calm = {"lime": {"sensitivity-norm": [0.1, 0.2, 0.3]}}
    found = one(changes(pair(noise, calm)), "lime", "sensitivity-norm").comparison
    assert found is not None
    assert found.difference.value == pytest.approx(0.4)


def test_patients_are_paired_by_name_and_not_by_position() -> None:
    first = {"lime": {"morf-lerf": [None, 0.2, 0.3, 0.4]}}
    second = {"lime": {"morf-lerf": [0.9, 0.3, 0.4, None]}}
    found = one(changes(pair(first, second)), "lime", "morf-lerf").comparison
    assert found is not None
    assert (found.difference.n, found.difference.value) == (2, pytest.approx(0.1))


def test_controls_and_metrics_outside_the_ranks_are_shown_and_not_tested() -> None:
    values = {name: {"morf-lerf": [0.1, 0.2], "deletion-auc": [0.3, 0.4]} for name in ("lime", "random")}
    found = changes(pair(values, values))
    assert {(c.method, c.metric) for c in found if c.tested} == {("lime", "morf-lerf")}
    assert len(found) == 4


def test_patients_with_other_labels_are_not_paired() -> None:
    values = {"lime": {"morf-lerf": [0.1, 0.2, 0.3]}}
    other = pair_of(results_of(values), results_of(values, labels=[0, 1, 0]))
    assert other.patients == ()
    found = changes(other)
    assert one(found, "lime", "morf-lerf").comparison is None
    assert "share no patients" in findings(other, found)[0]


def described(run: Results, noun: str, name: str, **changed: Any) -> Results:
    """A run with other facts of a method or metric."""
    known = getattr(run.info, noun)
    facts = known[name].model_copy(update=changed)
    return replace(run, info=run.info.model_copy(update={noun: {**known, name: facts}}))


def test_another_version_of_an_explainer_is_compared_and_told() -> None:
    run = results_of({"lime": {"morf-lerf": [0.1, 0.2]}})
    both = pair_of(run, described(run, "methods", "lime", code="new"))
    assert both.changed_methods() == {"lime": "other code (code of xaibench 0.1.0 and new of xaibench 0.1.0)"}
    told = findings(both, changes(both))
    assert (
        "lime is not the same in both runs: other code (code of xaibench 0.1.0 and new of xaibench 0.1.0)."
        in told
    )


def test_metrics_that_do_not_measure_the_same_are_left_out_unless_their_seed_alone_differs() -> None:
    run = results_of({"lime": {"morf-lerf": [0.1, 0.2], "gini": [0.3, 0.4]}})
    other = described(run, "metrics", "gini", parameters={"steps": 30})
    seeded = described(other, "metrics", "morf-lerf", parameters={"steps": 20, "seed": 1})
    both = pair_of(run, seeded)
    assert both.metrics == ["morf-lerf"]
    assert both.left_out == {"gini": "other parameters (steps = 20 and steps = 30)"}


def test_a_sentence_names_the_run_that_is_better_and_few_patients_are_told() -> None:
    first, second = {"lime": {"morf-lerf": BEFORE.tolist()}}, {"lime": {"morf-lerf": AFTER.tolist()}}
    found = pair(first, second)
    assert any("better morf-lerf in new" in line for line in findings(found, changes(found)))
    few = pair({"lime": {"morf-lerf": [0.1, 0.2]}}, {"lime": {"morf-lerf": [0.3, 0.4]}})
    assert any("So few patients" in line for line in findings(few, changes(few)))


def test_the_command_writes_a_page_and_a_table_into_the_second_run(tmp_path: Path) -> None:
    plan = Plan(
        patients=3, metrics=("morf-lerf", "gini", "throughput"), methods={NASTY: "cam", "lime": "cam"}
    )
    for name in ("a", "b"):
        make_run(tmp_path / name, plan).close()
    compare([tmp_path / "a", tmp_path / "b"])
    text = (tmp_path / "b" / "comparison.html").read_text()
    assert NASTY not in text
    assert "&lt;b&gt;bold&lt;/b&gt;" in text
    table = (tmp_path / "b" / "comparison.csv").read_text().splitlines()
    assert len(table) == 1 + 2 * 3
    assert "nan" not in text + "".join(table)
    assert not (tmp_path / "a" / "comparison.html").exists()


def test_folders_of_one_name_are_told_apart_by_their_parents(tmp_path: Path) -> None:
    assert names_of(tmp_path / "a", tmp_path / "b") == ("a", "b")
    assert names_of(tmp_path / "x" / "run", tmp_path / "y" / "run") == ("x/run", "y/run")
