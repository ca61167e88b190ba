"""Which mistakes, made on purpose, do the tests find? `python -m benchmarks.mutation` counts them.

mutmut 3.8 was tried first: it leaves class constants (`higher_is_better`) and decorated functions alone, and makes
every mutant where a sample of each file is enough. Here one process that has TensorFlow imported is forked for each
mutant, and the import system of the fork reads the mutant in place of the file: none is ever written.
"""

import ast
import gc
import importlib
import json
import os
import signal
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Annotated, Any

import hypothesis
import pytest
import typer
from hypothesis import strategies
from jaxtyping import install_import_hook

from benchmarks.mutants import mutants
from benchmarks.tracing import Calls, Tracer, tests_of

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "results"
TESTS = {
    "metrics": ["tests/metrics"],
    "methods": ["tests/methods", "tests/contract/test_every_plugin.py"],
    "reports/scoring": ["tests/reports"],
}
OPTIONS = [
    *("-x", "-q", "--tb=no", "-p", "no:cacheprovider", "-o", "addopts=", "-m", "not slow"),
    *("-o", "python_files=test_*.py"),  # else pytest reads rank_test.py itself, past the mutant
    *("-W", "ignore:Module already imported:pytest.PytestWarning", "-W", "ignore:Slow code in plugin"),
]
SLOW_IMPORTS = (
    "keras",
    "tensorflow",
    "pandas",
    "scipy.stats",
    "skimage",
    "sklearn",
    "shap",
    "lime.lime_image",
)
LIMIT = 60
"""Seconds of a mutant's own time until it counts as found; five times as many on the clock."""


def main(
    folder: Annotated[str, typer.Argument(help=f"One of {', '.join(TESTS)}.")],
    count: Annotated[int, typer.Option(help="Mutants of each file, at most.")] = 8,
    seed: Annotated[int, typer.Option(help="Of the choice of mutants.")] = 0,
    files: Annotated[str, typer.Option(help="Only files whose path contains this.")] = "",
) -> None:
    """Make mutants of a folder of the package, run the tests that call their file, and print what survives.

    Example: uv run python -m benchmarks.mutation metrics --count 8 --seed 0
    """
    for slow in SLOW_IMPORTS:
        importlib.import_module(slow)
    install_import_hook("xaibench", "beartype.beartype")
    import_all_but(f"xaibench.{folder.replace('/', '.')}")
    hypothesis.given(strategies.floats())(lambda number: None)()  # reads the package's constants once
    name = folder.replace("/", "-")
    RESULTS.mkdir(exist_ok=True)
    calls = calls_of(TESTS[folder], RESULTS / f"calls-{name}.json")
    report = RESULTS / f"mutants-{name}.txt"
    report.write_text("")
    for path in sorted((ROOT / "xaibench" / folder).rglob("*.py")):
        if files in path.as_posix():
            forked(partial(judge, path, calls, count, seed, report))
    print(Counter(line.split()[0] for line in report.read_text().splitlines()))


def calls_of(tests: list[str], kept: Path) -> Calls:
    """Read which tests call which file, or, where that is not kept, run them all to see."""
    if not kept.exists():
        forked(partial(trace, tests, kept))
    calls: Calls = json.loads(kept.read_text())
    return calls


def trace(tests: list[str], kept: Path) -> int:
    """Run tests and keep which files of the package each of them calls."""
    tracer = Tracer(ROOT)
    status = pytest.main([*OPTIONS[1:], *tests], plugins=[tracer])
    tracer.write(kept)
    return int(status)


def judge(path: Path, calls: Calls, count: int, seed: int, report: Path) -> int:
    """Write what the tests say of each mutant of a file, once they have passed without one."""
    name, source = path.relative_to(ROOT).as_posix(), path.read_text()
    tests = tests_of(name, calls, ROOT)
    import_all_but(module_of(path))
    if tests and verdict_on(path, source, tests) != "survived":
        raise SystemExit(f"The tests of {name} fail without a mutant.")
    for description, mutant in mutants(source, count, f"{seed} {name}"):
        line = f"{verdict_on(path, mutant, tests):8} {name}, {description}"
        print(line, flush=True)
        with report.open("a") as file:
            file.write(f"{line}\n")
    return 0


def import_all_but(part: str) -> None:
    """Import the package without a part of it and what depends on that: only these are then imported for a mutant."""
    imports = {module_of(path): imported_by(path) for path in (ROOT / "xaibench").rglob("*.py")}
    left_out = {"xaibench.__main__", *(name for name in imports if f"{name}.".startswith(f"{part}."))}
    while more := {name for name, of in imports.items() if of & left_out} - left_out:
        left_out |= more
    for name in sorted(imports.keys() - left_out):
        importlib.import_module(name)
    gc.freeze()  # the forks share this memory


def module_of(path: Path) -> str:
    """Dotted name of a file."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported_by(path: Path) -> set[str]:
    """Names that a file imports, of modules and of what is in them."""
    found = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
    return {f"{node.module}{name}" for node in found for name in ["", *(f".{a.name}" for a in node.names)]}


def verdict_on(path: Path, source: str, tests: list[str]) -> str:
    """Run tests on a mutant of a file."""
    if not tests:
        return "untested"
    status = forked(partial(tested, path, source, tests))
    if os.WIFSIGNALED(status):
        return "timeout"
    return "survived" if os.WEXITSTATUS(status) == pytest.ExitCode.OK else "killed"


def tested(path: Path, source: str, tests: list[str]) -> int:
    """Run tests in this process, whose import system reads a source in place of a file."""
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    signal.setitimer(signal.ITIMER_PROF, LIMIT)
    signal.alarm(5 * LIMIT)
    read, stats = SourceFileLoader.get_data, SourceFileLoader.path_stats

    def read_mutant(self: SourceFileLoader, file: str) -> bytes:
        return source.encode() if Path(file) == path else read(self, file)

    def no_stats(self: SourceFileLoader, file: str) -> Mapping[str, Any]:
        if Path(file) == path:
            raise OSError("without them no compiled file is used")
        return stats(self, file)

    SourceFileLoader.get_data, SourceFileLoader.path_stats = read_mutant, no_stats  # type: ignore[assignment, method-assign]
    return int(pytest.main([*OPTIONS, *tests]))


def forked(work: Callable[[], int]) -> int:
    """Do something in a copy of this process, and return how that ended, as `os.waitpid` says it."""
    child = os.fork()
    return os.waitpid(child, 0)[1] if child else os._exit(work())


if __name__ == "__main__":
    typer.run(main)
