"""Verdicts on simulated images: whether the model recognises the class, and whether that beats chance."""

from collections.abc import Mapping
from dataclasses import dataclass

from xaibench.api import Record, Status
from xaibench.reports.scoring.leaderboard import competitors
from xaibench.reports.scoring.results import Results
from xaibench.reports.text import brief, percent, span
from xaibench.reports.verdicts.verdict import Verdict

ALPHA = 0.05
RANDOM_MAPS = "stacked-random-maps"
"""The control that stacks a random feature map of each image."""


@dataclass(frozen=True)
class Claim:
    """The model's probability of a class for the image simulated to show it, and what that is compared with."""

    method: str
    name: str
    """Of the class."""
    value: float
    beside: Mapping[str, float]
    """What was recorded with it; anything may be missing."""

    @property
    def shown(self) -> str:
        """Probability and its interval."""
        return f"{brief(self.value)} {span(self.beside.get('low'), self.beside.get('high'))}".rstrip()

    @property
    def recognised(self) -> bool:
        """Whether the class is the predicted one; above 0.5 where that was not recorded."""
        return self.beside.get("predicted", self.value) > 0.5

    @property
    def null(self) -> str:
        """Probability for images from shuffled labels, with its range and p; empty if not measured."""
        mean, p = self.beside.get("null_mean"), self.beside.get("null_p")
        if mean is None or p is None:
            return ""
        shown = f"{brief(mean)} {span(self.beside.get('null_low'), self.beside.get('null_high'))}".rstrip()
        share = self.beside.get("null_predicted")
        seen = f", {percent(share)} of them recognised" if share is not None else ""
        return f"mean {shown}{seen}; p = {brief(p)}"

    @property
    def beats_null(self) -> bool:
        """Whether shuffled labels seldom give an image of that probability."""
        return self.beside.get("null_p", 1.0) < ALPHA


def of_classes(run: Results, metric: str) -> dict[tuple[str, str], Record]:
    """Records of a cohort metric by method and class name."""
    return {
        (r.method, r.case.removeprefix("class ")): r
        for r in run.records
        if r.metric == metric and r.case.startswith("class ")
    }


def claims(run: Results) -> dict[tuple[str, str], Claim]:
    """Measured class-consistency by method and class name."""
    return {
        key: Claim(*key, record.value, record.details)
        for key, record in of_classes(run, "class-consistency").items()
        if record.status is Status.OK and record.value is not None
    }


def recognition(run: Results) -> list[Verdict]:
    """For each class and explainer of the cohort: against shuffled labels, then against random maps."""
    found = claims(run)
    mine = [claim for claim in found.values() if claim.method in competitors(run.info)]
    controls = [
        (claim, found[RANDOM_MAPS, claim.name]) for claim in mine if (RANDOM_MAPS, claim.name) in found
    ]
    return [*map(against_shuffled_labels, mine), *(against_random_maps(*pair) for pair in controls)]


def against_shuffled_labels(claim: Claim) -> Verdict:
    """Say whether the class is recognised, and whether that means anything."""
    image = f"the {claim.name} image that {claim.method} simulates"
    if not claim.recognised:
        text = f"The model does not recognise {image}: probability {claim.shown}"
        return Verdict(f"{text}{_unrecognised(claim)}.", warns=True)
    text = f"The model recognises {image}: probability {claim.shown}"
    if not claim.null:
        after = ". Shuffled labels were not tried, so it is not known whether any image would be recognised."
        return Verdict(text + after, warns=True)
    if claim.beats_null:
        return Verdict(f"{text}, more than images from shuffled labels get ({claim.null}).")
    after = (
        f"Images from shuffled labels reach that too often ({claim.null}): its recognition is no evidence."
    )
    return Verdict(f"{text}. {after}", warns=True)


def _unrecognised(claim: Claim) -> str:
    if not claim.null:
        return ""
    side = "more than" if claim.beats_null else "not clearly more than"
    return f", {side} images from shuffled labels get ({claim.null})"


def against_random_maps(claim: Claim, control: Claim) -> Verdict:
    """Say whether the most important maps do better than random ones of the same images."""
    text = f"Random feature maps, stacked in the same way, make a {claim.name} image of probability {control.shown}: "
    if control.value >= claim.value:
        after = "choosing the most important map does not make the image more recognisable"
        return Verdict(f"{text}no less than {claim.method} ({claim.shown}), so {after}.", warns=True)
    # The image of all patients may itself lie below what patients drawn again give.
    if control.value >= claim.beside.get("low", claim.value):
        after = "within its interval, so it is not settled whether choosing the most important map helps"
        return Verdict(f"{text}less than {claim.method} ({claim.shown}), but {after}.", warns=True)
    return Verdict(f"{text}less than {claim.method} ({claim.shown}).")
