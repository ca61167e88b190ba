"""Computes a run, in worker processes or in this one."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from xaibench.cli.progress import ConsoleProgress, watching
from xaibench.cli.terminal import error_console, without_import_chatter
from xaibench.harness.shards import WHOLE, Shard
from xaibench.harness.spec import RunSpec

if TYPE_CHECKING:
    from xaibench.harness.run import Watch
    from xaibench.harness.store.folder import RunFolder

IMPORTED_ONCE = ["xaibench.classifiers.keras"]
"""What takes seconds to import, for all worker processes together."""


@dataclass(frozen=True)
class Computing:
    """How a run is computed, which decides nothing of what comes out."""

    retry_failed: bool = False
    workers: int | None = None
    """Worker processes; 0 = none, None = as many as help."""
    worker_memory: float | None = None
    """GiB."""
    shard: Shard = WHOLE

    def __call__(self, spec: RunSpec, out: Path) -> "RunFolder":
        """Compute what a folder misses, and show how far it is; returns the open folder."""
        with watching(error_console) as watch:
            return (self._here if self.workers == 0 else self._in_workers)(spec, out, watch)

    def _here(self, spec: RunSpec, out: Path, watch: "Watch") -> "RunFolder":
        """Compute where a debugger can look; a plugin that ends its process ends the run."""
        from xaibench.harness.prepare import check_names

        check_names(spec)  # before the seconds of TensorFlow, or the minutes of a training
        with without_import_chatter():
            from xaibench.harness.run import run

        progress = ConsoleProgress(error_console)
        return run(spec, out, progress, watch, self.retry_failed, shard=self.shard)

    def _in_workers(self, spec: RunSpec, out: Path, watch: "Watch") -> "RunFolder":
        from xaibench.harness.workers.crew import crew_of
        from xaibench.harness.workers.run import run_in_workers

        crew, progress = crew_of(self.workers, self.worker_memory), ConsoleProgress(error_console)
        return run_in_workers(spec, out, progress, watch, crew, self.retry_failed, IMPORTED_ONCE, self.shard)
