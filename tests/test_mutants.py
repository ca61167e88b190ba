"""A mutant differs from its source in one place, and never in its words."""

import ast

from benchmarks.mutants import mutants

SOURCE = '''
"""A docstring with 1 number."""

@dataclass(frozen=True)
class Share:
    """Another."""

    budget: int = 20
    higher_is_better: ClassVar = True
    chance: ClassVar = "none"
    presets: ClassVar = {"smoke": {"budget": 8}}

    def __call__(self, a, b):
        if a < 0:
            raise ValueError(f"{a} is below {1 + 1}")
        return max(0.0, share(a, b)) / 4
'''
EXPECTED = {
    "True => False",
    "if a < 0: => pass",
    "if a < 0: => if not a < 0:",
    "a < 0 => a <= 0",
    "0 => 1",
    "max(0.0, share(a, b)) / 4 => max(0.0, share(a, b)) * 4",
    "max => min",
    "0.0 => 1.0",
    "share(a, b) => share(b, a)",
    "4 => 5",
}


def test_what_is_changed_and_what_is_left() -> None:
    found = mutants(SOURCE, 100, "0")
    assert {description.partition(": ")[2] for description, _ in found} == EXPECTED
    for _, mutant in found:
        ast.parse(mutant)
        assert mutant != ast.unparse(ast.parse(SOURCE))
        for kept in ("A docstring with 1 number", "budget: int = 20", "'smoke': {'budget': 8}", "{1 + 1}"):
            assert (kept in mutant) or "pass" in mutant


def test_a_sample_is_of_the_seed() -> None:
    assert mutants(SOURCE, 3, "0") == mutants(SOURCE, 3, "0")
    assert len(mutants(SOURCE, 3, "0")) == 3
    assert mutants(SOURCE, 8, "0") != mutants(SOURCE, 8, "1")
