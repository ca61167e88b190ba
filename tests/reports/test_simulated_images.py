"""What is said of the simulated images: a known answer for every case."""

from collections.abc import Mapping

import pytest

from tests.reports.made_up import info_of
from tests.reports.made_up_study import BEATEN, GENERATOR, RANDOM
from xaibench.api import Record, Status
from xaibench.reports.scoring.results import Results
from xaibench.reports.verdicts.simulated_images import recognition
from xaibench.reports.verdicts.verdict import Verdict

KNOWN = {"predicted": 1.0, "low": 0.8, "high": 0.95}


def said(*records: Record) -> list[Verdict]:
    info = info_of({GENERATOR: "generator", RANDOM: "control"}, ["class-consistency"], 12)
    return recognition(Results(info, records, {}))


def record(
    value: float, beside: Mapping[str, float], method: str = GENERATOR, name: str = "recurrent"
) -> Record:
    case = f"class {name}"
    return Record(case, "cohort", method, "class-consistency", Status.OK, value=value, details=beside)


def control(value: float) -> Record:
    return record(value, {"predicted": 1.0, "low": 0.5, "high": 0.7}, RANDOM)


def test_recognition_beyond_shuffled_labels_is_said() -> None:
    (found,) = said(record(0.9, KNOWN | BEATEN))
    assert found.text == (
        "The model recognises the recurrent image that stacked-feature-maps simulates: probability 0.9 [0.8, 0.95], "
        "more than randomly relabelled patients get."
    )
    assert found.test == (
        "permutation test with shuffled labels, one-sided, corrected for 1 image (Holm): p = 0.02; shuffled labels "
        "give 0.4 [0.1, 0.7], 20 % of them recognised"
    )
    assert not found.warns


def test_recognition_that_shuffled_labels_reach_proves_nothing() -> None:
    (found,) = said(record(0.9, KNOWN | BEATEN | {"null_p": 0.3}))
    assert found.warns
    assert found.text.endswith("Randomly relabelled patients do as well, so this proves nothing.")


def test_several_images_are_corrected_for_their_number() -> None:
    found = said(
        *(record(0.9, KNOWN | BEATEN | {"null_p": 0.03}, name=name) for name in ("recurrent", "other"))
    )
    assert all("proves nothing" in verdict.text for verdict in found), "0.03 twice is 0.06"
    assert "corrected for 2 images (Holm): p = 0.06" in found[0].test


def test_recognition_without_a_null_is_a_warning() -> None:
    (found,) = said(record(0.9, KNOWN))
    assert found.warns
    assert "Shuffled labels were not tried" in found.text


@pytest.mark.parametrize(("p", "after"), [(0.02, "more than randomly"), (0.5, "proves nothing")])
def test_an_image_that_is_not_recognised_is_a_warning(p: float, after: str) -> None:
    (found,) = said(record(0.3, {"predicted": 0.0} | BEATEN | {"null_p": p}))
    assert found.warns
    assert "does not recognise the recurrent image" in found.text
    assert after in found.text


@pytest.mark.parametrize(("value", "verb"), [(0.6, "recognises"), (0.4, "does not recognise")])
def test_a_value_without_figures_beside_it_is_read(value: float, verb: str) -> None:
    (found,) = said(record(value, {}))
    assert f"The model {verb} the recurrent image" in found.text


@pytest.mark.parametrize(
    ("of_random", "words", "warns"),
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
def test_random_feature_maps_are_compared(of_random: float, words: str, warns: bool) -> None:
    found = said(record(0.9, KNOWN | BEATEN), control(of_random))[1]
    assert words in found.text
    assert found.warns == warns


def test_a_value_below_its_own_interval_is_what_random_maps_must_stay_below() -> None:
    found = said(record(0.7, KNOWN | BEATEN), control(0.75))[1]
    assert "no less than stacked-feature-maps" in found.text


def test_controls_make_no_claim_of_their_own() -> None:
    found = said(record(0.9, KNOWN | BEATEN), control(0.6))
    assert not [v.text for v in found if "stacked-random-maps simulates" in v.text]
