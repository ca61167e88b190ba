"""xaibench from Python: arrays and a model in, tables out."""

import inspect
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from xaibench import defaults
from xaibench.api import (
    Case,
    Classifier,
    Heatmaps,
    LoadedModel,
    NotApplicable,
    Progress,
    Silent,
    XaibenchError,
)
from xaibench.harness import keys, registry
from xaibench.harness.configured import Configured, configure, find_source, load_model
from xaibench.harness.describe import Sources
from xaibench.harness.explaining import Asked, answer, require
from xaibench.harness.given import given_method
from xaibench.harness.run import run as run_spec
from xaibench.harness.spec import RunSpec, Slices, make_spec
from xaibench.harness.store.folder import RunFolder


@dataclass(frozen=True, eq=False)
class Result:
    """A finished run; tables are read from its folder, which is deleted with the result unless the user named it."""

    folder: RunFolder
    order: tuple[str, ...] = ()
    """Names of the cases in the order in which their images were given."""
    temporary: bool = False
    pages: dict[str, Path] = field(default_factory=dict)

    @property
    def scores(self) -> pd.DataFrame:
        """A row a method, metric and class: value with interval over patients, counts, reason."""
        return pd.read_csv(self._written().with_name("scores.csv"), na_values=["-"])

    @property
    def patients(self) -> pd.DataFrame:
        """A row a patient, method and metric."""
        return pd.read_csv(self._written().with_name("patients.csv"), na_values=["-"])

    @property
    def leaderboard(self) -> pd.DataFrame:
        """A row a method, the best first."""
        return pd.read_csv(self._written().with_name("leaderboard.csv"), na_values=["-"])

    @property
    def heatmaps(self) -> dict[str, Heatmaps]:
        """Heatmaps `[n *space]` by method, in the order of the images; NaN where a method failed."""
        cases = self.folder.cases()
        order = [name for name in self.order or sorted(cases) if name in cases]  # a preset may take fewer
        return {
            method: self._maps(method, [cases[name] for name in order])
            for method in self.folder.info().methods
        }

    @property
    def path(self) -> Path:
        """The run folder."""
        return self.folder.path

    def report(self) -> Path:
        """Path of the report, one HTML page."""
        return self._written()

    def close(self) -> None:
        """Close the folder, and delete it if the user did not name it."""
        self.folder.close()
        if self.temporary:
            shutil.rmtree(self.path, ignore_errors=True)

    def __enter__(self) -> "Result":
        """Use it in a `with` statement."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def __repr__(self) -> str:
        """Say in a line what it holds."""
        info = self.folder.info()
        return (
            f"Result({len(info.methods)} methods, {len(info.metrics)} metrics, {len(info.cohort.cases)} cases, "
            f"{len(self.folder.failed())} failed records)"
        )

    def _repr_html_(self) -> str:
        """Show the leaderboard in a notebook."""
        shown = self.leaderboard.dropna(axis="columns", how="all")
        return f"<p>{repr(self).replace('<', '&lt;')}</p>{shown.to_html(index=False, escape=True)}"

    def _maps(self, method: str, cases: Sequence[Case]) -> Heatmaps:
        found = [self.folder.explanation(method, case.id) for case in cases]
        missing = [np.full(case.image.shape[:-1], np.nan, np.float32) for case in cases]
        return np.stack([made.heatmap if made else empty for made, empty in zip(found, missing, strict=True)])

    def _written(self) -> Path:
        from xaibench.reports import write_reports

        if "report" not in self.pages:
            self.pages["report"] = write_reports(self.folder)
        return self.pages["report"]


def run(
    model: Any,
    images: np.ndarray,
    regions: np.ndarray | None = None,
    labels: Sequence[int] | None = None,
    patients: Sequence[str] | None = None,
    *,
    methods: str = defaults.METHODS,
    metrics: str = "all",
    class_names: Sequence[str] | None = None,
    out: Path | str | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> Result:
    """Explain images by every method, score every heatmap.

    `model` is a Keras model, a function from images to class probabilities, a Classifier, or what `--model` takes.
    `images` are `[n h w]` or `[n h w c]` of the model's input size or another, `regions` `[n h w]` bool, `labels`
    and `patients` one an image (default: one patient an image). `settings` are those of `xaibench.harness.spec.
    RunSpec`, such as preset, target, seed or parameters. Without `out`, files are temporary and go with the result.
    Raises XaibenchError, in a sentence, for what does not fit.
    """
    spec = make_spec({"methods": methods, "metrics": metrics, "slices": Slices.ALL, **settings})
    sources, order = sources_of(model, images, regions, labels, patients, class_names)
    return _run(spec, sources, order, out, progress)


def score(
    heatmaps: Mapping[str, np.ndarray],
    model: Any,
    images: np.ndarray,
    regions: np.ndarray | None = None,
    labels: Sequence[int] | None = None,
    patients: Sequence[str] | None = None,
    *,
    methods: str = "family:control",
    metrics: str = "all",
    class_names: Sequence[str] | None = None,
    out: Path | str | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> Result:
    """Score heatmaps `[n h w]`, by name, that were made elsewhere, beside the controls.

    They must explain the class that `target` says (default: the predicted one), on images of the model's input size.
    Metrics that explain again are "not applicable" to them. The other arguments are those of `run`.
    """
    spec = make_spec({"methods": methods, "metrics": metrics, "slices": Slices.ALL, **settings})
    sources, order = sources_of(model, images, regions, labels, patients, class_names)
    given = [
        given_method(name, dict(zip(order, maps, strict=True))) for name, maps in _checked(heatmaps, images)
    ]
    return _run(spec, sources, order, out, progress, given)


def explain(
    model: Any,
    images: np.ndarray,
    method: str = "grad-cam",
    targets: Sequence[int] | None = None,
    regions: np.ndarray | None = None,
    *,
    preset: str = "standard",
    seed: int = 0,
    **parameters: Any,
) -> Heatmaps:
    """Heatmaps `[n h w]` of one method for images of the model's input size; the predicted classes by default.

    `parameters` are the method's own, such as `masks` of rise. Raises XaibenchError where the method cannot serve
    the model.
    """
    spec = make_spec({"preset": preset, "seed": seed, "parameters": {method: parameters}})
    configured = configure(registry.load("methods", method), spec)
    images = with_channels(images)
    classifier = model_of(model, None, images.shape[1:]).classifiers[0]
    wanted = classifier.scores(images).argmax(axis=1) if targets is None else np.asarray(targets)
    seeds = np.array([keys.draw_seed(seed, method, str(number)) for number in range(len(images))])
    try:
        require(configured, classifier, images.ndim - 2)
        return answer(configured, Asked(classifier, images, wanted, seeds, regions)).heatmaps
    except NotApplicable as reason:
        raise XaibenchError(f"{method} cannot explain this: {reason}.") from reason


def open_run(folder: Path | str) -> Result:
    """Open the folder of a run that was made before, by whichever way."""
    return Result(RunFolder.existing(Path(folder)))


def _run(
    spec: RunSpec,
    sources: Sources,
    order: tuple[str, ...],
    out: Path | str | None,
    progress: Progress | None,
    given: Sequence[Configured] = (),
) -> Result:
    place = Path(tempfile.mkdtemp(prefix="xaibench-")) if out is None else Path(out)
    folder = run_spec(spec, place, progress or Silent(), sources=sources, given=given)
    return Result(folder, order, temporary=out is None)


def sources_of(
    model: Any,
    images: np.ndarray,
    regions: np.ndarray | None,
    labels: Sequence[int] | None,
    patients: Sequence[str] | None,
    class_names: Sequence[str] | None,
) -> tuple[Sources, tuple[str, ...]]:
    """Dataset and model of arrays, and the names of the cases in the order of the images."""
    from xaibench.datasets.arrays import Arrays

    dataset = Arrays(
        images=with_channels(images),
        regions=regions,
        labels=None if labels is None else tuple(labels),
        patients=None if patients is None else tuple(patients),
        names=None if class_names is None else tuple(class_names),
    )
    loaded = model_of(model, dataset, with_channels(images).shape[1:])
    return Sources(dataset, "arrays", loaded), dataset.case_names()


def model_of(model: Any, dataset: Any, input_shape: tuple[int, ...]) -> LoadedModel:
    """Model from whatever a user has; functions take images of `input_shape`. Raises XaibenchError for what is none."""
    if isinstance(model, LoadedModel):
        return model
    if isinstance(model, str | Path):
        return load_model(find_source(["models", "classifiers"], str(model)), {}, dataset, Silent())
    classifier = classifier_of(model, input_shape)
    return LoadedModel(
        type(model).__name__,
        (classifier,),
        facts=dict(getattr(classifier, "facts", {})),
        class_names=tuple(getattr(classifier, "class_names", ())),
    )


def classifier_of(model: Any, input_shape: tuple[int, ...]) -> Classifier:
    """Classifier of a Keras model or a function; one that is a classifier already is returned."""
    if isinstance(model, Classifier):
        return model
    if inspect.isfunction(model):
        from xaibench.classifiers.callable import PythonCallable

        return PythonCallable(model, input_shape)
    if type(model).__module__.partition(".")[0] == "keras" or hasattr(model, "get_weights"):
        from xaibench.classifiers.keras import KerasClassifier

        return KerasClassifier(model)
    raise XaibenchError(
        f"A {type(model).__name__} is no model that can be explained; give a Keras model, a function "
        f"from images to class probabilities, or the path of a model file."
    )


def with_channels(images: np.ndarray) -> np.ndarray:
    """Images as float32 with a last axis of channels."""
    array = np.asarray(images, np.float32)
    return array[..., None] if array.ndim == 3 else array


def _checked(heatmaps: Mapping[str, np.ndarray], images: np.ndarray) -> list[tuple[str, np.ndarray]]:
    shape = with_channels(images).shape[:-1]
    for name, maps in heatmaps.items():
        if np.shape(maps) != shape:
            raise XaibenchError(
                f"The heatmaps of {name} are {np.shape(maps)}, but the images are {shape}; give one each."
            )
    return [(name, np.asarray(maps, np.float32)) for name, maps in heatmaps.items()]
