"""Whether the model is good enough to be explained."""

import pytest
from scipy.special import comb

from tests.reports.made_up import case_info, info_of
from xaibench.api import HeldOut
from xaibench.harness.store.run_info import RunInfo
from xaibench.reports.scoring.performance import performance_of
from xaibench.reports.verdicts.model import accuracy, held_out, model_verdicts, outputs


def run_of(labels: list[int], right: list[bool]) -> RunInfo:
    cases = [case_info(n, label, r) for n, (label, r) in enumerate(zip(labels, right, strict=True))]
    return info_of({"a": "cam"}, ["latency"], cases)


def said(labels: list[int], right: list[bool]) -> tuple[str, bool]:
    found = performance_of(run_of(labels, right))
    assert found is not None
    verdict = accuracy(found)
    return verdict.text, verdict.warns


def test_confusion_and_sensitivity_are_counted_by_patient() -> None:
    found = performance_of(run_of([0, 0, 0, 1, 1], [True, True, False, True, False]))
    assert found is not None
    assert found.confusion().to_numpy().tolist() == [[2, 1], [1, 1]]
    assert (found.accuracy.hits, found.majority.hits) == (3, 3)
    assert {name: (share.hits, share.of) for name, share in found.by_class().items()} == {
        "non-recurrent": (2, 3),
        "recurrent": (1, 2),
    }


def test_rows_of_the_confusion_are_the_true_classes() -> None:
    found = performance_of(run_of([0, 0, 0, 1, 1], [True, False, False, True, True]))
    assert found is not None
    assert found.confusion().to_numpy().tolist() == [[1, 2], [0, 2]]
    assert (found.accuracy.hits, found.majority.hits) == (3, 3)


def test_the_slices_of_a_patient_vote_by_their_mean_probabilities() -> None:
    sure = case_info(0, 0).model_copy(update={"scores": (0.95, 0.05)})
    unsure = [sure.model_copy(update={"id": f"s{n}", "scores": (0.4, 0.6)}) for n in range(2)]
    found = performance_of(info_of({"a": "cam"}, ["latency"], [sure, *unsure]))
    assert found is not None
    assert found.accuracy.hits == 1, "two slices of three say otherwise"


def test_the_test_against_the_larger_class_is_the_exact_binomial() -> None:
    found = performance_of(run_of([0] * 21 + [1] * 7, [True] * 27 + [False]))
    assert found is not None
    expected = sum(comb(28, k) * 0.75**k * 0.25 ** (28 - k) for k in (27, 28))
    assert found.p_above_majority == pytest.approx(expected)


def test_a_good_model_is_said_to_be_one() -> None:
    text, warns = said([0] * 21 + [1] * 7, [True] * 27 + [False])
    assert text.startswith("The model is right in 27 of 28 patients (96 %, 95 % interval 82 % to 99.9 %);")
    assert "always naming the largest class would be right in 21 (75 %)" in text
    assert not warns


def test_a_model_no_better_than_the_larger_class_is_the_headline() -> None:
    text, warns = said([0] * 21 + [1] * 7, [True] * 21 + [False] * 7)
    assert warns
    assert "not shown to be better than guessing" in text
    assert "may explain guesses" in text


def test_a_model_that_is_never_right_is_the_headline() -> None:
    text, warns = said([0, 0, 1, 1], [False] * 4)
    assert text.startswith("The model is wrong in all 4 patients")
    assert warns


def test_a_class_that_is_mostly_missed_is_said_even_of_a_good_model() -> None:
    text, warns = said([0] * 30 + [1] * 30 + [2] * 4, [True] * 60 + [False] * 4)
    assert "but in at most half of the class 2 patients" in text
    assert warns


def test_one_class_alone_says_little_of_the_model() -> None:
    text, warns = said([0] * 5, [True] * 5)
    assert "every patient is non-recurrent" in text
    assert warns


def test_patients_without_exactly_one_label_cannot_be_judged() -> None:
    info = info_of({"a": "cam"}, ["latency"], [case_info(0).model_copy(update={"labels": (0, 1)})])
    assert performance_of(info) is None
    assert "cannot be stated" in model_verdicts(info, None)[0].text


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("a", "b", "c"), "3 outputs and the cohort 2 labels; assumed was 0 = non-recurrent, 1 = recurrent"),
        (("a",), "cannot name recurrent"),
        (("recurrent", "non-recurrent"), "the same names in another order"),
    ],
)
def test_outputs_that_are_not_the_labels_are_said(names: tuple[str, ...], words: str) -> None:
    (found,) = outputs(info_of({"a": "cam"}, ["latency"], 2, class_names=names))
    assert words in found.text
    assert found.warns


def test_outputs_that_are_the_labels_need_no_words() -> None:
    assert outputs(info_of({"a": "cam"}, ["latency"], 2)) == []


@pytest.mark.parametrize(
    ("status", "words", "warns"),
    [
        (HeldOut.YES, "never saw them", False),
        (HeldOut.NO, "a model that saw them", True),
        (HeldOut.UNKNOWN, "It is not known", True),
    ],
)
def test_trap_35_held_out_status_is_a_verdict(status: HeldOut, words: str, warns: bool) -> None:
    found = held_out(info_of({"a": "cam"}, ["latency"], 2, held_out=status))
    assert words in found.text
    assert found.warns == warns


def independent(labels: list[tuple[int, ...]], scores: list[tuple[float, ...]]) -> RunInfo:
    cases = [
        case_info(n, 0, True).model_copy(update={"labels": own, "scores": given})
        for n, (own, given) in enumerate(zip(labels, scores, strict=True))
    ]
    info = info_of({"a": "cam"}, ["latency"], cases)
    return info.model_copy(update={"model": info.model.model_copy(update={"exclusive": False})})


def test_classes_on_their_own_are_counted_label_by_label() -> None:
    info = independent([(0, 1), (1,), ()], [(0.9, 0.5), (0.6, 0.1), (0.2, 0.3)])
    assert performance_of(info) is None
    verdict = model_verdicts(info, None)[0]
    assert verdict.text == (
        "The model finds 2 of the 3 labels that the patients have, with a probability of at least 50%, and 1 of the 3 "
        "that they do not have."
    )
    assert verdict.particulars == (
        "non-recurrent: found in 1 of 1 patient with it, and in 1 of 2 others",
        "recurrent: found in 1 of 2 patients with it, and in 0 of 1 others",
    )
    assert not verdict.warns


def test_classes_that_are_found_as_often_where_they_are_not_warn() -> None:
    verdict = model_verdicts(independent([(0,), (1,)], [(0.9, 0.9), (0.9, 0.9)]), None)[0]
    assert verdict.warns
    assert verdict.text.endswith("may explain guesses.")
