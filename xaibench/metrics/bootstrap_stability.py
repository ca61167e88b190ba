"""Bootstrap stability: how much a simulated image depends on who happened to be in the cohort."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from xaibench.api import (
    Case,
    CohortExplanation,
    ExplainCohort,
    Family,
    Folds,
    Image,
    Measurement,
    NotApplicable,
    seed_of,
)
from xaibench.metrics.common.patient_draws import patients_of, require_draws, resampled


@dataclass(frozen=True)
class BootstrapStability:
    """Mean structural similarity of the simulated image with those of patients drawn again; high is good.

    Mean over draws of SSIM(image, image of the drawn patients) (Wang et al. 2004, doi:10.1109/TIP.2003.819861; windows
    of 7 x 7 pixels, equal weights, channels averaged), with the range of all cases' intensities as its data range.
    Patients of the class are drawn with replacement, all slices of a patient together. The reference is the image
    of the whole class and not that of another draw: it is the image that a reader is shown. Range -1 .. 1. Recorded
    beside it: `low` and `high`, the 2.5 and 97.5 percentiles over the draws.

    Images that have nothing to do with each other score about 0, and images that ignore who was drawn 1. Pitfalls:
    a draw holds about 63 % of the patients, whose pixels stay where they are, so a stack of random maps too scores well
    above 0: read it beside the control `stacked-random-maps`. Areas that are alike in all images lift it.
    """

    draws: int = 100
    seed: int = 0

    family: ClassVar = Family.COHORT
    higher_is_better: ClassVar = True
    range: ClassVar = (-1.0, 1.0)
    source: ClassVar = "xaibench; SSIM: Wang et al. 2004"
    chance: ClassVar = "about 0 for unrelated images; that of stacked-random-maps for stacks"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"smoke": {"draws": 20}, "paper": {"draws": 1000}}

    def __post_init__(self) -> None:
        require_draws("bootstrap-stability", self.draws)

    def score_cohort(
        self,
        folds: Folds,
        cases: list[Case],
        label: int,
        explanation: CohortExplanation,
        explain: ExplainCohort,
    ) -> Measurement:
        """Compare the simulated images; NotApplicable for a single patient, or where all intensities are equal."""
        if len(patients_of(cases, label)) < 2:
            raise NotApplicable("the class has a single patient, who is all that can be drawn again")
        span = max(float(case.image.max()) for case in cases) - min(float(case.image.min()) for case in cases)
        if span == 0:
            raise NotApplicable("all pixels of all cases have the same intensity")
        # The image that is shown is of all patients, so they are one cohort, whichever fold they are in.
        one_cohort = Folds(folds.classifiers[:1], dict.fromkeys(folds.of, 0))
        seed = seed_of(self.seed, label, "bootstrap-stability")
        draws = resampled(cases, label, one_cohort, self.draws, seed)
        images = draws.images(label, explain)
        alike = np.array([_ssim(explanation.image, image, span) for image in images])[draws.which[:, 0]]
        low, high = np.percentile(alike, [2.5, 97.5])
        return Measurement(float(alike.mean()), {"low": float(low), "high": float(high)})


def _ssim(one: Image, other: Image, span: float) -> float:
    from skimage.metrics import structural_similarity  # slow to import

    # In single precision the variances of a bright image would drown in rounding.
    pair = one.astype(np.float64), other.astype(np.float64)
    return float(structural_similarity(*pair, data_range=span, channel_axis=-1))
