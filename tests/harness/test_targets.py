"""Which class is explained: by prediction, label, finding, name, or each of them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from tests.harness.in_memory import SHAPE, Patients, likes_bright, made_cases
from xaibench.api import LoadedModel, Silent, XaibenchError
from xaibench.classifiers.callable import PythonCallable
from xaibench.harness.cells import units
from xaibench.harness.cohort import Cohort
from xaibench.harness.describe import Sources
from xaibench.harness.prepare import Prepared, prepare
from xaibench.harness.spec import RunSpec
from xaibench.harness.store.run_info import Scope
from xaibench.harness.targets import explained_classes, negative_class

SCORES = {
    "P0-s00": np.array([0.7, 0.1, 0.2]),
    "P1-s00": np.array([0.1, 0.5, 0.4]),
    "P2-s00": np.array([0.2, 0.3, 0.5]),
}
NAMES = ("normal", "cyst", "tumour")


def cohort(*labels: tuple[int, ...]) -> Cohort:
    cases = [replace(case, labels=own) for case, own in zip(made_cases(3), labels, strict=True)]
    return Cohort(cases, {}, NAMES, [])


@pytest.mark.parametrize(
    ("rule", "exclusive", "labels", "expected"),
    [
        ("predicted", True, [(0,), (1,), (1,)], [(0,), (1,), (2,)]),
        ("true", True, [(0,), (1,), (1,)], [(0,), (1,), (1,)]),
        ("true", False, [(0, 2), (), (1,)], [(0, 2), (), (1,)]),
        ("all", True, [(0,), (1,), ()], [(0, 1, 2)] * 3),
        ("finding", True, [(0,), (1,), ()], [(2,), (1,), (2,)]),
        ("finding", False, [(0, 2), (), (1,)], [(0, 2), (1,), (1,)]),
        ("cyst", True, [(0,), (1,), ()], [(1,)] * 3),
        ("2", True, [(0,), (1,), ()], [(2,)] * 3),
    ],
)
def test_rules(
    rule: str, exclusive: bool, labels: Sequence[tuple[int, ...]], expected: list[tuple[int, ...]]
) -> None:
    found = explained_classes(rule, cohort(*labels), NAMES, exclusive, SCORES)
    assert list(found.values()) == expected


@pytest.mark.parametrize(
    ("names", "negative"),
    [
        (("normal", "effusion"), 0),
        (("effusion", "normal"), 1),
        (("metastasis", "No finding"), 1),
        (("recurrent", "non-recurrent"), 1),
        (("malignant", "benign"), 1),
        (("nodule", "mass"), 0),  # neither says that there is nothing
        (("benign cyst", "negative"), 0),  # two do
        ((), 0),
    ],
)
def test_the_negative_class_is_the_only_one_that_is_called_so_or_the_first(
    names: tuple[str, ...], negative: int
) -> None:
    assert negative_class(names) == negative


def test_a_name_is_that_of_an_output_of_the_model_first() -> None:
    labelled = Cohort(made_cases(3), {}, ("tumour", "other"), [])
    assert set(explained_classes("tumour", labelled, NAMES, True, SCORES).values()) == {(2,)}
    assert set(explained_classes("other", labelled, NAMES, True, SCORES).values()) == {(1,)}
    with pytest.raises(XaibenchError, match="There is no class 'tumuor'; did you mean 'tumour'"):
        explained_classes("tumuor", labelled, NAMES, True, SCORES)


def test_labels_are_needed_where_they_are_explained() -> None:
    with pytest.raises(XaibenchError, match="--target true asks for labels, but no case has one"):
        explained_classes("true", cohort((), (), ()), NAMES, True, SCORES)


# ---------------------------------------------------------------- in a run


def findings(images: np.ndarray) -> np.ndarray:
    """Three findings on their own: how bright the thirds of the image are."""
    return np.stack([part.mean(axis=(1, 2, 3)) for part in np.array_split(images, 3, axis=1)], axis=1)


def prepared(labels: Sequence[tuple[int, ...]], exclusive: bool = False, **settings: object) -> Prepared:
    cases = [replace(case, labels=own) for case, own in zip(made_cases(len(labels)), labels, strict=True)]
    model = likes_bright(classes=3) if exclusive else PythonCallable(findings, SHAPE, exclusive=False)
    sources = Sources(Patients(tuple(cases), NAMES), "in memory", LoadedModel("test", (model,)))
    spec = RunSpec(**{"methods": "random", "metrics": "gini", **settings})
    return prepare(spec, Silent(), sources)


def test_a_case_of_several_classes_is_a_case_a_class() -> None:
    ready = prepared([(0, 2), (1,), ()], target="true")
    assert dict(ready.targets) == {"P0-s00-c0": 0, "P0-s00-c2": 2, "P1-s00": 1}
    assert [case.copy_of for case in ready.info.cohort.cases] == ["P0-s00", "P0-s00", ""]
    assert [case.image for case in ready.info.cohort.cases] == ["P0-s00", "P0-s00", "P1-s00"]
    first, second = (ready.cases[name] for name in ("P0-s00-c0", "P0-s00-c2"))
    np.testing.assert_array_equal(first.image, second.image)
    assert first.patient == second.patient
    assert first.labels == second.labels == (0, 2)
    assert "1 of 3 cases have no label to explain; they are left out." in ready.sentences
    assert any(note.startswith("1 of 3 cases are explained for several classes") for note in ready.sentences)
    assert len({case.key for case in ready.info.cohort.cases}) == 3


def test_each_case_is_explained_for_every_class() -> None:
    ready = prepared([(0,), (1,)], exclusive=True, target="all")
    assert [(case.image, case.target) for case in ready.info.cohort.cases] == [
        (f"P{patient}-s00", number) for patient in (0, 1) for number in (0, 1, 2)
    ]
    scores = [case.scores for case in ready.info.cohort.cases]
    assert scores[0] == scores[1] == scores[2] != scores[3]


def test_a_class_of_the_cohort_takes_each_image_once() -> None:
    ready = prepared([(0,), (1,)], exclusive=True, target="all")
    classes = [unit for unit in units(ready.info) if unit.scope is Scope.CLASS]
    assert [unit.cases for unit in classes] == [("P0-s00-c0", "P1-s00-c1")] * 2


def test_one_class_a_case_keeps_the_names_of_the_cases() -> None:
    for target in ("predicted", "finding", "1"):
        assert list(prepared([(0,), (1,)], exclusive=True, target=target).cases) == ["P0-s00", "P1-s00"]
