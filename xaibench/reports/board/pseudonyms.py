"""Pseudonyms of published cases and the fingerprint of a cohort: from the content of the images, not from the run.

The pseudonyms of a run may be linked with identities in somebody's table, so none of them, nor their order, is
published. Whoever holds an image can find its scores; whoever does not cannot tell whose they are. The same cohort has
the same pseudonyms in every run, whatever its seed, so methods of several runs are compared by patient.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xaibench.api import Case
from xaibench.harness import keys
from xaibench.harness.store.run_info import CaseInfo

ODD = re.compile(r"[^A-Za-z0-9 _.-]")
SHOWN = 12
"""Digits of a hash in a pseudonym."""


@dataclass(frozen=True)
class Pseudonyms:
    """Published names by the names of the run."""

    cases: Mapping[str, str]
    patients: Mapping[str, str]
    contents: Mapping[str, str]
    """Hash of the content of each case of the run."""

    def of_unit(self, name: str) -> str:
        """Published name of what a record is of: a case, the cohort, or a class, which may be called anything."""
        return self.cases.get(name, ODD.sub("_", name))

    def fingerprint(self) -> str:
        """Fingerprint of the cohort: of all cases, in whatever order and by whatever name."""
        return keys.digest(sorted(self.contents.values()))


def pseudonyms_of(described: Sequence[CaseInfo], cases: Mapping[str, Case]) -> Pseudonyms:
    """Name the cases and patients of a run by what they contain; equal cases are numbered."""
    contents: dict[str, str] = {}
    seen: Counter[str] = Counter()
    of_patient: dict[str, list[str]] = {}
    for info in sorted(described, key=lambda case: case.id):
        content = _content(cases[info.id], info.target)
        contents[info.id] = keys.digest(content, seen[content])
        seen[content] += 1
        of_patient.setdefault(info.patient, []).append(contents[info.id])
    patients = {name: f"patient-{keys.digest(sorted(own))[:SHOWN]}" for name, own in of_patient.items()}
    return Pseudonyms(
        {name: f"case-{content[:SHOWN]}" for name, content in contents.items()}, patients, contents
    )


def _content(case: Case, target: int) -> str:
    arrays = keys.array_hash(case.image), keys.array_hash(case.region)
    return keys.digest(*arrays, list(case.labels), case.spacing_mm, target)
