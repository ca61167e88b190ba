"""Numbers are written so that rounding contradicts no sentence."""

import pytest

from xaibench.reports.text import apart, brief, exact, figure, listed, p_text, percent


def test_numbers_have_six_significant_digits_and_no_negative_zero() -> None:
    assert [exact(value) for value in (1 / 3, -0.0, 12345678.0, None)] == [
        "0.333333",
        "0",
        "1.23457e+07",
        "-",
    ]


@pytest.mark.parametrize(
    ("value", "text"), [(0.12345, "0.123"), (-0.0, "0"), (12345.6, "12,346"), (999.6, "1,000"), (None, "-")]
)
def test_readers_get_three_digits(value: float | None, text: str) -> None:
    assert brief(value) == text


def test_different_numbers_never_look_alike() -> None:
    assert apart(1.01, 1.0, 1.012) == ["1.01", "1", "1.012"]
    assert apart(0.99999, 1.0) == ["0.99999", "1"]
    assert apart(1234.1, 1234.3) == ["1,234.1", "1,234.3"]
    assert apart(0.5, 0.5) == ["0.5", "0.5"]


def test_a_value_is_never_rounded_onto_what_it_is_compared_with() -> None:
    assert figure(1.0004, 1.0001, 1.3, against=1.0) == "1.0004 [1.0001, 1.3]"
    assert figure(0.5, None, None) == "0.5"
    assert figure(None, None, None) == "-"


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0.0 %"), (1.0, "100 %"), (0.9996, "99.96 %"), (0.0004, "0.04 %"), (0.5, "50 %")],
)
def test_only_all_is_100_percent_and_only_nothing_is_0(share: float, text: str) -> None:
    assert percent(share) == text


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.04999, "p = 0.04999"),
        (0.05, "p = 0.05"),
        (0.0501, "p = 0.0501"),
        (1e-9, "p < 0.0001"),
        (1.0, "p = 1"),
    ],
)
def test_a_p_value_is_never_rounded_across_the_level_of_the_tests(p: float, text: str) -> None:
    assert p_text(p) == text


def test_lists_read_as_in_a_sentence() -> None:
    assert [listed(items) for items in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
