"""How many worker processes a run has, and how much memory each may take."""

import os
from dataclasses import dataclass

import psutil

MIB = 2**20
NEEDED = 2048
"""MiB that a worker takes with TensorFlow, a model and an explainer at work."""
SHARE = 0.8
"""Of the machine's memory, for all workers together."""


@dataclass(frozen=True)
class Crew:
    """Worker processes of a run."""

    count: int
    memory: float
    """Largest memory of one of them, in MiB; a process that takes more is killed."""


def crew_of(count: int | None = None, memory: float | None = None) -> Crew:
    """So many workers of so many GiB each; by default one a core, as far as most of the memory goes."""
    available = SHARE * psutil.virtual_memory().total / MIB
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    count = count or max(1, min(cores, int(available / NEEDED)))
    return Crew(count, available / count if memory is None else memory * 1024)
