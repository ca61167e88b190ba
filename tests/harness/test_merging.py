"""Merging: shards and runs of other methods become the run that would have computed everything."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.harness.conftest import Compute
from tests.harness.in_memory import likes_bright, made_cases, prepared_run
from tests.harness.plugins import Brightness, Mean, Misbehaves, Scaled
from xaibench.api import Record, XaibenchError
from xaibench.harness.cells import missing_cells
from xaibench.harness.prepare import Prepared
from xaibench.harness.run import worker_for
from xaibench.harness.store.folder import RunFolder
from xaibench.harness.store.merging import merge

METRICS = {"mean": Mean()}


def of(methods: dict[str, Any], **settings: Any) -> Prepared:
    return prepared_run(methods, METRICS, **settings)


def untimed(records: Sequence[Record]) -> list[Record]:
    return [replace(record, seconds=0.0) for record in records]


@pytest.fixture
def merged(tmp_path: Path) -> Iterator[Callable[..., RunFolder]]:
    """Merges folders of tmp_path by name; what comes out is closed when the test ends."""
    made: list[RunFolder] = []

    def run(*names: str) -> RunFolder:
        made.append(merge([tmp_path / name for name in names], tmp_path / "out"))
        return made[-1]

    yield run
    for folder in made:
        folder.close()


def test_runs_of_different_methods_become_the_run_of_all(
    compute: Compute, merged: Callable[..., RunFolder]
) -> None:
    bright, scaled = {"brightness": Brightness()}, {"scaled": Scaled()}
    compute(of(bright), "a")
    compute(of(scaled), "b")
    both = of({**bright, **scaled})
    whole = compute(both, "whole")
    folder = merged("a", "b")
    assert untimed(folder.records()) == untimed(whole.records())
    assert folder.info().methods.keys() == both.info.methods.keys()
    assert folder.info().spec["methods"] == "brightness,scaled"
    assert missing_cells(folder.info(), folder.finished()) == []
    for case in both.cases:
        assert folder.explanation("scaled", case) is not None
        assert folder.cases()[case].patient == both.cases[case].patient


def test_shards_of_a_run_become_the_run(
    compute: Compute, merged: Callable[..., RunFolder], tmp_path: Path
) -> None:
    prepared = of({"brightness": Brightness(), "scaled": Scaled()}, cases=made_cases(4))
    whole = compute(prepared, "whole")
    for number in (0, 1):
        with closing(RunFolder(tmp_path / f"shard{number}")) as shard:
            shard.begin(prepared.info, prepared.cases)
            cells = missing_cells(prepared.info, ())[number::2]
            worker = worker_for(prepared, shard, {cell.method for cell in cells})
            for cell in cells:
                shard.keep(worker(cell))
            assert len(shard.records()) == len(whole.records()) / 2
    assert untimed(merged("shard0", "shard1").records()) == untimed(whole.records())


def test_a_success_goes_before_a_failure_and_the_history_of_failures_stays(
    compute: Compute, merged: Callable[..., RunFolder], tmp_path: Path
) -> None:
    prepared = of({"brightness": Brightness()})
    good = compute(prepared, "good")
    with closing(RunFolder(tmp_path / "bad")) as bad:
        bad.begin(prepared.info, prepared.cases)
        worker = worker_for(prepared, bad, {"brightness"})
        for cell in missing_cells(prepared.info, ()):
            result = worker(cell)
            failed = [
                replace(r, status=type(r.status).FAILED, value=None, reason="no memory")
                for r in result.records
            ]
            bad.keep(replace(result, records=failed))
    folder = merged("bad", "good")
    assert untimed(folder.records()) == untimed(good.records())
    assert {failure.reason for failure in folder.failures()} == {"no memory"}
    assert len(folder.failures()) == len(good.records())


def test_the_first_of_two_successes_stands(
    compute: Compute, merged: Callable[..., RunFolder], tmp_path: Path
) -> None:
    prepared = of({"brightness": Brightness()})
    first = compute(prepared, "first")
    compute(prepared, "second")
    assert merged("first", "second").records() == first.records()


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ({"classifiers": [likes_bright(steepness=9.0)]}, "another model"),
        ({"cases": made_cases(2)}, "another cohort"),
        ({"seed": 1}, "another cohort"),
        ({"targets": {f"P{n}-s00": 1 for n in range(3)}}, "another cohort"),
    ],
)
def test_other_models_and_cohorts_are_refused(
    other: dict[str, Any], sentence: str, compute: Compute, tmp_path: Path
) -> None:
    compute(of({"brightness": Brightness()}), "a")
    compute(of({"scaled": Scaled()}, **other), "b")
    with pytest.raises(XaibenchError, match=rf"b is of {sentence}"):
        merge([tmp_path / "a", tmp_path / "b"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_another_contract_is_refused(compute: Compute, tmp_path: Path) -> None:
    for name in ("a", "b"):
        compute(of({"brightness": Brightness()}), name)
    file = tmp_path / "b" / "run.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "api_version": 99}))
    with pytest.raises(XaibenchError, match=r"another version of the contract than .*a \(99, not 1\)"):
        merge([tmp_path / "a", tmp_path / "b"], tmp_path / "out")


def test_two_methods_of_one_name_are_refused(compute: Compute, tmp_path: Path) -> None:
    compute(of({"mine": Brightness()}), "a")
    compute(of({"mine": Misbehaves()}), "b")
    with pytest.raises(XaibenchError, match=r"Method mine is another one in .*b than in .*a"):
        merge([tmp_path / "a", tmp_path / "b"], tmp_path / "out")


def test_the_folder_to_write_must_be_empty_and_there_must_be_two_to_read(
    compute: Compute, tmp_path: Path
) -> None:
    compute(of({"brightness": Brightness()}), "a")
    with pytest.raises(XaibenchError, match="at least two"):
        merge([tmp_path / "a"], tmp_path / "out")
    with pytest.raises(XaibenchError, match="a is not empty"):
        merge([tmp_path / "a", tmp_path / "a"], tmp_path / "a")
    with pytest.raises(XaibenchError, match="holds no run"):
        merge([tmp_path / "a", tmp_path / "none"], tmp_path / "out")


def test_times_of_several_machines_are_told(
    compute: Compute, merged: Callable[..., RunFolder], tmp_path: Path
) -> None:
    for name in ("a", "b"):
        compute(of({"brightness": Brightness()}), name)
    file = tmp_path / "b" / "run.json"
    document = json.loads(file.read_text())
    document["machine"]["cpu"] = "another"
    file.write_text(json.dumps(document))
    notes = merged("a", "b").info().cohort.notes
    assert any("times do not compare" in note and "another" in note for note in notes)
    assert not any("times do not compare" in note for note in of({}).info.cohort.notes)
