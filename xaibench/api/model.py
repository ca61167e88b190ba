"""What a method or a metric may ask of a model, and what brings a model."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32
from pydantic import BaseModel, ConfigDict

from xaibench.api.arrays import AnyImages, AnyScores, AnyTargets, Attention, Features, Image, Images, Scores
from xaibench.api.data import Dataset, Volume
from xaibench.api.errors import NotApplicable
from xaibench.api.fitting import Intensity
from xaibench.api.preprocessing import Preprocessing
from xaibench.api.progress import Progress


class Need(StrEnum):
    """What an explainer or a metric asks for; a classifier offers the first group."""

    SCORES = "scores"
    INPUT_GRADIENTS = "input gradients"
    FEATURES = "feature maps"
    FEATURE_GRADIENTS = "feature-map gradients"
    LOGITS_FROM_FEATURES = "logits from changed feature maps"
    BACKWARD_RULES = "backward rules"
    ATTENTION = "attention"
    RANDOMISED = "randomised layers"
    KERAS = "the Keras model itself"

    REGION = "the annotated region"
    TRAINING = "training cases"
    CONCEPTS = "images of concepts"
    EXPLAIN = "explaining again"
    TIMING = "undisturbed timing"
    FRESH_PROCESS = "a process that has done nothing else"


OF_THE_CLASSIFIER = frozenset(Need) - {
    Need.REGION,
    Need.TRAINING,
    Need.CONCEPTS,
    Need.EXPLAIN,
    Need.TIMING,
    Need.FRESH_PROCESS,
}


@runtime_checkable
class Masks(Protocol):
    """A run of masks `[m *space]`, 1 = keep; an array is one, and so is an object that makes slices on demand."""

    def __len__(self) -> int:
        """Return the number of masks."""
        ...

    def __getitem__(self, index: slice, /) -> np.ndarray:
        """Return the masks of a slice, `[m *space]`, bool or real in [0, 1]."""
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
    probabilities: Any
    """The same model with a softmax behind its logits."""
    preprocessing: Any
    """Its first layers, as far as each only gives the pixels new values in their places."""
    behind_preprocessing: Callable[[int], Any]
    """Gives the other layers as a model whose only output is the logit of one class, `[n 1]`."""
    kept: dict[Any, Any]
    """What the borrower makes of the model and needs again, under a key of its own; kept as long as the model."""


@runtime_checkable
class Classifier(Protocol):
    """All that a method or a metric may ask of a model.

    Images may have any leading axes; the classifier flattens them, cuts them into batches and puts them
    back. Targets broadcast against the leading axes. Everything but `scores` is optional: what is not among
    `offers` raises NotApplicable.
    """

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one image, `(*space, c)`."""
        ...

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        ...

    @property
    def exclusive(self) -> bool:
        """Whether an image has exactly one class (softmax), or each class on its own (sigmoids)."""
        ...

    @property
    def offers(self) -> frozenset[Need]:
        """What may be asked of this model."""
        ...

    @property
    def fingerprint(self) -> str:
        """Hash of all that decides the answers: layers, weights, and the code that asks them."""
        ...

    @property
    def passes(self) -> Passes:
        """Evaluations made so far."""
        ...

    def scores(self, images: AnyImages) -> AnyScores:
        """Class probabilities, 0 .. 1."""
        ...

    def logits(self, images: AnyImages) -> AnyScores:
        """Class logits: before softmax or sigmoid; one sigmoid unit z counts as the two logits -z/2 and z/2."""
        ...

    def remembered_scores(self, image: Image) -> Float32[np.ndarray, "k"]:
        """Class probabilities of an image that will be asked for again; predicted once, kept by content."""
        ...

    def masked_scores(self, image: Image, masks: Masks, baseline: Image) -> Scores:
        """Class probabilities of `mask * image + (1 - mask) * baseline`, a row a mask `[m k]`.

        The masked copies are made a batch at a time.
        """
        ...

    def input_gradients(self, images: AnyImages, targets: AnyTargets) -> AnyImages:
        """Gradient of the target's logit with respect to the input."""
        ...

    def features(self, images: AnyImages, layer: str | None = None) -> Features:
        """Feature maps of a layer, by default the last convolutional block's output."""
        ...

    def feature_gradients(
        self, images: AnyImages, targets: AnyTargets, layer: str | None = None
    ) -> tuple[Features, Features]:
        """Feature maps of a layer and the gradient of the target's logit with respect to them."""
        ...

    def logits_from_features(self, features: Features, layer: str | None = None) -> AnyScores:
        """Class logits that the layers behind a layer give for changed feature maps of it."""
        ...

    def head_weights(self) -> Float32[np.ndarray, "maps k"] | None:
        """Weights of the classes on the default layer's maps; None unless the head is pooling + one dense layer."""
        ...

    @property
    def backward_rules(self) -> frozenset[str]:
        """Names that `relevance` takes, such as `guided`, `z-plus` or `lrp-composite`."""
        ...

    def relevance(
        self, images: AnyImages, targets: AnyTargets, rule: str, baseline: Image | None = None
    ) -> AnyImages:
        """Send the target's logit back to the input by a named rule; `baseline` for rules that compare with one."""
        ...

    def attention(self, images: AnyImages, targets: AnyTargets) -> tuple[Attention, Attention]:
        """Attention of each layer and the gradient of the target's logit with respect to it."""
        ...

    @property
    def random_layers(self) -> tuple[str, ...]:
        """Layers with weights, from the output down: what `randomised` can stop at."""
        ...

    def randomised(self, seed: int, upto: str) -> "Classifier":
        """Return the classifier with fresh weights in the layers from the output down to `upto`, the others as trained.

        New weights are drawn from each layer's own initialiser, a layer's from (seed, its name) alone, so that
        cascades share their upper layers.
        """
        ...

    def borrow_keras(self, forward: int, backward: int) -> BorrowedModel:
        """Lend the Keras model to a library that calls it itself; the borrower states the passes it will make."""
        ...


# ---------------------------------------------------------------- where a model comes from


class HeldOut(StrEnum):
    """Whether the model had seen the patients that it explains."""

    YES = "held out"
    NO = "seen in training"
    UNKNOWN = "not known"


class Match(NamedTuple):
    """Which classifier may explain a patient, and how that is known."""

    classifier: int = 0
    known_by: str = ""
    """`identity` or `image` for a patient who was in the training; empty for one who cannot be found there."""


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """What `--model` names: one classifier, or one a fold, each for the patients it never saw."""

    name: str
    """For the title of a report; gives no path away."""
    classifiers: tuple[Classifier, ...]
    facts: Mapping[str, str] = field(default_factory=dict)
    """What a reader must know of it, in a few words each."""
    record: Mapping[str, Any] = field(default_factory=dict)
    """More about it that JSON can hold: how it was trained and validated."""
    class_names: tuple[str, ...] = ()
    """Names of its outputs, where it knows them."""
    intensity: Intensity | None = None
    """Intensities it was trained on, where that is known."""

    def match(self, volume: Volume) -> Match:
        """Return the classifier that may explain the patient of a volume."""
        return Match()

    def held_out(self, matches: Mapping[str, Match]) -> tuple[HeldOut, list[str]]:
        """Judge a whole cohort, by pseudonym, with sentences for the reader.

        Raises XaibenchError where nobody can tell who a patient is.
        """
        return HeldOut.UNKNOWN, []

    def training_volumes(self, classifier: int) -> Iterator[Volume]:
        """Yield the volumes that a classifier was trained on, for methods that learn. Raises NotApplicable."""
        raise NotApplicable("the cases that this model was trained on are not known")


class ModelFacts(BaseModel):
    """What the class of a model or of a classifier may declare, each as a class variable of that name."""

    model_config = ConfigDict(frozen=True, strict=True)

    summary: str
    """One line for `xaibench list models`."""
    path_field: str = ""
    """Field that takes the path of `--model PATH`; empty if the model is known by its name alone.

    Such a class also has `accepts`.
    """


@runtime_checkable
class ModelSource(Protocol):
    """Brings a model (entry points `xaibench.models`). A frozen dataclass; its fields are its options."""

    summary: ClassVar[str]

    def load(self, dataset: Dataset, progress: Progress) -> LoadedModel:
        """Load, make or train the model. Raises XaibenchError in one sentence for what does not fit."""
        ...


@runtime_checkable
class ClassifierFormat(Protocol):
    """Reads a kind of model file (entry points `xaibench.classifiers`). A frozen dataclass; its fields are options."""

    summary: ClassVar[str]

    def load(self) -> Classifier:
        """Read the file. Raises XaibenchError in one sentence for one that is missing, broken or unsafe."""
        ...


@runtime_checkable
class Verifiable(Protocol):
    """A classifier that can be compared with the output of the model it wraps."""

    def verify(self, images: Images) -> list[str]:
        """Compare its scores with the model's own output on images of the cohort; sentences for the reader.

        Raises XaibenchError where they disagree and nothing can mend it.
        """
        ...


@runtime_checkable
class Preprocessable(Protocol):
    """A classifier that can be had with a preprocessing before it."""

    def preprocessed(self, preprocessing: Preprocessing) -> Classifier:
        """Return the classifier of images that are preprocessed for this model."""
        ...
