"""git as a process that answers a request, and how it is ended."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from location_policy.errors import CannotStart, GitUnavailable, RepositoryError
from location_policy.repository import http_backend
from location_policy.repository.http_backend import Call, HttpBackend, require_backend
from location_policy.runtime import turns as waiting
from location_policy.runtime.turns import Busy
from tests.support.git_http import push_body
from tests.support.repositories import GOOD, clone, git, make_repository
from tests.support.service import wait_until

REFS = Call("GET", "info/refs", "git-upload-pack", "service=git-upload-pack")


@pytest.fixture
def backend(tmp_path: Path) -> HttpBackend:
    return HttpBackend(make_repository(tmp_path / "map.git", GOOD))


@pytest.fixture
def pretended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in the place of git, yet to be written."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "git"
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    return program


async def answer(backend: HttpBackend, call: Call = REFS) -> tuple[int, bytes]:
    """Status and body."""
    async with backend.run(call) as talk:
        talk.close_input()
        head, body = await talk.head(), b""
        while piece := await talk.read():
            body += piece
        await talk.finish()
        return head.status, body


def test_refs_are_told_and_what_is_not_there_has_a_status(backend: HttpBackend, tmp_path: Path) -> None:
    status, body = asyncio.run(answer(backend))
    assert (status, b"refs/heads/main" in body) == (200, True)
    assert asyncio.run(answer(HttpBackend(tmp_path / "nothing.git")))[0] == 404


def test_the_version_of_the_protocol_is_handed_on(backend: HttpBackend) -> None:
    call = Call("GET", "info/refs", "git-upload-pack", "service=git-upload-pack", protocol="version=2")
    assert b"version 2\n" in asyncio.run(answer(backend, call))[1]


def test_a_git_that_ends_without_an_answer_is_told(backend: HttpBackend, pretended: Path) -> None:
    pretended.write_text("#!/bin/sh\nexit 0\n")
    with pytest.raises(RepositoryError, match="git has ended without an answer"):
        asyncio.run(answer(backend))


def test_a_git_that_fails_is_logged_with_its_last_words(
    backend: HttpBackend, pretended: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pretended.write_text(
        "#!/bin/sh\nprintf 'Content-Type: x\\r\\n\\r\\n'; printf 'one\\nfatal: \\033no\\n' >&2; exit 3\n"
    )
    assert asyncio.run(answer(backend)) == (200, b"")
    pretended.write_text("#!/bin/sh\nprintf 'Content-Type: x\\r\\n\\r\\n'; exit 4\n")
    asyncio.run(answer(backend))
    said = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert said == [
        "git http-backend has ended with status 3: fatal: \\x1bno",
        "git http-backend has ended with status 4: without a word",
    ]


def test_without_git_there_is_one_sentence(
    backend: HttpBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitUnavailable, match="git cannot be run"):
        asyncio.run(answer(backend))


@pytest.mark.parametrize("service", ["git-upload-pack", "git-receive-pack"])
def test_one_that_does_not_heed_is_made_to_end(
    backend: HttpBackend,
    pretended: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    service: http_backend.Service,
) -> None:
    monkeypatch.setattr(http_backend, "GRACE", 0.2)
    pretended.write_text(f"#!/bin/sh\ntrap : TERM\ntouch {tmp_path}/begun\nwhile :; do sleep 0.05; done\n")

    async def begin_and_leave() -> int | None:
        async with backend.run(Call("POST", service, service)) as talk:
            await asyncio.to_thread(wait_until, (tmp_path / "begun").exists)
        return talk._process.returncode

    assert asyncio.run(begin_and_leave()) == -9


def test_few_run_at_once_and_few_wait(backend: HttpBackend, pretended: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "WAITING", 1)
    monkeypatch.setattr(waiting, "PATIENCE", 0.1)
    pretended.write_text("#!/bin/sh\nexec sleep 60\n")

    async def ask_and_stay(asker: str, begun: asyncio.Semaphore, leave: asyncio.Event) -> None:
        async with backend.run(Call("POST", "git-receive-pack", "git-receive-pack", asker=asker)):
            begun.release()
            await leave.wait()

    async def ask_too_often() -> None:
        begun, leave = asyncio.Semaphore(0), asyncio.Event()
        busy = [asyncio.ensure_future(ask_and_stay(asker, begun, leave)) for asker in ("ana", "ana", "bob", "cy")]
        for _ in busy:
            await begun.acquire()
            monkeypatch.setattr(http_backend, "GRACE", 0.05)
        late = [asyncio.ensure_future(ask_and_stay(asker, begun, leave)) for asker in ("dan", "eve")]
        assert [type(one) for one in await asyncio.gather(*late, return_exceptions=True)] == [Busy, Busy]
        leave.set()
        await asyncio.gather(*busy)

    asyncio.run(ask_too_often())


def test_a_git_that_comes_without_it_is_told(pretended: Path) -> None:
    pretended.write_text(f"#!/bin/sh\necho {pretended.parent}\n")
    with pytest.raises(CannotStart, match="git has no http-backend here"):
        require_backend()


def test_git_may_take_so_much_memory_and_goes_first_where_there_is_none(backend: HttpBackend, pretended: Path) -> None:
    told = '"$(ulimit -S -d) $(ulimit -H -d) $(cat /proc/self/oom_score_adj)"'
    pretended.write_text(f"#!/bin/sh\ncat >/dev/null\nprintf 'Status: 200 OK\\r\\n\\r\\n%s' {told}\n")
    assert asyncio.run(answer(backend)) == (200, b"524288 unlimited 1000")


def test_no_git_of_a_push_is_led_elsewhere_while_it_is_under_way(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "map.git", GOOD)
    git("repack", "-q", "-d", cwd=repository)
    evil = tmp_path / "evil"
    (evil / "hooks").mkdir(parents=True)
    for name in ("refs", "objects"):
        (evil / name).symlink_to(repository / name)
    (evil / "config").write_text("[core]\n\tbare = true\n[gc]\n\tauto = 1\n\tautoPackLimit = 1\n")
    hook = evil / "hooks" / "pre-auto-gc"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/was-run\nexit 1\n")
    hook.chmod(0o755)
    working = clone(repository, tmp_path / "working")
    old, new = working.git("rev-parse", "HEAD"), working.commit({"locations.csv": "Sydney,10.61.9.0/24\n"})
    body = push_body(working, old, new)
    end_of_commands = body.index(b"0000PACK")
    call = Call("POST", "git-receive-pack", "git-receive-pack", content_type="application/x-git-receive-pack-request")

    async def push() -> bytes:
        async with HttpBackend(repository).run(call) as talk:
            await talk.write(body[:end_of_commands])
            await asyncio.sleep(0.3)  # git has begun, and reads what it is to do
            (repository / "commondir").write_text(str(evil))
            await talk.write(body[end_of_commands:])
            talk.close_input()
            await talk.head()
            said = [await talk.read()]
            while said[-1]:
                said.append(await talk.read())
            await talk.finish()
            return b"".join(said)

    assert b"ok refs/heads/main" in asyncio.run(push())
    assert not (tmp_path / "was-run").exists()
    (repository / "commondir").unlink()
    assert git("rev-parse", "main", cwd=repository) == new
