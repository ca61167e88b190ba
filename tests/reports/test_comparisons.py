"""Comparisons of methods: by hand, on cohorts without a difference, and where there are too few patients."""

import itertools
import math
from statistics import median

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from xaibench.reports.scoring.comparisons import against_best, compare, gains_over_chance, holm
from xaibench.reports.scoring.signed_rank import detectable_effect, p_value

INF = math.inf
RNG = np.random.default_rng(7)
PATIENTS = RNG.normal(size=16)
METHODS = {
    "best": PATIENTS + 3 + 0.2 * RNG.normal(size=16),
    "next": PATIENTS + 2.9 + 0.5 * RNG.normal(size=16),
    "worst": PATIENTS + 0.2 * RNG.normal(size=16),
}


@given(st.lists(st.floats(0, 1), max_size=9))
def test_holm_multiplies_the_smallest_by_all_and_the_next_by_one_fewer(p: list[float]) -> None:
    expected, largest = {}, 0.0
    for i, each in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        largest = max(largest, min(1.0, p[each] * (len(p) - i)))
        expected[each] = largest
    assert holm(p) == pytest.approx([expected[i] for i in range(len(p))])


@pytest.mark.parametrize("higher", [True, False])
def test_best_is_compared_with_each_other_and_corrected_for_all_pairs(higher: bool) -> None:
    values = METHODS if higher else {name: -found for name, found in METHODS.items()}
    found = {c.second: c for c in against_best(values, "best", higher)}
    assert list(found) == ["next", "worst"]
    p = {
        pair: stats.wilcoxon(METHODS[pair[0]] - METHODS[pair[1]]).pvalue
        for pair in itertools.combinations(METHODS, 2)
    }
    corrected = dict(zip(p, holm(list(p.values())), strict=True))
    for name, comparison in found.items():
        differences = METHODS["best"] - METHODS[name]
        assert comparison.first == "best"
        assert comparison.p == pytest.approx(p["best", name])
        assert comparison.corrected_p == pytest.approx(corrected["best", name])
        assert comparison.difference.value == pytest.approx(median(differences))
        assert comparison.effect.n == 16
        spread = float(np.std(differences, ddof=1))
        effect = detectable_effect(16, 0.05 / 3)
        assert effect is not None
        assert comparison.visible == pytest.approx(effect * spread)
        assert comparison.reason == ""
    assert not found["next"].differs
    assert found["worst"].differs
    assert found["worst"].effect.value == 1


def test_the_second_of_a_pair_may_be_the_better() -> None:
    (found,) = compare(METHODS, [("worst", "best")], higher_is_better=True)
    assert found.differs
    assert found.effect.value == -1
    assert found.difference.value < 0


def test_pairs_are_corrected_for_those_tested_in_either_order() -> None:
    tested = [("next", "best"), ("best", "worst")]
    (found,) = compare(METHODS, [("best", "next")], higher_is_better=True, tested=tested)
    assert found.corrected_p == pytest.approx(
        max(holm([found.p, p_value(METHODS["best"] - METHODS["worst"])]))
    )


def test_patients_without_a_value_are_left_out_of_the_pair_only() -> None:
    holes = {**METHODS, "next": np.where(np.arange(16) < 3, np.nan, METHODS["next"])}
    with_next, with_worst = against_best(holes, "best", higher_is_better=True)
    (alone,) = compare(
        {name: found[3:] for name, found in METHODS.items()}, [("best", "next")], higher_is_better=True
    )
    assert with_next.difference == alone.difference
    assert with_next.effect == alone.effect
    assert with_worst.effect.n == 16


@pytest.mark.parametrize("n", range(6))
@pytest.mark.parametrize("gap", [0.0, 1.0, 1e6])
def test_too_few_patients_cannot_tell_and_say_so(n: int, gap: float) -> None:
    values = {"first": np.arange(n) + gap * np.arange(1.0, n + 1), "second": np.arange(float(n))}
    (found,) = compare(values, [("first", "second")], higher_is_better=True)
    assert (found.differs, found.visible) == (False, None)
    assert found.reason.startswith(f"{n} patient{'' if n == 1 else 's'} cannot settle 1 comparison")
    assert found.difference.n == n


def test_patients_may_be_enough_for_one_comparison_and_too_few_for_many() -> None:
    values = {name: np.arange(1.0, 9) * i for i, name in enumerate("abcdefgh", start=1)}
    many, one = against_best(values, "h", True), compare(values, [("h", "a")], True)
    assert not any(c.differs for c in many)
    assert (
        many[0].reason
        == "8 patients cannot settle 28 comparisons: were all of one mind, the corrected p would still be 0.22"
    )
    assert one[0].differs
    assert one[0].reason == ""


def test_methods_that_are_one_method_do_not_differ() -> None:
    values = {"a": PATIENTS, "b": PATIENTS + 1e-13, "c": PATIENTS + 2}
    same, constant = against_best(values, "a", higher_is_better=True)
    assert (same.p, same.effect.value, same.differs) == (1, 0, False)
    assert (constant.differs, constant.visible, constant.difference.low) == (True, None, None)


def test_one_method_has_nothing_to_be_compared_with() -> None:
    assert against_best({"a": PATIENTS}, "a", higher_is_better=True) == ()


def test_at_most_one_cohort_in_twenty_without_a_difference_finds_one() -> None:
    wrong = 0
    for seed in range(60):
        drawn = np.random.default_rng(seed).normal(size=(8, 13))
        values = {f"m{i}": row for i, row in enumerate(drawn)}
        best = f"m{drawn.mean(axis=1).argmax()}"
        wrong += any(c.differs for c in against_best(values, best, higher_is_better=True))
    assert wrong <= 0.05 * 60 + 2 * math.sqrt(0.05 * 0.95 * 60)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 999), n=st.sampled_from([1, 2, 5, 9]))
def test_order_of_patients_and_methods_changes_nothing(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    values = {name: rng.integers(0, 6, n).astype(float) for name in "abc"}
    order = rng.permutation(n)
    shuffled = {name: values[name][order] for name in "cab"}
    first = {c.second: c for c in against_best(values, "b", higher_is_better=True)}
    second = {c.second: c for c in against_best(shuffled, "b", higher_is_better=True)}
    for name, found in first.items():
        assert second[name].corrected_p == pytest.approx(found.corrected_p)
        assert second[name].difference == found.difference
        assert second[name].effect.value == pytest.approx(found.effect.value)


def test_gains_are_tested_one_sided_and_corrected_for_the_methods() -> None:
    gains = {
        "good": np.append(np.linspace(0.1, 0.4, 10), np.nan),
        "lucky": np.append(np.linspace(-0.11, 0.2, 10), 0.05),
        "bad": np.append(np.linspace(-0.4, -0.1, 10), -0.2),
    }
    good, lucky, bad = gains_over_chance(gains, "mean", (-1.0, 1.0))
    p = [stats.wilcoxon(found[np.isfinite(found)], alternative="greater").pvalue for found in gains.values()]
    assert [good.p, lucky.p, bad.p] == pytest.approx(p)
    assert [good.corrected_p, lucky.corrected_p, bad.corrected_p] == pytest.approx(holm(p))
    assert [good.above_chance, lucky.above_chance, bad.above_chance] == [True, False, False]
    assert p[1] < 0.15
    assert (good.method, good.gain.n, good.gain.value) == ("good", 10, pytest.approx(0.25))
    assert good.gain.low is not None
    assert 0 < good.gain.low < 0.25
    assert bad.gain.high is not None
    assert bad.gain.high < 0


@pytest.mark.parametrize(
    ("n", "methods", "enough"), [(0, 1, False), (4, 1, False), (5, 1, True), (7, 8, False), (8, 8, True)]
)
def test_few_patients_cannot_show_a_gain_and_say_so(n: int, methods: int, enough: bool) -> None:
    found = gains_over_chance({f"m{i}": np.arange(1.0, n + 1) for i in range(methods)}, "median", (-INF, INF))
    assert [gain.above_chance for gain in found] == [enough] * methods
    assert [gain.reason == "" for gain in found] == [enough] * methods


def test_a_gain_by_rounding_is_none() -> None:
    (found,) = gains_over_chance({"constant": np.full(12, 1e-16)}, "mean", (-1.0, 1.0))
    assert found.p == 1
    (small,) = gains_over_chance({"small": np.full(12, 1e-16)}, "median", (-INF, INF))
    assert small.above_chance


def test_no_method_no_gain() -> None:
    assert gains_over_chance({}, "mean", (-1.0, 1.0)) == ()
