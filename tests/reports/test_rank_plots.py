"""Plots of the leaderboard say in words what they show."""

from tests.reports.records import Values, around, results_of
from xaibench.reports.pictures.ranks import rank_plots


def plots_of(values: Values) -> dict[str, str]:
    found = rank_plots(results_of(values).board)
    return {plot.alt.partition(":")[0]: f"{plot.alt} | {plot.caption}" for plot in found}


VALUES: Values = {
    "a": {"morf-lerf": around(0.9, 30), "latency": around(900, 30)},
    "$b": {"morf-lerf": around(0.5, 30), "latency": around(20, 30)},
    "c": {"morf-lerf": around(0.1, 30), "latency": around(500, 30)},
}


def test_the_critical_difference_diagram_names_ranks_and_ties() -> None:
    found = plots_of(VALUES)["Critical-difference diagram"]
    assert "a 1.00, $b 2.00, c 3.00. Not told apart: none." in found
    same = plots_of({name: {"morf-lerf": around(0.5)} for name in "ab"})["Critical-difference diagram"]
    assert "Not told apart: a and b." in same


def test_the_pareto_front_holds_who_is_not_beaten_in_both() -> None:
    found = plots_of(VALUES)["Mean rank against time"]
    assert found.endswith("where nobody is both faster and better on average: $b and a.")


def test_the_winner_is_shown_with_its_share_of_draws() -> None:
    assert "a 100 %, c 0.0 %, $b 0.0 %." in plots_of(VALUES)["Share of draws in the lead"]


def test_a_single_explainer_has_no_plots() -> None:
    assert plots_of({"a": {"morf-lerf": around(0.9)}}) == {}
