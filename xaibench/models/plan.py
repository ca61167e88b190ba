"""How to train and validate, and what must be the same for a training to be continued."""

import hashlib
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from xaibench.api import Intensity, XaibenchError, seed_of
from xaibench.models.backbones import DEFAULT_WEIGHTS, Backbone
from xaibench.models.fine_tuning import TuningLearner, TuningSchedule
from xaibench.models.heads import HeadSchedule
from xaibench.models.learning import FrozenLearner, Learner
from xaibench.models.samples import Samples

PatientScore = Literal["mean", "max"]
DECISIVE = (
    "samples",
    "folds",
    "heads",
    "learning",
    "fine_tuning",
    "scoring",
    "shuffle_test",
    "plan",
    "transfer",
)
"""Modules whose code decides the numbers of a folder."""


@dataclass(frozen=True)
class Plan:
    """How to train and validate. Raises XaibenchError for what makes no sense."""

    backbone: str = "compact"
    weights: str | None = None
    """imagenet, pretext, none or a file; None = pretext for compact, imagenet for resnet50."""
    folds: int = 5
    permutations: int = 100
    hidden: int = 0
    fine_tune: int = 0
    """Last blocks to unfreeze."""
    patient_score: str = "mean"
    """A patient's probability is the mean or the max over the slices."""
    mask_share: float = 0.5
    """Train on slices whose annotated area is at least this share of the patient's largest."""
    intensity: Intensity = Intensity.RAW
    """What the slices are made to before the model sees them; a run of the model must do the same."""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.patient_score not in get_args(PatientScore):
            raise XaibenchError(f"--patient-score is {self.patient_score!r}; give mean or max.")
        for name in ("permutations", "hidden", "fine_tune", "seed"):
            if getattr(self, name) < 0:
                option = name.replace("_", "-")
                raise XaibenchError(f"--{option} is {getattr(self, name)}; give 0 or more.")

    @property
    def head(self) -> HeadSchedule:
        """How the head is trained."""
        return HeadSchedule(hidden=self.hidden, seed=seed_of(self.seed, "head"))


def make_learner(samples: Samples, backbone: Backbone, plan: Plan) -> Learner:
    """Learner of a plan: the head alone, or the last blocks too."""
    if not plan.fine_tune:
        return FrozenLearner(samples, backbone, plan.head)
    schedule = TuningSchedule(seed=seed_of(plan.seed, "fine-tuning"))
    return TuningLearner(samples, backbone, plan.head, plan.fine_tune, schedule)


def description(samples: Samples, backbone: Backbone, plan: Plan) -> dict[str, Any]:
    """What must be the same for a folder to be continued; the number of permutations may grow."""
    here = Path(__file__)
    code = b"".join(here.with_name(f"{name}.py").read_bytes() for name in DECISIVE)
    settings = asdict(replace(plan, weights=plan.weights or DEFAULT_WEIGHTS.get(plan.backbone)))
    del settings["permutations"]
    if settings["weights"] not in ("imagenet", "pretext", "none"):
        settings["weights"] = Path(str(settings["weights"])).name
    return {
        "plan": settings,
        "data": {
            "hash": samples.fingerprint(),
            "patients": len(samples.names),
            "positive": int(samples.patient_labels.sum()),
            "slices": len(samples.labels),
        },
        "backbone": {"origin": backbone.origin, "hash": backbone.fingerprint()},
        "class imbalance": "each class, then each patient, then each slice weighs alike in the loss",
        "code": hashlib.sha256(code).hexdigest(),
    }
