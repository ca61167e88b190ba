"""From a spec to a prepared run: targets, names of outputs, agreement with the model, sentences before the start."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from tests.harness.in_memory import Patients, likes_bright, made_cases
from tests.harness.packages import Site
from xaibench.api import Case, LoadedModel, Silent, XaibenchError
from xaibench.classifiers.callable import PythonCallable
from xaibench.harness.describe import Sources
from xaibench.harness.prepare import Prepared, check_names, prepare
from xaibench.harness.spec import RunSpec


def prepared(
    cases: Sequence[Case] | None = None,
    classifiers: Sequence[Any] | None = None,
    class_names: tuple[str, ...] = (),
    **settings: Any,
) -> Prepared:
    model = LoadedModel("test", tuple(classifiers or [likes_bright()]), class_names=class_names)
    sources = Sources(Patients(tuple(made_cases(4) if cases is None else cases)), "in memory", model)
    spec = RunSpec(**{"methods": "random", "metrics": "gini", **settings})
    return prepare(spec, Silent(), sources)


def test_the_predicted_class_is_explained_unless_told_otherwise() -> None:
    ready = prepared()
    expected = {
        name: int(ready.folds.classifiers[0].scores(case.image).argmax())
        for name, case in ready.cases.items()
    }
    assert ready.targets == expected
    assert set(expected.values()) == {0, 1}


@pytest.mark.parametrize(
    ("target", "expected"), [("true", [0, 1, 0, 1]), ("0", [0] * 4), ("1", [1] * 4), ("yes", [1] * 4)]
)
def test_another_class_is_explained_when_asked(target: str, expected: list[int]) -> None:
    assert list(prepared(target=target).targets.values()) == expected


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("7", "Class 7 is asked for, but the model has classes 0 to 1"),
        ("yess", "There is no class 'yess'; did you mean 'yes'"),
        ("predictet", "did you mean 'predicted'"),
    ],
)
def test_a_class_that_is_not_there_is_one_sentence(target: str, sentence: str) -> None:
    with pytest.raises(XaibenchError, match=sentence):
        prepared(target=target)


def test_labels_are_numbered_as_the_models_outputs_are_named() -> None:
    ready = prepared(class_names=("yes", "no"), target="true")
    assert list(ready.targets.values()) == [1, 0, 1, 0]
    assert ready.info.cohort.class_names == ("yes", "no")
    assert [case.labels for case in ready.info.cohort.cases] == [(1,), (0,), (1,), (0,)]


def test_the_user_may_name_the_outputs() -> None:
    ready = prepared(classes="yes, no", target="no")
    assert ready.info.model.class_names == ("yes", "no")
    assert set(ready.targets.values()) == {1}
    over = prepared(classes="yes,no", class_names=("no", "yes"))
    assert over.info.model.class_names == ("yes", "no")


@pytest.mark.parametrize("names", ["yes", "yes,no,maybe", "yes,yes"])
def test_a_wrong_number_of_names_is_one_sentence(names: str) -> None:
    with pytest.raises(
        XaibenchError, match=r"--classes gives \d names, but the model has 2 classes; name each once"
    ):
        prepared(classes=names)


def test_what_is_assumed_of_the_outputs_is_told_before_the_run() -> None:
    ready = prepared(class_names=("fine", "ill"))
    told = [
        sentence for sentence in ready.sentences if "assumed is output 0 = no, output 1 = yes" in sentence
    ]
    assert len(told) == 1
    assert told[0] in ready.info.cohort.notes


def test_scores_are_compared_with_the_models_own_on_images_of_the_cohort() -> None:
    seen: list[np.ndarray] = []

    class Checked(PythonCallable):
        def verify(self, images: np.ndarray) -> list[str]:
            seen.append(images)
            return ["Its scores agree with its own output."]

    ready = prepared(classifiers=[Checked(likes_bright().scores, (8, 8, 1))])
    assert [images.shape for images in seen] == [(4, 8, 8, 1)]
    assert ready.sentences.count("Its scores agree with its own output.") == 1


def test_a_model_that_is_refused_ends_the_run_in_one_sentence() -> None:
    class Refused(PythonCallable):
        def verify(self, images: np.ndarray) -> list[str]:
            raise XaibenchError("Its scores differ from its own output.")

    with pytest.raises(XaibenchError, match=r"^Its scores differ from its own output\.$"):
        prepared(classifiers=[Refused(likes_bright().scores, (8, 8, 1))])


def test_broken_plugins_are_told_and_stand_in_run_json(site: Site) -> None:
    site.install("theirs", "metrics", {"bad": "no_such_module:Thing"})
    ready = prepared(metrics="family:complexity")
    assert len(ready.info.problems) == 1
    assert "Metric 'bad' of theirs 1.0 cannot be loaded" in ready.info.problems[0]
    assert ready.sentences[0] == ready.info.problems[0]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"methods": "grad-camm"}, "no method 'grad-camm'; did you mean 'grad-cam'"),
        ({"metrics": "ginni"}, "no metric 'ginni'; did you mean 'gini'"),
        ({"dataset": "phantm"}, "no dataset 'phantm'; did you mean 'phantom'"),
        ({"model": "recurence"}, "no model 'recurence'; did you mean 'recurrence'"),
        ({"options": {"serie": "x"}}, "no option of the command or of phantom or recurrence, 'serie'"),
        ({"parameters": {"risee": {}}}, "no chosen method or metric 'risee'"),
        ({"parameters": {"rise": {"mask": 3}}}, "no parameter of rise 'mask'; did you mean 'masks'"),
    ],
)
def test_misspelt_names_are_told_before_anything_is_read(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(XaibenchError, match=sentence):
        check_names(RunSpec(**{"methods": "rise", "metrics": "gini", **settings}))
