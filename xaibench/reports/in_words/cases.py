"""Every case of a run in words: the model's prediction, then each method's map."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from xaibench.api import Explanation, Record
from xaibench.harness.store.folder import RunFolder
from xaibench.reports.in_words.observed import Observed, Setting, missing_map
from xaibench.reports.in_words.prediction import prediction
from xaibench.reports.in_words.sentences import describe, joined
from xaibench.reports.scoring.results import Results

ByMetric = Mapping[str, Record]


@dataclass(frozen=True)
class InWords:
    """What is told of one case."""

    model: str
    maps: Mapping[str, str]
    """By method."""


def in_words(folder: RunFolder, run: Results) -> dict[str, InWords]:
    """Describe each case, by its name."""
    records = _by_map(run.records)
    told = {}
    for facts in run.info.cohort.cases:
        setting = Setting(run.info, run.cases[facts.id])
        maps = {
            method: _map(
                setting, method, folder.explanation(method, facts.id), records.get((method, facts.id), {})
            )
            for method in sorted(run.info.methods)
        }
        told[facts.id] = InWords(prediction(run.info, facts), maps)
    return told


def words_frame(told: Mapping[str, InWords]) -> pd.DataFrame:
    """One row a case and method."""
    rows = [
        (case, method, f"{text} {words.model}")
        for case, words in told.items()
        for method, text in words.maps.items()
    ]
    return pd.DataFrame(rows, columns=["case", "method", "text"])


def _by_map(records: Iterable[Record]) -> dict[tuple[str, str], dict[str, Record]]:
    found: dict[tuple[str, str], dict[str, Record]] = {}
    for record in records:
        found.setdefault((record.method, record.case), {})[record.metric] = record
    return found


def _map(setting: Setting, method: str, found: Explanation | None, records: ByMetric) -> str:
    """Describe one map, or say why there is none; a control is called one."""
    reason = missing_map(found, records.values())
    if found is None or reason:
        text = joined(f"there is no map: {reason.rstrip('.')}")
    else:
        text = describe(Observed(setting, found.heatmap, records))
    return f"Control: {text}" if setting.info.methods[method].is_control else text
