"""Every metric that ranks tells truth from no knowledge in every arena, and a metric that is wrong does not pass."""

import json
from typing import Any

import pytest

from tests.validation.wrong_metrics import (
    BlindToTheModel,
    Constant,
    ShiftedCurves,
    ShiftedMass,
    SwappedCurves,
    SwappedMass,
    registered,
    unregistered,
)
from xaibench.api import Family
from xaibench.harness import registry
from xaibench.validation.arenas import ARENAS
from xaibench.validation.brightest_square import BRIGHTEST_SQUARE
from xaibench.validation.judge import judge, judge_everywhere
from xaibench.validation.nouns import Arena
from xaibench.validation.page import as_json, page
from xaibench.validation.randomised import RANDOMISED
from xaibench.validation.shortcut import SHORTCUT
from xaibench.validation.suppressor import SUPPRESSOR

QUICK = [arena for arena in ARENAS if arena is not SHORTCUT]
RANKED = {
    name: str(registry.load("metrics", name).facts.family)
    for name in registry.entries("metrics")
    if registry.load("metrics", name).facts.ranked
}
JUDGED = [
    pytest.param(name, arena, id=f"{name}-{arena.name}")
    for name, family in RANKED.items()
    for arena in QUICK
    if family in arena.ladders
]


@pytest.mark.parametrize(("name", "arena"), JUDGED)
def test_every_ranked_metric_tells_truth_from_no_knowledge(name: str, arena: Arena) -> None:
    found = judge(registered(name), arena, worlds=3, scenes=3)
    assert found.passed or not found.tried, found


def test_a_rerun_with_another_seed_is_told_from_a_fixed_map() -> None:
    found = judge(registered("rerun-consistency"), BRIGHTEST_SQUARE, worlds=2, scenes=1)
    assert found.order_held == 1, found


@pytest.mark.parametrize("name", ["morf-lerf", "mufidelity"])
def test_the_planted_confounder_comes_before_the_tumour(name: str) -> None:
    found = judge(registered(name), SHORTCUT, worlds=2, scenes=1)
    assert found.passed, found


WRONG = [
    (BRIGHTEST_SQUARE, [SwappedMass(), ShiftedMass(), SwappedCurves(), ShiftedCurves(), Constant()]),
    (SUPPRESSOR, [SwappedMass(), ShiftedMass(), SwappedCurves(), ShiftedCurves(), Constant()]),
    (RANDOMISED, [SwappedCurves(), ShiftedCurves(), Constant(), BlindToTheModel()]),
    (SHORTCUT, [SwappedCurves(), ShiftedCurves(), Constant()]),
]


@pytest.mark.parametrize(
    ("arena", "made"),
    [
        pytest.param(arena, one, id=f"{arena.name}-{type(one).__name__}")
        for arena, wrong in WRONG
        for one in wrong
    ],
)
def test_a_metric_that_is_wrong_does_not_pass(arena: Arena, made: Any) -> None:
    found = judge(unregistered(made), arena, worlds=2, scenes=1)
    assert found.tried
    assert not found.passed


def test_a_metric_that_never_asks_the_model_passes_where_the_image_tells_the_truth() -> None:
    """So that it is the randomised model that convicts it."""
    assert judge(unregistered(BlindToTheModel()), SUPPRESSOR, worlds=3, scenes=2).passed


def test_a_metric_is_judged_in_every_arena_with_a_ladder_for_its_family() -> None:
    found = judge_everywhere(registered("enrichment"), worlds=2, scenes=1)
    assert [one.arena for one in found] == ["brightest square", "suppressor"]
    assert all(Family.FAITHFULNESS in arena.ladders for arena in ARENAS)


def test_the_page_has_a_table_an_arena_and_says_what_it_is() -> None:
    found = judge_everywhere(registered("pixel-ap"), worlds=2, scenes=1)
    text = page(found, 2, 1)
    assert text.count("| pixel-ap |") == 2
    assert "## Brightest square" in text
    assert SUPPRESSOR.about in text
    assert SHORTCUT.about not in text, "nothing was tried there"
    assert "2 worlds of 1 cases each" in text


def test_an_entry_a_metric_and_arena_is_written_for_other_programs() -> None:
    found = judge_everywhere(registered("pixel-ap"), worlds=2, scenes=1)
    entries = json.loads(as_json(found))
    assert [(one["metric"], one["arena"]) for one in entries] == [(one.metric, one.arena) for one in found]
    assert all({"truth_held", "passed"} <= set(one) for one in entries)


def test_costs_are_measured_and_not_judged() -> None:
    found = judge_everywhere(registered("latency"), worlds=2, scenes=1)
    assert [one.tried for one in found] == [False]
    assert "not judged" in found[0].reason
    assert "latency" in page(found, 2, 1)


def test_a_metric_that_has_no_meaning_in_an_arena_is_not_tried_there() -> None:
    found = judge(registered("completeness-gap"), SUPPRESSOR, worlds=2, scenes=1)
    assert not found.tried
    assert "does not promise" in found.reason
