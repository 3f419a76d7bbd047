"""The names of this machine's users."""

from __future__ import annotations

from location_policy.runtime.users import chown_name, user_name

NAMELESS = 4_000_000_001


def test_a_user_has_a_name_for_people_and_for_commands() -> None:
    assert (user_name(0), chown_name(0)) == ("root", "root")


def test_a_user_without_a_name_is_a_number() -> None:
    assert (user_name(NAMELESS), chown_name(NAMELESS)) == ("uid 4000000001", "4000000001")
