"""A worker process as the run sees it: what it computes, until when, and how it ended."""

import multiprocessing
import signal
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

import psutil

from xaibench.harness.cells import Cell
from xaibench.harness.worker import EXPLAINING
from xaibench.harness.workers.crew import MIB
from xaibench.harness.workers.lanes import Task
from xaibench.harness.workers.messages import Ended, Order, Step
from xaibench.harness.workers.serving import serve

GRACE = 5.0
"""Seconds after a step's time limit, which its own process keeps if it can, until the process is killed."""


class Process:
    """One worker process."""

    def __init__(self, order: Order) -> None:
        context: Any = multiprocessing.get_context(START)
        self.connection: Connection
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, order), daemon=True)
        self._process.start()
        theirs.close()
        self.fresh = order.fresh
        self.is_ready = False
        self.cells: deque[Cell] = deque()
        """What is left of its task, the cell that it computes first."""
        self.step = EXPLAINING
        self._until = float("inf")

    @property
    def waits(self) -> tuple[Connection, int]:
        """What to wait for: a message, or the end of the process."""
        return self.connection, self._process.sentinel

    def give(self, task: Task) -> None:
        """Let it compute a task as soon as it can."""
        self.cells = deque(task.cells)
        if self.is_ready:
            self.compute()

    def go_on(self) -> None:
        """Go on with the next cell of its task."""
        self.cells.popleft()
        self.compute()

    def compute(self) -> None:
        """Send the next cell of its task, if there is one."""
        self.step, self._until = EXPLAINING, float("inf")
        if self.cells:
            with suppress(OSError):  # it has just ended, which is noticed where all ends are
                self.connection.send(self.cells[0])

    def messages(self) -> Iterator[Any]:
        """Yield what it tells, until it is dismissed; its own end comes last."""
        while not self.connection.closed:
            message = self._message()
            if message is None:
                return
            yield message
            if isinstance(message, Ended):
                return

    def _message(self) -> Any:
        """Return the next message; None if there is none yet."""
        try:
            if self.connection.poll():
                return self.connection.recv()
        except (EOFError, OSError):
            return Ended(self._how_it_ended())
        return None if self._process.is_alive() else Ended(self._how_it_ended())

    def begins(self, step: Step) -> None:
        """Note that a step begins."""
        self.step, self._until = step.what, time.monotonic() + step.seconds + GRACE

    def exceeds(self, memory: float) -> str:
        """Return why the process must be killed: time, or more than so many MiB of memory; empty if it need not."""
        if time.monotonic() > self._until:
            return "did not stop at the end of the cell timeout, so its process was killed"
        if self._memory() > memory:
            return f"took more than the {memory / 1024:.1f} GiB of memory that a worker may have, so it was killed"
        return ""

    def _memory(self) -> float:
        try:
            return float(psutil.Process(self._process.pid).memory_info().rss) / MIB
        except psutil.Error:
            return 0.0  # it has just ended

    def end(self) -> None:
        """Kill the process and wait until it is gone."""
        self._process.kill()
        self._process.join()
        self.connection.close()

    def _how_it_ended(self) -> str:
        self._process.join()
        code = self._process.exitcode
        if code is not None and code < 0:
            return f"ended its process ({signal.Signals(-code).name})"
        return f"ended its process (exit code {code})"


QUIET, SERVING = "xaibench.harness.workers.quiet", "xaibench.harness.workers.serving"
START = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"


def preload(modules: list[str]) -> None:
    """Let a server import modules once, from which worker processes are forked, where the system can."""
    if START == "forkserver":
        multiprocessing.get_context(START).set_forkserver_preload([QUIET, SERVING, *modules])
