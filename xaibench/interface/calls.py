"""What a user calls: run, score, explain, open_run."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from xaibench import defaults
from xaibench.api import Fitted, Heatmaps, NotApplicable, Progress, Silent, XaibenchError
from xaibench.harness import keys, registry
from xaibench.harness.configured import Configured, configure
from xaibench.harness.describe import Sources
from xaibench.harness.explaining import Asked, answer, require
from xaibench.harness.given import given_method
from xaibench.harness.run import run as run_spec
from xaibench.harness.spec import RunSpec, Slices, make_spec
from xaibench.harness.store.folder import RunFolder
from xaibench.interface.result import Result
from xaibench.interface.sources import model_of, sources_of, with_channels


def run(
    model: Any,
    images: np.ndarray,
    regions: np.ndarray | None = None,
    labels: Sequence[Any] | np.ndarray | None = None,
    patients: Sequence[str] | None = None,
    *,
    methods: str = defaults.METHODS,
    metrics: str = "all",
    class_names: Sequence[str] | None = None,
    spacing_mm: tuple[float, float] | None = None,
    out: Path | str | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> Result:
    """Explain images by every method, score every heatmap.

    `model` is a Keras model, a function from images to class probabilities, a Classifier, or what `--model` takes.
    `images` are `[n h w]` or `[n h w c]` of the model's input size or another, `regions` `[n h w]` bool, `labels`
    and `patients` one an image (default: one patient an image); labels may be names, or `[n k]` with 1 for each class
    that an image shows. `spacing_mm` is the distance of the rows and of the columns. `settings` are those of
    `xaibench.harness.spec.RunSpec`, such as preset, target, scale, seed or parameters. Without `out`, files are
    temporary and go with the result.
    Raises XaibenchError, in a sentence, for what does not fit.
    """
    spec = make_spec({"methods": methods, "metrics": metrics, "slices": Slices.ALL, **settings})
    sources, order = sources_of(model, images, regions, labels, patients, class_names, spacing_mm)
    return _run(spec, sources, order, out, progress)


def score(
    heatmaps: Mapping[str, np.ndarray],
    model: Any,
    images: np.ndarray,
    regions: np.ndarray | None = None,
    labels: Sequence[Any] | np.ndarray | None = None,
    patients: Sequence[str] | None = None,
    *,
    methods: str = "family:control",
    metrics: str = "all",
    class_names: Sequence[str] | None = None,
    spacing_mm: tuple[float, float] | None = None,
    out: Path | str | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> Result:
    """Score heatmaps `[n h w]`, by name, that were made elsewhere, beside the controls.

    They must explain the class that `target` says (default: the predicted one), on images of the model's input size.
    Metrics that explain again are "not applicable" to them. The other arguments are those of `run`.
    """
    spec = make_spec({"methods": methods, "metrics": metrics, "slices": Slices.ALL, **settings})
    sources, order = sources_of(model, images, regions, labels, patients, class_names, spacing_mm)
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
    if isinstance(configured.made, Fitted):
        raise XaibenchError(f"{method} learns from training cases, which only a run has; use xaibench.run.")
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


def _checked(heatmaps: Mapping[str, np.ndarray], images: np.ndarray) -> list[tuple[str, np.ndarray]]:
    shape = with_channels(images).shape[:-1]
    for name, maps in heatmaps.items():
        if np.shape(maps) != shape:
            raise XaibenchError(
                f"The heatmaps of {name} are {np.shape(maps)}, but the images are {shape}; give one each."
            )
    return [(name, np.asarray(maps, np.float32)) for name, maps in heatmaps.items()]
