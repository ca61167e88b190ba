"""Every job on one model, each beside its floor."""

import gc
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from rich.console import Console

from benchmarks.jobs import OURS, Job, jobs_of_xaibench
from benchmarks.peers import jobs_of_peers
from benchmarks.subject import BATCHES, ForwardFloor, Subject, backward_call, forward_floor, make_subject
from benchmarks.table import Row, table_of
from benchmarks.timing import Effort, Timing, interleaved, quiet, seconds_a_call
from xaibench.models.compact_resnet import compact_resnet
from xaibench.models.resnet50 import resnet50


@dataclass(frozen=True)
class Model:
    """A model to measure on, and the highest overhead that xaibench allows itself on it."""

    build: Callable[[], Any]
    target: float
    """For perturbation explainers and curve metrics."""
    gradient_target: float = 1.25


MODELS = {"compact": Model(compact_resnet, 1.15), "resnet50": Model(resnet50, 1.10)}


def all_jobs(effort: Effort) -> list[Job]:
    """Jobs of xaibench and of the other libraries."""
    return [*jobs_of_xaibench(effort), *jobs_of_peers(effort)]


def compare(name: str, effort: Effort, works: frozenset[str], console: Console) -> dict[str, Any]:
    """Measure the jobs of the named works on a model, print the table, return its facts."""
    subject = make_subject(name, MODELS[name].build, effort.batch)
    floor = forward_floor(subject, effort.floor_seconds, BATCHES)
    rows = []
    for job in all_jobs(effort):
        if job.work in works:
            with console.status(f"{name}: {job.work} by {job.library}, {job.setting}"):
                rows.append(measured(subject, job, floor, effort))
    height, width, _channels = subject.image.shape
    title = f"{name} at {height} x {width}"
    cost = floor.ms_by_batch[floor.batch]
    console.print(table_of(title, f"Floor: {cost:.2f} ms a pass in batches of {floor.batch}.", rows))
    return {
        "floor_batch": floor.batch,
        "floor_ms_by_batch": floor.ms_by_batch,
        "rows": [row.facts() for row in rows],
    }


def measured(subject: Subject, job: Job, floor: ForwardFloor, effort: Effort) -> Row:
    """Time one job; a library that is missing or fails gives a row that says so."""
    target = target_of(subject.name, job)
    try:
        with quiet():
            return Row(job, timed(subject, job, floor, effort), target)
    except ModuleNotFoundError as error:
        return Row(job, None, target, f"not installed ({error.name})")
    except Exception as error:  # another library may raise anything; the other rows are still worth having
        if job.library == OURS:
            raise
        return Row(job, None, target, f"failed: {type(error).__name__}: {' '.join(str(error).split())}"[:160])


def target_of(model: str, job: Job) -> float | None:
    """Highest overhead allowed to a job; other libraries have none."""
    if job.library != OURS:
        return None
    return MODELS[model].gradient_target if job.backward else MODELS[model].target


def timed(subject: Subject, job: Job, floor: ForwardFloor, effort: Effort) -> Timing:
    """Warm job and floor up, count the passes, then time both in turns."""
    run = job.start(subject, effort)
    run()
    passes = subject.count(run)
    pass_seconds = floor_of(subject, job, floor, effort)
    pass_seconds()
    gc.collect()
    return interleaved(run, pass_seconds, passes, effort.rounds, effort.job_seconds)


def floor_of(subject: Subject, job: Job, floor: ForwardFloor, effort: Effort) -> Callable[[], float]:
    """Seconds of one pass: forward at the best batch size, or forward and backward in the job's own batch."""
    if not job.backward:
        return partial(floor.pass_seconds, effort.floor_seconds)
    call = backward_call(subject, job.backward)
    return lambda: seconds_a_call(call, effort.floor_seconds) / job.backward
