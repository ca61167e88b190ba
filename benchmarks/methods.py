"""`python -m benchmarks.methods`: what each explainer costs an image, over the floor of the passes that it makes."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tensorflow as tf
import typer
from rich.console import Console

from benchmarks.subject import BATCHES, CLASS, Subject, backward_call, forward_floor, make_subject
from benchmarks.timing import seconds_a_call
from xaibench.api import Case, Need, NotApplicable, Passes, Silent
from xaibench.harness.configured import Configured
from xaibench.harness.explaining import answer, passes_since
from xaibench.harness.fitting import fit_methods
from xaibench.harness.limits import Failure
from xaibench.harness.prepare import Prepared, prepare
from xaibench.harness.scopes import Context
from xaibench.harness.spec import Preset, RunSpec
from xaibench.harness.store.folder import RunFolder
from xaibench.models.compact_resnet import compact_resnet
from xaibench.models.resnet50 import resnet50

MODELS: dict[str, Callable[[], Any]] = {"recurrence": compact_resnet, "resnet50": resnet50}
ENOUGH = 32
"""Passes of a batch at which an explainer is judged: of a single pass, what surrounds it is most."""
IMAGES = 16
"""Largest number of images of a batch."""
LEAST = 0.5
"""Seconds on a floor, before and after a method."""
NOTHING = "-"


@dataclass(frozen=True)
class Floors:
    """Times one pass of each kind, inside one traced function."""

    forward: Callable[[], float]
    to_maps: Callable[[], float]
    """With the gradient of a logit down to the last feature maps."""
    to_image: Callable[[], float]
    """With the gradient down to the image."""

    def of(self, method: Configured, passes: Passes) -> float:
        """Seconds that the passes of a method take at least."""
        seconds = (passes.forward - passes.backward) * self.forward()
        if passes.backward:
            deep = {Need.INPUT_GRADIENTS, Need.BACKWARD_RULES, Need.KERAS} & method.needs
            seconds += passes.backward * (self.to_image if deep else self.to_maps)()
        return seconds


def floors_of(subject: Subject) -> Floors:
    """Find the best batch, and trace what is timed."""
    forward = forward_floor(subject, LEAST / len(BATCHES))

    def pass_seconds(call: Callable[[], object]) -> float:
        return seconds_a_call(call, LEAST) / IMAGES

    calls = backward_call(subject, IMAGES), input_gradient_call(subject, IMAGES)
    for call in calls:
        call()
    return Floors(partial(forward.pass_seconds, LEAST), *(partial(pass_seconds, call) for call in calls))


def input_gradient_call(subject: Subject, size: int) -> Callable[[], object]:
    """Traced forward pass and gradient of a logit down to the image, of a batch of that size."""
    model = subject.model
    logits_of = tf.keras.Model(model.input, model.layers[-1].input)

    def gradient(images: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(images)
            logit = logits_of(images, training=False)[:, CLASS]
        return tape.gradient(logit, images)

    function, batch = tf.function(gradient), tf.constant(subject.images[:size])
    return lambda: function(batch).numpy()


def main(
    model: Annotated[str, typer.Option(help="recurrence or resnet50")] = "recurrence",
    methods: Annotated[str, typer.Option(help="explainers, as in `xaibench run`")] = "all",
    preset: Annotated[Preset, typer.Option(help="budgets")] = Preset.STANDARD,
    count_only: Annotated[bool, typer.Option("--count-only", help="count passes, time nothing")] = False,
) -> None:
    """Print a line of Markdown a method: passes and seconds an image, overhead over the floor."""
    console = Console(soft_wrap=True)
    floors = None if count_only else floors_of(make_subject(model, MODELS[model], IMAGES))
    spec = RunSpec(model=model, methods=methods, metrics="forward-passes", preset=preset, patients=2)
    prepared = prepare(spec, Silent())
    console.print("| method | images | forward passes | backward passes | seconds an image | overhead |")
    console.print("|---|---|---|---|---|---|")
    for name in prepared.methods:
        console.print(f"| {name} | {' | '.join(line_of(prepared, name, floors))} |")


def line_of(prepared: Prepared, name: str, floors: Floors | None) -> Sequence[str]:
    """Images of the batch, passes of each kind and seconds an image, overhead; the reason where there are none."""
    method = prepared.methods[name]
    with tempfile.TemporaryDirectory() as place, closing(RunFolder(Path(place))) as folder:
        fits = fit_methods(prepared, folder, [name])
    why = [fit.reason for fit in fits.values() if isinstance(fit, Failure)]
    context = Context(prepared, fits, lambda method, case: None, lambda method: None)
    explain = partial(explained, context, method)
    try:
        passes = spent(prepared, lambda: explain(1))
    except NotApplicable as reason:
        why = [*why, str(reason)]
    if why:
        return (NOTHING, NOTHING, NOTHING, NOTHING, f"not applicable: {why[0]}")
    counts = f"{passes.forward:,}", f"{passes.backward:,}"
    if floors is None:
        return ("1", *counts, NOTHING, NOTHING)
    images = int(np.clip(ENOUGH // max(passes.forward, 1), 1, IMAGES))
    return (str(images), *counts, *timed(method, floors, partial(explain, images), prepared, images))


def explained(context: Context, method: Configured, images: int) -> object:
    """Explain the same case so many times in one batch."""
    case: Case = next(iter(context.prepared.cases.values()))
    return answer(method, context.asked(method, [case] * images, [CLASS] * images))


def spent(prepared: Prepared, job: Callable[[], object]) -> Passes:
    """Passes of a job."""
    classifier = prepared.folds.classifiers[0]
    before = classifier.passes
    job()
    return passes_since(before, classifier.passes)


def timed(
    method: Configured, floors: Floors, job: Callable[[], object], prepared: Prepared, images: int
) -> Iterator[str]:
    """Yield seconds an image, and the overhead over the mean of the floors before and after."""
    passes = spent(prepared, job)  # the first call of this size traces
    before = floors.of(method, passes)
    seconds = seconds_a_call(job, LEAST)
    floor = (before + floors.of(method, passes)) / 2
    yield f"{seconds / images:.3g}"
    yield f"{seconds / floor:.2f}" if floor else NOTHING


if __name__ == "__main__":
    typer.run(main)
