"""Co-localisation of a stacked map with the annotated regions stacked in the same way."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xaibench.api import (
    Case,
    CohortExplanation,
    ExplainCohort,
    Family,
    Folds,
    Measurement,
    NotApplicable,
)


@dataclass(frozen=True)
class CohortColocalisation:
    """Share of the stacked map's positive mass that comes from annotated regions; high is good.

    sum over p of max(map_p, 0) m_p / sum over p of max(map_p, 0), where m_p in [0, 1] is the part of pixel p that was
    taken from inside an annotated region: relevance mass (Arras, Osman and Samek 2022, arXiv:2003.07258) with the
    regions composed as the pixels were. Range 0 .. 1. Negative values count as zero; a map without positive
    mass is scored as a uniform one. Recorded beside it: `area` (mean of m) and, where that is above 0,
    `enrichment` (value / area).

    A stack of maps that know nothing of the regions scores about `area`, an enrichment of 1. Pitfalls: with
    `combine = max` the choice of the pixels moves the mask as well, so compare methods by enrichment and by value: a
    map that is high inside its own tumour also draws that tumour into the stack. One bright map can be all of it.
    """

    family: ClassVar = Family.COHORT
    higher_is_better: ClassVar = True
    range: ClassVar = (0.0, 1.0)
    source: ClassVar = "after Arras et al. 2022"
    chance: ClassVar = "area: mean part of the stacked image that comes from annotated regions"

    def score_cohort(
        self,
        folds: Folds,
        cases: list[Case],
        label: int,
        explanation: CohortExplanation,
        explain: ExplainCohort,
    ) -> Measurement:
        """Share of mass inside; NotApplicable where a case has no annotation, or where none has any region."""
        if explanation.region is None:
            raise NotApplicable("a case of the class has no annotated region")
        if not any(case.region is not None and case.region.any() for case in cases if case.label == label):
            raise NotApplicable("the annotated regions of the class are all empty")
        mask = explanation.region.astype(np.float64)
        area = float(mask.mean())
        value = _mass_share(np.maximum(explanation.map, 0).astype(np.float64), mask, area)
        return Measurement(value, {"area": area} | ({"enrichment": value / area} if area > 0 else {}))


def _mass_share(positive: np.ndarray, mask: np.ndarray, area: float) -> float:
    total = float(positive.sum())
    return float((positive * mask).sum()) / total if total else area
