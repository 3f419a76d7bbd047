"""The repository over HTTP and HTTPS, with the real git: who may do what, what is told, what is left behind."""

from __future__ import annotations

import gzip
import http.client
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from location_policy.runtime import turns
from tests.support.access import PASSWORD, Pki, login, write_users
from tests.support.git_http import (
    FETCH,
    PUSH,
    address_of,
    at_work_in,
    clone_over_http,
    leftovers_in,
    packet,
    post,
    push_body,
    push_over_http,
    trusting,
)
from tests.support.repositories import GOOD, SYDNEY, Clone, git, init_with, make_repository, run_git, said, tip
from tests.support.service import Service, started_service, wait_until
from tests.support.unprivileged import NOBODY, home_trusting, open_folder, run_program_as_nobody

README = (Path(__file__).parent.parent.parent / "README.md").read_text()
PERTH = "Perth,10.61.9.0/24\n"
BETTER = {"locations/apac.csv": SYDNEY + PERTH}
"""What is pushed here."""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return init_with(tmp_path_factory.mktemp("template"), GOOD)


@pytest.fixture
def repository(template: Path, tmp_path: Path) -> Path:
    return shutil.copytree(template, tmp_path / "map.git")


@contextmanager
def running(repository: Path, *arguments: str | Path) -> Iterator[Service]:
    """A service that answers from the repository, and that has nothing left to do for git at its end."""
    with started_service("--repo", repository, *arguments, cwd=repository.parent) as service:
        wait_until(lambda: service.ask("/readyz").status == 200, service.log.read_text)
        yield service
    wait_until(lambda: at_work_in(repository) == [])
    assert leftovers_in(repository) == []
    assert "Traceback" not in service.log.read_text()


@pytest.fixture
def service(repository: Path) -> Iterator[Service]:
    """On loopback, without credentials."""
    with running(repository) as service:
        yield service


@pytest.fixture(scope="module")
def steady(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One that no test changes."""
    folder = tmp_path_factory.mktemp("steady")
    with running(shutil.copytree(template, folder / "map.git")) as service:
        yield service


def served_at(service: Service, address: str) -> str | None:
    answer = service.locate(address).json()
    return answer["result"]["location"] if answer["status"] == "success" else None


# --- with credentials, over TLS ---


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    return Pki(tmp_path / "pki")


@pytest.fixture
def guarded(repository: Path, tmp_path: Path, pki: Pki) -> Iterator[Service]:
    """Over HTTPS, with a user for each role, and one whose name is not ASCII."""
    users = write_users(tmp_path / "htpasswd", "node", "vera", "eddi", "Jos\u00e9")
    (tmp_path / "roles").write_text("node: node\nvera: viewer\neddi: editor\nJos\u00e9: editor\n")
    access = ("--htpasswd", users, "--roles", tmp_path / "roles", "--open-metrics")
    with started_service("--repo", repository, *access, *pki.arguments(), cwd=tmp_path) as service:
        service.context, service.login = pki.client(), login("node")
        wait_until(lambda: service.ask("/readyz").status == 200)
        yield service
    assert PASSWORD not in service.log.read_text()


def test_a_viewer_clones_and_fetches_but_does_not_push(guarded: Service, tmp_path: Path, pki: Pki) -> None:
    copy = clone_over_http(guarded, tmp_path / "vera", user="vera", **trusting(pki))
    copy.commit(BETTER)
    done = push_over_http(copy, **trusting(pki))
    assert done.returncode == 128
    assert "remote: This needs the role editor" in done.stderr
    assert "The requested URL returned error: 403" in done.stderr
    assert run_git("fetch", "--quiet", cwd=copy.path, stdin=b"", **trusting(pki)).returncode == 0
    assert served_at(guarded, "10.61.9.1") is None


def test_an_editor_pushes_and_the_service_answers_and_the_reflog_names_who_it_was(
    guarded: Service, repository: Path, tmp_path: Path, pki: Pki
) -> None:
    copy = clone_over_http(guarded, tmp_path / "eddi", user="eddi", **trusting(pki))
    new = copy.commit(BETTER)
    done = push_over_http(copy, **trusting(pki))
    assert done.returncode == 0, done.stderr
    assert said(done).endswith("valid: 1 commit for main")
    wait_until(lambda: served_at(guarded, "10.61.9.1") == "Perth")
    entry = git("reflog", "--max-count=1", "--format=%H %gn <%ge> %gs", "refs/heads/main", cwd=repository)
    assert entry == f"{new} eddi <eddi@http.127.0.0.1> push"


def test_a_name_of_any_letters_is_known_to_hook_and_note(
    guarded: Service, repository: Path, tmp_path: Path, pki: Pki
) -> None:
    rows = "".join(f"Sydney,10.70.{number}.0/24\n" for number in range(200))
    limits = {"policy.toml": '[limits]\nchanged-addresses = "5%"\n', "locations/apac.csv": rows}
    copy = clone_over_http(guarded, tmp_path / "copy", user="Jos\u00e9", **trusting(pki))
    copy.commit(limits)
    assert push_over_http(copy, **trusting(pki)).returncode == 0
    new = copy.commit({"locations/apac.csv": rows.replace("Sydney", "Perth", 60)})
    assert push_over_http(copy, **trusting(pki)).returncode == 1
    option = ("-o", "allow-large-change=a new data centre", "origin", "HEAD:main")
    assert push_over_http(copy, *option, **trusting(pki)).returncode == 0
    note = git("notes", "--ref=location-policy", "show", new, cwd=repository)
    assert "Jos\u00e9" in note
    assert "a new data centre" in note


def test_what_is_not_valid_is_refused_and_its_pusher_sees_why(
    guarded: Service, repository: Path, tmp_path: Path, pki: Pki
) -> None:
    before = tip(repository)
    copy = clone_over_http(guarded, tmp_path / "eddi", user="eddi", **trusting(pki))
    copy.commit({"locations/apac.csv": "Perth,10.61.9.0/23\n"})
    done = push_over_http(copy, **trusting(pki))
    assert done.returncode == 1
    assert "locations/apac.csv:1:7: error: 10.61.9.0/23 has host bits set [host-bits]" in said(done)
    assert "[remote rejected] HEAD -> main (pre-receive hook declined)" in done.stderr
    assert tip(repository) == before


@pytest.mark.parametrize(("user", "password"), [("eddi", "opensesame"), ("nobody", PASSWORD), ("node", PASSWORD)])
def test_a_stranger_and_a_node_get_nothing(
    guarded: Service, tmp_path: Path, pki: Pki, user: str, password: str
) -> None:
    done = run_git("clone", address_of(guarded, user, password), "copy", cwd=tmp_path, stdin=b"", **trusting(pki))
    assert done.returncode == 128
    told = "This needs the role viewer" if user == "node" else "User or password is wrong"
    assert f"remote: {told}\n" in done.stderr
    assert password not in done.stderr
    refused = guarded.ask("/locations.git/tip", login=f"{user}:{password}")  # nor what a follower is told
    assert (refused.status, b"commit" in refused.body) == (403 if user == "node" else 401, False)


def test_a_push_larger_than_what_git_sends_at_once_is_taken(
    guarded: Service, repository: Path, tmp_path: Path, pki: Pki
) -> None:
    copy = clone_over_http(guarded, tmp_path / "eddi", user="eddi", **trusting(pki))
    (copy.path / "large.bin").write_bytes(os.urandom(3_000_000))
    new = copy.commit(BETTER)
    assert push_over_http(copy, **trusting(pki)).returncode == 0
    assert tip(repository) == new


# --- on loopback, without credentials ---


def test_the_first_push_of_a_newcomer_goes_where_serve_says(tmp_path: Path) -> None:
    with started_service("--example", cwd=tmp_path) as service:
        service.wait_for("in-sync")
        assert service.process.stdout
        service.process.stdout.readline()
        line = service.process.stdout.readline()
        assert line == f"  change the map:  git clone {service.url}/locations.git\n"
        shown = line.partition(":  ")[2].strip().replace(service.url, "http://127.0.0.1:8080")
        assert f"    {shown} map && cd map\n" in README
        git(*line.split()[-3:][1:], "map", cwd=tmp_path)
        copy = Clone(tmp_path / "map")
        check = service.process.stdout.readline().partition(":  ")[2].strip()
        assert check == "location-policy check"  # where PATH leads to it, as here
        copy.commit({"locations/apac.csv": "Melbourne,10.61.2.0/24\n", "expectations.csv": ""})
        assert push_over_http(copy).returncode == 0
        wait_until(lambda: served_at(service, "10.61.2.0") == "Melbourne")
        entry = git("reflog", "--max-count=1", "--format=%gn", "main", cwd=tmp_path / "data" / "locations.git")
        assert entry == "anonymous"


@pytest.mark.parametrize("version", ["0", "1", "2"])
def test_every_version_of_the_protocol_is_spoken(service: Service, tmp_path: Path, version: str) -> None:
    spoken = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "protocol.version", "GIT_CONFIG_VALUE_0": version}
    copy = clone_over_http(service, tmp_path / "copy", **spoken)
    copy.commit(BETTER)
    assert push_over_http(copy, **spoken).returncode == 0


@pytest.mark.parametrize("version", ["0", "2"])
def test_an_older_commit_is_fetched_by_its_id_also_where_a_proxy_drops_the_version(
    service: Service, repository: Path, tmp_path: Path, version: str
) -> None:
    copy, older = clone_over_http(service, tmp_path / "copy"), tip(repository)
    copy.commit(BETTER)
    assert push_over_http(copy).returncode == 0
    bare = make_repository(tmp_path / "bare.git", {})
    git("-c", f"protocol.version={version}", "fetch", "--quiet", address_of(service), older, cwd=bare)
    assert git("rev-parse", "FETCH_HEAD", cwd=bare).strip() == older


def test_a_shallow_clone_pushes_and_deepens(service: Service, repository: Path, tmp_path: Path) -> None:
    whole = clone_over_http(service, tmp_path / "whole")
    for number in range(3):
        whole.commit({"locations/apac.csv": f"Sydney,10.61.{number}.0/24\n"})
    assert push_over_http(whole).returncode == 0
    copy = clone_over_http(service, tmp_path / "copy", "--depth=1")
    new = copy.commit(BETTER)
    assert push_over_http(copy).returncode == 0
    assert tip(repository) == new
    copy.git("fetch", "--quiet", "--unshallow")
    assert copy.git("rev-list", "--count", "HEAD") == "5"


def test_a_dry_run_tells_and_changes_nothing(service: Service, repository: Path, tmp_path: Path) -> None:
    before = tip(repository)
    copy = clone_over_http(service, tmp_path / "copy")
    copy.commit(BETTER)
    done = push_over_http(copy, "origin", "HEAD:refs/for/main")
    assert done.returncode == 0
    assert said(done).endswith("dry run: nothing changed")
    copy.commit({"locations/apac.csv": "x\n"})
    assert push_over_http(copy, "origin", "HEAD:refs/for/main").returncode == 1
    assert tip(repository) == before


def test_pushing_by_path_goes_on_working_beside_it(service: Service, repository: Path, tmp_path: Path) -> None:
    copy = clone_over_http(service, tmp_path / "copy")
    copy.commit(BETTER)
    assert run_git("push", repository, "HEAD:main", cwd=copy.path).returncode == 0
    wait_until(lambda: served_at(service, "10.61.9.1") == "Perth")


def test_refs_of_the_program_are_neither_shown_nor_taken(service: Service, tmp_path: Path) -> None:
    copy = clone_over_http(service, tmp_path / "copy")
    assert "refs/location-policy" not in copy.git("ls-remote")
    assert push_over_http(copy, "origin", "HEAD:refs/location-policy/last-good").returncode == 1


# --- nothing but the repository ---


@pytest.mark.parametrize(
    "target",
    [
        "/locations.git/HEAD",
        "/locations.git/config",
        "/locations.git/objects/info/packs",
        "/locations.git/refs/heads/main",
        "/locations.git/info/refs",  # of the dumb protocol
        "/locations.git/info/refs?service=git-upload-archive",
        "/locations.git/info/refs?service=git-upload-pack&service=git-receive-pack",
        "/locations.git/info/refs?service=git%2Dupload-pack",
        "/locations.git/info%2Frefs?service=git-upload-pack",
        "/locations.git/info%2frefs?service=git-upload-pack",
        "/%6cocations.git/info/refs?service=git-upload-pack",
        "//locations.git/info/refs?service=git-upload-pack",
        "/locations.git//info/refs?service=git-upload-pack",
        "/locations.git/./info/refs?service=git-upload-pack",
        "/locations.git/../map.git/info/refs?service=git-upload-pack",
        "/locations.git/..%2f..%2f../etc/passwd",
        "/locations.git/%2e%2e/%2e%2e/etc/passwd",
        "/../locations.git/info/refs?service=git-upload-pack",
        "/map.git/info/refs?service=git-upload-pack",
        "/locations.git/info/refs/?service=git-upload-pack",
        "/locations.git/info/refs;x?service=git-upload-pack",
        "/locations.git/info/refs%00?service=git-upload-pack",
        "/locations/info/refs?service=git-upload-pack",
        "/locations.git/hooks/pre-receive",
        "/locations.git/location-policy/last-good",
    ],
)
def test_roads_to_anything_else_end(steady: Service, target: str) -> None:
    response = steady.ask(target)
    assert response.status == 404
    assert b"PACK" not in response.body
    assert b"ref:" not in response.body


def test_another_git_command_is_not_run(steady: Service) -> None:
    for path in ("/locations.git/git-upload-archive", "/locations.git/git-receive-pack/", "/locations.git"):
        assert post(steady, path, b"0000").status == 404
    assert steady.ask("/locations.git/info/refs?service=git-upload-pack", "HEAD").status == 404
    assert steady.ask(PUSH).status == 404


# --- who is a page in a browser ---


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "same-origin"},
        {"Content_Type": "text/plain"},
        {"Content_Type": "application/x-www-form-urlencoded"},
        {"Content_Type": "application/x-git-receive-pack-request; charset=utf-8"},
        {"Host": "evil.example"},
        {"Host": "localhost.evil.example:80"},
        {"Host": "10.0.0.1"},
    ],
)
def test_a_page_does_not_push(service: Service, repository: Path, tmp_path: Path, headers: dict[str, str]) -> None:
    copy, before = clone_over_http(service, tmp_path / "copy"), tip(repository)
    body = push_body(copy, before, copy.commit(BETTER))
    assert post(service, PUSH, body, **headers).status in (403, 415)
    assert tip(repository) == before


@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "127.0.0.2:1", "[::1]:8080", "[::1]", "LOCALHOST"])
def test_this_machine_pushes_under_its_own_names(service: Service, repository: Path, tmp_path: Path, host: str) -> None:
    copy = clone_over_http(service, tmp_path / "copy")
    new = copy.commit(BETTER)
    response = post(service, PUSH, push_body(copy, tip(repository), new), Host=host)
    assert (response.status, b"unpack ok" in response.body) == (200, True)
    assert tip(repository) == new


# --- bodies ---


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip"])
def test_a_packed_push_is_unpacked(service: Service, repository: Path, tmp_path: Path, encoding: str) -> None:
    copy = clone_over_http(service, tmp_path / "copy")
    new = copy.commit(BETTER)
    body = gzip.compress(push_body(copy, tip(repository), new))
    assert post(service, PUSH, body, Content_Encoding=encoding).status == 200
    wait_until(lambda: tip(repository) == new)


def test_a_long_talk_of_a_fetch_is_packed_by_git_and_understood(service: Service, tmp_path: Path) -> None:
    copy = clone_over_http(service, tmp_path / "copy")
    for number in range(60):  # more than a kilobyte of commits that the other does not have
        copy.commit({"notes": str(number)})
    git("commit", "--quiet", "--allow-empty", "-m", "x", cwd=clone_over_http(service, tmp_path / "other").path)
    assert push_over_http(Clone(tmp_path / "other")).returncode == 0
    done = run_git("fetch", cwd=copy.path, GIT_TRACE_CURL="1")
    assert done.returncode == 0
    assert "Content-Encoding: gzip" in done.stderr


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"\x1f\x8b no", {"Content_Encoding": "gzip"}, 400),
        (gzip.compress(b"0000")[:-3], {"Content_Encoding": "gzip"}, 400),
        (gzip.compress(b"0000") * 2, {"Content_Encoding": "gzip"}, 400),
        (gzip.compress(bytes(20_000_000)), {"Content_Encoding": "gzip"}, 413),
        (b"0000", {"Content_Encoding": "br"}, 415),
        (bytes(11_000_000), {}, 413),
    ],
    ids=["no gzip", "cut", "two", "bomb", "brotli", "large"],
)
def test_a_body_that_cannot_be_taken_is_told_so(
    steady: Service, body: bytes, headers: dict[str, str], status: int
) -> None:
    response = post(steady, FETCH, body, **headers)
    assert response.status == status
    assert response.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize("size", [150_000, 500_000, 3_000_000, 12_000_000])
def test_a_push_over_the_limit_is_told_so_however_much_it_is(repository: Path, tmp_path: Path, size: int) -> None:
    git("config", "receive.maxInputSize", "100k", cwd=repository)
    before = tip(repository)
    with running(repository) as service:
        copy = clone_over_http(service, tmp_path / "copy")
        (copy.path / "large.bin").write_bytes(os.urandom(size))
        copy.commit(BETTER)
        done = push_over_http(copy)
        assert done.returncode == 1
        assert "the push is too large: this repository takes 102,400 bytes at once" in said(done)
        assert "! [remote rejected] HEAD -> main (unpacker error)" in done.stderr
        assert "RPC failed" not in done.stderr
        assert "curl" not in done.stderr
        assert tip(repository) == before
        assert served_at(service, "10.61.2.0") == "Sydney"


def test_one_who_reads_slowly_on_many_connections_keeps_nobody_from_cloning(repository: Path, tmp_path: Path) -> None:
    blob = Clone(tmp_path / "large")
    blob.path.mkdir()
    blob.git("init", "--quiet")
    large = blob.commit({"large.bin": os.urandom(8_000_000)})
    git("fetch", "--quiet", blob.path, f"{large}:refs/heads/large", cwd=repository)
    body = packet(f"want {large} side-band-64k\n".encode()) + b"0000" + packet(b"done\n")
    head = (
        f"POST {FETCH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-git-upload-pack-request\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    with running(repository) as service, ExitStack() as slow:
        for _ in range(20):
            connection = slow.enter_context(closing(socket.socket()))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.bind(("127.0.0.2", 0))  # another client
            connection.connect(("127.0.0.1", service.port))
            connection.sendall(head.encode() + body)
        wait_until(lambda: len(at_work_in(repository)) >= 4, lambda: at_work_in(repository))
        began = time.monotonic()
        clone_over_http(service, tmp_path / "copy", "--single-branch")
        assert time.monotonic() - began < turns.PATIENCE


# --- ends ---


def begin_push(service: Service, body: bytes, length: int) -> socket.socket:
    """A connection on which part of a push was sent."""
    connection = socket.create_connection(("127.0.0.1", service.port), timeout=20)
    kind = "application/x-git-receive-pack-request"
    head = f"POST {PUSH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body[:length])
    return connection


def large_push(service: Service, repository: Path, folder: Path) -> bytes:
    copy = clone_over_http(service, folder)
    (copy.path / "large.bin").write_bytes(os.urandom(300_000))
    return push_body(copy, tip(repository), copy.commit(BETTER))


def test_a_push_that_stops_halfway_leaves_nothing(service: Service, repository: Path, tmp_path: Path) -> None:
    before, body = tip(repository), large_push(service, repository, tmp_path / "copy")
    with closing(begin_push(service, body, len(body) // 2)):
        wait_until(lambda: any("incoming" in path for path in leftovers_in(repository)))
    wait_until(lambda: at_work_in(repository) == [] and leftovers_in(repository) == [])
    assert tip(repository) == before
    assert service.locate("10.61.2.0").status == 200


def slow_hook(repository: Path) -> Path:
    """A pre-receive hook that takes a minute; the file that says that it has begun."""
    begun = repository.parent / "begun"
    hook = repository / "hooks" / "pre-receive"
    hook.write_text(f"#!/bin/sh\ntouch {begun}\nsleep 60\n")
    hook.chmod(0o755)
    return begun


def test_a_client_that_leaves_while_the_hook_judges_moves_no_ref(
    service: Service, repository: Path, tmp_path: Path
) -> None:
    before, begun = tip(repository), slow_hook(repository)
    body = large_push(service, repository, tmp_path / "copy")
    with closing(begin_push(service, body, len(body))):
        wait_until(begun.exists)
    wait_until(lambda: at_work_in(repository) == [])
    assert (tip(repository), leftovers_in(repository)) == (before, [])


def test_a_service_that_ends_lets_a_push_end_or_ends_it_cleanly(repository: Path, tmp_path: Path) -> None:
    before, begun = tip(repository), slow_hook(repository)
    with running(repository) as service:
        copy = clone_over_http(service, tmp_path / "copy")
        copy.commit(BETTER)
        push = subprocess.Popen(["git", "push", "--quiet"], cwd=copy.path, stderr=subprocess.PIPE)
        wait_until(begun.exists)
        assert service.stop(signal.SIGTERM) == 0
        assert at_work_in(repository) == []
        assert push.wait(timeout=10) != 0
        assert push.stderr
        push.stderr.close()
    assert (tip(repository), leftovers_in(repository)) == (before, [])


def test_a_malformed_piece_in_the_middle_of_a_push_ends_it_at_once(steady: Service) -> None:
    with closing(socket.create_connection(("127.0.0.1", steady.port), timeout=20)) as connection:
        kind = "application/x-git-receive-pack-request"
        head = f"POST {PUSH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head.encode() + b"4\r\n0000\r\nno size\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 400 ")
    with closing(socket.create_connection(("127.0.0.1", steady.port), timeout=20)) as connection:
        connection.sendall(head.encode() + b"4\r\n0000\r\n0\r\n" + b"X-Trailer: 1\r\n" * 10_000)
        assert connection.recv(1000).startswith(b"HTTP/1.1 431 ")


def test_policy_is_answered_while_a_push_waits(service: Service, repository: Path, tmp_path: Path) -> None:
    body = large_push(service, repository, tmp_path / "copy")
    with closing(begin_push(service, body, len(body) // 2)) as connection:
        assert served_at(service, "10.61.2.0") == "Sydney"
        connection.sendall(body[len(body) // 2 :])
        wait_until(lambda: served_at(service, "10.61.9.1") == "Perth")


def test_many_that_clone_at_once_all_get_it(service: Service, tmp_path: Path) -> None:
    command = ["git", "clone", "--quiet", address_of(service)]
    clones = [subprocess.Popen([*command, tmp_path / f"copy{number}"]) for number in range(20)]
    assert [clone.wait(timeout=60) for clone in clones] == [0] * 20


def test_a_request_that_waits_to_be_asked_for_its_body_is_asked(steady: Service) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", steady.port, timeout=20)
    connection.putrequest("POST", FETCH)
    for name, value in (("Content-Type", "application/x-git-upload-pack-request"), ("Content-Length", "4")):
        connection.putheader(name, value)
    connection.putheader("Expect", "100-continue")
    connection.endheaders()
    assert connection.sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    connection.send(b"0000")
    assert connection.getresponse().status == 200
    connection.close()


# --- what is served so ---


def test_a_repository_of_somebody_else_is_not_served_so_and_the_line_that_mends_it_is_told() -> None:
    with open_folder() as folder:
        repository = make_repository(folder / "map.git", GOOD)
        home = home_trusting(repository, folder)
        arguments = ("serve", "--repo", repository, "--git-http", "--port", "0")
        done = run_program_as_nobody(*arguments, cwd=folder, HOME=home)
        assert (done.returncode, done.stdout) == (3, "")
        assert done.stderr == (
            f"location-policy: git over HTTP: {repository} belongs to root, and the service runs as nobody\n"
            f"  hint: chown -R nobody {repository}\n"
        )
        with started_service("--repo", repository, cwd=folder, user=NOBODY, HOME=home) as service:
            wait_until(lambda: served_at(service, "10.61.2.0") == "Sydney")
            assert service.ask("/locations.git/info/refs?service=git-upload-pack").status == 404
            assert f"INFO git over HTTP: {repository} belongs to root" in service.log.read_text()


def test_a_copy_is_read_and_of_ours_alone_no_ref_is_shown(repository: Path, tmp_path: Path) -> None:
    with started_service("--repo", repository.as_uri(), cwd=tmp_path) as service:
        service.wait_for("in-sync")
        shown = git("ls-remote", address_of(service), cwd=tmp_path)
        assert [line.partition("\t")[2] for line in shown.splitlines()] == ["HEAD", "refs/heads/main"]
        refused = service.ask("/locations.git/info/refs?service=git-receive-pack")
        told = f"this is a copy, to which nothing is pushed; push to {repository.as_uri()}\n"
        assert (refused.status, refused.body.decode()) == (403, told)
    with started_service("--repo", repository.as_uri(), "--no-git-http", cwd=tmp_path) as service:
        service.wait_for("in-sync")
        assert service.ask("/locations.git/info/refs?service=git-upload-pack").status == 404
