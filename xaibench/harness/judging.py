"""Explanations of a cohort by other classifiers than the run's, such as those of a training with another seed."""

from collections.abc import Callable
from dataclasses import replace

from xaibench.api import Folds, Status
from xaibench.harness.cells import missing_cells
from xaibench.harness.prepare import Prepared
from xaibench.harness.scopes import Context
from xaibench.harness.store.run_info import Scope
from xaibench.harness.worker import Worker


def by_other_classifiers(prepared: Prepared) -> Callable[[Folds], dict[str, float]]:
    """Return what explains and scores every class anew for the classifiers that it is given.

    The figures are named "METRIC CLASS" and, for what the metric recorded beside it, "METRIC CLASS DETAIL"; with
    several methods the last one stands. A metric that has no value for a class gives no figure.
    """
    cells = [cell for cell in missing_cells(prepared.info, ()) if cell.unit.scope is Scope.CLASS]

    def judge(folds: Folds) -> dict[str, float]:
        worker = Worker(Context(replace(prepared, folds=folds), {}, lambda *_: None, lambda _: None))
        records = [record for cell in cells for record in worker(cell).records]
        figures: dict[str, float] = {}
        for record in records:
            if record.status is Status.OK and record.value is not None:
                name = f"{record.metric} {record.case}"
                figures[name] = record.value
                figures |= {f"{name} {detail}": value for detail, value in record.details.items()}
        return figures

    return judge
