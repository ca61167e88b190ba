"""Every sentence on a map repeats what is recorded: made-up records, whose sentences are known."""

import re
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from tests.reports.made_up import info_of, make_cases
from xaibench.api import Case, Explanation, Record, Status
from xaibench.harness.store.run_info import CaseInfo, RunInfo
from xaibench.reports.in_words.observed import Observed, Setting, missing_map
from xaibench.reports.in_words.place import place
from xaibench.reports.in_words.prediction import prediction
from xaibench.reports.in_words.sentences import concentration, describe, stability

VALUES = {
    "relevance-mass": 0.62,
    "enrichment": 41.3,
    "effective-area": 0.073,
    "gini": 0.81,
    "mri-stability": 0.94,
    "sensitivity-norm": 0.35,
}
REGION = np.zeros((8, 10), bool)
REGION[2:4, 3:6] = True
SPACING = (2.0, 0.5)
UNFIT = re.compile(
    r"because|faithful|shows? that|proves?|therefore|correctly|reliable|good|bad", re.IGNORECASE
)


def a_record(metric: str, value: float | None, reason: str = "") -> Record:
    status = Status.OK if value is not None else Status.NOT_APPLICABLE
    return Record("P000-s10", "P000", "lime", metric, status, value=value, reason=reason)


def info_with(metrics: Mapping[str, int | None]) -> RunInfo:
    """Describe a run of these metrics, each computed for at most so many patients."""
    info = info_of({"lime": "perturbation"}, ["gini"], 1)
    made = {
        name: info.metrics["gini"].model_copy(update={"at_most_patients": most})
        for name, most in metrics.items()
    }
    return info.model_copy(update={"metrics": made})


def a_case(region: np.ndarray | None = REGION) -> Case:
    return replace(
        make_cases(1)["P000-s10"],
        image=np.zeros((8, 10, 1), np.float32),
        region=region,
        spacing_mm=SPACING,
    )


def spots(*places: tuple[int, int], low: float = 0.0) -> np.ndarray:
    """Make a map whose highest value stands at these places."""
    heatmap = np.linspace(low, 0.5, REGION.size, dtype=np.float32).reshape(REGION.shape)
    for row, column in places:
        heatmap[row, column] = 1
    return heatmap


def seen(
    heatmap: np.ndarray | None = None,
    values: Mapping[str, float] = VALUES,
    reasons: Mapping[str, str] | None = None,
    case: Case | None = None,
    metrics: Mapping[str, int | None] | None = None,
) -> Observed:
    """Observe a map with these records; `reasons` are of those without a value."""
    records = {name: a_record(name, value) for name, value in values.items()}
    records |= {name: a_record(name, None, reason) for name, reason in (reasons or {}).items()}
    info = info_with(dict.fromkeys(VALUES) if metrics is None else metrics)
    return Observed(
        Setting(info, a_case() if case is None else case),
        spots((2, 4)) if heatmap is None else heatmap,
        records,
    )


def without(*metrics: str) -> dict[str, float]:
    return {name: value for name, value in VALUES.items() if name not in metrics}


def test_a_map_with_every_record_has_three_sentences() -> None:
    assert describe(seen()) == (
        "62 % of the positive mass lies in the tumour, 41.3 times what chance gives; the highest pixel lies inside "
        "the tumour. 90 % of the mass lies in 7.3 % of the image. In simulated rescans the pixels keep their order "
        "with a mean rank correlation of 0.94 (1: unchanged)."
    )


# ------------------------------------------------------------ place


@pytest.mark.parametrize("spot", [(0, 0), (7, 9), (3, 9), (5, 4), (2, 2)])
def test_the_distance_of_the_highest_pixel_is_that_to_the_nearest_annotated_one(
    spot: tuple[int, int],
) -> None:
    away = min(
        ((row - spot[0]) ** 2 * 2.0**2 + (column - spot[1]) ** 2 * 0.5**2) ** 0.5
        for row in (2, 3)
        for column in (3, 4, 5)
    )
    assert place(seen(spots(spot))).endswith(f"; the highest pixel lies {away:.3g} mm from the tumour")


def test_distances_count_in_pixels_where_their_size_is_not_known() -> None:
    found = place(seen(spots((3, 9)), case=replace(a_case(), spacing_mm=None)))
    assert found.endswith("; the highest pixel lies 4 pixels from the tumour")


@pytest.mark.parametrize(
    ("places", "said"),
    [
        ([(2, 3), (3, 5)], "all 2 pixels that share the highest value lie inside the tumour"),
        ([(2, 3), (0, 0), (7, 7)], "1 of the 3 pixels that share the highest value lie inside the tumour"),
        (
            [(0, 3), (2, 8)],
            "the nearest of the 2 pixels that share the highest value lies 1.5 mm from the tumour",
        ),
    ],
)
def test_pixels_that_share_the_highest_value_are_counted(places: list[tuple[int, int]], said: str) -> None:
    assert place(seen(spots(*places))).endswith(f"; {said}")


@pytest.mark.parametrize(
    ("share", "times", "said"),
    [
        (0.0, 0.0, "none of the positive mass lies in the tumour;"),
        (1.0, 66.7, "100 % of the positive mass lies in the tumour, 66.7 times what chance gives;"),
        (0.9999, 66.6, "99.99 % of the positive mass lies in the tumour, 66.6 times what chance gives;"),
        (0.015, 1.0004, "1.5 % of the positive mass lies in the tumour, 1.0004 times what chance gives;"),
        (0.015, 1.0, "1.5 % of the positive mass lies in the tumour, 1 times what chance gives;"),
    ],
)
def test_mass_is_written_so_that_rounding_says_nothing_else(share: float, times: float, said: str) -> None:
    assert place(seen(values={"relevance-mass": share, "enrichment": times})).startswith(said)


def test_without_enrichment_nothing_is_said_of_chance() -> None:
    text = place(seen(values=without("enrichment")))
    assert text.startswith("62 % of the positive mass lies in the tumour; the highest")


def test_without_the_mass_the_reason_is_given_and_the_highest_pixel_stays() -> None:
    text = place(
        seen(values=without("relevance-mass"), reasons={"relevance-mass": "ValueError:\n sizes differ."})
    )
    assert text == (
        "how much of the map lies in the tumour was not measured: ValueError: sizes differ; "
        "the highest pixel lies inside the tumour"
    )


@pytest.mark.parametrize(
    ("region", "reason"),
    [
        (None, "the case has no annotated region"),
        (np.zeros_like(REGION), "the annotated region of the case is empty"),
    ],
)
def test_without_a_region_no_place_is_told(region: np.ndarray | None, reason: str) -> None:
    reasons = {"relevance-mass": reason, "enrichment": reason}
    text = place(seen(case=a_case(region), values=without(*reasons), reasons=reasons))
    assert text == f"how much of the map lies in the tumour was not measured: {reason}"


def test_a_map_of_another_size_than_the_region_has_no_highest_pixel_there() -> None:
    small = np.arange(12, dtype=np.float32).reshape(3, 4)
    assert "highest" not in place(seen(small))


def test_a_map_without_positive_values_has_no_place_whatever_its_score_by_convention() -> None:
    text = describe(seen(-spots((2, 4))))
    assert text.startswith("The map has no positive value: it marks nothing for the explained class. 90 %")
    assert "62 %" not in text
    assert "highest" not in text


@pytest.mark.parametrize(("value", "said"), [(0.0, "zero"), (2.5, "2.5"), (-1.0, "-1")])
def test_a_constant_map_prefers_nothing(value: float, said: str) -> None:
    heatmap = np.full(REGION.shape, value, np.float32)
    assert describe(seen(heatmap)) == f"The map is {said} everywhere: it prefers nothing."


# ------------------------------------------------------------ concentration and stability


def test_mass_of_a_signed_map_is_of_either_sign() -> None:
    text = concentration(seen(spots((2, 4), low=-0.5)))
    assert text == "90 % of the mass of either sign lies in 7.3 % of the image"


def test_the_gini_index_stands_in_for_the_area() -> None:
    text = concentration(seen(values=without("effective-area")))
    assert text == "the Gini index of the map is 0.81 (0: spread evenly; 1: all in one pixel)"


@pytest.mark.parametrize(
    ("metrics", "said"),
    [
        (["effective-area", "gini"], "how concentrated the map is was not measured: out of memory"),
        (["gini"], "how concentrated the map is was not measured: gini was not computed"),
        ([], ""),
    ],
)
def test_without_area_and_gini_the_reason_is_given_or_nothing(metrics: list[str], said: str) -> None:
    reasons = {"effective-area": "out of memory"} if "effective-area" in metrics else {}
    assert concentration(seen(values={}, reasons=reasons, metrics=dict.fromkeys(metrics))) == said


def test_noise_stands_in_for_rescans() -> None:
    text = stability(seen(values=without("mri-stability")))
    assert text == "with noise in the image the map changes by 0.35 times its norm (0: not at all)"


def test_nearly_unchanged_is_not_unchanged() -> None:
    assert "correlation of 0.99996 (1" in stability(seen(values={"mri-stability": 0.99996}))


@pytest.mark.parametrize(
    ("metrics", "reasons", "said"),
    [
        (
            {"mri-stability": None},
            {"mri-stability": "every change flips the class"},
            "every change flips the class",
        ),
        ({"mri-stability": None}, {"mri-stability": ""}, "no finite number was recorded"),
        ({"mri-stability": 6}, {}, "the run computes mri-stability for at most 6 patients"),
        ({"sensitivity-norm": 1}, {}, "the run computes sensitivity-norm for at most 1 patient"),
        ({"sensitivity-norm": None}, {}, "sensitivity-norm was not computed"),
        ({}, {}, "the run has no mri-stability"),
    ],
)
def test_stability_that_was_not_measured_is_said_not_to_be(
    metrics: dict[str, int | None], reasons: dict[str, str], said: str
) -> None:
    text = stability(seen(values={}, reasons=reasons, metrics=metrics))
    assert text == f"stability was not measured for this case: {said}"


def test_a_value_that_is_not_finite_is_no_value() -> None:
    text = stability(seen(values={"mri-stability": float("nan")}))
    assert text == "stability was not measured for this case: no finite number was recorded"


# ------------------------------------------------------------ nothing but what is recorded


def numbers(text: str) -> set[str]:
    return set(re.findall(r"\d[\d.,]*\d|\d", text))


@pytest.mark.parametrize("seed", range(20))
def test_every_number_of_a_text_is_recorded_or_read_from_the_map(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = {name: float(rng.uniform(0.2, 0.9)) for name in VALUES if rng.random() < 0.6}
    heatmap = rng.normal(size=REGION.shape).astype(np.float32)
    row, column = divmod(int(heatmap.argmax()), 10)
    away = min(
        float(np.hypot(2.0 * (row - r), 0.5 * (column - c))) for r, c in zip(*np.nonzero(REGION), strict=True)
    )
    recorded = {f"{100 * v:.0f}" for v in values.values()} | {f"{v:.3g}" for v in values.values()}
    scales = {"90", "0", "1"}
    text = describe(seen(heatmap, values))
    assert numbers(text) <= recorded | {f"{away:.3g}"} | scales
    assert not UNFIT.search(text)


@pytest.mark.parametrize("metric", VALUES)
def test_a_number_disappears_with_its_record(metric: str) -> None:
    alone = describe(seen(values={metric: VALUES[metric]} | {"relevance-mass": VALUES["relevance-mass"]}))
    text = {"relevance-mass": "62 %", "effective-area": "7.3 %"}.get(metric, f"{VALUES[metric]:.3g}")
    assert text in alone
    assert text not in describe(seen(values=without(metric)))


# ------------------------------------------------------------ the model, and maps that are missing


def a_described_case(target: int, scores: tuple[float, ...], labels: tuple[int, ...]) -> CaseInfo:
    return CaseInfo(id="P000-s10", patient="P000", labels=labels, target=target, scores=scores, key="k")


@pytest.mark.parametrize(
    ("target", "scores", "labels", "said"),
    [
        (
            1,
            (0.07, 0.93),
            (1,),
            "The model predicts recurrent, the explained class, with a probability of 93 %, and is right.",
        ),
        (
            1,
            (0.07, 0.93),
            (0,),
            "The model predicts recurrent, the explained class, with a probability of 93 %, and is wrong: "
            "the label is non-recurrent.",
        ),
        (
            0,
            (0.9999, 0.0001),
            (),
            "The model predicts non-recurrent, the explained class, with a probability of 99.99 %; "
            "the case has no label.",
        ),
        (
            1,
            (0.75, 0.25),
            (1,),
            "The model gives recurrent, the explained class, a probability of 25 %. It predicts non-recurrent "
            "(75 %), and is wrong: the label is recurrent.",
        ),
    ],
)
def test_the_model_is_told_sure_and_right_as_recorded(
    target: int, scores: tuple[float, ...], labels: tuple[int, ...], said: str
) -> None:
    assert prediction(info_of({}, [], 1), a_described_case(target, scores, labels)) == said


@pytest.mark.parametrize(("labels", "has"), [((0, 1), "has"), ((0,), "does not have"), ((), "does not have")])
def test_where_classes_do_not_exclude_each_other_only_the_explained_one_is_told(
    labels: tuple[int, ...], has: str
) -> None:
    info = info_of({}, [], 1, exclusive=False)
    assert prediction(info, a_described_case(1, (0.8, 0.4), labels)) == (
        f"The model gives recurrent, the explained class, a probability of 40 %; the case {has} this label."
    )


def test_a_map_is_missing_for_the_first_recorded_reason() -> None:
    finite = Explanation(spots((2, 4)), 0, 0.01, 1, 1)
    broken = Explanation(np.full((2, 2), np.nan, np.float32), 0, 0.01, 1, 1)
    assert missing_map(finite, []) == ""
    assert missing_map(broken, []) == "it holds values that are not finite"
    assert missing_map(None, []) == "not computed"
    records = [a_record("gini", 0.5), a_record("enrichment", None, "no\nfeature maps")]
    assert missing_map(None, records) == "no feature maps"
