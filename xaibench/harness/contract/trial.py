"""A plugin on trial: with a tiny model and three small cases."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from xaibench.api import (
    Case,
    Heatmaps,
    Images,
    Need,
    Regions,
)
from xaibench.harness.cell import Entry, Workbench
from xaibench.harness.registry import Plugin


class Broken(AssertionError):  # noqa: N818 - reads as a verdict: raise Broken("...")
    """A promise that the plugin does not keep."""


@dataclass(frozen=True, eq=False)
class Trial:
    """A plugin under test, a tiny model and three small cases."""

    entry: Entry
    classifier: Any
    cases: list[Case]

    @property
    def bench(self) -> Workbench:
        """A fresh workbench; the explained class of the cases alternates."""
        targets = {case.id: index % self.classifier.n_classes for index, case in enumerate(self.cases)}
        classifiers = {case.patient: self.classifier for case in self.cases}
        return Workbench(classifiers, targets, seed=0, timeout=120.0)

    def heatmaps(self, cases: list[Case], images: Images | None = None) -> Heatmaps:
        """Heatmaps of the cases in one batch, all drawn from one seed."""
        images = stacked(cases) if images is None else images
        plugin = self.entry.plugin
        targets = np.array([self.bench.targets[case.id] for case in cases])
        result: Heatmaps = plugin(self.classifier, images, targets, **masks_for(plugin, cases))
        return result


Check = Callable[[Trial], None]


def put_on_trial(plugin: Plugin, classifier: Any, parameters: dict[str, Any] | None = None) -> Trial:
    """Prepare a plugin, with the smoke budgets, for the checks."""
    values = dict(getattr(plugin.cls, "presets", {}).get("smoke", {})) | (parameters or {})
    height, width, channels = classifier.input_shape
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:height, :width]
    cases = []
    for index in range(3):
        mask = (rows - height / 2) ** 2 + (columns - width / 3) ** 2 < (min(height, width) / (4 + index)) ** 2
        image = rng.random((height, width, channels), dtype=np.float32) * 0.3 + 0.5 * mask[..., None]
        cases.append(
            Case(f"T{index}-s00", f"T{index}", image.astype(np.float32), index % 2, mask, (1.0, 1.0), 0)
        )
    return Trial(Entry(plugin.name, plugin.cls(**values)), classifier, cases)


def stacked(cases: list[Case]) -> Images:
    """Images of the cases."""
    images: Images = np.stack([case.image for case in cases])
    return images


def masks_of(cases: list[Case]) -> Regions:
    """Masks of the cases, which all have one."""
    masks: Regions = np.stack([case.region for case in cases if case.region is not None])
    return masks


def masks_for(method: Any, cases: list[Case]) -> dict[str, Regions]:
    """Return the further argument of a method that needs the annotated regions."""
    return {"masks": masks_of(cases)} if Need.REGION in method.needs else {}
