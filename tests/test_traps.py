"""Every fault found in a published implementation or in xaibench itself is a named test, which fails if it is back."""

import re
from pathlib import Path

TRAPS = set(range(1, 41))


def test_every_trap_has_a_test_of_its_name() -> None:
    files = Path(__file__).parent.rglob("test_*.py")
    names = re.findall(r"def test_trap_(\d\d)_", "\n".join(file.read_text() for file in files))
    assert {int(name) for name in names} == TRAPS
