"""Maps of a run that can be shown to readers."""

from xaibench.api import Heatmap
from xaibench.harness.store.folder import RunFolder
from xaibench.reports.in_words.observed import missing_map


def finite_map(folder: RunFolder, method: str, case: str) -> Heatmap | None:
    """Map of a method and a case; None where there is none, or one that is not finite."""
    found = folder.explanation(method, case)
    return None if found is None or missing_map(found, ()) else found.heatmap
