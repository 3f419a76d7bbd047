"""A copy of a remote repository, with real fetches from a `file://` remote."""

from __future__ import annotations

import socket
import stat
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from location_policy.errors import RepositoryError
from location_policy.repository.remote.credentials import RemoteAccess
from location_policy.repository.remote.mirror import Mirror
from location_policy.repository.remote.naming import fetched_ref
from location_policy.repository.remote.url import is_url, part_login
from location_policy.repository.repository import open_repository
from tests.support.repositories import GOOD, force_commit, git, make_repository


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    """A remote with one commit."""
    return make_repository(tmp_path / "remote.git", GOOD)


@pytest.fixture
def mirror(remote: Path, tmp_path: Path) -> Mirror:
    """A copy that fetches whenever it is asked to."""
    made = Mirror(remote.as_uri(), tmp_path / "state", None, interval=0)
    made.make()
    return made


def tip(repository: Path, ref: str = "HEAD") -> str:
    """The commit that a ref points at."""
    return git("--git-dir", repository, "rev-parse", ref, cwd=repository)


def fetched(mirror: Mirror, branch: str = "main") -> str:
    """The commit that a branch of the remote has, as the copy knows it."""
    return tip(mirror.directory, fetched_ref(f"refs/heads/{branch}"))


@pytest.mark.parametrize("text", ["https://h/x.git", "ssh://git@h/x", "git@h:x.git", "file:///srv/x.git", "git://h/x"])
def test_what_names_a_host_is_a_url(text: str) -> None:
    assert is_url(text)


@pytest.mark.parametrize("text", ["/srv/x.git", "x.git", "./a:b", "../x", "ext::sh -c true", "C", ""])
def test_what_names_a_place_here_is_no_url(text: str) -> None:
    assert not is_url(text)


def test_the_first_update_copies_the_remote(mirror: Mirror, remote: Path) -> None:
    mirror.update()
    assert fetched(mirror) == tip(remote)


def test_an_update_moves_no_branch_of_the_copy_itself(mirror: Mirror, remote: Path) -> None:
    mirror.update()
    with open_repository(mirror.directory) as repository:
        assert (repository.branches(), repository.refs_below("refs/remotes/")) == ([], ["refs/remotes/origin/main"])
    git("update-ref", "refs/heads/main", tip(remote), cwd=mirror.directory)
    before, _ = tip(remote), force_commit(remote, GOOD)
    mirror.update()
    assert tip(mirror.directory) == before


def test_an_update_takes_a_history_that_was_rewritten(mirror: Mirror, remote: Path) -> None:
    mirror.update()
    git("update-ref", "-d", "refs/heads/main", cwd=remote)
    rewritten = force_commit(remote, GOOD, message="Another beginning")
    mirror.update()
    assert fetched(mirror) == rewritten


def test_a_branch_that_the_remote_has_deleted_goes(mirror: Mirror, remote: Path) -> None:
    force_commit(remote, GOOD, ref="refs/heads/side")
    mirror.update()
    git("update-ref", "-d", "refs/heads/side", cwd=remote)
    mirror.update()
    with open_repository(mirror.directory) as repository:
        assert repository.refs_below(fetched_ref("")) == [fetched_ref("refs/heads/main")]


def test_head_follows_the_head_of_the_remote(mirror: Mirror, remote: Path) -> None:
    side = force_commit(remote, GOOD, ref="refs/heads/side")
    git("symbolic-ref", "HEAD", "refs/heads/side", cwd=remote)
    mirror.update()
    assert git("symbolic-ref", "HEAD", cwd=mirror.directory) == "refs/heads/side"
    assert fetched(mirror, "side") == side


def test_head_is_written_only_where_it_differs(mirror: Mirror) -> None:
    mirror.update()
    before = (mirror.directory / "HEAD").stat().st_ino
    mirror.hurry()
    mirror.update()
    assert (mirror.directory / "HEAD").stat().st_ino == before


def test_a_branch_that_was_asked_for_is_followed_instead_of_head(remote: Path, tmp_path: Path) -> None:
    side = force_commit(remote, GOOD, ref="refs/heads/side")
    mirror = Mirror(remote.as_uri(), tmp_path / "state", "side", interval=0)
    mirror.make()
    mirror.update()
    assert fetched(mirror, "side") == side


def test_a_remote_without_a_commit_is_copied_too(tmp_path: Path) -> None:
    remote = tmp_path / "empty.git"
    remote.mkdir()
    git("init", "--bare", "--quiet", cwd=remote)
    mirror = Mirror(remote.as_uri(), tmp_path / "state", None, interval=0)
    mirror.make()
    mirror.update()
    assert git("--git-dir", mirror.directory, "for-each-ref", cwd=remote) == ""


def test_a_remote_that_is_gone_is_told_until_it_is_back(mirror: Mirror, remote: Path) -> None:
    remote.rename(remote.with_name("away.git"))
    with pytest.raises(RepositoryError, match="has no such repository"):
        mirror.update()
    remote.with_name("away.git").rename(remote)
    mirror.update()


def test_between_two_fetches_the_last_failure_stands(remote: Path, tmp_path: Path) -> None:
    mirror = Mirror(remote.with_name("nowhere.git").as_uri(), tmp_path / "state", None, interval=1_000)
    mirror.make()
    for _ in range(2):
        with pytest.raises(RepositoryError, match="has no such repository"):
            mirror.update()


def test_a_file_of_secrets_that_all_may_read_is_told_each_time_that_it_becomes_so(
    remote: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = tmp_path / "git-credentials", tmp_path / "key"
    access = RemoteAccess(credentials=files[0], ssh_key=files[1])
    mirror = Mirror(remote.as_uri(), tmp_path / "state", None, interval=0, access=access)
    mirror.make()
    for file in files:
        file.touch(mode=0o600)
    for mode in (0o644, 0o644, 0o600, 0o644):
        files[0].chmod(mode)
        with suppress(RepositoryError):
            mirror.update()
    assert caplog.messages == [f"{files[0]} may be read by every user of this machine: chmod 640 {files[0]}"] * 2


def test_a_failure_does_not_tell_the_password(tmp_path: Path) -> None:
    mirror = Mirror("http://alice:secret@127.0.0.1:9/x.git", tmp_path, None, interval=0)
    mirror.make()
    with pytest.raises(RepositoryError) as failure:
        mirror.update()
    assert "secret" not in failure.value.message


@contextmanager
def asking_for_a_password(seen: list[str]) -> Iterator[int]:
    """The port of a server that wants one; of who says one it looks at the command lines of all processes."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said = self.headers.get("Authorization", "")
            seen.extend([said, *command_lines()] if said else [])
            self.send_response(403 if said else 401)
            self.send_header("WWW-Authenticate", 'Basic realm="x"')
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def command_lines() -> Iterator[str]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended
            yield path.read_text(errors="replace")


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="there is no /proc")
@pytest.mark.parametrize(
    ("login", "said"),
    [("alice:a%20plugh@", "alice:a plugh"), ("plugh@", "plugh:"), ("a:'plugh$x@", "a:'plugh$x")],
)
def test_the_password_of_a_url_is_in_no_list_of_processes_and_on_no_disk(tmp_path: Path, login: str, said: str) -> None:
    seen: list[str] = []
    with asking_for_a_password(seen) as port:
        mirror = Mirror(f"http://{login}127.0.0.1:{port}/x.git", tmp_path, None, interval=0)
        mirror.make()
        with pytest.raises(RepositoryError, match="does not let that user read"):
            mirror.update()
    header, *others = seen
    assert header == f"Basic {b64encode(said.encode()).decode()}"
    assert any(f"127.0.0.1:{port}" in line for line in others)
    assert not any("plugh" in line for line in others)
    assert "plugh" not in (mirror.directory / "config").read_text()


def test_nobody_else_may_look_into_the_copy(mirror: Mirror) -> None:
    assert stat.S_IMODE(mirror.directory.stat().st_mode) == 0o700


def test_a_copy_is_not_made_through_a_link(remote: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    copy = Mirror(remote.as_uri(), tmp_path / "state", None, 0.0)
    copy.directory.parent.mkdir()
    copy.directory.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RepositoryError, match="is a symbolic link") as failure:
        copy.make()
    assert failure.value.hint == f"rm {copy.directory}"
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_fetch_leaves_no_process_behind_that_tidies_up(mirror: Mirror) -> None:
    assert git("config", "gc.autoDetach", cwd=mirror.directory) == "false"


def test_another_url_is_another_copy(tmp_path: Path) -> None:
    assert Mirror("https://h/a", tmp_path, None, 0).directory != Mirror("https://h/b", tmp_path, None, 0).directory


def test_another_password_is_the_same_copy(tmp_path: Path) -> None:
    assert Mirror("https://a:b@h/a", tmp_path, None, 0).directory == Mirror("https://h/a", tmp_path, None, 0).directory


def test_it_can_be_made_again(mirror: Mirror, remote: Path) -> None:
    mirror.update()
    mirror.make()
    assert fetched(mirror) == tip(remote)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("ssh://git:plugh@host/x.git", "with a password, which only http and https take"),
        ("ssh://git:@host/x.git", "with a password"),
        ("git:plugh@host:x.git", "with a password"),
        ("git://a:plugh@host/x.git", "with a password"),
        ("https://host/x.git?private_token=plugh", "with a query, which git does not send"),
        ("https://a:b@host/x.git?token=plugh", "with a query"),
        ("https://alice:9/plugh@host/x.git", None),
        ("https://alice:p/plugh@host/x.git", "is no number"),
        ("https://alice:plugh%0a@host/x.git", "a character that is not printable"),
    ],
)
def test_a_secret_that_git_could_only_be_told_for_all_to_see_is_refused(
    url: str, told: str | None, tmp_path: Path
) -> None:
    assert is_url(url)
    if told is None:  # a port and a path, as far as anyone can tell
        assert part_login(url) == (url, {})
        return
    with pytest.raises(RepositoryError, match=told) as refused:
        Mirror(url, tmp_path, None, 0)
    assert "plugh" not in f"{refused.value} {refused.value.hint}"


@pytest.mark.parametrize("url", ["ssh://git@host/x.git", "git@host:x.git", "file:///srv/a?b.git", "git://host/x.git"])
def test_a_user_is_no_secret(url: str) -> None:
    assert part_login(url) == (url, {})


def test_a_branch_that_is_no_longer_asked_for_is_forgotten(remote: Path, tmp_path: Path) -> None:
    force_commit(remote, GOOD, ref="refs/heads/side")
    for branch in ("side", None):
        mirror = Mirror(remote.as_uri(), tmp_path / "state", branch, interval=0)
        mirror.make()
        mirror.update()
    with open_repository(mirror.directory) as repository:
        assert repository.served_ref(repository.settings()) == "refs/heads/main"


@pytest.fixture
def silent() -> Iterator[str]:
    """The URL of a remote that accepts and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"git://127.0.0.1:{listener.getsockname()[1]}/x.git"


def test_a_remote_that_says_nothing_is_not_waited_for_without_end(silent: str, tmp_path: Path) -> None:
    mirror = Mirror(silent, tmp_path, None, interval=0, standstill=0.2)
    mirror.make()
    with pytest.raises(RepositoryError, match="in time: no byte came for 0"):
        mirror.update()


def test_a_fetch_under_way_can_be_ended(silent: str, tmp_path: Path) -> None:
    mirror = Mirror(silent, tmp_path, None, interval=0)
    mirror.make()
    timer = threading.Timer(0.3, mirror.close)
    timer.start()
    with pytest.raises(RepositoryError, match="git ls-remote failed"):
        mirror.update()
    timer.join()
    mirror.close()
