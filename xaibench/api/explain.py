"""Explanations, and what an explainer must look like."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Int
from pydantic import BaseModel, ConfigDict

from xaibench.api.arrays import Heatmap, Heatmaps, Image, Images, Regions, Seeds, Targets
from xaibench.api.data import Case
from xaibench.api.model import Classifier, Need

Preset = Mapping[str, Any]


class Single(NamedTuple):
    """One image of a batch."""

    image: Image
    target: int
    seed: int


@dataclass(frozen=True, eq=False)
class Batch:
    """What an explainer gets. Arrays are read-only; each image is explained as if it were alone."""

    images: Images
    targets: Targets
    seeds: Seeds
    """What an explainer that draws starts from, one a case: `np.random.default_rng(seed)`."""
    regions: Regions | None = None
    """Annotated regions, only for explainers that need Need.REGION."""
    fitted: Mapping[str, np.ndarray] = field(default_factory=dict)
    """What the explainer's `fit` returned; empty where it has none."""

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.images)

    def __iter__(self) -> Iterator[Single]:
        """Yield the images one by one, for explainers that take one at a time."""
        for image, target, seed in zip(self.images, self.targets, self.seeds, strict=True):
            yield Single(image, int(target), int(seed))

    @property
    def space(self) -> tuple[int, ...]:
        """Size of an image without its channels: `(h, w)` or `(d, h, w)`."""
        return self.images.shape[1:-1]


@dataclass(frozen=True, eq=False)
class Detailed:
    """Heatmaps with figures worth recording beside them, such as the cost of a stage."""

    heatmaps: Heatmaps
    details: tuple[Mapping[str, float], ...]
    """One mapping an image."""


class ExplainerFacts(BaseModel):
    """What the class of an explainer may declare, each as a class variable of that name."""

    model_config = ConfigDict(frozen=True, strict=True)

    family: str
    """cam, gradient, perturbation, generator, control ... (shown in tables; `--methods family:cam`)."""
    needs: frozenset[Need]
    source: str
    """Paper, in a few words."""
    presets: Mapping[str, Preset] = {}
    """Field values of the presets `smoke` and `paper`; the defaults of the fields are those of `standard`."""
    dimensions: frozenset[int] = frozenset({2})
    """Axes of space it can explain: 2 for slices, 3 for volumes."""
    deterministic: bool = True
    """Whether the seeds change nothing."""


@runtime_checkable
class Explainer(Protocol):
    """Explains images one by one. A frozen dataclass; its fields are its recorded parameters.

    Optional methods are those of Fitted, Promising and CohortExplainer, optional facts those of ExplainerFacts.
    """

    family: ClassVar[str]
    needs: ClassVar[frozenset[Need]]
    source: ClassVar[str]

    def __call__(self, classifier: Classifier, batch: Batch) -> Heatmaps | Detailed:
        """Raw, signed maps of the target class: not normalised, not clipped beyond the method's definition."""
        ...


@dataclass(frozen=True, eq=False)
class Background:
    """What an explainer may learn from: training cases of one classifier."""

    images: Images
    labels: Int[np.ndarray, "n"]
    patients: tuple[str, ...]
    concepts: Mapping[str, np.ndarray] = field(default_factory=dict)
    """Images `[m *space c]` that show each concept, only for explainers that need Need.CONCEPTS."""


@runtime_checkable
class Fitted(Protocol):
    """An explainer that learns first: from training cases (Need.TRAINING) and concepts (Need.CONCEPTS)."""

    def fit(self, classifier: Classifier, background: Background, seed: int) -> Mapping[str, np.ndarray]:
        """Learn once per classifier; what is returned is kept, and comes back as `Batch.fitted`."""
        ...


@runtime_checkable
class Promising(Protocol):
    """An explainer whose maps promise to sum to something, such as logit(image) - logit(baseline)."""

    def promised_total(self, classifier: Classifier, batch: Batch) -> Float32[np.ndarray, "n"]:
        """Return what each map must sum to by the method's definition."""
        ...


@dataclass(frozen=True, eq=False)
class Explanation:
    """A heatmap and what it cost, made one image at a time after warm-up."""

    heatmap: Heatmap
    target: int
    """The explained class."""
    seconds: float
    forward: int
    backward: int
    promised_total: float | None = None
    """What the map promises to sum to; None for methods that promise nothing."""
    details: Mapping[str, float] = field(default_factory=dict)
    """Figures that the method recorded beside its map."""


@runtime_checkable
class Explain(Protocol):
    """Runs the method under test again on the same case, with something changed; a map is made once in a cell."""

    def __call__(
        self,
        images: Images | None = None,
        *,
        targets: Targets | None = None,
        seeds: Seeds | None = None,
        classifier: Classifier | None = None,
    ) -> Heatmaps:
        """Heatmaps of the images (default: the case's), for other classes, by other seeds or by another model.

        What is not given stays as it was; single targets and seeds are repeated for all images.
        """
        ...


# ---------------------------------------------------------------- cohorts


@dataclass(frozen=True, eq=False)
class CohortExplanation:
    """One explanation of a class for a whole cohort."""

    image: Image
    """The simulated image."""
    map: Heatmap
    """The stacked map it was made from."""
    sources: Int[np.ndarray, "*space"]
    """For each pixel, which of the given cases it came from; -1 = none."""
    region: Float32[np.ndarray, "*space"] | None = None
    """Part of each pixel that comes from annotated regions, 0 .. 1; None if a case has no annotation."""


@runtime_checkable
class CohortExplainer(Protocol):
    """An Explainer that also explains a whole cohort, a class at a time."""

    def explain_cohort(self, cases: list[Case], maps: Heatmaps) -> dict[int, CohortExplanation]:
        """One explanation for every label that occurs among the cases.

        `maps` are the method's own heatmaps of the cases, each for the case's label, by the model that never saw
        the patient.
        """
        ...


@runtime_checkable
class ExplainCohort(Protocol):
    """Runs the method under test on a changed cohort: patients drawn again, or labels shuffled."""

    def __call__(self, cases: list[Case]) -> dict[int, CohortExplanation]:
        """One explanation for every label that occurs; a heatmap is made once for a case and label."""
        ...
