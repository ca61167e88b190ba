"""A plugin on trial: with a tiny model and three small cases."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from xaibench.api import (
    Background,
    Batch,
    Case,
    Classifier,
    Detailed,
    Fitted,
    Folds,
    Heatmaps,
    Images,
    Need,
    seed_of,
)
from xaibench.harness.configured import Configured, make
from xaibench.harness.declared import fitting_values
from xaibench.harness.explaining import Asked, batch_of, regions_of, require
from xaibench.harness.registry import Plugin


class Broken(AssertionError):  # noqa: N818 - reads as a verdict: raise Broken("...")
    """A promise that the plugin does not keep."""


@dataclass(frozen=True, eq=False)
class Trial:
    """A method or metric under test, a tiny model and three small cases."""

    tried: Configured
    classifier: Classifier
    cases: list[Case]

    @property
    def made(self) -> Any:
        """The plugin itself."""
        return self.tried.made

    @property
    def folds(self) -> Folds:
        """The one classifier explains everybody."""
        return Folds((self.classifier,), {case.patient: 0 for case in self.cases})

    def asked(self, cases: list[Case], images: Images | None = None, seed: int = 0) -> Asked:
        """Cases as the method is asked to explain them; the explained class alternates, the seed is the case's."""
        require(self.tried, self.classifier, cases[0].image.ndim - 1)
        targets = [int(case.patient[1:]) % self.classifier.n_classes for case in cases]
        return Asked(
            self.classifier,
            images=stacked(cases) if images is None else images,
            targets=np.array(targets),
            seeds=np.array([seed_of(seed, self.tried.name, case.id) for case in cases]),
            regions=regions_of(cases),
            fitted=self.fitted(),
        )

    def batch(self, cases: list[Case], seed: int = 0) -> Batch:
        """Batch of the cases."""
        return batch_of(self.tried, self.asked(cases, seed=seed))

    def heatmaps(self, cases: list[Case], images: Images | None = None, seed: int = 0) -> Heatmaps:
        """Heatmaps of the cases in one batch, just as the method returns them."""
        made = self.made(self.classifier, batch_of(self.tried, self.asked(cases, images, seed)))
        return made.heatmaps if isinstance(made, Detailed) else made

    def fitted(self) -> Mapping[str, np.ndarray]:
        """What the method learns from twelve small training cases."""
        if not isinstance(self.made, Fitted):
            return {}
        return self.made.fit(self.classifier, background(self.classifier), 0)


Check = Callable[[Trial], None]


def put_on_trial(
    plugin: Plugin, classifier: Classifier, parameters: Mapping[str, Any] | None = None
) -> Trial:
    """Prepare a method or metric, with the smoke budgets, for the checks."""
    given = fitting_values(plugin.cls, plugin.name, parameters or {})
    tried = make(plugin, {**plugin.facts.presets.get("smoke", {}), **given})
    return Trial(tried, classifier, small_cases(classifier.input_shape, 3))


def small_cases(input_shape: tuple[int, ...], count: int, seed: int = 0) -> list[Case]:
    """Noise with a bright ellipse, the region, whose size changes from case to case; the labels alternate."""
    height, width, channels = input_shape
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    cases = []
    for index in range(count):
        radius = min(height, width) / (4 + index % 3)
        region = (rows - height / 2) ** 2 + (columns - width / 3) ** 2 < radius**2
        image = rng.random((height, width, channels), dtype=np.float32) * 0.3 + 0.5 * region[..., None]
        cases.append(
            Case(
                id=f"T{index}-s00",
                patient=f"T{index}",
                image=image.astype(np.float32),
                labels=(index % 2,),
                region=region,
                spacing_mm=(1.0, 1.0),
            )
        )
    return cases


def background(classifier: Classifier) -> Background:
    """Twelve training cases of twelve patients, and two concepts: bright and dark images."""
    cases = small_cases(classifier.input_shape, 12, seed=1)
    images, labels = stacked(cases), np.array([case.label for case in cases])
    concepts = {"bright": images + np.float32(0.5), "dark": images - np.float32(0.5)}
    return Background(images, labels, tuple(case.patient for case in cases), concepts)


def stacked(cases: list[Case]) -> Images:
    """Images of the cases."""
    images: Images = np.stack([case.image for case in cases])
    return images


def without_region(case: Case) -> Case:
    """Same case, which nobody annotated."""
    return replace(case, region=None)


def needs_region(trial: Trial) -> bool:
    """Whether the plugin asks for the annotated region."""
    return Need.REGION in trial.tried.needs
