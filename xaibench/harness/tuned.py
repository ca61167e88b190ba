"""What a search of parameters found, and what it cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from xaibench.api import Passes, XaibenchError


@dataclass(frozen=True)
class Tried:
    """One choice of parameters."""

    parameters: Mapping[str, Any]
    value: float | None
    """Over the patients, as the metric aggregates them; None where some case has no value or the choice is refused."""
    passes: Passes
    reason: str = ""
    """Why there is no value."""


@dataclass(frozen=True)
class Tuned:
    """What the search found, and what it cost."""

    method: str
    metric: str
    tried: Sequence[Tried]
    """In their order; the first are the defaults."""
    higher_is_better: bool
    patients: int
    seconds: float

    @property
    def best(self) -> Tried:
        """The choice with the best value, the first of equals. Raises XaibenchError where none has a value."""
        valued = [one for one in self.tried if one.value is not None]
        if not valued:
            raise XaibenchError(
                f"{self.method} has no value of {self.metric} on the training patients, whatever its parameters: "
                f"{self.tried[0].reason}."
            )
        sign = -1 if self.higher_is_better else 1
        return min(valued, key=lambda one: sign * float(one.value or 0))

    def as_config(self) -> str:
        """YAML for `xaibench run --config`, with the figures and the cost as comments."""
        default, best = self.tried[0].value, self.best
        forward = sum(one.passes.forward for one in self.tried)
        backward = sum(one.passes.backward for one in self.tried)
        lines = [
            f"# {self.method} tuned by {self.metric} on {self.patients} training patients, none of them in the cohort:",
            f"# {best.value:.6g}, with the defaults {'no value' if default is None else f'{default:.6g}'}.",
            f"# Cost: {len(self.tried)} trials, {forward:,} forward and {backward:,} backward passes, "
            f"{self.seconds:.1f} s.",
        ]
        chosen = yaml.safe_dump({"parameters": {self.method: dict(best.parameters)}}, sort_keys=False)
        return "\n".join(lines) + "\n" + chosen
