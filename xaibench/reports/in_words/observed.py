"""What is known of one map: the map itself, the case it belongs to, and what was measured of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from xaibench.api import Case, Explanation, Heatmap, Record, Status
from xaibench.harness.store.run_info import RunInfo
from xaibench.reports.scoring.cell import is_measured
from xaibench.reports.text import one_line, plural

Distances = Float[np.ndarray, "*space"]


@dataclass(frozen=True, eq=False)
class Setting:
    """The run and the case that maps belong to."""

    info: RunInfo
    case: Case

    @cached_property
    def distances(self) -> Distances | None:
        """Distance of each pixel to the nearest annotated one, in `unit`; None where nothing is annotated."""
        from scipy.ndimage import distance_transform_edt

        region = self.case.region
        if region is None or not region.any():
            return None
        return np.asarray(distance_transform_edt(~region, sampling=self.case.spacing_mm))

    @property
    def unit(self) -> str:
        """What distances count: mm, or pixels where their size is not known."""
        return "pixels" if self.case.spacing_mm is None else "mm"


@dataclass(frozen=True, eq=False)
class Observed:
    """One finite map of a case, and what was measured of it."""

    setting: Setting
    heatmap: Heatmap
    records: Mapping[str, Record]
    """By metric."""

    def value(self, metric: str) -> float | None:
        """Return what was measured; None where no finite number is recorded."""
        record = self.records.get(metric)
        return record.value if record is not None and is_measured(record) else None

    def why_not(self, metric: str) -> str:
        """Say why a metric has no value here."""
        record, facts = self.records.get(metric), self.setting.info.metrics.get(metric)
        if record is not None:
            return one_line(record.reason).rstrip(".") or "no finite number was recorded"
        if facts is None:
            return f"the run has no {metric}"
        if facts.at_most_patients is not None:
            return f"the run computes {metric} for at most {plural(facts.at_most_patients, 'patient')}"
        return f"{metric} was not computed"


def missing_map(explanation: Explanation | None, records: Iterable[Record]) -> str:
    """Say why there is no finite map, by the records of its method and case; empty where there is one."""
    if explanation is None:
        reasons = (r.reason for r in records if r.status is not Status.OK)
        return one_line(next(reasons, "not computed"))
    return "" if np.isfinite(explanation.heatmap).all() else "it holds values that are not finite"
