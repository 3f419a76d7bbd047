"""The real `location-policy serve` as a process on a free port, and questions to it over a socket."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import ssl
import subprocess
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast

from tests.support.forked import Forked, can_fork, fork
from tests.support.program import PROGRAM, closed_environment
from tests.support.unprivileged import NOBODY, environment_of_nobody, program_of_nobody

Json = dict[str, Any]

DEADLINE = 45.0
"""Seconds after which a condition that is waited for has failed."""
BUILDING = 100.0
"""The same where a large map is built, which gives way to all other processes of the machine."""
ENDING = 30.0
"""Seconds in which a service ends: more than it gives its workers."""


class Response(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Json:
        """The body's meaning."""
        return cast("Json", json.loads(self.body))


@dataclass
class Service:
    """A running service."""

    process: subprocess.Popen[str] | Forked
    port: int
    log: Path
    context: ssl.SSLContext | None = None
    login: str | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{'https' if self.context else 'http'}://127.0.0.1:{self.port}"

    def connection(self) -> http.client.HTTPConnection:
        """One that can be kept, and is opened with the first request; over TLS where that is said."""
        if self.context:
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=10, context=self.context)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)

    def ask(self, target: str, method: str = "GET", login: str | None = None) -> Response:
        """One request on a connection of its own; over TLS, and as `user:password`, where that is said."""
        connection = self.connection()
        try:
            connection.request(method, target, headers=basic(login or self.login))
            response = connection.getresponse()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Response(response.status, headers, response.read())
        finally:
            connection.close()

    def locate(self, address: str) -> Response:
        """The policy answer for a Skype for Business caller at this address."""
        return self.ask(f"/policy/v1/participant/location?protocol=mssip&ms-subnet={address}")

    def status(self) -> Json:
        """The whole of `/status`."""
        return self.ask("/status").json()

    def wait_for(self, state: str, commit: str | None = None) -> Json:
        """The status, once it has this state (and this active commit)."""
        found: Json = {}

        def has_come() -> bool:
            found.update(self.status())
            return found["state"] == state and (not commit or _active(found) == commit)

        wait_until(has_come, lambda: found)
        return found

    def stop(self, one: signal.Signals = signal.SIGTERM) -> int:
        """The exit status after a signal."""
        self.process.send_signal(one)
        return self.process.wait(ENDING)


def basic(login: str | None) -> dict[str, str]:
    """The header of this `user:password`."""
    return {"Authorization": f"Basic {b64encode(login.encode()).decode()}"} if login else {}


def _active(status: Json) -> str | None:
    return cast("str", status["active"]["commit"]) if status["active"] else None


def wait_until(
    condition: Callable[[], bool], explain: Callable[[], object] = lambda: "", within: float = DEADLINE
) -> None:
    """Return once the condition holds; an assertion with an explanation after as many seconds."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, explain()
        time.sleep(0.02)


@contextmanager
def started_service(
    *arguments: str | Path,
    cwd: Path,
    user: int | None = None,
    groups: Sequence[int] = (),
    program: list[str] | None = None,
    **environment: str,
) -> Iterator[Service]:
    """A service that listens; it may not be ready yet. It is ended with the `with` block.

    It is forked where that is the same; with `program` it is started by this command. What it keeps by itself is in
    `data`, below `cwd`.
    """
    environment = {"STATE_DIRECTORY": str(cwd / "data"), **environment}
    log = cwd / "serve.log"
    words = ["serve", "--port", "0", *map(str, arguments)]
    if user is None and program is None and can_fork(environment):
        process: subprocess.Popen[str] | Forked = _forked(
            [str(PROGRAM), *words], cwd, closed_environment(**environment), log
        )
    else:
        process = _started([*(program or _program_of(user)), *words], cwd, user, groups, environment, log)
    assert process.stdout
    try:
        first = process.stdout.readline()
        found = re.search(r" on https?://\S+:(\d+)$", first)
        assert found, f"{first}{process.stdout.read()}{log.read_text()}"
        yield Service(process, int(found[1]), log)
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(ENDING)
        process.stdout.close()


def _program_of(user: int | None) -> list[str]:
    return program_of_nobody() if user == NOBODY else [str(PROGRAM)]


def _forked(command: list[str], cwd: Path, environment: dict[str, str], log: Path) -> Forked:
    reading, writing = os.pipe()
    with log.open("ab") as stderr, Path(os.devnull).open("rb") as nothing, os.fdopen(writing, "wb") as stdout:
        streams = [nothing.fileno(), stdout.fileno(), stderr.fileno()]
        return fork(command, cwd, environment, streams, os.fdopen(reading))


def _started(
    command: list[str], cwd: Path, user: int | None, groups: Sequence[int], environment: dict[str, str], log: Path
) -> subprocess.Popen[str]:
    with log.open("ab") as stderr:
        return subprocess.Popen(
            command,
            cwd=cwd,
            env=environment_of_nobody(**environment) if user == NOBODY else closed_environment(**environment),
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            user=user,
            group=user,
            extra_groups=None if user is None else list(groups),
        )


@contextmanager
def running_service(
    repository: Path, *arguments: str | Path, cwd: Path | None = None, program: list[str] | None = None
) -> Iterator[Service]:
    """A service of this repository that is ready."""
    with started_service("--repo", repository, *arguments, cwd=cwd or repository.parent, program=program) as service:
        wait_until(lambda: service.ask("/readyz").status == 200, service.log.read_text)
        yield service
