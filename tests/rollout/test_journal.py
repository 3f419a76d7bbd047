"""When commits were put in force or refused, written down: bounded, whole, and never in the way."""

from __future__ import annotations

import os
import resource
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from location_policy.rollout import journal, persistence
from location_policy.rollout.journal import Event, EventKind, Journal, read
from location_policy.rollout.refresher import Refresher
from location_policy.rollout.state import ActiveState
from tests.support.repositories import BAD, GOOD, force_commit, make_repository

MOMENT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


def event(number: int, kind: EventKind = "active") -> Event:
    """The event of a commit of its own."""
    return Event(MOMENT + timedelta(seconds=number), f"{number:040}", kind)


def write(directory: Path, *events: Event) -> Journal:
    """A journal to which a new process has written these events, one by one."""
    writer = Journal(directory)
    for one in events:
        writer.add(one)
        writer.write()
    return writer


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "locations.git", GOOD)


def told(state: Path) -> list[tuple[str, str]]:
    """What became of which commit, in order."""
    return [(one.kind, one.commit) for one in read(state)]


# --- the file ---


def test_what_is_written_is_read_in_order(tmp_path: Path) -> None:
    write(tmp_path, event(1), event(2, "refused"))
    write(tmp_path, event(3))
    assert read(tmp_path) == [event(1), event(2, "refused"), event(3)]


def test_where_nothing_was_written_there_is_no_journal(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read(tmp_path)


def test_the_directory_is_made_where_it_is_missing(tmp_path: Path) -> None:
    write(tmp_path / "state", event(1))
    assert read(tmp_path / "state") == [event(1)]


def test_a_line_that_a_crash_has_torn_is_passed_over_and_hides_no_other(tmp_path: Path) -> None:
    write(tmp_path, event(1), event(2))
    path = tmp_path / journal.FILE_NAME
    path.write_bytes(path.read_bytes()[:-30])
    write(tmp_path, event(3))
    assert read(tmp_path) == [event(1), event(3)]


@pytest.mark.parametrize("line", ["[]", "1", "{}", '{"at": 1, "event": "active", "commit": ""}', '{"event": "later"}'])
def test_a_line_of_another_version_is_passed_over(tmp_path: Path, line: str) -> None:
    (tmp_path / journal.FILE_NAME).write_text(f"{line}\n\xff\n", encoding="latin-1")
    write(tmp_path, event(1))
    assert read(tmp_path) == [event(1)]


def test_it_is_written_by_its_owner_and_read_by_its_group_whatever_the_umask(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / journal.FILE_NAME).touch()
    (tmp_path / "old" / journal.FILE_NAME).chmod(0o666)
    mask = os.umask(0)
    try:
        write(tmp_path / "new", event(1))
        write(tmp_path / "old", event(1))
    finally:
        os.umask(mask)
    modes = [stat.S_IMODE((tmp_path / name / journal.FILE_NAME).stat().st_mode) for name in ("new", "old")]
    assert modes == [0o640, 0o640]
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o750


@pytest.mark.parametrize(
    ("kind", "told"), [("link", "is a symbolic link"), ("dangling link", "is a symbolic link"), ("pipe", "")]
)
def test_it_is_not_written_through_what_somebody_has_put_there(tmp_path: Path, kind: str, told: str) -> None:
    other, place = tmp_path / "other", tmp_path / journal.FILE_NAME
    if kind == "link":
        other.write_text("x")
    if kind == "pipe":
        os.mkfifo(place)
    else:
        place.symlink_to(other)
    with pytest.raises(OSError, match=told or "No such device|is not a regular file"):
        write(tmp_path, event(1))
    assert not other.exists() or other.read_text() == "x"


def test_a_journal_that_is_a_link_is_told_in_the_log(
    repository: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / journal.FILE_NAME).symlink_to(tmp_path / "other")
    Refresher(repository, ActiveState(), state).refresh()
    assert (
        f"nothing is noted in the journal: {state} cannot be written: journal.jsonl is a symbolic link" in caplog.text
    )
    assert not (tmp_path / "other").exists()


def test_the_moment_of_a_commit_in_force_is_before_its_first_answer(repository: Path, tmp_path: Path) -> None:
    active = ActiveState()
    Refresher(repository, active, tmp_path / "state").refresh()
    (noted,) = read(tmp_path / "state")
    assert active.state.snapshot
    assert noted.at == active.state.snapshot.loaded_at


def test_old_lines_go_when_there_are_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "KEPT", 20)
    write(tmp_path, *map(event, range(22)))
    assert len(read(tmp_path)) == 22
    write(tmp_path, event(22))
    assert read(tmp_path) == list(map(event, range(3, 23)))
    assert [path.name for path in tmp_path.iterdir()] == [journal.FILE_NAME]


def test_half_a_line_on_a_full_disk_is_taken_back_and_written_later(tmp_path: Path) -> None:
    write(tmp_path, event(1))
    size = (tmp_path / journal.FILE_NAME).stat().st_size
    writer = Journal(tmp_path)
    writer.add(event(2))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, hard))
    try:
        with pytest.raises(OSError, match="No space left"):
            writer.write()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (tmp_path / journal.FILE_NAME).stat().st_size == size
    writer.write()
    assert read(tmp_path) == [event(1), event(2)]


# --- what is noted ---


def test_each_commit_is_noted_once_whatever_is_started_anew(repository: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    refresher = Refresher(repository, ActiveState(), state)
    first = force_commit(repository, GOOD)
    refresher.refresh()
    bad = force_commit(repository, BAD)
    refresher.refresh()
    refresher.refresh()
    for _ in range(2):
        Refresher(repository, ActiveState(), state).refresh()
    assert told(state) == [("active", first), ("refused", bad)]


def test_a_bad_commit_at_the_first_start_is_noted_once_too(repository: Path, tmp_path: Path) -> None:
    good, bad = force_commit(repository, GOOD), force_commit(repository, BAD)
    for _ in range(3):
        Refresher(repository, ActiveState(), tmp_path / "state").refresh()
    assert told(tmp_path / "state") == [("refused", bad), ("active", good)]


def test_a_commit_that_comes_back_is_noted_again(tmp_path: Path) -> None:
    write(tmp_path, event(1), event(2, "refused"), event(3))
    write(tmp_path, event(4), event(2, "refused"), event(4))
    assert read(tmp_path)[3:] == [event(4), event(2, "refused"), event(4)]


def test_content_served_from_disk_is_noted_by_its_commit(repository: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    Refresher(repository, ActiveState(), state).refresh()
    (state / journal.FILE_NAME).unlink()
    repository.rename(tmp_path / "away")
    active = ActiveState()
    Refresher(repository, active, state).refresh()
    assert active.state.snapshot
    assert active.state.snapshot.commit
    assert told(state) == [("active", active.state.snapshot.commit.id)]


def test_what_cannot_be_noted_is_one_warning_and_is_noted_later(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    state = tmp_path / "state"
    (state / journal.FILE_NAME).mkdir(parents=True)
    active = ActiveState()
    refresher = Refresher(repository, active, state)
    refresher.refresh()
    force_commit(repository, BAD)
    refresher.refresh()
    warning = f"nothing is noted in the journal: {state} cannot be written: Is a directory"
    assert caplog.messages.count(warning) == 1
    assert (active.state.name, active.state.not_kept) == ("rejected", None)
    (state / journal.FILE_NAME).rmdir()
    refresher.refresh()
    assert not (state / journal.FILE_NAME).exists()  # it is not tried at every look
    monkeypatch.setattr(persistence, "AGAIN", 0.0)
    force_commit(repository, GOOD)
    refresher.refresh()
    assert [kind for kind, _ in told(state)] == ["active", "refused", "active"]


def test_what_waits_is_noted_without_a_new_commit(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(persistence, "AGAIN", 0.0)
    (tmp_path / "state").write_text("in the way")
    refresher = Refresher(repository, ActiveState(), tmp_path / "state")
    refresher.refresh()
    assert [text.partition(":")[0] for text in caplog.messages if text.startswith("nothing")] == [
        "nothing is kept for a restart"
    ]
    (tmp_path / "state").unlink()
    refresher.refresh()
    assert len(read(tmp_path / "state")) == 1


# --- pushes that the hook refused ---


def push(number: int) -> Event:
    """A push of a commit of its own."""
    return event(number)._replace(kind="push-refused", author="Mallory", pusher="bob", branch="main", reason="no")


def test_a_push_is_read_as_it_was_written(tmp_path: Path) -> None:
    write(tmp_path, push(1), push(1), event(2)._replace(author="Mallory", pusher="bob"))
    assert read(tmp_path) == [push(1), push(1), event(2)._replace(author="Mallory", pusher="bob")]
    assert journal.last_push(tmp_path) == push(1).at
    assert journal.last_push(tmp_path / "elsewhere") is None


def test_pushes_push_out_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "PUSHES", 10)
    write(tmp_path, event(0), *map(push, range(1, 40)), event(40))
    assert [one for one in read(tmp_path) if one.kind == "active"] == [event(0), event(40)]
    assert 10 <= len(read(tmp_path)) - 2 <= 11
    assert push(39) in read(tmp_path)


def test_pushes_that_wait_to_be_written_push_out_no_commit(tmp_path: Path) -> None:
    writer = Journal(tmp_path)
    writer.add(event(0))
    for number in range(1, 2 * journal.WAITING):
        writer.add(push(number))
    assert len(writer.waiting) == 1 + journal.WAITING_PUSHES
    assert writer.waiting[0] == event(0)
