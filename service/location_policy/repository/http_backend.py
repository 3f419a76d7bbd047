"""git's own http-backend as a process (git-http-backend): a request goes in, an answer comes out, both as streams.

It runs in the closed environment that every git here runs in, and its hooks with it. What it may do is decided before,
by who asks: it is told that it may fetch and push. It stands back behind the answers, and few run at once.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from shlex import quote
from typing import Literal, NamedTuple

from ..errors import CannotStart, RepositoryError
from ..runtime.push_processes import end_judgement
from ..runtime.turns import Turns
from ..text import escape
from .git import closed_environment, config_variables
from .git_process import LEAN, ask_git, git_missing, limit_memory

Service = Literal["git-upload-pack", "git-receive-pack"]
"""What a fetch and what a push asks for."""

AT_ONCE: dict[Service, int] = {"git-upload-pack": 8, "git-receive-pack": 4}
"""Processes of each kind that run at the same time."""
GRACE = 5.0
"""Seconds that git has to end by itself, then when it is told to."""
AGAIN = 0.1
"""Seconds between two looks at whether it heeds."""
LARGEST_PUSH = 128 * 1024 * 1024
"""Bytes of a pack that a repository takes which says nothing about that."""
NICENESS = 10
PIECE = 65_536

_SETTINGS = {
    **LEAN,
    "transfer.unpackLimit": "1",  # a pack is indexed as it comes, not held in memory as a whole
    "http.uploadpack": "true",
    "http.receivepack": "true",
    "http.getanyfile": "false",  # nothing but what git has packed for this client
    "uploadpack.allowAnySHA1InWant": "true",  # as version 2 of the protocol has it: what is active may be an older one
    "gc.autoDetach": "false",  # in a container no init process would wait for it
}

log = logging.getLogger(__name__)


def require_backend() -> None:
    """Raises CannotStart where git comes without it."""
    folder = ask_git("--exec-path", closed_environment())
    if not Path(os.fsdecode(folder.strip()), "git-http-backend").exists():
        raise CannotStart("git over HTTP: git has no http-backend here", "on Alpine: apk add git-daemon")


def _require_own_hooks(directory: Path) -> None:
    """Raises RepositoryError where git would follow a file, which a member of the group may have made, elsewhere."""
    if os.path.lexists(directory / "commondir"):
        message = f"{directory}/commondir leads git to the hooks of another repository"
        raise RepositoryError(message, "take that file away")


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked of git: the path below the repository, and by whom; `protocol` is the header Git-Protocol."""

    method: str
    path: str
    service: Service
    query: str = ""
    content_type: str = ""
    protocol: str = ""
    user: str | None = None
    address: str = ""
    asker: str = ""
    """Who takes turns with others: the user, or a network of addresses."""


class Head(NamedTuple):
    """How an answer begins."""

    status: int
    headers: list[tuple[bytes, bytes]]


class HttpBackend:
    """Runs git for one repository, whose packs may be as large as `largest`.

    `copy_of`: the URL of the remote that it is a copy of, where it is one: nothing is pushed to it.
    """

    def __init__(self, directory: Path, largest: int = LARGEST_PUSH, copy_of: str | None = None) -> None:
        self.largest = largest
        self.copy_of = copy_of
        self._directory = directory.absolute()
        self._turns = {service: Turns(count) for service, count in AT_ONCE.items()}

    @asynccontextmanager
    async def run(self, call: Call) -> AsyncIterator[Talk]:
        """git as it answers this call; what still runs at the end of the block is ended. Raises Busy."""
        async with self._turns[call.service].turn(call.asker):
            talk = await self._start(call)
            try:
                yield talk
            finally:
                await talk.end()

    async def _start(self, call: Call) -> Talk:
        _require_own_hooks(self._directory)
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                "git",
                "http-backend",
                cwd="/",
                env=self._environment(call),
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
                limit=PIECE,
                start_new_session=True,  # so that all that it starts can be ended, and nothing finds a terminal
            )
        except FileNotFoundError:
            raise git_missing() from None
        _stand_back(process.pid)
        return Talk(process, is_push=call.service == "git-receive-pack")

    def _environment(self, call: Call) -> dict[str, str]:
        """The meta-variables of CGI (RFC 3875) in the closed environment.

        CONTENT_LENGTH is left out: git then reads to the end of what it is given. With GIT_COMMON_DIR neither it nor
        what it starts looks for a file `commondir`, which may come after `_require_own_hooks` has looked.
        """
        environment = closed_environment() | {
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_TRANSLATED": f"{self._directory}/{call.path}",
            "GIT_COMMON_DIR": str(self._directory),
            "REQUEST_METHOD": call.method,
            "QUERY_STRING": call.query,
            "CONTENT_TYPE": call.content_type,
            "REMOTE_ADDR": call.address,
            **config_variables(self._settings()),
        }
        if call.protocol:
            environment["HTTP_GIT_PROTOCOL"] = call.protocol
        if call.user is not None:
            environment["REMOTE_USER"] = call.user
        return environment

    def _settings(self) -> dict[str, str]:
        if self.copy_of is None:
            return {**_SETTINGS, "receive.maxInputSize": str(self.largest)}
        told = quote(f"this copy may have the files of the map alone; clone it from {self.copy_of}")
        return {
            **_SETTINGS,
            "http.receivepack": "false",
            "uploadpack.allowFilter": "true",  # who follows a copy fetches what the copy itself has fetched
            "uploadpack.packObjectsHook": f'f() {{ "$@" && return; echo {told} >&2; return 1; }}; f',
        }


class Talk:
    """One running http-backend: `write` what it is asked, `read` what it answers."""

    def __init__(self, process: asyncio.subprocess.Process, *, is_push: bool) -> None:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        self._process = process
        self._is_push = is_push
        self._stdin, self._stdout = process.stdin, process.stdout
        self._said = asyncio.ensure_future(_last_words(process.stderr))

    async def write(self, content: bytes) -> None:
        """Hand on a piece of the request's body; what git no longer wants is dropped."""
        if self._stdin.is_closing():
            return
        with suppress(ConnectionError):
            self._stdin.write(content)
            await self._stdin.drain()

    def close_input(self) -> None:
        """That was the whole body."""
        self._stdin.close()

    async def head(self) -> Head:
        """How the answer begins; raises RepositoryError when git ends without one."""
        try:
            head = await self._stdout.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            raise RepositoryError("git has ended without an answer") from None
        fields = [
            (name.lower(), value) for name, _, value in (line.partition(b": ") for line in head.splitlines()[:-1])
        ]
        status = next((int(value.split()[0]) for name, value in fields if name == b"status"), 200)
        return Head(status, [(name, value) for name, value in fields if name != b"status"])

    async def read(self) -> bytes:
        """A piece of the answer; empty at its end."""
        return await self._stdout.read(PIECE)

    async def finish(self) -> None:
        """All was read: wait until git has ended, and log what went wrong."""
        status, said = await self._process.wait(), await self._said
        if status:
            log.warning("git http-backend has ended with status %d: %s", status, said or "without a word")

    async def end(self) -> None:
        """End what still runs, so that no lock and no half of a push is left; it is made to if it does not heed.

        Neither a client that has gone nor a service that ends keeps this from being done.
        """
        self._stdin.close()
        dropped = asyncio.ensure_future(_last_words(self._stdout))  # nothing is to wait for its reader
        if self._is_push:
            await self._wait(partial(end_judgement, self._process.pid))
        for sign in (signal.SIGTERM, signal.SIGKILL):
            await self._wait(partial(os.killpg, self._process.pid, sign))
        for task in (dropped, self._said):
            task.cancel()

    async def _wait(self, hurry: Callable[[], None]) -> None:
        """Until it has ended, but no longer than `GRACE`."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + GRACE
        while self._process.returncode is None and loop.time() < deadline:
            with suppress(ProcessLookupError):
                hurry()
            with suppress(TimeoutError, asyncio.CancelledError):
                await asyncio.wait_for(self._process.wait(), AGAIN)


def _stand_back(pid: int) -> None:
    """Let a process, and what it starts, take what is left: it goes where memory runs out, not the one who answers."""
    limit_memory(pid)
    with suppress(OSError):
        Path(f"/proc/{pid}/oom_score_adj").write_text("1000")
    with suppress(OSError):
        os.setpriority(os.PRIO_PGRP, pid, NICENESS)


async def _last_words(stream: asyncio.StreamReader) -> str:
    """The last line of what git says on standard error."""
    said = b""
    while piece := await stream.read(PIECE):
        said = (said + piece)[-1000:]
    return escape(said.decode(errors="replace").strip().rpartition("\n")[2])
