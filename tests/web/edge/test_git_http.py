"""The endpoint for git over HTTP, without a server: what is told when something goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from location_policy.access.proxies import Proxies
from location_policy.repository import http_backend
from location_policy.repository.http_backend import HttpBackend
from location_policy.web.edge import git_http as git
from location_policy.web.edge.git_http import GitHttp, is_git
from tests.support.repositories import GOOD, make_repository
from tests.support.service import wait_until

REFS = {
    "type": "http",
    "method": "GET",
    "path": git.REFS,
    "raw_path": git.REFS.encode(),
    "query_string": b"service=git-upload-pack",
    "headers": [(b"git-protocol", b"version=2 ; x")],
    "client": None,
}


@pytest.fixture
def pretended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in the place of git, yet to be written."""
    program = tmp_path / "git"
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(http_backend, "GRACE", 0.2)
    return program


@pytest.fixture
def backend(tmp_path: Path) -> HttpBackend:
    return HttpBackend(make_repository(tmp_path / "map.git", GOOD))


def ask(endpoint: GitHttp, act: Callable[[asyncio.Task[None]], Coroutine[Any, Any, None]] | None = None) -> list[Any]:
    """What is sent to a client that stays; `act` does something meanwhile."""
    sent: list[Any] = []
    messages = [{"type": "http.request"}]

    async def receive() -> Any:  # noqa: ANN401  as ASGI has it
        return messages.pop() if messages else await asyncio.sleep(60)

    async def send(message: Any) -> None:  # noqa: ANN401  as above
        sent.append(message)

    async def run() -> None:
        task = asyncio.ensure_future(endpoint(REFS, receive, send))
        if act:
            await act(task)
        await task

    asyncio.run(run())
    return sent


def test_refs_are_told(backend: HttpBackend) -> None:
    first, *rest = ask(GitHttp(backend, Proxies()))
    assert (first["status"], b"refs/heads/main" in b"".join(one["body"] for one in rest)) == (200, True)


def test_a_git_that_fails_is_told(backend: HttpBackend, pretended: Path) -> None:
    pretended.write_text("#!/bin/sh\nexit 1\n")
    first, second = ask(GitHttp(backend, Proxies()))
    assert (first["status"], second["body"]) == (500, b"git has ended without an answer\n")


def test_a_git_that_does_not_end_is_ended(
    backend: HttpBackend, pretended: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git, "DEADLINE", 0.3)
    pretended.write_text("#!/bin/sh\nexec sleep 60\n")
    assert ask(GitHttp(backend, Proxies()))[0]["status"] == 408


def test_one_that_does_not_end_what_it_began_is_cut_short(
    backend: HttpBackend, pretended: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git, "DEADLINE", 0.5)
    pretended.write_text("#!/bin/sh\nprintf 'Content-Type: x\\r\\n\\r\\nabc'\nexec sleep 60\n")
    first, second, last = ask(GitHttp(backend, Proxies()))
    assert (first["status"], second["body"], last) == (200, b"abc", {"type": "http.response.body", "body": b""})


def test_a_service_that_ends_says_so(backend: HttpBackend, pretended: Path, tmp_path: Path) -> None:
    pretended.write_text(f"#!/bin/sh\ntouch {tmp_path}/begun\nexec sleep 60\n")

    async def cancel(task: asyncio.Task[None]) -> None:
        await asyncio.to_thread(wait_until, (tmp_path / "begun").exists)
        task.cancel()

    first, _ = ask(GitHttp(backend, Proxies()), cancel)
    assert first["status"] == 503
    assert (b"retry-after", b"5") in first["headers"]


@pytest.mark.parametrize(
    ("path", "yes"),
    [("/locations.git", True), ("/locations.git/x", True), ("/locations.gitx", False), ("/x/locations.git", False)],
)
def test_what_is_below_the_repository_is_gits(path: str, yes: bool) -> None:
    assert is_git(path) is yes
