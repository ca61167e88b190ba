"""Whatever a plugin does becomes a reason; Ctrl-C goes through."""

import signal
import threading
import time
from collections.abc import Callable

import pytest

from xaibench.api import NotApplicable, Status, XaibenchError
from xaibench.harness.limits import CellTimeout, Failure, attempt, reason_of, time_limit


def raising(error: BaseException) -> Callable[[], None]:
    def make() -> None:
        raise error

    return make


def test_what_is_made_in_time_is_returned() -> None:
    assert attempt(lambda: 3, 5.0) == 3


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (NotApplicable("no region"), Status.NOT_APPLICABLE, "no region"),
        (NotApplicable("no\nregion"), Status.NOT_APPLICABLE, "no region"),
        (OSError("no file \udcff.npy"), Status.FAILED, "OSError: no file ?.npy"),
        (ValueError("two\n  lines"), Status.FAILED, "ValueError: two lines"),
        (ValueError(), Status.FAILED, "ValueError"),
        (XaibenchError("a sentence."), Status.FAILED, "XaibenchError: a sentence."),
        (SystemExit(0), Status.FAILED, "SystemExit: 0"),
        (GeneratorExit(), Status.FAILED, "GeneratorExit"),
        (MemoryError("30 GiB"), Status.FAILED, "MemoryError: 30 GiB"),
    ],
)
def test_whatever_is_raised_is_a_reason(error: BaseException, status: Status, reason: str) -> None:
    assert attempt(raising(error), 5.0) == Failure(status, reason)


def test_endless_recursion_is_a_reason() -> None:
    def deeper() -> None:
        deeper()

    made = attempt(deeper, 5.0)
    assert isinstance(made, Failure)
    assert made.reason.startswith("RecursionError")


def test_a_long_reason_is_cut() -> None:
    assert len(reason_of(ValueError("x" * 10_000))) == 300


def test_ctrl_c_goes_through() -> None:
    before = signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a job in the background listens to none
    with pytest.raises(KeyboardInterrupt):
        attempt(raising(KeyboardInterrupt()), 5.0)
    signal.signal(signal.SIGINT, before)


def test_a_process_that_listens_to_no_ctrl_c_takes_it_for_a_failure() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    failure = attempt(raising(KeyboardInterrupt()), 5.0)
    signal.signal(signal.SIGINT, before)
    assert failure == Failure(Status.FAILED, "KeyboardInterrupt")


@pytest.mark.parametrize("swallows", [False, True])
def test_what_takes_too_long_is_stopped_even_if_it_swallows_exceptions(swallows: bool) -> None:
    def hang() -> None:
        while True:
            try:
                time.sleep(0.01)
            except Exception:  # the point of the test
                if not swallows:
                    raise

    started = time.perf_counter()
    made = attempt(hang, 0.05)
    assert made == Failure(Status.FAILED, "took longer than the cell timeout of 0.05 s")
    assert time.perf_counter() - started < 5


def test_the_limit_is_over_with_the_block() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with time_limit(0.02):
        pass
    time.sleep(0.04)
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_outside_the_main_thread_an_overrun_is_noticed_at_the_end() -> None:
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(attempt(lambda: time.sleep(0.05), 0.01)))
    thread.start()
    thread.join()
    assert found == [Failure(Status.FAILED, "took longer than the cell timeout of 0.01 s")]


def test_a_timeout_is_no_exception_that_a_plugin_would_catch() -> None:
    assert not issubclass(CellTimeout, Exception)
