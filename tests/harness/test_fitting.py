"""Methods that learn: from training cases only, once a classifier, and kept."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pytest

from tests.harness.conftest import Calls, Compute
from tests.harness.in_memory import configured, likes_bright, made_cases, one_case, prepared_run
from tests.harness.plugins import Brightness, Learns, Mean
from xaibench.api import Background, Intensity, LoadedModel, Need, NotApplicable, Status, Volume, seed_of
from xaibench.harness import fitting
from xaibench.harness.concepts import concepts_key, read_concepts
from xaibench.harness.configured import Configured
from xaibench.harness.describe import describe_method
from xaibench.harness.prepare import Prepared


@dataclass(frozen=True, eq=False, kw_only=True)
class Trained(LoadedModel):
    """A model whose classifier i was trained on the given patients."""

    trained_on: Mapping[int, tuple[int, ...]]

    def training_volumes(self, classifier: int) -> Iterator[Volume]:
        for number in self.trained_on[classifier]:
            case = one_case(number)
            yield Volume(case.patient, case.labels, np.stack([case.image, case.image]), None, (1.0, 1.0))


def trained(*trained_on: tuple[int, ...]) -> Trained:
    classifiers = tuple(likes_bright(1.0 + fold) for fold in range(len(trained_on)))
    return Trained("trained", classifiers, trained_on=dict(enumerate(trained_on)))


def learning(model: LoadedModel, how: str = "learns", **settings: object) -> Prepared:
    methods = {"learns": Learns(how=how), "other": Brightness()}
    return prepared_run(methods, {"mean": Mean()}, made_cases(3), model=model, **settings)


def fits(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith("fit")]


def test_a_method_learns_from_training_cases_only_once_for_each_classifier(
    compute: Compute, calls: Calls
) -> None:
    prepared = learning(trained((5, 6), (7,)))
    compute(prepared)
    seed = seed_of(0, "learns", "fit")
    assert fits(calls()) == [f"fit P5 P6 {seed}", f"fit P7 {seed}"]
    for case, explained in prepared.cases.items():
        fold = prepared.folds.of[explained.patient]
        learnt = np.mean([one_case(number).image for number in ((5, 6), (7,))[fold]], axis=0)
        found = compute(prepared).explanation("learns", case)
        assert found is not None
        np.testing.assert_allclose(found.heatmap, np.abs(explained.image - learnt)[..., 0], atol=1e-6)


def test_what_was_learnt_is_kept(compute: Compute, calls: Calls) -> None:
    compute(learning(trained((5, 6))))
    compute(learning(trained((5, 6)), patients=2))
    more = prepared_run({"learns": Learns()}, {"mean": Mean()}, made_cases(5), model=trained((5, 6)))
    compute(more)
    assert len(fits(calls())) == 1


@pytest.mark.parametrize("change", ["seed", "parameter", "classifier"])
def test_what_changes_the_learning_makes_it_learn_again(compute: Compute, calls: Calls, change: str) -> None:
    compute(learning(trained((5, 6))))
    if change == "seed":
        compute(learning(trained((5, 6)), seed=1))
    if change == "classifier":
        compute(learning(Trained("trained", (likes_bright(3.0),), trained_on={0: (5, 6)})))
    if change == "parameter":
        compute(learning(trained((5, 6)), how="fails"))
    assert len(fits(calls())) == 2


def test_a_failure_to_learn_stands_for_all_cells_and_stops_nobody(compute: Compute, calls: Calls) -> None:
    records = compute(learning(trained((5,)), how="fails")).records()
    reasons = {(record.method, record.status, record.reason) for record in records}
    assert reasons == {
        (
            "learns",
            Status.FAILED,
            "it could not learn from the training cases: ValueError: nothing to be learnt",
        ),
        ("other", Status.OK, ""),
    }
    assert len(fits(calls())) == 1


def test_a_failure_to_learn_is_tried_again_with_the_failed_cells(compute: Compute, calls: Calls) -> None:
    prepared = learning(trained((5,)), how="fails")
    compute(prepared)
    compute(prepared)
    assert len(fits(calls())) == 1
    compute(prepared, retry_failed=True)
    assert len(fits(calls())) == 2


def test_a_model_whose_training_is_not_known_makes_it_not_applicable(compute: Compute, calls: Calls) -> None:
    records = compute(learning(LoadedModel("unknown", (likes_bright(),)))).records()
    reasons = {(record.status, record.reason) for record in records if record.method == "learns"}
    assert reasons == {
        (
            Status.NOT_APPLICABLE,
            "it could not learn from the training cases: the cases that this model was trained on are not known",
        )
    }
    assert fits(calls()) == []


def test_training_images_are_spread_over_those_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "MOST_BACKGROUND", 3)
    prepared = learning(trained((4, 5, 6, 7, 8)))  # ten slices
    background = fitting.background_of(prepared, 0)
    assert background.patients == ("P4", "P6", "P8")
    assert background.images.shape == (3, 8, 8, 1)
    np.testing.assert_array_equal(background.labels, [0, 0, 0])
    np.testing.assert_array_equal(background.images[1], one_case(6).image)


def test_a_model_without_training_cases_is_not_applicable() -> None:
    prepared = learning(trained(()))
    with pytest.raises(NotApplicable, match="knows no training cases"):
        fitting.background_of(prepared, 0)


def test_nobody_learns_for_methods_that_are_finished(compute: Compute, calls: Calls) -> None:
    prepared = learning(trained((5,)))
    folder = compute(prepared)
    for file in folder.path.glob("fitted/*"):
        file.unlink()
    compute(prepared)
    assert len(fits(calls())) == 1


def test_training_cases_are_read_once_for_all_who_learn_from_them(
    compute: Compute, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    made = fitting.background_of

    def reading(prepared: Prepared, number: int) -> Background:
        read.append(number)
        return made(prepared, number)

    monkeypatch.setattr(fitting, "background_of", reading)
    methods = {"learns": Learns(), "too": Learns(), "three": Learns()}
    compute(prepared_run(methods, {"mean": Mean()}, made_cases(3), model=trained((5, 6), (7,))))
    assert sorted(read) == [0, 1]


# ---------------------------------------------------------------- concepts


@dataclass(frozen=True)
class TwoConcepts:
    """Patients 5 and 6 show gas, 6 and 7 stool; the region is on the first slice."""

    class_names = ("gas", "stool", "nothing")
    summary = "for the test"

    def volumes(self) -> Iterator[Volume]:
        for number, labels in ((5, (0,)), (6, (0, 1)), (7, (1,))):
            case = one_case(number)
            images = np.stack([case.image, case.image + 1])
            regions = np.zeros((2, *case.image.shape[:-1]), bool)
            regions[0, 2, 2] = True
            yield Volume(case.patient, labels, images, None if number == 7 else regions, (1.0, 1.0))

    def notes(self) -> list[str]:
        return []


@dataclass(frozen=True)
class AsksForConcepts(Learns):
    """Learns from training cases, and would from concepts."""

    needs = frozenset({Need.SCORES, Need.TRAINING, Need.CONCEPTS})


def asking() -> Configured:
    return configured("methods", "asks", AsksForConcepts())


def test_concepts_are_read_by_name_from_the_slice_with_the_region_or_from_all_slices() -> None:
    concepts = read_concepts(TwoConcepts(), trained((5,)), Intensity.RAW, [asking()])
    assert {name: len(images) for name, images in concepts.items()} == {"gas": 2, "stool": 3}
    np.testing.assert_array_equal(concepts["gas"][1], one_case(6).image)


def test_concepts_are_not_read_for_methods_that_do_not_ask() -> None:
    assert read_concepts(TwoConcepts(), trained((5,)), Intensity.RAW, []) == {}
    assert read_concepts(None, trained((5,)), Intensity.RAW, [asking()]) == {}


def test_what_concepts_show_decides_the_key_of_those_who_ask() -> None:
    concepts = read_concepts(TwoConcepts(), trained((5,)), Intensity.RAW, [asking()])
    brighter = {name: images + 1 for name, images in concepts.items()}
    found = {describe_method(asking(), concepts_key(each)).key for each in (concepts, brighter, {})}
    assert len(found) == 3
    other = configured("methods", "other", Brightness())
    assert describe_method(other, "one").key == describe_method(other, "two").key


def test_without_concepts_the_method_is_not_applicable(compute: Compute) -> None:
    prepared = prepared_run({"asks": AsksForConcepts()}, {"mean": Mean()}, made_cases(2), model=trained((5,)))
    reasons = {record.reason for record in compute(prepared).records()}
    assert len(reasons) == 1
    assert "give --concepts PATH, a cohort whose classes are the concepts" in reasons.pop()
