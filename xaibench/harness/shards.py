"""A share of a run's cells, for a machine of its own; `xaibench merge` joins what the machines computed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from xaibench.api import XaibenchError
from xaibench.harness.cells import Cell, missing_cells
from xaibench.harness.store.run_info import RunInfo, Scope


@dataclass(frozen=True)
class Shard:
    """Share `index` of `count`, the first one 1."""

    index: int
    count: int

    @classmethod
    def of(cls, text: str) -> "Shard":
        """Read `I/N`. Raises XaibenchError for anything else."""
        found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
        if not found or not 1 <= int(found[1]) <= int(found[2]):
            raise XaibenchError(f"--shard {text!r} is not I/N with I from 1 to N, such as 3/8.")
        return cls(int(found[1]), int(found[2]))

    def cells(self, info: RunInfo, missing: Sequence[Cell]) -> list[Cell]:
        """Cells of this share among those that are missing: whatever is done, the share stays the same.

        The cases of each method are dealt out in turns; the first share takes the figures of several cases as well.
        Explanations of classes need the maps of all shares: they are left to the run that goes on from the merged
        folder.
        """
        if self == WHOLE:
            return list(missing)
        of_cases = [(cell.method, cell.unit.id) for cell in missing_cells(info, ()) if _is_of_case(cell)]
        own = set(sorted(of_cases)[self.index - 1 :: self.count])
        return [
            cell
            for cell in missing
            if (cell.method, cell.unit.id) in own or (cell.unit.scope is Scope.BATCH and self.index == 1)
        ]


def _is_of_case(cell: Cell) -> bool:
    return cell.unit.scope is Scope.CASE


WHOLE = Shard(1, 1)
"""A run that is not shared."""
