"""Plugins that do what no plugin should, each under a name of its own, and a cohort and a model without TensorFlow."""

import ctypes
import os
import random
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import Any, ClassVar

import numpy as np

from tests.harness.in_memory import CLASSES, likes_bright, made_cases
from tests.harness.plugins import Brightness, Mean
from xaibench.api import Batch, Classifier, Dataset, LoadedModel, Measurement, Progress, Volume


@dataclass(frozen=True)
class Cohort:
    """Patients in memory."""

    count: int = 3
    end: bool = False
    """Whether reading it ends the process."""

    summary: ClassVar[str] = "made by the test"
    class_names: ClassVar[tuple[str, ...]] = CLASSES

    def volumes(self) -> Iterator[Volume]:
        for case in made_cases(self.count):
            assert case.region is not None
            yield Volume(case.patient, case.labels, case.image[None], case.region[None], (1.0, 1.0))
        if self.end:
            os._exit(5)

    def notes(self) -> list[str]:
        return ["Made by the test."]


@dataclass(frozen=True)
class Model:
    """Likes bright images."""

    summary: ClassVar[str] = "made by the test"

    def load(self, dataset: Dataset, progress: Progress) -> LoadedModel:
        progress.say("The model is loaded.")
        list(progress.track(range(3), "steps"))
        return LoadedModel("test", (likes_bright(),))


# ---------------------------------------------------------------- what ends a process


def segfault() -> None:
    ctypes.string_at(0)


def leave() -> None:
    os._exit(3)


def abort() -> None:
    os.abort()


def hang_deaf() -> None:
    """Swallow even what should not be."""
    while True:
        try:
            time.sleep(60)
        except BaseException:  # the point of the test
            continue


def hang_in_c() -> None:
    """Loop while holding the interpreter's lock, so that no signal is answered."""
    deque(repeat(0), maxlen=0)


def take_all_memory() -> None:
    kept = [np.ones(2**23) for _ in range(480)]  # 30 GiB
    raise AssertionError(len(kept))


def close_everything() -> None:
    os.closerange(0, 256)


ENDS: dict[str, tuple[Callable[[], None], str]] = {
    "Segfault": (segfault, "ended its process (SIGSEGV)"),
    "Leave": (leave, "ended its process (exit code 3)"),
    "Abort": (abort, "ended its process (SIGABRT)"),
    "HangDeaf": (hang_deaf, "did not stop at the end of the cell timeout"),
    "HangInC": (hang_in_c, "did not stop at the end of the cell timeout"),
    "CloseEverything": (close_everything, "ended its process"),
}
"""What ends its process, and what the record says of it."""

# ---------------------------------------------------------------- what does not


def recurse() -> None:
    recurse()


def interrupt() -> None:
    raise KeyboardInterrupt


def close_generator() -> None:
    raise GeneratorExit


def leave_politely() -> None:
    sys.exit(0)


def hang() -> None:
    while True:
        time.sleep(0.01)


FAILS: dict[str, tuple[Callable[[], None], str]] = {
    "Recurse": (recurse, "RecursionError"),
    "Interrupt": (interrupt, "KeyboardInterrupt"),
    "CloseGenerator": (close_generator, "GeneratorExit"),
    "LeavePolitely": (leave_politely, "SystemExit: 0"),
    "Hang": (hang, "took longer than the cell timeout of 1 s"),
}
"""What fails, and how the record's reason begins."""


def forbid_numpy_errors() -> None:
    np.seterr(all="raise")


def seed_everything() -> None:
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002  the point of the test


def go_elsewhere() -> None:
    os.chdir("/")


def chatter() -> None:
    print("tick" * 1000)
    os.write(2, b"tock" * 1000)


def ignore_signals() -> None:
    signal.signal(signal.SIGALRM, signal.SIG_IGN)


HARMLESS: dict[str, Callable[[], None]] = {
    "ForbidNumpyErrors": forbid_numpy_errors,
    "SeedEverything": seed_everything,
    "GoElsewhere": go_elsewhere,
    "Chatter": chatter,
    "IgnoreSignals": ignore_signals,
}
"""What would change other methods' results or the terminal, were it let."""


class Hostile(Brightness):
    """The channel mean, after doing what it should not."""

    act: ClassVar[Callable[[], None]]

    def __call__(self, classifier: Classifier, batch: Batch) -> Any:
        type(self).act()
        return Brightness.__call__(self, classifier, batch)


ACTS = (
    {name: act for name, (act, _) in (ENDS | FAILS).items()} | HARMLESS | {"TakeAllMemory": take_all_memory}
)
for _name, _act in ACTS.items():
    globals()[_name] = dataclass(frozen=True)(type(_name, (Hostile,), {"act": staticmethod(_act)}))


@dataclass(frozen=True)
class DividesByZero(Brightness):
    """Computes what NumPy warns of at most."""

    def __call__(self, classifier: Classifier, batch: Batch) -> Any:
        with np.errstate(divide="ignore"):
            return np.minimum(1 / np.zeros_like(batch.images[..., 0]), batch.images[..., 0])


@dataclass(frozen=True)
class PatchesModel(Brightness):
    """Lets the model answer what suits it."""

    def __call__(self, classifier: Classifier, batch: Batch) -> Any:
        classifier.scores = lambda images: np.tile(np.float32([0, 1]), (*images.shape[:-3], 1))  # type: ignore[method-assign]
        return Brightness.__call__(self, classifier, batch)


@dataclass(frozen=True)
class EndsMetric(Mean):
    """A metric that ends its process."""

    def __call__(self, classifier: Any, case: Any, explanation: Any, explain: Any) -> Any:
        os._exit(4)


@dataclass(frozen=True)
class ProcessOf(Mean):
    """The process that computes it."""

    def __call__(self, classifier: Any, case: Any, explanation: Any, explain: Any) -> Any:
        time.sleep(0.05)  # long enough for the other workers to get something to do
        return Measurement(float(os.getpid()))
