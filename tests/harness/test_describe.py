"""What run.json says: typed, complete, and without anything that names a patient, a user or a path."""

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pytest

from tests.harness.in_memory import likes_bright, made_cases, prepared_run
from tests.harness.plugins import Again, Brightness, ClassMean, Mean, Scaled, Seeded, Together
from xaibench.api import HeldOut, LoadedModel, Need
from xaibench.harness.describe import describe_machine, scope_of
from xaibench.harness.store.run_info import Scope


@dataclass(frozen=True)
class Bounded(Mean):
    """A metric with all facts.

    And a second paragraph.
    """

    range: ClassVar[tuple[float, float]] = (0.0, math.inf)
    unit: ClassVar[str] = "mm"
    needs: ClassVar[frozenset[Need]] = frozenset({Need.REGION, Need.EXPLAIN})
    aggregate: ClassVar[str] = "median"
    ranked: ClassVar[str] = "distance"


def test_a_metric_is_scored_by_the_protocol_it_follows() -> None:
    scopes = {metric: scope_of(metric) for metric in (Mean(), Again(), Together(), ClassMean())}
    assert list(scopes.values()) == [Scope.CASE, Scope.CASE, Scope.BATCH, Scope.CLASS]


def test_methods_and_metrics_stand_with_facts_parameters_package_and_code() -> None:
    info = prepared_run({"a": Scaled(factor=2.0)}, {"m": Bounded(), "s": Seeded(seed=4)}).info
    method, metric = info.methods["a"], info.metrics["m"]
    assert (method.family, method.needs, method.source) == ("test", ("scores",), "nobody")
    assert (method.parameters, method.package, method.code) == ({"factor": 2.0}, "test 1.0", "as it is")
    assert method.summary == "The channel mean times a parameter."
    assert metric.range == (0.0, None)
    assert metric.bounds == (0.0, math.inf)
    assert (metric.unit, metric.aggregate, metric.ranked, metric.chance) == ("mm", "median", "distance", "0")
    assert set(metric.needs) == {"the annotated region", "explaining again"}
    assert metric.summary == "A metric with all facts."
    assert metric.scope is Scope.CASE
    assert info.metrics["s"].parameters == {"seed": 4}


@pytest.mark.parametrize(
    ("metric", "preset", "most"),
    [
        (Mean(), "standard", None),
        (Again(), "standard", 6),
        (Again(), "smoke", 2),
        (Again(), "paper", None),
        (Together(), "standard", 8),
        (Together(), "paper", 8),
        (ClassMean(), "standard", None),
    ],
)
def test_the_cap_of_patients_stands_with_the_metric(metric: Any, preset: str, most: int | None) -> None:
    assert (
        prepared_run({"a": Brightness()}, {"m": metric}, preset=preset).info.metrics["m"].at_most_patients
        == most
    )


def test_cases_stand_with_labels_scores_target_and_size_of_the_region() -> None:
    cases = [*made_cases(2), replace(made_cases(3)[2], region=None)]
    prepared = prepared_run({"a": Brightness()}, {"m": Mean()}, cases)
    first, _, last = prepared.info.cohort.cases
    assert (first.id, first.patient, first.labels, first.target, first.fold) == (
        "P0-s00",
        "P0",
        (0,),
        0,
        None,
    )
    assert first.scores == pytest.approx(prepared.folds.classifiers[0].scores(cases[0].image).tolist())
    assert first.region_pixels == 9
    assert last.region_pixels is None


def test_folds_are_numbered() -> None:
    info = prepared_run(
        {"a": Brightness()}, {"m": Mean()}, classifiers=[likes_bright(1.0), likes_bright(2.0)]
    ).info
    assert [case.fold for case in info.cohort.cases] == [0, 1, 0]


@pytest.mark.parametrize(
    ("names", "outputs", "shown"),
    [
        ((), 2, ("no", "yes")),
        ((), 3, ("no", "yes", "class 2")),
        ((), 1, ("no",)),
        (("fine", "ill"), 2, ("fine", "ill")),
    ],
)
def test_outputs_without_names_take_the_cohorts(
    names: tuple[str, ...], outputs: int, shown: tuple[str, ...]
) -> None:
    model = LoadedModel("m", (likes_bright(classes=outputs),), {"trained on": "nothing"}, class_names=names)
    described = prepared_run({"a": Brightness()}, {"m": Mean()}, model=model).info.model
    assert described.class_names == shown
    assert (described.name, described.facts, described.held_out) == (
        "m",
        {"trained on": "nothing"},
        HeldOut.UNKNOWN,
    )
    assert (described.input_shape, described.offers) == ((8, 8, 1), ("scores",))


def test_a_region_is_called_what_the_dataset_calls_it() -> None:
    cases = [replace(case, region_name="lesion") for case in made_cases(2)]
    assert prepared_run({"a": Brightness()}, {"m": Mean()}, cases).info.cohort.region_name == "lesion"
    none = [replace(case, region=None) for case in cases]
    assert prepared_run({"a": Brightness()}, {"m": Mean()}, none).info.cohort.region_name == "region"


def test_paths_of_the_user_are_not_shown() -> None:
    options = {"labels": "/home/ann/labels.csv", "series": "T2"}
    info = prepared_run(
        {"a": Brightness()}, {"m": Mean()}, dataset="/home/ann/cohort", model=None, options=options
    ).info
    assert "/home/ann" not in info.model_dump_json()
    assert info.spec["dataset"] == "in memory"
    assert info.spec["options"]["series"] == "T2"


def test_the_machine_is_described_without_its_name() -> None:
    import platform

    machine = describe_machine()
    assert machine.cores >= 1
    assert machine.memory_gib > 0
    assert platform.node() not in machine.model_dump_json() or not platform.node()


def test_versions_of_what_computes_are_recorded() -> None:
    versions = prepared_run({"a": Brightness()}, {"m": Mean()}).info.versions
    assert {"xaibench", "numpy", "keras", "tensorflow"} <= set(versions)
    assert all(versions.values())
