"""Which tests call which file of the package, how long they run, and which of them a mutant of the file meets."""

import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

SLOW, BUDGET = 5.0, 8.0
"""Seconds of a test that no mutant meets, and of all tests that one meets."""
Calls = dict[str, dict[str, float]]
"""File -> tests that call it -> their seconds."""


class Tracer:
    """A pytest plugin; what a fixture calls counts for all tests that share the fixture."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.of_fixture: dict[str, set[str]] = defaultdict(set)
        self.of_test: dict[str, set[str]] = defaultdict(set)
        self.seconds: dict[str, float] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Iterator[None]:
        """Trace a fixture."""
        with _traced(self.of_fixture[fixturedef.argname]):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        """Trace a test."""
        started = time.perf_counter()
        with _traced(self.of_test[item.nodeid]):
            result = yield
        self.seconds[item.nodeid] = time.perf_counter() - started
        for name in getattr(item, "fixturenames", []):
            self.of_test[item.nodeid] |= self.of_fixture[name]
        return result

    def write(self, kept: Path) -> None:
        """Write the tests of each file of the package as JSON."""
        calls: Calls = defaultdict(dict)
        for test, seconds in self.seconds.items():
            for file in self.of_test[test]:
                if file.startswith(f"{self.root / 'xaibench'}/"):
                    calls[Path(file).relative_to(self.root).as_posix()][test] = seconds
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(json.dumps(calls))


@contextmanager
def _traced(files: set[str]) -> Iterator[None]:
    """Add the files of all functions that are called."""

    def note(frame: FrameType, event: str, argument: object) -> None:
        files.add(frame.f_code.co_filename)

    outer = sys.getprofile()
    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(outer)


def tests_of(file: str, calls: Calls, root: Path) -> list[str]:
    """Tests in the order in which a mutant of a file meets them, as many as the budget allows.

    They call the file, or judge the plugin of its name by what it declares; those whose module imports the file come
    first, then those of the quickest test modules.
    """
    module, plugin = file.removesuffix(".py").replace("/", "."), Path(file).stem.replace("_", "-")
    every = {test: seconds for tests in calls.values() for test, seconds in tests.items()}
    fit = {test for test in every if test in calls.get(file, {}) or f"[{plugin}]" in test}
    times = {test: every[test] for test in fit if every[test] < SLOW}
    of_module: dict[str, list[float]] = defaultdict(list)
    for test, seconds in times.items():
        of_module[_module(test)].append(seconds)

    def rank(test: str) -> tuple[bool, float, str, float]:
        of = of_module[_module(test)]
        imports = module in (root / _module(test)).read_text()
        return not imports, sum(of) / len(of), _module(test), times[test]

    tests = sorted(times, key=rank)
    spent = accumulate(times[test] for test in tests)
    return [test for test, seconds in zip(tests, spent, strict=True) if seconds < BUDGET]


def _module(test: str) -> str:
    return test.partition("::")[0]
