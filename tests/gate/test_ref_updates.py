"""The refs that a push moves, and its options."""

from __future__ import annotations

import pytest

from location_policy.gate.overrides import NOTES
from location_policy.gate.ref_updates import (
    Update,
    WrongName,
    free_name,
    nested_name,
    parse_updates,
    push_options,
    wrong_name,
)
from location_policy.repository.notes import ASIDE
from location_policy.rollout.persistence import LAST_GOOD

ZEROS = "0" * 40


def test_each_line_is_an_update() -> None:
    text = f"{ZEROS} {'1' * 40} refs/heads/a\n{'2' * 64} {'0' * 64} refs/heads/b\x0bc\n".encode()
    first, second = parse_updates(text)
    assert (first.creates, first.deletes, first.ref) == (True, False, "refs/heads/a")
    assert (second.creates, second.deletes, second.ref) == (False, True, "refs/heads/b\x0bc")


@pytest.mark.parametrize(
    "text",
    ["refs/heads/a\n", "{0} {0} \n", "{0} --all refs/heads/a\n", "{0} {0}1 refs/heads/a\n", "{0} {0} refs/heads/a"],
)
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


# --- names ---

MAIN = "refs/heads/main"


@pytest.mark.parametrize(
    ("ref", "served", "why"),
    [
        ("refs/location-policy", MAIN, "reserved"),
        (LAST_GOOD, MAIN, "reserved"),
        (NOTES, MAIN, "reserved"),
        (f"{NOTES}/x", MAIN, "reserved"),
        (ASIDE, MAIN, "reserved"),
        (f"{ASIDE}/x", MAIN, "reserved"),
        ("refs/notes/location-policy-reviews", MAIN, None),
        ("refs/heads/refs/heads/main", MAIN, "nested"),
        ("refs/heads/refs/x", MAIN, "nested"),
        ("refs/tags/refs/x", MAIN, "nested"),
        ("refs/remotes/refs/x", MAIN, "nested"),
        ("refs/refs/x", MAIN, "nested"),
        ("refs/heads/references/x", MAIN, None),
        ("refs/heads/x/refs/heads/main", MAIN, None),
        ("refs/heads/refs/x", "refs/heads/refs/x", None),  # that is how the site has it
        ("refs/heads/main/x", MAIN, "in-the-way"),
        ("refs/heads/live", "refs/heads/live/eu", "in-the-way"),
        ("refs/heads/main-x", MAIN, None),
        ("refs/tags/main/x", MAIN, None),
        ("refs/heads/live", "HEAD", None),
        ("refs/replace/" + "1" * 40, MAIN, "replaces"),
        ("refs/heads/replace/x", MAIN, None),
        (MAIN, MAIN, None),
    ],
)
def test_a_name_is_wrong_for_one_reason(ref: str, served: str, why: WrongName | None) -> None:
    assert wrong_name(ref, served) == why


@pytest.mark.parametrize(
    ("ref", "meant", "free"),
    [
        ("refs/heads/refs/heads/main", "refs/heads/main", "refs/heads/main"),
        ("refs/heads/refs/notes/x", "refs/notes/x", "refs/heads/notes/x"),
        ("refs/heads/refs/heads/refs/heads/x", "refs/heads/refs/heads/x", "refs/heads/x"),
        ("refs/tags/refs/tags/v1", "refs/tags/v1", "refs/tags/v1"),
        ("refs/refs/x", "refs/x", "refs/heads/x"),
    ],
)
def test_a_nested_name_is_told_with_what_git_takes_it_for_and_without_it(ref: str, meant: str, free: str) -> None:
    assert (nested_name(ref), free_name(ref)) == (meant, free)
    assert wrong_name(free, MAIN) is None


@pytest.mark.parametrize(
    ("ref", "served", "free"),
    [
        ("refs/heads/main/x/y", MAIN, "refs/heads/main-x-y"),
        ("refs/heads/live/eu", "refs/heads/live/eu/1", "refs/heads/live-eu"),
        ("refs/heads/live", "refs/heads/live/eu", "refs/heads/live-1"),
    ],
)
def test_a_name_in_the_way_is_told_with_one_beside_it(ref: str, served: str, free: str) -> None:
    assert free_name(ref) == free
    assert wrong_name(free, served) is None
