"""What every registered metric declares."""

import math
from importlib.metadata import entry_points

import pytest

from xaibench.api import Family, MetricFacts, Need

METRICS = {entry.name: entry.load() for entry in entry_points(group="xaibench.metrics")}
OURS = {name: cls for name, cls in METRICS.items() if cls.__module__.startswith("xaibench.")}

LOWER_IS_BETTER = {
    *("adversarial-sensitivity", "backward-passes", "completeness-gap", "deletion-auc", "destroying-area"),
    *("effective-area", "entropy", "forward-passes", "hausdorff-95", "infidelity", "latency"),
    *("local-lipschitz", "max-sensitivity", "mprt", "peak-memory", "random-logit", "sensitivity-norm"),
    "sufficient-area",
}
FROM_MINUS_ONE = {
    *("bootstrap-stability", "kappa", "morf-lerf", "mri-stability", "mufidelity", "random-logit"),
    *("rerun-consistency", "stability-cosine"),
}
"""Correlations, cosines and differences of two probabilities."""
WITHOUT_BOUND = {
    *("adversarial-sensitivity", "backward-passes", "completeness-gap", "enrichment", "entropy"),
    *("forward-passes", "hausdorff-95", "latency", "local-lipschitz", "max-sensitivity", "sensitivity-norm"),
    *("peak-memory", "throughput"),
}


def range_of(name: str) -> tuple[float, float]:
    if name == "irof":  # one minus a ratio of areas, which may exceed one
        return -math.inf, 1.0
    return -1.0 if name in FROM_MINUS_ONE else 0.0, math.inf if name in WITHOUT_BOUND else 1.0


def facts_of(cls: type) -> MetricFacts:
    """Pydantic's strict reading of the class variables, as the registry does it."""
    return MetricFacts(
        **{name: getattr(cls, name) for name in MetricFacts.model_fields if hasattr(cls, name)}
    )


@pytest.mark.parametrize("name", OURS)
def test_every_metric_declares_its_facts_and_explains_itself(name: str) -> None:
    cls = OURS[name]
    facts = facts_of(cls)
    assert facts.family in set(Family)
    assert facts.range[0] < facts.range[1]
    assert facts.chance
    for word in ("Range", "Pitfalls"):
        assert word in cls.__doc__


@pytest.mark.parametrize("name", OURS)
def test_a_metric_of_regions_needs_the_region_and_a_ratio_without_bound_is_a_median(name: str) -> None:
    facts = facts_of(OURS[name])
    assert (Need.REGION in facts.needs) == (facts.family == Family.COLOCALISATION)
    unbounded = float("inf") in map(abs, facts.range)
    if (
        unbounded and not facts.unit and name != "enrichment"
    ):  # its chance of 1 holds on average, not in the median
        assert facts.aggregate == "median"


@pytest.mark.parametrize("name", OURS)
def test_trap_10_directions_and_ranges_are_those_of_the_definitions(name: str) -> None:
    facts = facts_of(OURS[name])
    assert facts.higher_is_better == (name not in LOWER_IS_BETTER)
    assert facts.range == range_of(name)
    assert facts.scale_free == (name != "completeness-gap")
