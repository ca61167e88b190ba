"""What a plugin may do to a run: take its time, raise anything, and be written down as the reason."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TypeVar

import numpy as np

from xaibench.api import NotApplicable, Status

Made = TypeVar("Made")


class CellTimeout(BaseException):
    """The time limit is over; no Exception, so that a plugin's `except Exception` cannot swallow it."""


class CouldNotLearnError(Exception):
    """A method failed to learn from the training cases, so it cannot explain; the message is the reason."""


@dataclass(frozen=True)
class Failure:
    """Why there is no value."""

    status: Status
    reason: str


def attempt(make: Callable[[], Made], seconds: float) -> Made | Failure:
    """Make a thing within a time limit; whatever a plugin raises becomes a Failure.

    Ctrl-C goes on, but not in a process that does not listen to it: there a plugin has raised it.
    """
    try:
        with surroundings_kept(), time_limit(seconds):
            return make()
    except NotApplicable as reason:
        return Failure(Status.NOT_APPLICABLE, one_line(reason))
    except BaseException as error:  # plugins may raise anything, SystemExit included
        if isinstance(error, KeyboardInterrupt) and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            raise
        return Failure(Status.FAILED, reason_of(error))


def reason_of(error: BaseException) -> str:
    """One line for the table of failures."""
    if isinstance(error, CellTimeout | CouldNotLearnError):
        return str(error)
    text = one_line(error)
    return f"{type(error).__name__}: {text}"[:300] if text else type(error).__name__


def one_line(error: BaseException) -> str:
    """Text of an error on one line, without characters that UTF-8 cannot hold (odd file names have some)."""
    return " ".join(str(error).split()).encode("utf-8", "replace").decode("utf-8")


@contextmanager
def surroundings_kept() -> Iterator[None]:
    """Put back what a plugin may change for all others: NumPy's treatment of errors, and the working directory."""
    here = Path.cwd()
    try:
        with np.errstate():
            yield
    finally:
        os.chdir(here)


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
