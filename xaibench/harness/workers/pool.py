"""The worker processes of a run: tasks handed out, results taken, ends noticed, and what ended replaced."""

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from multiprocessing import connection as pipes
from typing import Any

from xaibench.api import Progress, XaibenchError
from xaibench.harness.cells import Result
from xaibench.harness.store.run_info import RunInfo
from xaibench.harness.workers.blame import Blame
from xaibench.harness.workers.crew import Crew
from xaibench.harness.workers.lanes import Lanes, Task
from xaibench.harness.workers.messages import Broken, Ended, Order, Ready, Refused, Said, Step, Tracking, Went
from xaibench.harness.workers.process import Process

POLL = 0.2
"""Seconds between looks at the time and the memory that workers take."""
MOST_STILLBORN = 3
"""Processes that may end before they are ready, one after the other, until the run gives up."""


class Pool(AbstractContextManager["Pool"]):
    """Worker processes; they are killed when the block ends."""

    def __init__(self, order: Order, crew: Crew, progress: Progress) -> None:
        self._order, self._crew, self._progress = order, crew, progress
        self._processes: list[Process] = []
        self._waiting: deque[Task] = deque()
        self._stillborn = 0
        self._steps: Iterator[int] = iter(())

    def __exit__(self, *_: object) -> None:
        """Kill what still runs."""
        for process in self._processes:
            process.end()

    def begin(self) -> None:
        """Let a process prepare the run and begin its folder; it computes cells after that."""
        lead = self._start(replace(self._order, begins=True))
        while not lead.is_ready:
            for process, message in self._heard():
                if isinstance(message, Ended):
                    raise XaibenchError(
                        f"The process that reads data and model {message.reason}; "
                        f"--workers 0 reads them in this process, and shows more."
                    )
                self._hear(process, message)

    def compute(self, lanes: Lanes, info: RunInfo) -> Iterator[Result]:
        """Yield the results of a run's cells, a lane after the other, as they are made."""
        blame = Blame(info)
        for tasks, at_most in (
            (lanes.alone, 1),
            (lanes.together, self._crew.count),
            (lanes.last, self._crew.count),
        ):
            yield from self._lane(tasks, at_most, blame)
        for sentence in blame.sentences():
            self._progress.say(sentence)

    def _lane(self, tasks: Sequence[Task], at_most: int, blame: Blame) -> Iterator[Result]:
        self._waiting.extend(tasks)
        while self._waiting or self._busy:
            while self._waiting and self._busy < at_most:
                yield from self._hand_out(self._waiting.popleft(), blame)
            for process, message in self._heard():
                yield from self._take(process, message, blame)

    @property
    def _busy(self) -> int:
        return sum(bool(process.cells) for process in self._processes)

    # ------------------------------------------------------------ tasks

    def _hand_out(self, task: Task, blame: Blame) -> Iterator[Result]:
        """Give a task, less what is set aside, to a process that is idle or made for it."""
        left = []
        for cell in task.cells:
            failed, rest = blame.set_aside(cell)
            yield from [failed] if failed else []
            left += [rest] if rest else []
        if left:
            self._free(task.fresh).give(replace(task, cells=tuple(left)))

    def _free(self, fresh: bool) -> Process:
        if fresh:
            return self._start(replace(self._order, fresh=True))
        idle = [process for process in self._processes if process.is_ready and not process.cells]
        return idle[0] if idle else self._start(self._order)

    def _start(self, order: Order) -> Process:
        process = Process(order)
        self._processes.append(process)
        return process

    # ------------------------------------------------------------ messages

    def _heard(self) -> Iterator[tuple[Process, Any]]:
        """Yield what workers tell, and the ends of those that ended or take too much."""
        waits: dict[Any, Process] = {wait: process for process in self._processes for wait in process.waits}
        for process in dict.fromkeys(waits[wait] for wait in pipes.wait(list(waits), POLL)):
            for message in process.messages():
                yield process, message
        for process in [process for process in self._processes if process.cells]:
            if reason := process.exceeds(self._crew.memory):
                yield process, Ended(reason)

    def _take(self, process: Process, message: Any, blame: Blame) -> Iterator[Result]:
        if isinstance(message, Result):
            yield message
            process.go_on()
            if process.fresh:
                self._dismiss(process)
        elif isinstance(message, Ended):
            yield from self._replace(process, message.reason, blame)
        else:
            self._hear(process, message)

    def _hear(self, process: Process, message: Any) -> None:
        match message:
            case Said(text):
                self._progress.say(text)
            case Tracking(steps, what):
                self._steps = self._progress.track(range(steps), what)
                next(self._steps, None)
            case Went():
                next(self._steps, None)
            case Ready():
                self._stillborn = 0
                process.is_ready = True
                process.compute()
            case Step():
                process.begins(message)
            case Refused(sentence):
                raise XaibenchError(sentence)
            case Broken(error, traceback):
                unforeseen = RuntimeError(error)
                unforeseen.add_note(traceback)
                raise unforeseen

    def _dismiss(self, process: Process) -> None:
        process.end()
        self._processes.remove(process)

    def _replace(self, process: Process, reason: str, blame: Blame) -> Iterator[Result]:
        """Note the end of a process, and let another one compute what is left of its task."""
        self._dismiss(process)
        left = list(process.cells)
        if not process.is_ready:
            self._stillborn += 1
        elif left:
            result, rest = blame.of(left[0], process.step, reason)
            yield result
            left[:1] = [rest] if rest else []
        if self._stillborn >= MOST_STILLBORN:
            raise XaibenchError(f"Worker processes end before they are ready: the last one {reason}.")
        if left:
            self._waiting.appendleft(Task(tuple(left), process.fresh))
