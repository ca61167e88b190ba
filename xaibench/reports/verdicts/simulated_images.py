"""Whether the model recognises the simulated images, and whether that beats chance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xaibench.api import Record, Status
from xaibench.reports.scoring.comparisons import holm
from xaibench.reports.scoring.results import Results
from xaibench.reports.scoring.signed_rank import SIGNIFICANT
from xaibench.reports.text import figure, p_text, percent, plural
from xaibench.reports.verdicts.verdict import Verdict

METRIC = "class-consistency"
RANDOM_MAPS = "stacked-random-maps"
"""The control that stacks a random feature map of each image."""


@dataclass(frozen=True)
class SimulatedImage:
    """The model's probability of a class for the image simulated to show it, and what that is compared with."""

    method: str
    name: str
    """Of the class."""
    value: float
    beside: Mapping[str, float]
    """What was recorded with it; anything may be missing."""

    @property
    def shown(self) -> str:
        """Probability and its interval, never rounded onto 0.5."""
        return figure(self.value, self.beside.get("low"), self.beside.get("high"), against=0.5)

    @property
    def recognised(self) -> bool:
        """Whether the class is the predicted one; above 0.5 where that was not recorded."""
        return self.beside.get("predicted", self.value) > 0.5

    @property
    def null_p(self) -> float | None:
        """Share of shuffled labels whose image is given at least that probability."""
        return self.beside.get("null_p")

    @property
    def null(self) -> str:
        """Probability for images from shuffled labels, with its range; empty if not measured."""
        mean = self.beside.get("null_mean")
        if mean is None:
            return ""
        shown = figure(mean, self.beside.get("null_low"), self.beside.get("null_high"))
        share = self.beside.get("null_predicted")
        return shown + (f", {percent(share)} of them recognised" if share is not None else "")


def of_classes(run: Results, metric: str) -> dict[tuple[str, str], Record]:
    """Records of a cohort metric by method and class name."""
    return {
        (r.method, r.case.removeprefix("class ")): r
        for r in run.records
        if r.metric == metric and r.case.startswith("class ")
    }


def simulated_images(run: Results) -> dict[tuple[str, str], SimulatedImage]:
    """Measured class-consistency by method and class name."""
    return {
        key: SimulatedImage(*key, record.value, record.details)
        for key, record in of_classes(run, METRIC).items()
        if record.status is Status.OK and record.value is not None
    }


def recognition(run: Results) -> list[Verdict]:
    """For each class and explainer: against shuffled labels, then against random maps."""
    found = simulated_images(run)
    own = [image for image in found.values() if image.method in run.info.competitors()]
    patients = len(run.info.cohort.patients)
    controls = [
        (image, found[RANDOM_MAPS, image.name]) for image in own if (RANDOM_MAPS, image.name) in found
    ]
    return [
        *against_shuffled_labels(own, patients),
        *(against_random_maps(*pair, patients) for pair in controls),
    ]


def against_shuffled_labels(images: Sequence[SimulatedImage], patients: int) -> list[Verdict]:
    """Say for each image whether the class is recognised, and whether that means anything."""
    tested = [image for image in images if image.null_p is not None]
    corrected = holm([image.null_p for image in tested if image.null_p is not None])
    p_of = {(i.method, i.name): p for i, p in zip(tested, corrected, strict=True)}
    return [
        _recognised(image, p_of.get((image.method, image.name)), len(tested), patients) for image in images
    ]


def _recognised(image: SimulatedImage, p: float | None, tested: int, patients: int) -> Verdict:
    verb = "recognises" if image.recognised else "does not recognise"
    text = f"The model {verb} the {image.name} image that {image.method} simulates: probability {image.shown}"
    if p is None:
        after = "Shuffled labels were not tried, so it is not known whether any image would do as well"
        return Verdict(f"{text}. {after}.", warns=True, patients=patients)
    test = (
        f"permutation test with shuffled labels, one-sided, corrected for {plural(tested, 'image')} (Holm): "
        f"{p_text(p)}; shuffled labels give {image.null}"
    )
    if p >= SIGNIFICANT:
        after = "Randomly relabelled patients do as well, so this proves nothing"
        return Verdict(f"{text}. {after}.", test, warns=True, patients=patients)
    after = "more than randomly relabelled patients get"
    return Verdict(f"{text}, {after}.", test, warns=not image.recognised, patients=patients)


def against_random_maps(image: SimulatedImage, control: SimulatedImage, patients: int) -> Verdict:
    """Say whether the most important maps do better than random ones of the same images."""
    text = f"Random feature maps, stacked in the same way, make a {image.name} image of probability {control.shown}: "
    test = f"the interval of {image.method}, patients drawn again"
    if control.value >= image.value:
        after = "choosing the most important map does not make the image more recognisable"
        return Verdict(
            f"{text}no less than {image.method} ({image.shown}), so {after}.",
            test,
            warns=True,
            patients=patients,
        )
    # The image of all patients may itself lie below what patients drawn again give.
    if control.value >= image.beside.get("low", image.value):
        after = "within its interval, so it is not settled whether choosing the most important map helps"
        return Verdict(
            f"{text}less than {image.method} ({image.shown}), but {after}.", test, (), True, patients
        )
    return Verdict(f"{text}less than {image.method} ({image.shown}).", test, patients=patients)
