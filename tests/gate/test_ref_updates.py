"""The refs that a push moves, and its options."""

from __future__ import annotations

import pytest

from location_policy.gate.ref_updates import Update, parse_updates, push_options

ZEROS = "0" * 40


def test_each_line_is_an_update() -> None:
    text = f"{ZEROS} {'1' * 40} refs/heads/a\n{'2' * 64} {'0' * 64} refs/heads/b\x0bc\n".encode()
    first, second = parse_updates(text)
    assert (first.creates, first.deletes, first.ref) == (True, False, "refs/heads/a")
    assert (second.creates, second.deletes, second.ref) == (False, True, "refs/heads/b\x0bc")


@pytest.mark.parametrize("text", ["refs/heads/a\n", "{0} {0} \n", "{0} --all refs/heads/a\n", "{0} {0} refs/heads/a"])
def test_what_is_no_update_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="is not `old new ref`"):
        parse_updates(text.format("1" * 40).encode())


def test_a_name_that_is_not_utf8_stays_as_it_is() -> None:
    (update,) = parse_updates(b"%b %b refs/heads/\xff\n" % (b"1" * 40, b"2" * 40))
    assert update.ref.encode(errors="surrogateescape") == b"refs/heads/\xff"


@pytest.mark.parametrize("ref", ["refs/for/main", "refs/for/refs/heads/main"])
def test_a_dry_run_names_the_branch_that_it_asks_about(ref: str) -> None:
    update = Update(ZEROS, "1" * 40, ref)
    assert (update.is_dry_run, update.asked_ref) == (True, "refs/heads/main")


def test_options_come_in_order() -> None:
    environment = {"GIT_PUSH_OPTION_COUNT": "2", "GIT_PUSH_OPTION_0": "a=b", "GIT_PUSH_OPTION_1": "c"}
    assert push_options(environment) == ("a=b", "c")


@pytest.mark.parametrize("count", ["", "-1", "x", "0"])
def test_without_a_count_there_are_none(count: str) -> None:
    assert push_options({"GIT_PUSH_OPTION_COUNT": count, "GIT_PUSH_OPTION_0": "a"}) == ()
