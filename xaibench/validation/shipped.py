"""What the last full `xaibench validate` found of xaibench's own metrics."""

import functools
import json
from pathlib import Path

JUDGEMENTS = Path(__file__).with_name("judgements.json")
"""As `xaibench validate --out DIR` wrote them."""


@functools.lru_cache
def failed_metrics(package: str) -> frozenset[str]:
    """Metrics of a package ("xaibench 0.2.0") that could not tell truth from no knowledge; others' were not judged."""
    if package.split()[0] != "xaibench":
        return frozenset()
    found = json.loads(JUDGEMENTS.read_text(encoding="utf-8"))
    return frozenset(one["metric"] for one in found if one["truth_held"] is not None and not one["passed"])
