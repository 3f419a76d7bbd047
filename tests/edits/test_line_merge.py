"""Lines taken back wherever they stand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from location_policy.edits.line_merge import merge_lines

LINES = st.lists(st.sampled_from("abcdefgh"), unique=True)


def text(lines: str | list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged"),
    [
        ("ab", "abc", "a", "ac"),  # added last, and more added below it since
        ("ac", "acd", "abc", "abcd"),  # deleted, and comes back to its place
        ("ax", "axc", "ab", "abc"),  # changed, and changed back in its place
        ("bc", "bcd", "abc", "abcd"),  # comes back to the top
        ("a", "cd", "ab", "cdb"),  # what it stood after is gone
        ("a", "ab", "ab", "ab"),  # is back already
    ],
)
def test_a_line_goes_and_comes_back(base: str, ours: str, theirs: str, merged: str) -> None:
    assert merge_lines(text(base), text(ours), text(theirs)) == text(merged)


def test_a_line_that_is_no_longer_there_once_cannot_go() -> None:
    assert merge_lines(text("ab"), text("ac"), text("a")) is None
    assert merge_lines(text("ab"), text("abb"), text("a")) is None


def test_blank_lines_stay_and_an_end_without_lf_stays_so() -> None:
    assert merge_lines(b"a\n\n \nb\n", b"\na\n\n \nb\nc", b"a") == b"\na\n\n \nc"
    assert merge_lines(b"a\n", b"c", b"a\nb\n") == b"c\nb"


@given(LINES, LINES, LINES)
def test_what_is_left_is_ours_without_what_went_and_with_what_came(
    base: list[str], ours: list[str], theirs: list[str]
) -> None:
    merged = merge_lines(text(base), text(ours), text(theirs))
    gone, come = set(base) - set(theirs), set(theirs) - set(base)
    if not gone <= set(ours):
        assert merged is None
        return
    assert merged is not None
    assert merged.endswith(b"\n") or not merged
    lines = merged.decode().split()
    assert sorted(lines) == sorted((set(ours) - gone) | come)
    assert [line for line in lines if line in ours] == [line for line in ours if line not in gone]
