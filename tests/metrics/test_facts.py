"""What every registered metric declares."""

from importlib.metadata import entry_points

import pytest

from xaibench.api import Family, MetricFacts, Need

METRICS = {entry.name: entry.load() for entry in entry_points(group="xaibench.metrics")}
OURS = {name: cls for name, cls in METRICS.items() if cls.__module__.startswith("xaibench.")}


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
