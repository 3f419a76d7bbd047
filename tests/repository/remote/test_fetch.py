"""A remote, or the way to it, that hangs, trickles, cuts or answers nonsense; over real HTTP, with short deadlines."""

from __future__ import annotations

import os
import re
import signal
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from location_policy.errors import RepositoryError
from location_policy.repository.remote import fetch
from location_policy.repository.remote.fetch import LONGEST_REST, RemoteFailed, RemoteGit, talking
from location_policy.repository.remote.mirror import Mirror
from location_policy.repository.remote.naming import fetched_ref
from tests.repository.remote.git_remote import Remote, served_remote
from tests.support.repositories import GOOD, force_commit, git, make_repository, tip
from tests.support.service import wait_until

LATE = "the remote does not answer in time"
NOISE = os.urandom(400_000)
"""A content that no packing makes smaller."""


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[Remote]:
    """A remote with a large file at the top that counts."""
    with served_remote(make_repository(tmp_path / "remote.git", {**GOOD, "large.csv": NOISE})) as served:
        yield served


def mirror_of(remote: Remote, folder: Path, standstill: float = 20.0, longest: float = 60.0) -> Mirror:
    made = Mirror(remote.url, folder / "state", None, interval=0, standstill=standstill, longest=longest)
    made.make()
    return made


def failure_of(mirror: Mirror) -> str:
    with pytest.raises(RepositoryError) as failure:
        mirror.update()
    return failure.value.message


def left_in(mirror: Mirror) -> list[str]:
    """What a fetch has left that did not end well."""
    halves = [*mirror.directory.rglob("tmp_*"), *mirror.directory.rglob("*.lock")]
    return [path.name for path in halves]


@pytest.mark.parametrize(
    "part",
    ["info/refs", "command=ls-refs", "command=fetch"],
)
def test_a_remote_that_hangs_is_given_up(remote: Remote, tmp_path: Path, part: str) -> None:
    remote.only, remote.cut_after, remote.hangs = part, 0, True
    mirror = mirror_of(remote, tmp_path, standstill=0.3)
    assert failure_of(mirror) == f"{remote.url}: {LATE}: no byte came for 0.3 s"


def test_a_remote_that_hangs_amid_the_pack_is_given_up_and_nothing_is_left(remote: Remote, tmp_path: Path) -> None:
    remote.only, remote.cut_after, remote.hangs = "command=fetch", 200_000, True
    mirror = mirror_of(remote, tmp_path, standstill=0.5)
    for _ in range(2):
        assert failure_of(mirror) == f"{remote.url}: {LATE}: no byte came for 0.5 s"
        assert left_in(mirror) == []
    remote.cut_after = None
    mirror.update()
    assert tip(mirror.directory, fetched_ref("refs/heads/main")) == tip(remote.repository)


def test_something_is_done_while_a_look_waits_and_by_its_thread_alone(remote: Remote, tmp_path: Path) -> None:
    mirror, done = mirror_of(remote, tmp_path, standstill=0.5), list[threading.Thread]()
    remote.only, remote.cut_after, remote.hangs = "command=ls-refs", 0, True
    with pytest.raises(RepositoryError):
        mirror.update(lambda: done.append(threading.current_thread()))
    number = len(done)
    assert set(done) == {threading.current_thread()}
    failure_of(mirror)
    assert len(done) == number


def test_a_remote_that_trickles_is_waited_for(remote: Remote, tmp_path: Path) -> None:
    """It takes some seconds, and so longer than it may stand still."""
    remote.only, remote.rate = "command=fetch", 160_000
    mirror = mirror_of(remote, tmp_path, standstill=1.0)  # a machine under load may send nothing for some tenths
    began = time.monotonic()
    mirror.update()
    assert time.monotonic() - began > 2
    assert tip(mirror.directory, fetched_ref("refs/heads/main")) == tip(remote.repository)


def test_a_remote_that_trickles_without_end_is_given_up_in_the_end(remote: Remote, tmp_path: Path) -> None:
    remote.only, remote.rate = "command=fetch", 10_000
    mirror = mirror_of(remote, tmp_path, longest=0.8)
    assert failure_of(mirror) == f"{remote.url}: {LATE}: no end after 0.8 s"


def test_a_remote_that_cuts_the_pack_costs_no_disk_and_no_new_copy(remote: Remote, tmp_path: Path) -> None:
    remote.only, remote.cut_after = "command=fetch", 200_000
    mirror = mirror_of(remote, tmp_path)
    copy = mirror.directory.stat().st_ino
    for _ in range(3):
        assert failure_of(mirror).startswith(f"{remote.url}: the connection was cut: ")
        assert left_in(mirror) == []
    assert (mirror.looks.remade, mirror.directory.stat().st_ino) == (0, copy)
    assert mirror.looks.last_error
    assert mirror.looks.last_error.kind == "network"


def test_contents_that_are_cut_are_fetched_with_the_next_look(remote: Remote, tmp_path: Path) -> None:
    """The history has come by then; the ref of the remote's branch has not moved."""
    remote.filters()
    remote.only, remote.cut_after = "command=fetch", 20_000
    mirror = mirror_of(remote, tmp_path)
    failure_of(mirror)
    assert tip(mirror.directory, "refs/remotes/origin/main") == ""
    remote.cut_after = None
    mirror.update()
    content = git("cat-file", "-s", "refs/remotes/origin/main:large.csv", cwd=mirror.directory, GIT_ALLOW_PROTOCOL="")
    assert content == str(len(NOISE))


@pytest.mark.parametrize(
    ("page", "kind"),
    [
        (b"<html>\nSign in\n</html>\n", "text/html; charset=utf-8"),
        (b"<html>Sign in</html>", "text/html; charset=utf-8"),
        (b'{"error": "sign in"}', "application/json"),
        (b"", "text/plain"),
    ],
)
def test_a_page_in_place_of_git_is_no_empty_remote(remote: Remote, tmp_path: Path, page: bytes, kind: str) -> None:
    """git takes one without a line feed for the list of refs of a server that runs no git, with no ref in it."""
    remote.status, remote.body, remote.headers = 200, page, {"Content_Type": kind}
    mirror = mirror_of(remote, tmp_path)
    assert re.search("is this a git repository|not as git does", failure_of(mirror))
    assert mirror.looks.last_error
    assert mirror.looks.last_error.hint


@pytest.mark.parametrize(
    ("status", "told", "kind"),
    [
        (401, "could not read Username", "credentials"),
        (403, "The requested URL returned error: 403", "right"),
        (404, "not found", "not-found"),
        (429, "The requested URL returned error: 429", "rate-limit"),
        (503, "The requested URL returned error: 503", "server"),
    ],
)
def test_what_a_server_says_in_place_of_git_is_told(
    remote: Remote, tmp_path: Path, status: int, told: str, kind: str
) -> None:
    remote.status, remote.body = status, b"<html>Sign in</html>"
    remote.headers = {"Content_Type": "text/html", "WWW_Authenticate": 'Basic realm="x"'}
    mirror = mirror_of(remote, tmp_path)
    assert told in failure_of(mirror)
    assert mirror.looks.last_error
    assert (mirror.looks.last_error.kind, mirror.looks.remade) == (kind, 0)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120),
        ("a date to come", 600),
        ("a date that has been", 0),
        ("99999999999", LONGEST_REST),
        ("soon", 0),
    ],
)
def test_a_remote_that_wants_to_be_asked_later_is(remote: Remote, tmp_path: Path, said: str, seconds: float) -> None:
    if said.startswith("a date"):
        when = datetime.now(UTC) + timedelta(seconds=seconds or -600)
        said = format_datetime(when, usegmt=True)
    remote.status, remote.headers = 429, {"Retry_After": said}
    mirror = mirror_of(remote, tmp_path)
    failure_of(mirror)
    mirror.hurry()
    asked = len(remote.asked)
    assert mirror.is_due() == (seconds == 0)
    assert mirror.looks.next_look_at
    assert (mirror.looks.next_look_at - datetime.now(UTC)).total_seconds() == pytest.approx(seconds, abs=60)
    failure_of(mirror)
    assert (len(remote.asked) > asked) == (seconds == 0)


def test_what_is_traced_is_in_no_message(remote: Remote, tmp_path: Path) -> None:
    remote.status = 503
    with pytest.raises(RemoteFailed) as failure:
        RemoteGit().run(tmp_path, "ls-remote", remote.url, environment=talking(20.0))
    assert failure.value.stderr == (f"fatal: unable to access '{remote.url}/': The requested URL returned error: 503")


def test_a_look_that_is_ended_amid_the_pack_leaves_no_process_and_no_half_file(remote: Remote, tmp_path: Path) -> None:
    remote.only, remote.cut_after, remote.hangs = "command=fetch", 200_000, True
    mirror = mirror_of(remote, tmp_path)
    failures: list[str] = []
    thread = threading.Thread(target=lambda: failures.append(failure_of(mirror)))
    thread.start()
    wait_until(lambda: bool(list(mirror.directory.rglob("tmp_pack_*"))))
    began = time.monotonic()
    mirror.close()
    thread.join(5)
    assert time.monotonic() - began < 2
    assert (failures, left_in(mirror)) == (["git fetch failed: it was ended with the service"], [])
    assert failure_of(mirror) == "no remote is asked any more: it was ended with the service"


def test_a_git_that_takes_no_notice_of_a_signal_is_ended_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "git"
    program.write_text(f"#!/bin/sh\ntrap 'echo asked >{tmp_path}/asked' TERM\nwhile :; do sleep 0.05; done\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(fetch, "GRACE", 0.3)
    with pytest.raises(RemoteFailed) as failure:
        RemoteGit(longest=0.3).run(tmp_path, "fetch")
    assert (failure.value.status, (tmp_path / "asked").exists()) == (-signal.SIGKILL, True)


def test_a_port_that_nobody_listens_to_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    mirror = Mirror(f"http://127.0.0.1:{port}/x.git", tmp_path, None, interval=0)
    mirror.make()
    assert "Failed to connect" in failure_of(mirror)


def test_an_idle_look_is_one_git_and_two_requests(remote: Remote, tmp_path: Path) -> None:
    mirror = mirror_of(remote, tmp_path)
    mirror.update()
    remote.asked.clear()
    mirror.update()
    assert [line.partition("?")[0] for line in remote.asked] == [
        "GET /remote.git/info/refs",
        "POST /remote.git/git-upload-pack",
    ]


def test_a_new_tip_is_fetched_in_one_more_look(remote: Remote, tmp_path: Path) -> None:
    mirror = mirror_of(remote, tmp_path)
    mirror.update()
    new = force_commit(remote.repository, GOOD)
    mirror.update()
    assert (tip(mirror.directory, fetched_ref("refs/heads/main")), mirror.looks.ok) == (new, 2)
