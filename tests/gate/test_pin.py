"""What a pusher is told while another commit is held in force, by the hook of a real push; and what a pin may say."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from location_policy.gate.pin import check_span, keep_pin, parse_reason, read_pin
from location_policy.gate.ref_updates import PIN
from location_policy.repository.new_commits import Author
from location_policy.repository.repository import open_repository
from location_policy.text import moment_text
from tests.support.repositories import GOOD, Clone, clone, git, init_with, said, tip

ALICE = Author("Alice", "alice@example.com")
NEXT = {"locations.csv": "Perth,10.62.0.0/16\n"}


@pytest.fixture
def copy(tmp_path: Path) -> Clone:
    return clone(init_with(tmp_path, GOOD), tmp_path / "copy")


def test_a_pusher_is_told_that_the_commit_waits_until_when(copy: Clone, tmp_path: Path) -> None:
    repository = tmp_path / "map.git"
    held = tip(repository)
    copy.commit(NEXT)
    with open_repository(repository) as opened:
        pin = keep_pin(opened, held, ALICE, timedelta(hours=1), "why")
    dry = copy.push("HEAD:refs/for/main")
    line = f"{held[:10]} is pinned until {moment_text(pin.until)}: this waits"
    assert said(dry).splitlines()[-3:] == ["valid: 1 commit for main", line, "dry run: nothing changed"]
    pushed = copy.push()
    assert (pushed.returncode, said(pushed).splitlines()[-1]) == (0, line)
    with open_repository(repository) as opened:
        keep_pin(opened, held, ALICE, timedelta(), "over")
    copy.commit({})
    assert said(copy.push()).splitlines()[-1] == "valid: 1 commit for main"


def test_no_push_moves_the_pin(copy: Clone, tmp_path: Path) -> None:
    for ref in (PIN, f"{PIN}/1"):
        assert copy.push(f"HEAD:{ref}").returncode == 1
    assert tip(tmp_path / "map.git", PIN) == ""
    held = tip(tmp_path / "map.git")
    with open_repository(tmp_path / "map.git") as opened:
        keep_pin(opened, held, ALICE, timedelta(hours=1), "why")
    assert copy.push(f":{PIN}").returncode == 1
    assert "location-policy" not in git("ls-remote", tmp_path / "map.git", cwd=copy.path)


def test_what_is_kept_is_what_is_read_whatever_the_name(tmp_path: Path) -> None:
    repository = init_with(tmp_path, GOOD)
    for name in ("Alice", "Änne", "<>\n", "x" * 300, "a\x1b[31mb", ".;"):
        with open_repository(repository) as opened:
            kept = keep_pin(opened, tip(repository), Author(name, "a b@c"), timedelta(days=7), parse_reason("Ä \x1b é"))
            found = read_pin(opened)
        assert found
        assert found._replace(by="", reason="") == kept._replace(by="", reason="")
        assert found.by.isprintable()
        assert found.reason == "Ä \\x1b é"


@pytest.mark.parametrize("reason", ["", " \n ", "x" * 501])
def test_a_reason_is_a_line_of_some_length(reason: str) -> None:
    with pytest.raises(ValueError, match="a reason"):
        parse_reason(reason)


@pytest.mark.parametrize("span", [timedelta(), timedelta(days=7, seconds=1), -timedelta(hours=1)])
def test_a_pin_lasts_seven_days_at_most(span: timedelta) -> None:
    with pytest.raises(ValueError, match="from 1 second to 7 days"):
        check_span(span)
