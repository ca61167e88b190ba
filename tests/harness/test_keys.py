"""A key changes with each thing that decides the number, and with nothing else."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import blake2b, sha256
from typing import Any

import numpy as np
import pytest

from tests.harness.in_memory import configured, likes_bright, made_cases, one_case, prepared_run
from tests.harness.plugins import Brightness, ClassMean, Mean, Scaled, Stacked, Times, Together
from xaibench.api import Case
from xaibench.harness import keys
from xaibench.harness.cells import wanted
from xaibench.harness.prepare import Prepared

CASE, SCALED, TIMES = one_case(1), Scaled(), Times()


def key_of(
    method: Any = SCALED,
    metric: Any = TIMES,
    case: Case = CASE,
    target: int = 0,
    classifier: str = "abc",
    seed: int = 0,
    code: str = "as it is",
    metric_code: str = "as it is",
    name: str = "a",
) -> str:
    """Key of a record, from its parts."""
    explainer, scorer = (
        configured("methods", name, method, code),
        configured("metrics", "m", metric, metric_code),
    )
    return keys.record_key(
        keys.plugin_key(explainer.plugin, explainer.made),
        keys.plugin_key(scorer.plugin, scorer.made),
        keys.case_key(case, target, classifier, seed),
    )


def brighter(case: Case) -> np.ndarray:
    image = case.image.copy()
    image[0, 0] += 1e-6
    return image


@pytest.mark.parametrize(
    "change",
    [
        {"method": Scaled(factor=2.0)},
        {"method": Brightness()},
        {"metric": Times(factor=3.0)},
        {"metric": Mean()},
        {"code": "changed"},
        {"metric_code": "changed"},
        {"name": "b"},
        {"target": 1},
        {"classifier": "abd"},
        {"seed": 1},
        {"case": replace(CASE, image=brighter(CASE))},
        {"case": replace(CASE, region=~CASE.region)},  # type: ignore[operator]
        {"case": replace(CASE, region=None)},
        {"case": replace(CASE, labels=(0,))},
        {"case": replace(CASE, labels=(0, 1))},
        {"case": replace(CASE, spacing_mm=(1.0, 2.0))},
        {"case": replace(CASE, id="P1-s01")},
        {"case": replace(CASE, patient="P2")},
    ],
    ids=str,
)
def test_a_key_changes_with_what_decides_the_number(change: dict[str, Any]) -> None:
    assert key_of(**change) != key_of()


def test_a_key_changes_with_the_version_of_the_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    before = key_of()
    monkeypatch.setattr(keys, "API_VERSION", 2)
    assert key_of() != before


def test_a_key_is_the_same_in_every_process_and_on_every_machine() -> None:
    assert key_of() == key_of()
    text = '["a", 1, 0.1, null, {"a": [1], "b": 2}]'
    assert keys.digest("a", 1, 0.1, None, {"b": 2, "a": [1]}) == sha256(text.encode()).hexdigest()[:24]


def test_arrays_of_other_type_or_shape_have_other_hashes() -> None:
    ones = [
        np.ones(4, np.float32),
        np.ones((2, 2), np.float32),
        np.ones(4, np.float64),
        np.ones(4, bool),
        None,
    ]
    assert len({keys.array_hash(array) for array in ones}) == 5


def test_equal_images_of_other_memory_layout_have_one_hash() -> None:
    image = np.random.default_rng(0).random((4, 5))
    assert keys.array_hash(np.asfortranarray(image)) == keys.array_hash(image)


def all_keys(prepared: Prepared) -> set[str]:
    return {record.key for record in wanted(prepared.info)}


def run(**changes: Any) -> Prepared:
    settings = {
        "methods": {"a": Brightness(), "b": Stacked()},
        "metrics": {"mean": Mean(), "together": Together(), "class-mean": ClassMean()},
        "cases": made_cases(3),
        "class_names": ("no", "yes"),
    }
    return prepared_run(**{**settings, **changes})


@pytest.mark.parametrize(
    "change",
    [
        {"cell_timeout": 1.0},
        {"preset": "smoke"},
        {"patients": 9},
        {"dataset": "elsewhere"},
        {"model": None},
        {"class_names": ("fine", "ill")},
        {"cases": [replace(case, region_name="lesion") for case in made_cases(3)]},
        {"metrics": {"class-mean": ClassMean(), "together": Together(), "mean": Mean()}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_keys_do_not_change_with_what_decides_no_number(change: dict[str, Any]) -> None:
    assert all_keys(run(**change)) == all_keys(run())


def test_every_record_of_a_run_has_a_key_of_its_own() -> None:
    found = [record.key for record in wanted(run().info)]
    assert len(found) == len(set(found)) == 2 * (3 + 1 + 2)


@pytest.mark.parametrize(
    ("change", "stay"),
    [
        (lambda: {"classifiers": [likes_bright(8.0)]}, set()),
        (lambda: {"seed": 1}, set()),
        (lambda: {"targets": {"P0-s00": 0, "P1-s00": 1, "P2-s00": 0}}, {"P0-s00", "P2-s00"}),
        (lambda: {"cases": [*made_cases(2), one_case(7)]}, {"P0-s00", "P1-s00"}),
    ],
)
def test_keys_of_the_cohort_change_with_any_of_its_cases(
    change: Callable[[], dict[str, Any]], stay: set[str]
) -> None:
    before = all_keys(run())
    kept = {record.unit.id for record in wanted(run(**change()).info) if record.key in before}
    assert kept == stay


def test_a_seed_of_a_draw_depends_on_run_method_and_case_alone() -> None:
    seeds = {
        keys.draw_seed(run, method, case)
        for run in (0, 1)
        for method in ("a", "b")
        for case in ("P0-s00", "P1-s00")
    }
    assert len(seeds) == 8
    assert all(0 <= seed < 2**32 for seed in seeds)
    four_bytes = blake2b(b"0\x1fa\x1fP0-s00", digest_size=4).digest()
    assert keys.draw_seed(0, "a", "P0-s00") == int.from_bytes(four_bytes, "big")


def test_a_path_of_the_users_is_not_shown_in_run_json() -> None:
    options = {"series": "T2", "labels": "/home/ann/labels.csv", "n": 3}
    spec = {"seed": 0, "concepts": "/home/ann/gas", "options": options}
    assert keys.spec_shown(spec, "dicom-folder", "tiny") == {
        "seed": 0,
        "dataset": "dicom-folder",
        "model": "tiny",
        "concepts": "a path of the user's",
        "options": {"series": "T2", "labels": "a path of the user's", "n": 3},
    }
