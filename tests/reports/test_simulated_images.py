"""What is said of the simulated images: a known answer for every case."""

from collections.abc import Mapping

import pytest

from tests.reports.made_up import info_of
from tests.reports.made_up_study import BEATEN, GENERATOR, RANDOM
from xaibench.api import Record, Status
from xaibench.reports.scoring.leaderboard import leaderboard_of
from xaibench.reports.scoring.results import Results
from xaibench.reports.scoring.scores import scores_of
from xaibench.reports.verdicts.simulated_images import recognition
from xaibench.reports.verdicts.verdict import Verdict

KNOWN = {"predicted": 1.0, "low": 0.8, "high": 0.95}


def said(value: float, beside: Mapping[str, float], control: float | None = None) -> list[Verdict]:
    info = info_of({GENERATOR: "generator", RANDOM: "control"}, ["class-consistency"], 12)
    records = [record(GENERATOR, value, beside)]
    if control is not None:
        records.append(record(RANDOM, control, {"predicted": 1.0, "low": 0.5, "high": 0.7}))
    scores = scores_of(info, records)
    return recognition(Results(info, scores, leaderboard_of(info, scores), records))


def record(method: str, value: float, beside: Mapping[str, float]) -> Record:
    case = "class recurrent"
    return Record(case, "cohort", method, "class-consistency", Status.OK, value, details=beside)


def test_recognition_beyond_shuffled_labels_is_said() -> None:
    (found,) = said(0.9, KNOWN | BEATEN)
    assert found == Verdict(
        "The model recognises the recurrent image that stacked-feature-maps simulates: probability 0.9 [0.8, 0.95], "
        "more than images from shuffled labels get (mean 0.4 [0.1, 0.7], 20 % of them recognised; p = 0.02)."
    )


def test_recognition_that_shuffled_labels_reach_is_no_evidence() -> None:
    (found,) = said(0.9, KNOWN | BEATEN | {"null_p": 0.3, "null_mean": 0.85})
    assert found.warns
    assert "The model recognises the recurrent image" in found.text
    assert found.text.endswith("p = 0.3): its recognition is no evidence.")


def test_recognition_without_a_null_is_a_warning() -> None:
    (found,) = said(0.9, KNOWN)
    assert found.warns
    assert "Shuffled labels were not tried" in found.text


@pytest.mark.parametrize(("p", "side"), [(0.02, "more than"), (0.5, "not clearly more than")])
def test_an_image_that_is_not_recognised_is_a_warning(p: float, side: str) -> None:
    (found,) = said(0.3, {"predicted": 0.0} | BEATEN | {"null_p": p})
    assert found.warns
    assert "does not recognise the recurrent image" in found.text
    assert f"probability 0.3, {side} images from shuffled labels get" in found.text


@pytest.mark.parametrize(("value", "verb"), [(0.6, "recognises"), (0.4, "does not recognise")])
def test_older_runs_without_figures_beside_the_value_are_read(value: float, verb: str) -> None:
    (found,) = said(value, {})
    assert f"The model {verb} the recurrent image" in found.text


@pytest.mark.parametrize(
    ("control", "words", "warns"),
    [
        (
            0.6,
            "make a recurrent image of probability 0.6 [0.5, 0.7]: less than stacked-feature-maps (0.9",
            False,
        ),
        (0.85, "but within its interval, so it is not settled", True),
        (0.9, "so choosing the most important map does not make the image more recognisable", True),
        (0.99, "so choosing the most important map does not make the image more recognisable", True),
    ],
)
def test_random_feature_maps_are_compared(control: float, words: str, warns: bool) -> None:
    found = said(0.9, KNOWN | BEATEN, control)[1]
    assert words in found.text
    assert found.warns == warns


def test_a_value_below_its_own_interval_is_what_random_maps_must_stay_below() -> None:
    found = said(0.7, KNOWN | BEATEN, 0.75)[1]
    assert "no less than stacked-feature-maps" in found.text


def test_controls_make_no_claim_of_their_own() -> None:
    assert [v.text for v in said(0.9, KNOWN | BEATEN, 0.6) if "stacked-random-maps simulates" in v.text] == []
