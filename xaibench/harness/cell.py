"""One cell of the grid: one method on one case, with its time limit, its checks and its records."""

import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import FrameType
from typing import Any, TypeVar

import numpy as np

from xaibench.api import (
    Case,
    CohortExplainer,
    Explanation,
    Heatmap,
    Heatmaps,
    Images,
    Measurement,
    Need,
    NotApplicable,
    Passes,
    Record,
    Regions,
    Status,
    Targets,
    seed_of,
)

Subject = TypeVar("Subject")


class CellTimeout(BaseException):
    """The time limit is over; no Exception, so that a plugin's `except Exception` cannot swallow it."""


@dataclass(frozen=True)
class Entry:
    """A configured method or metric under its registered name."""

    name: str
    plugin: Any


@dataclass(frozen=True, eq=False)
class Workbench:
    """What every cell of a run shares."""

    classifiers: Mapping[str, Any]
    """For each patient the Classifier that may explain her: with folds, the one that never saw her."""
    targets: Mapping[str, int]
    """Explained class by case id."""
    seed: int
    timeout: float
    """Seconds for one cell."""
    folds: Mapping[str, int] = field(default_factory=dict)
    """Fold by patient; empty for a single model."""
    warm: set[tuple[str, int]] = field(default_factory=set)
    """Method and number of the classifier that have run in this process."""
    label_maps: dict[tuple[str, str, int], Heatmap] = field(default_factory=dict)
    """Heatmaps by method, case and label, for explanations of the cohort."""

    @cached_property
    def members(self) -> list[Any]:
        """The classifiers, each once."""
        return list({id(member): member for member in self.classifiers.values()}.values())

    @property
    def n_classes(self) -> int:
        """Number of classes of every classifier."""
        return int(self.members[0].n_classes)

    @property
    def passes(self) -> Passes:
        """Passes of all classifiers."""
        counts = [member.passes for member in self.members]
        return Passes(*(sum(column) for column in zip(*counts, strict=True)))

    def of(self, case: Case) -> Any:
        """Classifier that may explain the case."""
        return self.classifiers[case.patient]

    def call(
        self, method: Entry, cases: list[Case], images: Images, targets: Targets | None = None
    ) -> Heatmaps:
        """Run a method on images that belong to the cases, each by its own classifier; refuse what is no heatmap.

        It is seeded by the first case. The explained classes are the run's, if none are given.
        """
        plugin = method.plugin
        if hasattr(plugin, "seed"):
            plugin = replace(plugin, seed=seed_of(self.seed, method.name, cases[0].id))
        if targets is None:
            targets = np.array([self.targets[case.id] for case in cases])
        extra = {"masks": _masks(cases)} if Need.REGION in plugin.needs else {}
        heatmaps = np.empty(images.shape[:3], np.float32)
        for member in self.members:
            rows = [row for row, case in enumerate(cases) if self.of(case) is member]
            if rows:
                part = {name: values[rows] for name, values in extra.items()}
                made = np.asarray(plugin(member, _read_only(images[rows]), targets[rows], **part))
                heatmaps[rows] = checked(made, images[rows].shape[:3])
        return heatmaps

    def require(self, method: Entry) -> None:
        """Raise NotApplicable with the reason if the method cannot serve this model."""
        missing = sorted(need.value for need in method.plugin.needs - self.members[0].offers)
        if missing:
            raise NotApplicable(f"the method needs {' and '.join(missing)}, which this model does not offer")

    def warm_up(self, method: Entry, case: Case) -> None:
        """Let a method's first call on a classifier trace and import, so that no latency contains it."""
        key = method.name, id(self.of(case))
        if key not in self.warm:
            self.require(method)
            with time_limit(self.timeout):
                self.call(method, [case], case.image[None])
            self.warm.add(key)

    def explain(self, method: Entry, case: Case) -> Explanation:
        """Explain one case alone, and note what it cost."""
        self.warm_up(method, case)
        before = self.passes
        started = time.perf_counter()
        with time_limit(self.timeout):
            heatmap = self.call(method, [case], case.image[None])[0]
        seconds = time.perf_counter() - started
        after = self.passes
        if isinstance(method.plugin, CohortExplainer):
            self.label_maps[method.name, case.id, self.targets[case.id]] = heatmap
        return Explanation(
            heatmap=heatmap,
            target=self.targets[case.id],
            seconds=seconds,
            forward=after.forward - before.forward,
            backward=after.backward - before.backward,
        )

    def label_map(self, method: Entry, case: Case) -> Heatmap:
        """Heatmap of a case for its label, explained alone; made once."""
        key = method.name, case.id, case.label
        if key not in self.label_maps:
            targets = np.array([case.label])
            self.label_maps[key] = self.call(method, [case], case.image[None], targets)[0]
        return self.label_maps[key]

    def measured(self, blank: Record, compute: Callable[[], Measurement]) -> Record:
        """Fill a blank record with what `compute()` gives, or with the reason why it gives nothing."""
        before = self.passes
        started = time.perf_counter()
        outcome = self._outcome(compute)
        after = self.passes
        return replace(
            blank,
            **outcome,
            seconds=time.perf_counter() - started,
            forward=after.forward - before.forward,
            backward=after.backward - before.backward,
        )

    def _outcome(self, compute: Callable[[], Measurement]) -> dict[str, Any]:
        try:
            with time_limit(self.timeout):
                result = compute()
        except NotApplicable as reason:
            return {"status": Status.NOT_APPLICABLE, "reason": str(reason)}
        except (
            Exception,
            CellTimeout,
        ) as error:  # a plugin may raise anything; it becomes a recorded failure
            return {"status": Status.FAILED, "reason": reason_of(error)}
        figures = [result.value, *result.details.values()]
        if not np.isfinite(figures).all():
            return {"status": Status.FAILED, "reason": "the metric gave NaN or an infinite value"}
        return {"status": Status.OK, "value": float(result.value), "details": _floats(result.details)}


def attempted(make: Callable[[], Subject]) -> Callable[[], Subject]:
    """Make a thing now; the function returned gives it, or raises what making it raised, as often as asked."""
    try:
        made = make()
    except (Exception, CellTimeout) as error:  # a plugin may raise anything; it becomes a recorded failure
        failure = error

        def fail() -> Subject:
            raise failure

        return fail
    return lambda: made


def checked(heatmaps: np.ndarray, shape: tuple[int, ...]) -> Heatmaps:
    """Heatmaps as float32. Raises ValueError for a wrong shape, NaN or infinite values."""
    if heatmaps.shape != tuple(shape):
        raise ValueError(f"the method returned shape {heatmaps.shape} where {tuple(shape)} was asked for")
    if not np.isfinite(heatmaps).all():
        raise ValueError("the method returned NaN or infinite values")
    return np.ascontiguousarray(heatmaps, np.float32)


def reason_of(error: BaseException) -> str:
    """One line for the table of failures."""
    if isinstance(error, CellTimeout):
        return str(error)
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:300] if text else type(error).__name__


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise CellTimeout inside the block once the seconds are over.

    It interrupts Python code and returns from a library's call as soon as that call ends. Only the main
    thread of a system with SIGALRM can be interrupted; elsewhere an overrun is noticed when the block ends.
    """
    message = f"took longer than the cell timeout of {seconds:g} s"
    if not hasattr(signal, "SIGALRM") or threading.current_thread() is not threading.main_thread():
        started = time.perf_counter()
        yield
        if time.perf_counter() - started > seconds:
            raise CellTimeout(message)
        return

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise CellTimeout(message)

    previous = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def _masks(cases: list[Case]) -> Regions:
    masks = [case.region for case in cases if case.region is not None]
    if len(masks) < len(cases):
        raise NotApplicable("the case has no annotated region")
    stacked: Regions = np.stack(masks)
    return stacked


def _read_only(images: Images) -> Images:
    """Same images, which a careless plugin cannot spoil for the others."""
    view: Images = images.view()
    view.flags.writeable = False
    return view


def _floats(details: Any) -> dict[str, float]:
    return {name: float(value) for name, value in details.items()}
