"""Shards: each computes its own cells, and merged they are the run."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.harness.in_memory import made_cases, prepared_run
from tests.harness.plugins import Brightness, ClassMean, Drawn, Mean, Stacked, Together
from xaibench.api import Record, XaibenchError
from xaibench.harness.prepare import Prepared
from xaibench.harness.run import compute_missing
from xaibench.harness.shards import Shard
from xaibench.harness.store.folder import RunFolder
from xaibench.harness.store.merging import merge


@pytest.fixture
def prepared() -> Prepared:
    methods = {"bright": Brightness(), "drawn": Drawn(), "stacked": Stacked()}
    metrics = {"mean": Mean(), "together": Together(), "class-mean": ClassMean()}
    return prepared_run(methods, metrics, made_cases(5))


@pytest.fixture
def folders() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def computed(prepared: Prepared, path: Path, folders: ExitStack, shard: Shard) -> tuple[RunFolder, set[str]]:
    """Folder of a shard, and the cells that it computed."""
    folder = folders.enter_context(closing(RunFolder(path)))
    folder.begin(prepared.info, prepared.cases)
    done: set[str] = set()
    compute_missing(
        prepared,
        folder,
        lambda result, cells: done.add(f"{result.cell.method} {result.cell.unit.id}"),
        shard=shard,
    )
    return folder, done


def figures(folder: RunFolder) -> list[Record]:
    return [replace(record, seconds=0.0, forward=0) for record in folder.records()]


def test_merged_shards_are_the_run_once_classes_are_explained(
    prepared: Prepared, tmp_path: Path, folders: ExitStack
) -> None:
    whole, everything = computed(prepared, tmp_path / "whole", folders, Shard(1, 1))
    shares = [computed(prepared, tmp_path / f"{i}", folders, Shard(i, 3))[1] for i in (1, 2, 3)]
    assert sum(map(len, shares)) == len(set.union(*shares))
    merged = folders.enter_context(
        closing(merge([tmp_path / f"{i}" for i in (1, 2, 3)], tmp_path / "merged"))
    )
    merged.close()
    again, left = computed(prepared, tmp_path / "merged", folders, Shard(1, 1))
    assert {cell.split(" ", 1)[1] for cell in left} == {"class no", "class yes"}
    assert set.union(*shares, left) == everything
    assert figures(again) == figures(whole)


def test_a_share_stays_the_same_whatever_is_done(
    prepared: Prepared, tmp_path: Path, folders: ExitStack
) -> None:
    folder, first = computed(prepared, tmp_path / "2", folders, Shard(2, 3))
    assert len(first) == 5
    folder.close()
    assert computed(prepared, tmp_path / "2", folders, Shard(2, 3))[1] == set()


def test_the_cases_of_each_method_are_shared_evenly(
    prepared: Prepared, tmp_path: Path, folders: ExitStack
) -> None:
    for index in (1, 2, 3):
        _, done = computed(prepared, tmp_path / f"{index}", folders, Shard(index, 3))
        of_cases = [cell for cell in done if "cohort" not in cell]
        assert all(
            1 <= sum(cell.startswith(method) for cell in of_cases) <= 2
            for method in ("bright", "drawn", "stacked")
        )


@pytest.mark.parametrize("text", ["0/3", "4/3", "3", "a/b", "1/0", "-1/3", "1/3/5"])
def test_what_is_no_share_is_told(text: str) -> None:
    with pytest.raises(XaibenchError, match="is not I/N"):
        Shard.of(text)
    assert Shard.of("3/8") == Shard(3, 8)
