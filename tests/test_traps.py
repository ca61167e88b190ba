"""Every fault found in a published implementation that concerns us is a named test."""

import re
from pathlib import Path

REQUIRED = {1, 2, 4, 5, 6, 7, *range(11, 16), *range(17, 25), 26}


def test_every_trap_has_a_test_of_its_name() -> None:
    files = Path(__file__).parent.rglob("test_*.py")
    names = re.findall(r"def test_trap_(\d\d)_", "\n".join(file.read_text() for file in files))
    assert REQUIRED - {int(name) for name in names} == set()
