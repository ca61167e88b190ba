"""Families of metrics in the order in which reports show them."""

from collections.abc import Iterable

from xaibench.api import Family
from xaibench.harness.store.run_info import RunInfo


def in_order(families: Iterable[str]) -> list[str]:
    """Sort families as xaibench lists them, those of plugins behind."""
    known = [family.value for family in Family]
    return sorted(set(families), key=lambda f: (known.index(f) if f in known else len(known), f))


def metrics_by_family(info: RunInfo) -> dict[str, list[str]]:
    """Metrics of each family, both in a fixed order."""
    return {
        family: [name for name, facts in sorted(info.metrics.items()) if facts.family == family]
        for family in in_order(facts.family for facts in info.metrics.values())
    }
