"""The nouns of xaibench: cases, explanations, records, and what a plugin must look like.

Everything else may import this module; it imports nothing of xaibench.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float32, Int

Image = Float32[np.ndarray, "h w c"]
Images = Float32[np.ndarray, "n h w c"]
Heatmap = Float32[np.ndarray, "h w"]
Heatmaps = Float32[np.ndarray, "n h w"]
Targets = Int[np.ndarray, "n"]
Region = Bool[np.ndarray, "h w"]
Regions = Bool[np.ndarray, "n h w"]
Scores = Float32[np.ndarray, "n k"]
AnyImages = Float32[np.ndarray, "*lead h w c"]
AnyScores = Float32[np.ndarray, "*lead k"]
Features = Float32[np.ndarray, "*lead fh fw maps"]


class XaibenchError(Exception):
    """Bad input or usage, said in one sentence for the reader: what, where, what to do (exit code 2)."""


class NotApplicable(Exception):  # noqa: N818 - it is an outcome, not an error
    """Raised where a method or metric has no meaning for this model or case; the message is the reason."""


def seed_of(*parts: object) -> int:
    """Seed derived from what names the draw, so that neither order nor batch changes it: 0 .. 2**32 - 1."""
    text = "\x1f".join(map(str, parts))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big")


# ---------------------------------------------------------------- data


@dataclass(frozen=True, eq=False)
class Volume:
    """All slices of one patient, in order along the slice normal, at the resolution they were acquired."""

    patient: str
    """Pseudonym."""
    label: int
    images: Images
    """[slices h w c], in the units of the file after rescale slope and intercept."""
    masks: Regions | None
    """[slices h w], True inside the annotated tumour; None where nobody annotated."""
    spacing_mm: tuple[float, float]
    """Distance of the rows and of the columns, in mm."""


@dataclass(frozen=True, eq=False)
class Case:
    """One image to explain."""

    id: str
    """Pseudonym: patient and slice, such as P007-s12."""
    patient: str
    image: Image
    label: int
    mask: Region | None
    spacing_mm: tuple[float, float]
    slice_index: int


@runtime_checkable
class Dataset(Protocol):
    """A source of volumes. A frozen dataclass; its fields are its recorded parameters."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the labels 0, 1, ..."""
        ...

    summary: ClassVar[str]
    """One line for `xaibench list datasets`."""

    def volumes(self) -> Iterator[Volume]:
        """Yield one volume a patient, in the order of the pseudonyms. Raises XaibenchError on unusable input."""
        ...

    def notes(self) -> list[str]:
        """Say in sentences what was chosen, left out or is wrong; no identifying value. Valid before `volumes`."""
        ...


@runtime_checkable
class Trainable(Protocol):
    """A dataset that can make patients to train the default model on, none of whom it will ever explain."""

    def training_volumes(self) -> Iterator[Volume]:
        """Yield the slices around the tumour of each training patient."""
        ...

    def training_key(self) -> str:
        """What decides the training patients: the same key, the same patients."""
        ...


@runtime_checkable
class Labelled(Protocol):
    """A dataset whose labels the user wrote in a table of their own."""

    def label_gaps(self) -> list[str]:
        """Say where table and images do not fit, a sentence each, without identifying values; training refuses them."""
        ...


# ---------------------------------------------------------------- models


class Need(StrEnum):
    """What an explainer asks of the classifier or the case, and what a classifier offers."""

    SCORES = "scores"
    INPUT_GRADIENTS = "input gradients"
    FEATURES = "feature maps"
    FEATURE_GRADIENTS = "feature-map gradients"
    KERAS = "the Keras model itself"
    MASK = "the annotated region"


@runtime_checkable
class Masks(Protocol):
    """A run of masks `[m h w]`, 1 = keep; an array is one, and so is an object that makes slices on demand."""

    def __len__(self) -> int:
        """Return the number of masks."""
        ...

    def __getitem__(self, index: slice, /) -> np.ndarray:
        """Return the masks of a slice, `[m h w]`, bool or real in [0, 1]."""
        ...


class Passes(NamedTuple):
    """Model evaluations, counted an image each, and the seconds spent in them."""

    forward: int = 0
    backward: int = 0
    seconds: float = 0.0


class BorrowedModel(NamedTuple):
    """A Keras model for a library that insists on calling it: flat (no nested models), logits out."""

    model: Any
    layer: str
    """Name of the default feature layer."""


@runtime_checkable
class Classifier(Protocol):
    """All that a method or a metric may ask of a model.

    Images may have any leading axes; the classifier flattens them, cuts them into batches and puts them
    back. Targets broadcast against the leading axes. Methods that a model cannot serve raise NotApplicable.
    """

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(h, w, c)."""
        ...

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        ...

    @property
    def input_range(self) -> tuple[float, float]:
        """Lowest and highest intensity of the cohort: perturbations are relative to it."""
        ...

    @property
    def offers(self) -> frozenset[Need]:
        """What may be asked of this model."""
        ...

    def scores(self, images: AnyImages) -> AnyScores:
        """Class probabilities."""
        ...

    def logits(self, images: AnyImages) -> AnyScores:
        """Class logits (before softmax; a sigmoid unit z counts as the two logits -z/2 and z/2)."""
        ...

    def remembered_scores(self, image: Image) -> Float32[np.ndarray, "k"]:
        """Class probabilities of an image that will be asked for again; predicted once, kept by content."""
        ...

    def masked_scores(self, image: Image, masks: Masks, baseline: Image) -> Scores:
        """Class probabilities of `mask * image + (1 - mask) * baseline`, a row a mask `[m k]`.

        The masked copies are made inside the traced function, a batch at a time.
        """
        ...

    def input_gradients(self, images: AnyImages, targets: Int[np.ndarray, "..."]) -> AnyImages:
        """Gradient of the target's logit with respect to the input."""
        ...

    def features(self, images: AnyImages, layer: str | None = None) -> Features:
        """Feature maps of a layer, by default the last convolutional block's output."""
        ...

    def feature_gradients(
        self, images: AnyImages, targets: Int[np.ndarray, "..."], layer: str | None = None
    ) -> tuple[Features, Features]:
        """Feature maps of a layer and the gradient of the target's logit with respect to them."""
        ...

    def head_weights(self) -> Float32[np.ndarray, "maps k"] | None:
        """Weights of the classes on the default layer's maps; None unless the head is pooling + one dense layer."""
        ...

    def borrow_keras(self, forward: int, backward: int) -> BorrowedModel:
        """Lend the Keras model to a library that calls it itself; the borrower states the passes it will make."""
        ...


# ---------------------------------------------------------------- explanations


@runtime_checkable
class Explainer(Protocol):
    """Explains images one by one. A frozen dataclass; its fields are its recorded parameters.

    Optional members:
    `seed: int` (a field) if it draws at random: every image of a batch is explained from this same seed,
    so that it is explained alone as in a batch; the run sets it from (run seed, method, case).
    `presets: ClassVar[Mapping[str, Mapping[str, Any]]]`: field values of the presets `smoke` and `paper`;
    the defaults are those of `standard`.
    If it needs Need.MASK it is called with the further argument `masks: Regions`.
    """

    family: ClassVar[str]
    """cam, gradient, perturbation, generator, control ... (shown in tables; `--methods family:cam`)."""
    needs: ClassVar[frozenset[Need]]
    source: ClassVar[str]
    """Paper, in a few words."""

    def __call__(self, classifier: Classifier, images: Images, targets: Targets) -> Heatmaps:
        """Raw, signed maps of the target class: not normalised, not clipped beyond the method's definition."""
        ...


@dataclass(frozen=True, eq=False)
class CohortExplanation:
    """One explanation of a class for a whole cohort."""

    image: Image
    """The simulated image."""
    map: Heatmap
    """The stacked map it was made from."""
    sources: Int[np.ndarray, "h w"]
    """For each pixel, which of the given cases it came from; -1 = none."""
    mask: Float32[np.ndarray, "h w"] | None = None
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
    """Runs the method under test on a changed cohort: patients drawn again, or labels dealt anew."""

    def __call__(self, cases: list[Case]) -> dict[int, CohortExplanation]:
        """One explanation for every label that occurs; a heatmap is made once for a case and label."""
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


@runtime_checkable
class Explain(Protocol):
    """Runs the method under test again on changed copies of the same case: same target, same seed, same mask."""

    def __call__(self, images: Images) -> Heatmaps:
        """Heatmaps of the changed copies."""
        ...


# ---------------------------------------------------------------- metrics


class Family(StrEnum):
    """Families of metrics; the leaderboard is the mean of the ranks within each."""

    FAITHFULNESS = "faithfulness"
    ROBUSTNESS = "robustness"
    COLOCALISATION = "co-localisation"
    RANDOMISATION = "randomisation"
    COMPLEXITY = "complexity"
    COST = "cost"
    COHORT = "cohort"


@dataclass(frozen=True)
class Measurement:
    """A metric's value, and figures worth recording beside it (never ranked)."""

    value: float
    details: Mapping[str, float] = field(default_factory=dict)


@runtime_checkable
class MetricFacts(Protocol):
    """What every metric declares. A frozen dataclass; a `seed: int` field is set to the run's seed.

    Optional: `presets`, as for explainers.
    """

    family: ClassVar[Family]
    higher_is_better: ClassVar[bool]
    range: ClassVar[tuple[float, float]]
    """Lowest and highest possible value (may be infinite)."""
    unit: ClassVar[str]
    """Empty for a pure number."""
    source: ClassVar[str]


@runtime_checkable
class Metric(MetricFacts, Protocol):
    """Scores one explanation of one case."""

    needs_mask: ClassVar[bool]

    def __call__(
        self, classifier: Classifier, case: Case, explanation: Explanation, explain: Explain
    ) -> Measurement:
        """Compute the value; raises NotApplicable with the reason where it has no meaning."""
        ...


@runtime_checkable
class ExplainBatch(Protocol):
    """Explains several cases in one batch."""

    def __call__(self, cases: list[Case]) -> Heatmaps:
        """Heatmaps of the cases."""
        ...


@runtime_checkable
class ThroughputMetric(MetricFacts, Protocol):
    """Scores a method over the cases together."""

    def score_batch(self, cases: list[Case], explain: ExplainBatch) -> Measurement:
        """Compute the one value of the cohort."""
        ...


@runtime_checkable
class CohortMetric(MetricFacts, Protocol):
    """Scores a cohort explanation, a class at a time."""

    def score_cohort(
        self,
        classifiers: Sequence[Classifier],
        cases: list[Case],
        label: int,
        explanation: CohortExplanation,
        explain: ExplainCohort,
    ) -> Measurement:
        """Compute the value of one class of the cases.

        `classifiers` are the models that explain, one a fold. Raises NotApplicable with the reason.
        """
        ...


# ---------------------------------------------------------------- records


class Status(StrEnum):
    """How a record came out."""

    OK = "ok"
    FAILED = "failed"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True)
class Record:
    """One number, or the reason why there is none."""

    case: str
    """Case pseudonym; `cohort` for a figure of the whole cohort, `class NAME` for one of a class."""
    patient: str
    """Patient pseudonym; `cohort` where the figure is not of one patient."""
    method: str
    metric: str
    status: Status
    value: float | None = None
    reason: str = ""
    details: Mapping[str, float] = field(default_factory=dict)
    fold: int | None = None
    seconds: float = 0.0
    forward: int = 0
    backward: int = 0
