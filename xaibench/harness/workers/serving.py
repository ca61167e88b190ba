"""A worker process: prepares or finds a run, then computes the cells it is given."""

import os
import signal
import threading
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from multiprocessing import connection as pipes
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from typing import TypeVar

import numpy as np

from xaibench.api import Folds, Silent, XaibenchError
from xaibench.harness import keys
from xaibench.harness.cells import Cell, Result
from xaibench.harness.cohort import intensity_of
from xaibench.harness.concepts import read_concepts
from xaibench.harness.fitting import fit_methods, read_once
from xaibench.harness.limits import Failure
from xaibench.harness.prepare import Prepared, as_declared, choose_plugins, open_all, prepare
from xaibench.harness.scopes import Context
from xaibench.harness.store.folder import RunFolder
from xaibench.harness.worker import EXPLAINING, ModelChangedError, Worker
from xaibench.harness.workers.messages import (
    Broken,
    Ended,
    Order,
    Ready,
    Refused,
    Said,
    Step,
    Tracking,
    Went,
)

Item = TypeVar("Item")
Learnt = Mapping[str, np.ndarray] | Failure


def serve(connection: Connection, order: Order) -> None:
    """Body of a worker process; ends when it is told None, or when nobody listens any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the run's to answer; it kills its workers
    end_with_the_run()
    try:
        with closing(RunFolder(order.out)) as folder:
            computing = Computing(connection, order, folder)
            connection.send(Ready())
            while (cell := connection.recv()) is not None:
                connection.send(computing(cell))
    except ModelChangedError:
        connection.send(Step(EXPLAINING, 0.0))  # whichever step did it, the method is to blame
        connection.send(Ended("changed the model, so its process was ended"))
    except XaibenchError as error:
        connection.send(Refused(str(error)))
    except (EOFError, BrokenPipeError):
        return  # the run has ended
    except Exception as error:
        connection.send(Broken(f"{type(error).__name__}: {error}", traceback.format_exc()))


def end_with_the_run() -> None:
    """Let the process end when the one that runs it does, whatever it computes by then."""
    run = parent_process()
    if run is not None:
        threading.Thread(target=lambda: (pipes.wait([run.sentinel]), os._exit(1)), daemon=True).start()


@dataclass(frozen=True)
class Telling:
    """Progress that the run's own process shows."""

    connection: Connection

    def say(self, sentence: str) -> None:
        """Tell a sentence."""
        self.connection.send(Said(sentence))

    def track(self, items: Sequence[Item], what: str) -> Iterator[Item]:
        """Yield the items, telling of each."""
        self.connection.send(Tracking(len(items), what))
        for item in items:
            yield item
            self.connection.send(Went())


class Computing:
    """Computes cells, tells which step of a cell begins, and lets methods learn when their first cell comes."""

    def __init__(self, connection: Connection, order: Order, folder: RunFolder) -> None:
        self._connection, self._folder = connection, folder
        self._prepared = begin(order, folder, Telling(connection)) if order.begins else found(order, folder)
        self._background = read_once(self._prepared)
        self._fits: dict[tuple[str, int], Learnt] = {}
        kept = folder.explanation, folder.cohort_explanations
        context = Context(self._prepared, self._fits, *kept, fresh=order.fresh)
        self._worker = Worker(context, lambda what, seconds: connection.send(Step(what, seconds)))

    def __call__(self, cell: Cell) -> Result:
        """Compute a cell."""
        self._learn(cell.method)
        return self._worker(cell)

    def _learn(self, method: str) -> None:
        if any(name == method for name, _ in self._fits):
            return
        patience = float(self._prepared.info.spec["cell_timeout"]) * len(self._prepared.cases)
        self._connection.send(Step(EXPLAINING, patience))
        self._fits.update(fit_methods(self._prepared, self._folder, [method], self._background))


def begin(order: Order, folder: RunFolder, progress: "Telling") -> Prepared:
    """Prepare a run and write what it is to its folder."""
    prepared = prepare(order.spec, progress)
    for sentence in prepared.sentences:
        progress.say(sentence)
    folder.begin(prepared.info, prepared.cases)
    return prepared


def found(order: Order, folder: RunFolder) -> Prepared:
    """Find a run in its folder, cases and targets as they were settled, and load its model anew.

    Raises XaibenchError where that is not the same model.
    """
    methods, metrics, _ = choose_plugins(order.spec)
    sources = as_declared(open_all(order.spec, Silent()), order.spec)
    info = folder.info()
    classifiers = sources.model.classifiers
    if keys.digest([member.fingerprint for member in classifiers]) != info.model.key:
        raise XaibenchError(f"{info.model.name} has changed since the run began; start it again.")
    return Prepared(
        info=info,
        cases=folder.cases(),
        targets={case.id: case.target for case in info.cohort.cases},
        folds=Folds(classifiers, {case.patient: case.fold or 0 for case in info.cohort.cases}),
        methods={method.name: method for method in methods},
        metrics={metric.name: metric for metric in metrics},
        model=sources.model,
        concepts=read_concepts(
            sources.concepts, sources.model, intensity_of(order.spec, sources.model), methods
        ),
    )
