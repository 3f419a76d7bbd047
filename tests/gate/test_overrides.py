"""A limit that was overridden, kept as a note."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from location_policy.errors import RepositoryError
from location_policy.gate.messages import tell_override
from location_policy.gate.overrides import (
    NOTES,
    Override,
    joined,
    override_of,
    overrides,
    parse_note,
    record,
    write_note,
)
from location_policy.plan.limits import Excess
from location_policy.repository import notes
from location_policy.repository.repository import NOTE_LIMIT, Repository, open_repository
from tests.support.repositories import GOOD, force_commit, git, make_repository, run_git, tip

OVERRIDE = Override(
    rule="changed-addresses",
    limit="25%",
    measured="41.3% of IPv4 addresses",
    reason="new data centre",
    by="alice",
    at=datetime(2026, 3, 1, 12, 30, tzinfo=UTC),
)
NOTE = """Allow-Large-Change: new data centre
Rule: changed-addresses
Limit: 25%
Measured: 41.3% of IPv4 addresses
Pushed-By: alice
Pushed-At: 2026-03-01T12:30:00Z"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "map.git", GOOD)


def put(repository: Path, commit_id: str, override: Override = OVERRIDE) -> None:
    with open_repository(repository) as opened:
        record(opened, commit_id, override)


def every_override(opened: Repository) -> dict[str, Override]:
    return overrides(opened, opened.notes(NOTES))


def found(repository: Path, commit_id: str) -> Override | None:
    with open_repository(repository) as opened:
        return override_of(opened, commit_id)


def test_a_note_is_lines_that_people_can_read() -> None:
    assert write_note(OVERRIDE) == NOTE
    assert parse_note(NOTE) == OVERRIDE


def test_a_value_from_outside_stays_one_line() -> None:
    hostile = Override("r", "1%", "2%", "a\nPushed-By: mallory\x1b[2J", "\udcff\u202ebob", OVERRIDE.at)
    text = write_note(hostile)
    assert len(text.split("\n")) == 6
    assert all(line.isprintable() for line in text.split("\n"))
    parsed = parse_note(text)
    assert parsed
    assert (parsed.reason, parsed.by) == ("a\\nPushed-By: mallory\\x1b[2J", "\\udcff\\u202ebob")


def test_a_long_reason_is_cut() -> None:
    assert "x" * 500 + "…\n" in write_note(Override("r", "1%", "2%", "x" * 600, "b", OVERRIDE.at))
    assert [*tell_override((), "x" * 600)] == [f"  reason: {'x' * 500}…"]


def test_what_was_joined_is_parted_again_and_what_a_person_has_written_stands_as_it_is() -> None:
    excess = (
        Excess("changed-addresses", "25%", "30%"),
        Excess("expectations.csv", "1,200 expectations", "1,000 of them"),
    )
    assert joined(excess, "x", "bob", OVERRIDE.at).excess == excess
    assert replace(OVERRIDE, rule="a, b", limit="1%", measured="2%, 3%").excess == (Excess("a, b", "1%", "2%, 3%"),)


@pytest.mark.parametrize("text", ["", "seen by Alice", NOTE.replace("12:30", "99:30"), NOTE.replace("Rule", "Role")])
def test_what_tells_of_no_override_is_none(text: str) -> None:
    assert parse_note(text) is None


def test_the_last_override_of_a_note_counts_whatever_else_it_says() -> None:
    text = f"{NOTE}\n\n{NOTE.replace('alice', 'bob')}\n\nchecked with the site\n"
    override = parse_note(text)
    assert override
    assert override.by == "bob"


def test_an_override_is_kept_on_its_commit(repository: Path) -> None:
    first, second = tip(repository), force_commit(repository, GOOD)
    assert found(repository, second) is None
    put(repository, second)
    assert found(repository, second) == OVERRIDE
    assert found(repository, first) is None
    assert git("log", "-1", "--notes=location-policy", "--format=%N", cwd=repository) == NOTE
    with open_repository(repository) as opened:
        assert every_override(opened) == {second: OVERRIDE}


def test_a_second_one_is_added(repository: Path) -> None:
    git("notes", f"--ref={NOTES}", "add", "-m", "by hand", cwd=repository)
    for by in ("alice", "bob"):
        put(repository, tip(repository), Override("r", "1%", "2%", "x", by, OVERRIDE.at))
    text = git("notes", f"--ref={NOTES}", "show", cwd=repository)
    assert text.index("by hand") < text.index("alice") < text.index("bob")
    with open_repository(repository) as opened:
        assert {commit: override.by for commit, override in every_override(opened).items()} == {tip(repository): "bob"}


@pytest.mark.parametrize("folder", ["refs/heads", "refs/tags"])
def test_a_branch_named_like_the_notes_tells_of_no_override_and_loses_none(repository: Path, folder: str) -> None:
    commit = tip(repository)
    forged = f"{folder}/{NOTES}"
    put(repository, commit, replace(OVERRIDE, by="ceo"))
    git("update-ref", forged, NOTES, cwd=repository)
    git("update-ref", "-d", NOTES, cwd=repository)
    assert "Pushed-By: ceo" in git("notes", f"--ref={NOTES}", "show", commit, cwd=repository)  # so git itself tells it
    assert found(repository, commit) is None
    put(repository, commit)
    with open_repository(repository) as opened:
        assert every_override(opened) == {commit: OVERRIDE}


def test_notes_are_found_in_the_folders_that_git_makes_of_many(repository: Path) -> None:
    commits = [tip(repository), *(force_commit(repository, GOOD, message=str(number)) for number in range(2))]
    for commit in commits:
        put(repository, commit)
    tree = "".join(f"040000 tree {folder(repository, commit)}\t{commit[:2]}\n" for commit in commits)
    made = run_git("mktree", cwd=repository, stdin=tree.encode()).stdout.strip()
    git("update-ref", NOTES, git("commit-tree", made, "-m", "x", cwd=repository), cwd=repository)
    with open_repository(repository) as opened:
        assert every_override(opened).keys() == {*commits}


def folder(repository: Path, commit: str) -> str:
    """The tree that holds the note on a commit under its id without the first two digits."""
    blob = git("notes", f"--ref={NOTES}", "list", commit, cwd=repository)
    return run_git("mktree", cwd=repository, stdin=f"100644 blob {blob}\t{commit[2:]}\n".encode()).stdout.strip()


def test_notes_without_an_override_are_passed_over(repository: Path) -> None:
    git("notes", f"--ref={NOTES}", "add", "-m", "by hand", cwd=repository)
    with open_repository(repository) as opened:
        assert every_override(opened) == {}


def test_a_note_that_is_too_large_is_not_read(repository: Path) -> None:
    git("notes", f"--ref={NOTES}", "add", "-m", NOTE + "\n\n" + "x" * NOTE_LIMIT, cwd=repository)
    assert found(repository, tip(repository)) is None


def test_many_who_note_at_once_lose_nothing(repository: Path) -> None:
    commits = [tip(repository), *(force_commit(repository, GOOD, message=str(number)) for number in range(5))]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda commit: put(repository, commit), commits))
    with open_repository(repository) as opened:
        assert every_override(opened).keys() == {*commits}
    assert git("for-each-ref", "--format=%(refname)", "refs/notes", cwd=repository) == NOTES


def test_a_note_that_cannot_be_written_is_an_error(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notes, "ATTEMPTS", 2)
    (repository / "refs" / "notes").mkdir(parents=True)
    (repository / "refs" / "notes" / "location-policy.lock").touch()
    with pytest.raises(RepositoryError, match="git update-ref failed"):
        put(repository, tip(repository))
    assert git("for-each-ref", "--format=%(refname)", "refs/notes", cwd=repository) == ""
