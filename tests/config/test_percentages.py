"""Percentages that are held to exactly."""

from __future__ import annotations

import pytest

from location_policy.config.percentages import measured_share, parse_share


@pytest.mark.parametrize(("text", "parts", "whole"), [("25%", 25, 100), ("0.5%", 5, 1000), ("100.00%", 10_000, 10_000)])
def test_a_percentage_is_kept_in_whole_numbers(text: str, parts: int, whole: int) -> None:
    share = parse_share(text)
    assert (share.parts, share.whole, str(share)) == (parts, whole, text)


@pytest.mark.parametrize(
    "text", ["", "25", "25 %", "-1%", "100.1%", "101%", "1e1%", "٢٥%", ".5%", "5.%", f"0.{'1' * 99}%"]
)
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"percentage|more than"):
        parse_share(text)


def test_a_share_is_exceeded_by_one_more() -> None:
    third = parse_share("33.333333%")
    assert not third.is_exceeded(33_333_333, 100_000_000)
    assert third.is_exceeded(33_333_334, 100_000_000)
    assert third.is_exceeded(1, 3)
    assert not parse_share("0%").is_exceeded(0, 10)
    assert not parse_share("100%").is_exceeded(2**128, 2**128)


def test_shares_are_compared_whatever_their_decimals() -> None:
    assert parse_share("25.000001%").allows_more_than(parse_share("25%"))
    assert not parse_share("25.0%").allows_more_than(parse_share("25%"))
    assert not parse_share("24%").allows_more_than(parse_share("25%"))


@pytest.mark.parametrize(
    ("number", "total", "shown"),
    [
        (1, 3, "33.34%"),
        (25, 100, "25%"),
        (250_001, 1_000_000, "25.01%"),
        (1, 2, "50%"),
        (1, 2**128, "0.01%"),
        (0, 9, "0%"),
        (99_990, 100_000, "99.99%"),
        (99_991, 100_000, "over 99.99%"),
        (9, 9, "100%"),
    ],
)
def test_a_measured_share_is_rounded_up(number: int, total: int, shown: str) -> None:
    assert measured_share(number, total) == shown
