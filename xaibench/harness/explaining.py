"""Runs explainers: batches made, answers checked, costs counted."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from xaibench.api import (
    OF_THE_CLASSIFIER,
    Batch,
    Case,
    Classifier,
    Detailed,
    Explanation,
    Heatmaps,
    Images,
    Need,
    NotApplicable,
    Passes,
    Promising,
    Regions,
    Seeds,
    Targets,
)
from xaibench.harness.configured import Configured
from xaibench.harness.limits import Failure

Fits = Mapping[tuple[str, int], Mapping[str, np.ndarray] | Failure]
"""What each method learnt of each classifier (by its number), or why it could not."""


@dataclass(frozen=True, eq=False)
class Asked:
    """Images to explain together, all by one classifier."""

    classifier: Classifier
    images: Images
    targets: Targets
    seeds: Seeds
    regions: Regions | None = None
    fitted: Mapping[str, np.ndarray] = field(default_factory=dict)


def require(method: Configured, classifier: Classifier, dimensions: int) -> None:
    """Raise NotApplicable with the reason if the method cannot serve this model or such images."""
    missing = sorted(need.value for need in (method.needs & OF_THE_CLASSIFIER) - classifier.offers)
    if missing:
        raise NotApplicable(f"the method needs {' and '.join(missing)}, which this model does not offer")
    if dimensions not in method.plugin.facts.dimensions:
        raise NotApplicable(f"the method does not explain images of {dimensions} dimensions")


def answer(method: Configured, asked: Asked) -> Detailed:
    """Heatmaps of a batch, checked. Raises whatever the method raises, and ValueError for what is no heatmap."""
    batch = batch_of(method, asked)
    made = method.made(asked.classifier, batch)
    if isinstance(made, Detailed):
        return Detailed(checked(made.heatmaps, asked.images.shape[:-1]), made.details)
    return Detailed(checked(made, asked.images.shape[:-1]), tuple({} for _ in asked.images))


def batch_of(method: Configured, asked: Asked) -> Batch:
    """Batch for a method, read-only; regions only where it needs them."""
    needs_regions = Need.REGION in method.needs
    if needs_regions and asked.regions is None:
        raise NotApplicable("the case has no annotated region")
    return Batch(
        images=read_only(asked.images),
        targets=read_only(asked.targets),
        seeds=read_only(asked.seeds),
        regions=read_only(asked.regions) if needs_regions and asked.regions is not None else None,
        fitted=asked.fitted,
    )


def checked(heatmaps: Any, shape: tuple[int, ...]) -> Heatmaps:
    """Heatmaps as float32, read-only. Raises ValueError for a wrong shape, NaN, infinite or complex values."""
    heatmaps = np.asarray(heatmaps)
    if heatmaps.shape != tuple(shape):
        raise ValueError(f"the method returned shape {heatmaps.shape} where {tuple(shape)} was asked for")
    if heatmaps.dtype.kind not in "fiub":
        raise ValueError(f"the method returned values of type {heatmaps.dtype}")
    if not np.isfinite(heatmaps).all():
        raise ValueError("the method returned NaN or infinite values")
    return read_only(np.ascontiguousarray(heatmaps, np.float32))


def explain_alone(method: Configured, asked: Asked) -> Explanation:
    """Explain one image, and note what it cost."""
    before = asked.classifier.passes
    started = time.perf_counter()
    made = answer(method, asked)
    seconds = time.perf_counter() - started
    spent = passes_since(before, asked.classifier.passes)
    promised = None
    if isinstance(method.made, Promising):
        promised = float(method.made.promised_total(asked.classifier, batch_of(method, asked))[0])
    return Explanation(
        heatmap=made.heatmaps[0],
        target=int(asked.targets[0]),
        seconds=seconds,
        forward=spent.forward,
        backward=spent.backward,
        promised_total=promised,
        details={name: float(value) for name, value in made.details[0].items()},
    )


def passes_since(before: Passes, after: Passes) -> Passes:
    """Difference of two counts."""
    return Passes(
        after.forward - before.forward, after.backward - before.backward, after.seconds - before.seconds
    )


def regions_of(cases: Sequence[Case]) -> Regions | None:
    """Annotated regions of the cases; None if one has none."""
    regions = [case.region for case in cases if case.region is not None]
    return np.stack(regions) if len(regions) == len(cases) else None


def read_only(array: np.ndarray) -> np.ndarray:
    """Same array, which a careless plugin cannot spoil for the others."""
    view = array.view()
    view.flags.writeable = False
    return view
