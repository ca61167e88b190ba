"""Values of a metric as tables: a row a case or a patient, a column a method."""

from collections.abc import Container, Sequence

import numpy as np
import pandas as pd

from xaibench.reports.scoring.cell import is_measured
from xaibench.reports.scoring.intervals import Values
from xaibench.reports.scoring.scores import Cells


def case_values(
    cells: Cells,
    metric: str,
    methods: Sequence[str],
    detail: str | None = None,
    members: Container[str] | None = None,
) -> pd.DataFrame:
    """Values of a metric, or of a figure recorded beside it, `[(patient, case), methods]`; NaN where there is none.

    `members` are the cases to take (default: all).
    """
    columns = {
        method: {
            (r.patient, r.case): r.value if detail is None else r.details.get(detail)
            for r in cells.get((method, metric), [])
            if is_measured(r) and (members is None or r.case in members)
        }
        for method in methods
    }
    index = pd.MultiIndex.from_tuples(
        sorted({key for column in columns.values() for key in column}), names=["patient", "case"]
    )
    return pd.DataFrame(
        {method: pd.Series(column, index=index, dtype=float) for method, column in columns.items()},
        index=index,
    )


def patient_values(
    cells: Cells,
    metric: str,
    methods: Sequence[str],
    detail: str | None = None,
    members: Container[str] | None = None,
) -> pd.DataFrame:
    """Mean over the cases of each patient, `[patients, methods]`; may be empty.

    NaN where a method lacks a case of the patient that another has: methods are compared over the same cases only.
    """
    values = case_values(cells, metric, methods, detail, members)
    by_patient = values.groupby(level="patient")
    return by_patient.mean().where(values.notna().groupby(level="patient").all())


def columns_of(values: pd.DataFrame) -> dict[str, Values]:
    """Columns of a table of patients as arrays, by method."""
    return {str(name): values[name].to_numpy(dtype=np.float64) for name in values}
