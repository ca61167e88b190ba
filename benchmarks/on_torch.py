"""`python -m benchmarks.on_torch`: overhead of xaibench on a PyTorch network over the passes of the network alone."""

import gc
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import numpy as np
import torch
import typer
from rich.console import Console
from torch import nn

from benchmarks.jobs import Job, jobs_of_xaibench
from benchmarks.subject import BATCHES, CLASS, EVIDENT, smooth_images
from benchmarks.table import Row, table_of
from benchmarks.timing import QUICK, Effort, Timing, best_batch, interleaved, quiet, seconds_a_call
from xaibench.api import Image, Images
from xaibench.classifiers.torch.building import exported
from xaibench.classifiers.torch.classifier import TorchClassifier, torch_classifier
from xaibench.classifiers.torch.primitives import inward
from xaibench.metrics.common.baselines import blur

SIZE = 128
STAGES = ((16, 16, 1), (16, 32, 2), (32, 64, 2), (64, 96, 1))
TARGET, GRADIENT_TARGET = 1.15, 1.25
WIDTH = 132


def convolution(before: int, after: int, stride: int = 1) -> nn.Sequential:
    """Convolution and batch norm."""
    return nn.Sequential(nn.Conv2d(before, after, 3, stride, padding=1, bias=False), nn.BatchNorm2d(after))


class Block(nn.Module):  # type: ignore[misc]  # torch is not looked into
    """Residual block as in ResNet18 (He et al. 2016, arXiv:1512.03385)."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.first, self.second = convolution(before, after, stride), convolution(after, after)
        self.shortcut = nn.Sequential(nn.AvgPool2d(stride), nn.Conv2d(before, after, 1))

    def forward(self, x: Any) -> Any:
        """Maps of the block."""
        return torch.relu(self.second(torch.relu(self.first(x))) + self.shortcut(x))


class CompactResnet(nn.Module):  # type: ignore[misc]  # as above
    """Four residual blocks, pooling and one linear layer; 0.2 M parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.maps = nn.Sequential(convolution(1, 16, 2), nn.ReLU(), *(Block(*stage) for stage in STAGES))
        self.head = nn.Linear(STAGES[-1][1], 2)

    def forward(self, x: Any) -> Any:
        """Logits."""
        return self.head(self.maps(x).mean(dim=(2, 3)))


@dataclass(frozen=True, eq=False)
class TorchSubject:
    """A network with seeded random weights, its classifier, and the images."""

    network: Any
    classifier: TorchClassifier
    images: Images

    @property
    def image(self) -> Image:
        """The one image of the perturbation methods."""
        image: Image = self.images[0]
        return image

    def count(self, job: Callable[[], object]) -> int:
        """Run a job, and count the images that really go through the network: remembered scores are none."""
        seen = []
        run_part = self.classifier._run_part

        def counted(run: Any, *given: Any, **options: Any) -> Any:
            seen.append(len(given[0]))
            return run_part(run, *given, **options)

        self.classifier._run_part = counted  # type: ignore[method-assign]
        job()
        self.classifier._run_part = run_part  # type: ignore[method-assign]
        return sum(seen)


def make_subject(images: int) -> TorchSubject:
    """Network whose head finds the class in the first image and not in its blurred copy."""
    torch.manual_seed(0)
    network = CompactResnet().eval().requires_grad_(False)
    shown = smooth_images(images, (SIZE, SIZE, 1))
    with torch.no_grad():
        pooled = network.maps(inward(np.stack([shown[0], blur(shown[0])]))).mean(dim=(2, 3))
        kernel = pooled[0] - pooled[1]
        high, low = pooled @ kernel
        network.head.weight.zero_()[CLASS] = kernel * 2 * EVIDENT / (high - low)
        network.head.bias.zero_()[CLASS] = EVIDENT * (1 - 2 * high / (high - low))
    return TorchSubject(network, torch_classifier(exported(network, (SIZE, SIZE, 1)), network), shown)


def forward_call(subject: TorchSubject, size: int) -> Callable[[], object]:
    """Forward pass of a batch that already is a tensor."""
    batch = inward(np.resize(subject.images, (size, *subject.images.shape[1:])))

    def call() -> object:
        with torch.inference_mode():
            return subject.network(batch).numpy()

    return call


def backward_call(subject: TorchSubject, size: int) -> Callable[[], object]:
    """Forward pass, and gradient of a logit down to the last feature maps, of a batch of that size."""
    batch = inward(subject.images[:size])

    def call() -> object:
        with torch.no_grad():
            maps = subject.network.maps(batch)
        maps.requires_grad_()
        logit = subject.network.head(maps.mean(dim=(2, 3)))[:, CLASS]
        return torch.autograd.grad(logit.sum(), maps)[0].numpy()

    return call


def timed(subject: TorchSubject, job: Job, best: int, effort: Effort) -> Timing:
    """Warm job and floor up, count the passes, then time both in turns."""
    run = job.start(subject, effort)  # type: ignore[arg-type]  # it has what jobs ask of a subject
    run()
    size = job.backward or best
    call = backward_call(subject, size) if job.backward else forward_call(subject, size)
    call()
    gc.collect()
    floor = partial(seconds_a_call, call, effort.floor_seconds)
    return interleaved(run, lambda: floor() / size, subject.count(run), effort.rounds, effort.job_seconds)


def main(
    quick: Annotated[bool, typer.Option(help="Small budgets: shows that it runs, measures badly.")] = False,
) -> None:
    """Time explainers and curve metrics against the time of the network's own passes."""
    effort = QUICK if quick else Effort(rounds=3)
    subject = make_subject(effort.batch)
    best, costs = best_batch(
        lambda size: seconds_a_call(forward_call(subject, size), effort.floor_seconds), BATCHES
    )
    rows = []
    for job in jobs_of_xaibench(effort):
        with quiet():
            rows.append(
                Row(job, timed(subject, job, best, effort), GRADIENT_TARGET if job.backward else TARGET)
            )
    floor = f"Floor: {costs[best]:.2f} ms a pass in batches of {best}; torch {torch.__version__}."
    Console(file=sys.stdout, width=WIDTH).print(
        table_of(f"compact network in PyTorch at {SIZE} px", floor, rows)
    )


if __name__ == "__main__":
    typer.run(main)
