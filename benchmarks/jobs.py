"""What a job is, and the jobs of xaibench itself."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.subject import CLASS, Subject
from benchmarks.timing import Effort
from xaibench.api import Batch, Case, Explanation, Heatmaps
from xaibench.methods.grad_cam import GradCam
from xaibench.methods.grad_cam_plus_plus import GradCamPlusPlus
from xaibench.methods.lime import Lime
from xaibench.methods.occlusion import Occlusion
from xaibench.methods.rise import Rise
from xaibench.methods.shap import Shap
from xaibench.metrics.deletion_auc import DeletionAuc
from xaibench.metrics.insertion_auc import InsertionAuc

Start = Callable[[Subject, Effort], Callable[[], object]]
OURS = "xaibench"


@dataclass(frozen=True)
class Job:
    """One piece of work by one library."""

    work: str
    library: str
    setting: str
    start: Start
    """Imports, builds and returns the call to be timed."""
    backward: int = 0
    """Images of a gradient explainer's batch, whose floor is a backward one; 0 = perturbation, forward floor."""


def jobs_of_xaibench(effort: Effort) -> list[Job]:
    """Jobs of this package."""
    return [
        Job("occlusion", OURS, "patch 1/8, stride 1/16", _explain_one(Occlusion())),
        Job("rise", OURS, f"{effort.masks} masks", _explain_one(Rise(masks=effort.masks))),
        Job("lime", OURS, f"{effort.samples} samples", _explain_one(Lime(samples=effort.samples))),
        Job("shap", OURS, f"{effort.evaluations} evaluations", _explain_one(Shap(effort.evaluations))),
        Job("deletion", OURS, f"{effort.steps} steps", _score(DeletionAuc(steps=effort.steps))),
        Job("insertion", OURS, f"{effort.steps} steps", _score(InsertionAuc(steps=effort.steps))),
        *_gradient_jobs("grad-cam", GradCam(), effort.batch),
        *_gradient_jobs("grad-cam++", GradCamPlusPlus(), effort.batch),
    ]


def random_heatmaps(subject: Subject) -> Heatmaps:
    """Heatmaps for the curve metrics, whose cost does not depend on them: seeded noise `[n h w]`."""
    maps: Heatmaps = np.random.default_rng(1).random(subject.images.shape[:3], dtype=np.float32)
    return maps


def _gradient_jobs(work: str, explainer: Any, batch: int) -> list[Job]:
    sizes = {batch: f"{batch} images", 1: "one image"}
    return [Job(work, OURS, text, _explain(explainer, size), size) for size, text in sizes.items()]


def _explain_one(explainer: Any) -> Start:
    return _explain(explainer, 1)


def _explain(explainer: Any, count: int) -> Start:
    def start(subject: Subject, effort: Effort) -> Callable[[], object]:
        batch = Batch(subject.images[:count], np.full(count, CLASS), np.arange(count))
        return lambda: explainer(subject.classifier, batch)

    return start


def _score(metric: Any) -> Start:
    def start(subject: Subject, effort: Effort) -> Callable[[], object]:
        case = Case("benchmark", "benchmark", subject.image, (CLASS,), None, (1.0, 1.0))
        heatmap = random_heatmaps(subject)[0]
        explanation = Explanation(heatmap, target=CLASS, seconds=0.0, forward=0, backward=0)
        return lambda: metric(subject.classifier, case, explanation, _explain_again)

    return start


def _explain_again(*_: object, **__: object) -> Heatmaps:
    raise AssertionError("a curve metric has no need to explain again")
