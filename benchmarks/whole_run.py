"""`python -m benchmarks.whole_run`: the time of a whole run over the floor of the passes that it makes."""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console

from benchmarks.subject import BATCHES, Subject, backward_call, forward_floor, make_subject
from benchmarks.timing import seconds_a_call
from xaibench import defaults
from xaibench.api import Passes, Silent
from xaibench.harness.prepare import prepare
from xaibench.harness.run import compute_missing
from xaibench.harness.spec import Preset, RunSpec
from xaibench.harness.store.folder import RunFolder
from xaibench.models.compact_resnet import compact_resnet

LEAST = 2.0
"""Seconds spent on each floor, before the run and after it."""
BACKWARD_BATCH = 16


@dataclass(frozen=True)
class Floors:
    """Seconds of one pass inside one traced function, at the best batch size."""

    forward: float
    backward: float
    """Of a gradient, the forward pass that it needs included."""

    def of(self, passes: Passes) -> float:
        """Seconds that passes take at least."""
        return (passes.forward - passes.backward) * self.forward + passes.backward * self.backward


def floors_of(subject: Subject) -> Floors:
    """Measure both floors."""
    forward = forward_floor(subject, LEAST / len(BATCHES))
    backward = backward_call(subject, BACKWARD_BATCH)
    backward()
    return Floors(forward.pass_seconds(LEAST), seconds_a_call(backward, LEAST) / BACKWARD_BATCH)


def main(
    methods: Annotated[str, typer.Option(help="explainers, as in `xaibench run`")] = defaults.METHODS,
    metrics: Annotated[str, typer.Option(help="metrics, as in `xaibench run`")] = "all",
    preset: Annotated[Preset, typer.Option(help="budgets")] = Preset.STANDARD,
) -> None:
    """Run the default cohort and model in a new folder, everything traced anew, and compare with the floor."""
    console = Console()
    subject = make_subject("compact", compact_resnet, BACKWARD_BATCH)
    prepared = prepare(RunSpec(methods=methods, metrics=metrics, preset=preset), Silent())
    before = floors_of(subject)
    with tempfile.TemporaryDirectory() as place:
        folder = RunFolder(Path(place) / "run")
        folder.begin(prepared.info, prepared.cases)
        started = time.perf_counter()
        passes = compute_missing(prepared, folder, lambda result, cells: None)
        seconds = time.perf_counter() - started
        folder.close()
    floor = float(np.mean([found.of(passes) for found in (before, floors_of(subject))]))
    console.print(
        f"{passes.forward} forward passes, {passes.backward} of them with a gradient: {seconds:.1f} s, of which "
        f"{passes.seconds:.1f} s inside the model; floor {floor:.1f} s; overhead {seconds / floor:.2f}."
    )


if __name__ == "__main__":
    typer.run(main)
