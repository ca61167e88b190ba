"""The order of a page: everything once, some twice, nothing told by names."""

from collections import Counter

import numpy as np
import pytest

from xaibench.reports.readers.order import drawn_order

MAPS = [(f"case{case}", method) for case in range(6) for method in ("a", "b", "c", "d", "e")]


@pytest.mark.parametrize(("share", "count"), [(0.0, 0), (0.01, 1), (0.1, 3), (0.3, 9), (1 / 3, 10)])
def test_every_map_is_shown_and_a_share_of_them_twice(share: float, count: int) -> None:
    shown = drawn_order(MAPS, share, np.random.default_rng(1)).shown
    assert {(one.case, one.method) for one in shown if one.repeats is None} == set(MAPS)
    assert len([one for one in shown if one.repeats is None]) == len(MAPS)
    assert len([one for one in shown if one.repeats is not None]) == count


def test_a_repeat_shows_the_same_map_at_least_a_third_later() -> None:
    for seed in range(20):
        shown = drawn_order(MAPS, 0.3, np.random.default_rng(seed)).shown
        place = {one.item: number for number, one in enumerate(shown)}
        for one in shown:
            if one.repeats is not None:
                first = shown[place[one.repeats]]
                assert (first.case, first.method) == (one.case, one.method)
                assert place[one.item] - place[one.repeats] >= len(MAPS) // 3


def test_no_map_comes_three_times() -> None:
    shown = drawn_order(MAPS, 0.3, np.random.default_rng(2)).shown
    assert max(Counter((one.case, one.method) for one in shown).values()) == 2


def test_names_are_unique_and_two_readers_share_none() -> None:
    first, second = (drawn_order(MAPS, 0.1, np.random.default_rng([0, number])) for number in (1, 2))
    names = [[one.item for one in key.shown] + list(key.images) for key in (first, second)]
    assert len(set(names[0])) == len(names[0])
    assert not set(names[0]) & set(names[1])
    assert [(s.case, s.method) for s in first.shown] != [(s.case, s.method) for s in second.shown]


def test_places_of_a_method_and_its_names_are_random() -> None:
    keys = [drawn_order(MAPS, 0.1, np.random.default_rng(seed)) for seed in range(60)]
    places = [number for key in keys for number, one in enumerate(key.shown) if one.method == "a"]
    assert np.mean(places) == pytest.approx((len(keys[0].shown) - 1) / 2, abs=1.5)
    ordered = [sorted(key.shown, key=lambda one: one.item) for key in keys]
    by_name = [number for shown in ordered for number, one in enumerate(shown) if one.method == "a"]
    assert np.mean(by_name) == pytest.approx((len(keys[0].shown) - 1) / 2, abs=1.5)


def test_the_same_seed_gives_the_same_page() -> None:
    assert drawn_order(MAPS, 0.1, np.random.default_rng(4)) == drawn_order(
        MAPS, 0.1, np.random.default_rng(4)
    )
