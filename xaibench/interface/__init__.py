"""xaibench from Python: arrays and a model in, tables out."""

from xaibench.interface.calls import explain, open_run, run, score
from xaibench.interface.result import Result

__all__ = ["Result", "explain", "open_run", "run", "score"]
