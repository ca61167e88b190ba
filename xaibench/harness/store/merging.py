"""Joins run folders: the shards of one run, or runs of other methods and metrics on the same cases and model.

Records and arrays have keys that say all that decides them, so they are copied as they are.
"""

import shutil
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import IO, Any, TypeVar

from xaibench.api import XaibenchError, write_file
from xaibench.harness.store.folder import RunFolder, read_info
from xaibench.harness.store.run_info import MethodInfo, MetricInfo, RunInfo

ARRAYS = ("heatmaps", "cohort", "fitted")
"""Folders of arrays whose names carry the key of what made them."""
TEXTS = {"package", "summary"}
"""What may differ between versions without changing a record."""
Described = TypeVar("Described", MethodInfo, MetricInfo)


def merge(folders: Sequence[Path], out: Path) -> RunFolder:
    """Join run folders into a new one; returns it open.

    Of two records of one key the first stands, and one that did not fail before one that did. Raises XaibenchError
    where model, cohort, contract, or a method or metric of one name differ, and where `out` is not empty.
    """
    if len(folders) < 2:
        raise XaibenchError("Give at least two run folders to merge.")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise XaibenchError(f"{out} is not empty; give a new folder to --out.")
    info = merged_info({folder: read_info(folder) for folder in folders})
    merged = RunFolder(out)
    with closing(RunFolder.existing(folders[0])) as first:
        merged.begin(info, first.cases())
    for folder in folders:
        merged.adopt_records(folder)
        _copy_arrays(folder, out)
    return merged


def merged_info(infos: Mapping[Path, RunInfo]) -> RunInfo:
    """Describe the runs as one. Raises XaibenchError for the first that does not fit the first."""
    (first, info), *others = infos.items()
    for folder, other in others:
        _check(first, info, folder, other)
    runs = list(infos.values())
    methods = _joined("method", {folder: run.methods for folder, run in infos.items()})
    metrics = _joined("metric", {folder: run.metrics for folder, run in infos.items()})
    requests = {request.model_dump_json(): request for run in runs for request in run.history}
    notes = dict.fromkeys(note for run in runs for note in run.cohort.notes)
    return info.model_copy(
        update={
            "spec": _joined_spec(runs, methods, metrics),
            "methods": methods,
            "metrics": metrics,
            "cohort": info.cohort.model_copy(update={"notes": (*notes, *_machines(runs))}),
            "problems": tuple(dict.fromkeys(problem for run in runs for problem in run.problems)),
            "history": tuple(sorted(requests.values(), key=lambda request: request.at)),
        }
    )


def _joined_spec(
    runs: Sequence[RunInfo], methods: Mapping[str, MethodInfo], metrics: Mapping[str, MetricInfo]
) -> Mapping[str, Any]:
    """Specification of all runs: that of shards, or the first with the methods and metrics of all."""
    spec = runs[0].spec
    if all({*run.methods, *run.metrics} == {*methods, *metrics} for run in runs):
        return spec
    return {**spec, "methods": ",".join(methods), "metrics": ",".join(metrics)}


def _check(first: Path, info: RunInfo, folder: Path, other: RunInfo) -> None:
    facts = {
        "version of the contract": (info.api_version, other.api_version),
        "model": (info.model.key, other.model.key),
        "cohort (cases, explained classes or seed)": (info.cohort.key, other.cohort.key),
    }
    for what, (own, theirs) in facts.items():
        if own != theirs:
            raise XaibenchError(
                f"{folder} is of another {what} than {first} ({theirs}, not {own}); only runs on the same cases and "
                f"model are merged. To compare them: `xaibench report {first} {folder}`."
            )


def _joined(noun: str, described: Mapping[Path, Mapping[str, Described]]) -> dict[str, Described]:
    """Union of methods or metrics, sorted by name."""
    found: dict[str, tuple[Path, Described]] = {}
    for folder, known in described.items():
        for name, facts in known.items():
            first, own = found.setdefault(name, (folder, facts))
            if own.model_dump(exclude=TEXTS) != facts.model_dump(exclude=TEXTS):
                raise XaibenchError(
                    f"{noun.capitalize()} {name} is another one in {folder} than in {first}: its parameters, its code "
                    f"or the number of its patients differ; run one again, or compare them with `xaibench report`."
                )
    return {name: found[name][1] for name in sorted(found)}


def _machines(runs: Sequence[RunInfo]) -> list[str]:
    """Caution where times were taken on several machines."""
    machines = {f"{run.machine.cpu} with {run.machine.cores} cores" for run in runs}
    if len(machines) == 1:
        return []
    return [f"Merged from runs on several machines ({'; '.join(sorted(machines))}): times do not compare."]


def _copy_arrays(folder: Path, out: Path) -> None:
    """Copy the arrays that are not there yet."""
    for name in ARRAYS:
        for source in sorted((folder / name).rglob("*.npz")):
            target = out / source.relative_to(folder)
            if not target.exists():
                write_file(target, lambda file, source=source: _copy(source, file))  # type: ignore[misc]


def _copy(source: Path, file: IO[bytes]) -> None:
    with source.open("rb") as stream:
        shutil.copyfileobj(stream, file)
