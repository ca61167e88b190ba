"""Peak memory: what an explainer asks of a machine besides the model."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from xaibench.api import Case, ExplainBatch, Family, Measurement, Need, NotApplicable

STATUS = Path("/proc/self/status")
FORGET = Path("/proc/self/clear_refs")
"""Writing 5 to it sets the recorded peak of this process to what it holds now."""


@dataclass(frozen=True)
class PeakMemory:
    """MiB that the process grows by, at most, while one image is explained; low is good.

    Highest resident memory while the explainer runs, less the resident memory before, in a process in which the model
    has answered once and nothing else has run. Range 0 .. infinity.

    A random map takes next to nothing. Pitfalls: one measurement, of one image; what is traced and imported at a
    method's first call is part of it; and what it took before and gave back to the allocator is not, so a method that
    needs no more than the model's own pass shows little.
    """

    family: ClassVar = Family.COST
    higher_is_better: ClassVar = False
    range: ClassVar = (0.0, float("inf"))
    unit: ClassVar = "MiB"
    source: ClassVar = "xaibench"
    chance: ClassVar = "next to nothing: a random map asks no model"
    needs: ClassVar = frozenset({Need.FRESH_PROCESS})
    aggregate: ClassVar = "median"

    def score_batch(self, cases: list[Case], explain: ExplainBatch) -> Measurement:
        """Explain the first case. Raises NotApplicable where the system does not tell the peak of a process."""
        before = start_anew()
        explain(cases[:1])
        return Measurement(max(mib("VmHWM") - before, 0.0))


def start_anew() -> float:
    """Let the peak begin at the resident memory of now, and return that, in MiB."""
    try:
        FORGET.write_text("5")
    except OSError as reason:
        raise NotApplicable("this system does not tell the highest memory of a process") from reason
    return mib("VmRSS")


def mib(figure: str) -> float:
    """Figure of this process' memory, in MiB."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(f"{figure}:"))
    return int(line.split()[1]) / 1024
