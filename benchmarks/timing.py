"""Times a job against its floor, in turns, so that both see the same moods of the machine."""

import io
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

Clock = Callable[[], float]


@dataclass(frozen=True)
class Effort:
    """How much work a benchmark does."""

    rounds: int = 7
    floor_seconds: float = 1.0
    """Least time spent on the floor before and after each round."""
    job_seconds: float = 0.5
    """Least time spent on the job in each round: short jobs are repeated."""
    masks: int = 512
    samples: int = 256
    evaluations: int = 256
    steps: int = 50
    batch: int = 16
    """Images of one call of a gradient explainer."""


QUICK = Effort(
    rounds=2, floor_seconds=0.2, job_seconds=0.1, masks=64, samples=64, evaluations=64, steps=8, batch=4
)


@dataclass(frozen=True)
class Timing:
    """What one job took."""

    passes: int
    """Images that went through the model in one job."""
    seconds: float
    """Of one job, median over the rounds."""
    ms_per_pass: float
    floor_ms_per_pass: float
    """Of one pass inside one traced function, median over the rounds."""
    overhead: float
    """Median over the rounds of seconds / (passes x floor of a pass)."""
    lowest: float
    highest: float


def seconds_a_call(call: Callable[[], object], at_least: float, clock: Clock = time.perf_counter) -> float:
    """Mean seconds of a call that is repeated until the least time is over."""
    started = clock()
    calls = 0
    while True:
        call()
        calls += 1
        elapsed = clock() - started
        if elapsed >= at_least:
            return elapsed / calls


def interleaved(
    job: Callable[[], object], pass_seconds: Callable[[], float], passes: int, rounds: int, least: float
) -> Timing:
    """Time floor, job, floor, job ... floor; each job is compared with the mean of the floors beside it."""
    floors = [pass_seconds()]
    jobs = []
    for _round in range(rounds):
        jobs.append(seconds_a_call(job, least))
        floors.append(pass_seconds())
    beside = [(before + after) / 2 for before, after in pairwise(floors)]
    ratios = [seconds / (passes * floor) for seconds, floor in zip(jobs, beside, strict=True)]
    return Timing(
        passes=passes,
        seconds=median(jobs),
        ms_per_pass=1000 * median(jobs) / passes,
        floor_ms_per_pass=1000 * median(beside),
        overhead=median(ratios),
        lowest=min(ratios),
        highest=max(ratios),
    )


def best_batch(
    seconds_a_batch: Callable[[int], float], sizes: tuple[int, ...]
) -> tuple[int, dict[int, float]]:
    """Batch size with the shortest time an image, and the milliseconds an image at every size."""
    cost = {size: 1000 * seconds_a_batch(size) / size for size in sizes}
    return min(cost, key=cost.__getitem__), cost


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the libraries' progress bars and warnings out of the table; the cost of making them stays."""
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
