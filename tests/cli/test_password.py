"""`location-policy password`: from a pipe, from a terminal, and what it leaves of the file."""

from __future__ import annotations

import os
import pty
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from location_policy.access.htpasswd import read_htpasswd
from location_policy.access.set_password import change_password
from tests.support.program import PROGRAM, closed_environment, run_program
from tests.support.unprivileged import NOBODY


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "htpasswd"


def knows(path: Path, user: str, password: str) -> bool:
    return read_htpasswd(path.read_bytes(), str(path)).know(user, [password.encode()])


def test_a_user_is_added_from_one_line_and_changed_by_another(path: Path) -> None:
    for line, told in ((b"first\n", "added"), (b"second\r\nmore", "changed")):
        done = run_program("password", "node", "--htpasswd", path, stdin=line)
        assert (done.returncode, done.stdout, done.stderr) == (0, f"{told} node in {path}\n", "")
    assert knows(path, "node", "second")
    assert path.read_text().count("\n") == 1
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(path.parent.iterdir()) == [path]


def test_mode_owner_comments_and_other_lines_stay_and_a_link_goes_on_naming_the_file(path: Path) -> None:
    path.write_text("# keep\nold:$apr1$x$y\n")
    path.chmod(0o604)
    if os.geteuid() == 0:  # pragma: no branch  depends on who runs the tests
        os.chown(path, NOBODY, NOBODY)
    link = path.with_name("link")
    link.symlink_to(path)
    owner = path.stat().st_uid
    assert run_program("password", "node", "--htpasswd", link, stdin=b"x").returncode == 0
    assert path.read_text().startswith("# keep\nold:$apr1$x$y\nnode:$2b$12$")
    assert (path.stat().st_mode & 0o777, path.stat().st_uid, link.is_symlink()) == (0o604, owner, True)


@pytest.mark.parametrize(
    ("user", "line", "told"),
    [
        ("node", b"", "the password is empty"),
        ("node", b"x" * 73, "the password is longer than 72 bytes"),
        ("node", b"a\0b", "control characters"),
        ("node", b"caf\xe9", "location-policy: the password is not UTF-8\n"),
        ("no:de", b"x", "a user's name"),
    ],
)
def test_what_cannot_be_used_changes_nothing(path: Path, user: str, line: bytes, told: str) -> None:
    done = run_program("password", user, "--htpasswd", path, stdin=line)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("location-policy: ")
    assert told in done.stderr
    assert not path.exists()


def test_a_folder_that_is_not_there_is_told(path: Path) -> None:
    done = run_program("password", "node", "--htpasswd", path / "x", stdin=b"x")
    assert (done.returncode, done.stderr) == (2, f"location-policy: {path}: No such file or directory\n")


def test_a_disk_that_is_full_leaves_the_old_file(path: Path) -> None:
    path.write_text("# old\n")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            change_password(path, "node", "secret")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (path.read_text(), list(path.parent.iterdir())) == ("# old\n", [path])


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    ours, theirs = pty.openpty()
    yield ours, theirs
    os.close(ours)


def type_into(terminal: tuple[int, int], path: Path, *lines: bytes) -> tuple[int, str]:
    """The exit status and what was shown after each prompt was answered."""
    ours, theirs = terminal
    process = subprocess.Popen(
        [PROGRAM, "password", "node", "--htpasswd", path],
        env=closed_environment(),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    for prompt, line in zip((b"password of node: ", b"once more: "), lines, strict=False):
        while not shown.endswith(prompt):
            shown += os.read(ours, 1000)
        os.write(ours, line)
    while piece := read(ours):
        shown += piece
    return process.wait(timeout=20), shown.decode()


def read(terminal: int) -> bytes:
    """What is shown next; nothing once the program has ended, which is an error of its own."""
    try:
        return os.read(terminal, 1000)
    except OSError:
        return b""


def test_on_a_terminal_it_is_asked_for_twice_and_not_shown(terminal: tuple[int, int], path: Path) -> None:
    status, shown = type_into(terminal, path, b"secret\n", b"secret\n")
    assert (status, "added node" in shown, "secret" in shown) == (0, True, False)
    assert knows(path, "node", "secret")


def test_two_that_differ_change_nothing(terminal: tuple[int, int], path: Path) -> None:
    status, shown = type_into(terminal, path, b"secret\n", b"sceret\n")
    assert (status, "the two are not alike" in shown) == (2, True)
    assert not path.exists()


def test_an_end_of_input_changes_nothing(terminal: tuple[int, int], path: Path) -> None:
    status, shown = type_into(terminal, path, b"\x04")
    assert (status, "nothing was changed" in shown) == (2, True)
    assert "Traceback" not in shown
