"""Co-localisation against chance and blind controls: who may be said to point at the finding."""

from collections.abc import Sequence

import numpy as np
import pytest
from scipy import stats

from tests.reports.made_up import case_info, info_of
from tests.reports.records import Values, around, records_of, results_of
from xaibench.reports.scoring.location import Location, locations
from xaibench.reports.scoring.scores import cells_of
from xaibench.reports.verdicts.location import location_verdicts
from xaibench.reports.verdicts.verdict import Verdict


def said(values: dict[str, Sequence[float]], **options: Sequence[int]) -> list[Verdict]:
    rows: Values = {name: {"enrichment": list(column)} for name, column in values.items()}
    return location_verdicts(results_of(rows, **options))


def text_of(found: list[Verdict]) -> str:
    return "\n".join(verdict.text for verdict in found)


def test_beating_chance_and_the_blind_controls_is_said() -> None:
    found = said({"a": around(4), "edges": around(2), "centre": around(1.5)})
    assert text_of(found) == (
        "a puts more relevance on the tumour than chance and than edges and centre, which never look at the model."
    )
    assert "Wilcoxon" in found[0].test
    assert "Holm" in found[0].test


def test_beating_chance_but_not_the_blind_controls_is_the_finding() -> None:
    (found,) = said({"a": around(1.6), "edges": around(2.4), "centre": around(1.6)})
    assert found.warns
    assert found.text == (
        "a puts more relevance on the tumour than chance, but is not shown to do better than centre and edges, which "
        "never look at the model (worse than edges): this does not show that the model looks at the tumour."
    )


def test_without_a_blind_control_more_than_chance_is_not_enough() -> None:
    (found,) = said({"a": around(4), "random": around(1)})
    assert found.warns
    assert "no blind control ran" in found.text


def test_less_than_chance_lies_outside() -> None:
    (found,) = said({"a": around(0.3), "b": around(0.2), "edges": around(1)})
    assert (
        found.text == "a and b put less relevance on the tumour than chance: what they mark lies outside it."
    )
    assert found.warns


def test_values_about_chance_settle_nothing() -> None:
    (found,) = said({"a": around(1), "edges": around(1)})
    assert "it is not settled" in found.text


def test_a_map_that_only_avoids_the_air_is_not_above_chance() -> None:
    info = info_of({"a": "cam"}, ["enrichment"], 12)
    values = around(2)
    records = records_of("enrichment", values, "a", gain=[v - 1 for v in values], body_enrichment=around(1))
    (found,) = locations(info, cells_of(records), ["a"])
    assert not found.above
    without = records_of("enrichment", values, "a", gain=[v - 1 for v in values])
    assert locations(info, cells_of(without), ["a"])[0].above


def test_what_one_class_shows_is_said_where_another_hides_it() -> None:
    found = said(
        {"a": [0.3 + 0.01 * i for i in range(12)] + around(3), "edges": around(1, 24)},
        labels=[1] * 12 + [0] * 12,
    )
    text = text_of(found)
    assert "Where recurrent is explained, less than chance: a." in text
    assert "Where non-recurrent is explained, more than chance: a." in text


def test_what_holds_in_every_class_is_said_once() -> None:
    (found,) = said({"a": around(3, 24), "edges": around(1, 24)}, labels=[1] * 10 + [0] * 14)
    assert found.particulars[-2:] == (
        "likewise where non-recurrent is explained: 14 patients",
        "likewise where recurrent is explained: 10 patients",
    )


@pytest.mark.parametrize("patients", [1, 4])
def test_few_patients_settle_nothing_and_carry_their_caution(patients: int) -> None:
    found = said({"a": around(5, patients), "edges": around(1, patients)})
    assert "it is not settled" in text_of(found)
    assert found[0].caution == f"Caution: this rests on only {patients} patient{'s' * (patients > 1)}."


def test_rounding_does_not_contradict_the_sentence() -> None:
    (found,) = said({"a": [1.0001 + 0.00001 * i for i in range(12)], "edges": around(0.5)})
    assert found.particulars[0].startswith("a 1.0001")


def test_without_regions_nothing_is_said_about_them() -> None:
    (found,) = said({"a": [None] * 3})  # type: ignore[list-item]
    assert (
        found.text
        == "Whether relevance lies on the tumour was not measured: 3 of 3 cases failed: ValueError: no."
    )


@pytest.mark.parametrize("spread", [0.0, 0.4])
@pytest.mark.parametrize("n", [2, 12])
def test_less_than_chance_takes_wilcoxons_test_and_students_with_the_spread_of_the_copies(
    n: int, spread: float
) -> None:
    rng = np.random.default_rng(n)
    gains = rng.uniform(-0.5, 0.1, n)
    gains[:2] = -0.3, -0.2
    chance = 1 + spread * rng.normal(size=n)
    records = records_of("enrichment", (chance + gains).tolist(), "a", gain=gains.tolist())
    (found,) = locations(info_of({"a": "cam"}, ["enrichment"], n), cells_of(records), ["a"])
    variance = max(5 * chance.var(ddof=1), gains.var(ddof=1))  # the map and its four copies
    t = gains.mean() / np.sqrt(variance / n)
    wilcoxon = stats.wilcoxon(gains, alternative="less", method="exact").pvalue
    assert found.p_below == pytest.approx(max(wilcoxon, stats.t.cdf(t, n - 1)))


def test_chance_is_one_where_no_copies_were_recorded() -> None:
    for level, above in ((1.5, True), (0.5, False)):
        records = records_of("enrichment", around(level), "a")
        (found,) = locations(info_of({"a": "cam"}, ["enrichment"], 12), cells_of(records), ["a"])
        assert (found.above, found.below) == (above, not above)


# ------------------------------------------------------------------ maps without knowledge


def blind_location(seed: int, patients: int) -> Location:
    """A concentrated blob anywhere on the torus, a small region, four shifted copies: no knowledge at all."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:16, :16] - 8
    blob = np.exp(-(x**2 + y**2) / 6.0)
    region = (x**2 + y**2) < 5
    drawn = rng.integers(0, 16, (patients, 5, 2))
    masses = np.array([[np.roll(blob, s, (0, 1))[region].sum() for s in row] for row in drawn])
    enrichment = masses / blob.sum() / region.mean()
    gains = (enrichment[:, 0] - enrichment[:, 1:].mean(axis=1)).tolist()
    records = records_of("enrichment", enrichment[:, 0].tolist(), "a", gain=gains)
    info = info_of({"a": "cam"}, ["enrichment"], [case_info(n) for n in range(patients)])
    return locations(info, cells_of(records), ["a"])[0]


@pytest.mark.nightly
@pytest.mark.parametrize("patients", [8, 28])
def test_maps_without_knowledge_are_seldom_above_or_below_chance(patients: int) -> None:
    found = [blind_location(seed, patients) for seed in range(200)]
    assert np.mean([location.above for location in found]) <= 0.06
    assert np.mean([location.below for location in found]) <= 0.06
