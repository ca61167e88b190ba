"""Explaining again: what changes is asked anew, what was answered in the cell is not."""

from dataclasses import replace

import numpy as np
import pytest

from tests.harness.in_memory import configured, likes_bright, one_case
from tests.harness.plugins import Brightness
from xaibench.api import Heatmaps
from xaibench.harness.again import ExplainAgain
from xaibench.harness.explaining import Asked, answer

CASE = one_case(1)


class Noting:
    """Answers by `image mean + 10 target + 100 seed + 1000 steepness`, and counts the images it is asked for."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []

    @property
    def count(self) -> int:
        return sum(len(asked.images) for asked in self.asked)

    def __call__(self, asked: Asked) -> Heatmaps:
        self.asked.append(asked)
        numbers = 10 * asked.targets + 100 * asked.seeds
        return (asked.images[..., 0] + numbers[:, None, None]).astype(np.float32)


@pytest.fixture
def noting() -> Noting:
    return Noting()


@pytest.fixture
def explain(noting: Noting) -> ExplainAgain:
    assert CASE.region is not None
    asked = Asked(
        likes_bright(), CASE.image[None], np.array([1]), np.array([7]), CASE.region[None], {"a": np.ones(1)}
    )
    return ExplainAgain(asked, noting)


def value(heatmaps: Heatmaps) -> list[float]:
    """What each map adds to its image."""
    return [round(float(heatmap.mean() - CASE.image.mean()), 3) for heatmap in heatmaps]


def test_what_is_not_given_stays_as_it_was(explain: ExplainAgain) -> None:
    assert value(explain()) == [710]
    assert value(explain(targets=np.array([0]))) == [700]
    assert value(explain(seeds=np.array([8]))) == [810]


def test_single_targets_and_seeds_are_repeated_for_all_images(explain: ExplainAgain) -> None:
    images = np.stack([CASE.image, CASE.image])
    assert value(explain(images, targets=np.array([0]))) == [700, 700]
    assert value(explain(images, targets=np.array([0, 1]), seeds=np.array([1]))) == [100, 110]


def test_a_single_image_is_repeated_for_several_targets_or_seeds(explain: ExplainAgain) -> None:
    assert value(explain(targets=np.array([0, 1]))) == [700, 710]
    assert value(explain(seeds=np.array([1, 2, 3]))) == [110, 210, 310]


def test_regions_and_what_was_learnt_go_along(explain: ExplainAgain, noting: Noting) -> None:
    explain(np.stack([CASE.image, CASE.image + 1]))
    asked = noting.asked[0]
    assert asked.regions is not None
    np.testing.assert_array_equal(asked.regions, np.stack([CASE.region, CASE.region]))
    assert set(asked.fitted) == {"a"}


def test_a_map_is_made_once_in_a_cell(explain: ExplainAgain, noting: Noting) -> None:
    images = np.stack([CASE.image, CASE.image + 1, CASE.image])
    first = explain(images)
    assert noting.count == 2
    np.testing.assert_array_equal(first[0], first[2])
    np.testing.assert_array_equal(explain(images), first)
    np.testing.assert_array_equal(explain(images[1:2])[0], first[1])
    assert noting.count == 2
    explain(images + 2)
    assert noting.count == 4


@pytest.mark.parametrize("change", ["image", "target", "seed", "classifier"])
def test_each_thing_that_changes_is_asked_anew(explain: ExplainAgain, noting: Noting, change: str) -> None:
    explain()
    changes = {
        "image": {"images": CASE.image[None] + np.float32(1e-3)},
        "target": {"targets": np.array([0])},
        "seed": {"seeds": np.array([8])},
        "classifier": {"classifier": likes_bright(9.0)},
    }
    for _ in range(2):
        explain(**changes[change])
    assert noting.count == 2


def test_another_classifier_answers_for_itself(explain: ExplainAgain, noting: Noting) -> None:
    other = likes_bright(9.0)
    explain(classifier=other)
    assert noting.asked[0].classifier is other
    explain()
    assert noting.asked[1].classifier is not other


def test_the_same_classifier_made_twice_is_asked_once(explain: ExplainAgain, noting: Noting) -> None:
    explain()
    explain(classifier=likes_bright())
    assert noting.count == 1


def test_new_images_are_asked_for_together(explain: ExplainAgain, noting: Noting) -> None:
    explain(np.stack([CASE.image + step for step in range(5)]))
    assert [len(asked.images) for asked in noting.asked] == [5]


def test_the_method_itself_is_asked_with_read_only_arrays() -> None:
    method = configured("methods", "a", Brightness())
    asked = Asked(likes_bright(), CASE.image[None], np.array([0]), np.array([0]))
    again = ExplainAgain(asked, lambda changed: answer(method, changed).heatmaps)
    made = again(np.stack([CASE.image, CASE.image * 2]))
    np.testing.assert_allclose(made[1], CASE.image[..., 0] * 2)
    changed = replace(asked, images=CASE.image[None] * 3)
    np.testing.assert_allclose(again(changed.images)[0], CASE.image[..., 0] * 3)
