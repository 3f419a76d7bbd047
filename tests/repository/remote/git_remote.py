"""A remote that git follows over HTTP: git's own http-backend, and what a server, and the way to it, may do."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Event

from tests.support.peer import PeerHandler, running_peer
from tests.support.program import closed_environment
from tests.support.repositories import git


@dataclass
class Remote:
    """A served repository; `asked` has the requests, and the rest is what is done to answers, from the next one on."""

    repository: Path
    url: str = ""
    asked: list[str] = field(default_factory=list)
    only: str = ""
    """Part of the path and the body of the requests to which the rest happens."""
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    """What is answered in place of git, where there is a status."""
    cut_after: int | None = None
    """Bytes of an answer after which the connection ends, or with `hangs` stays as it is."""
    hangs: bool = False
    rate: int = 0
    """Bytes a second, where an answer trickles."""
    sent: int = 0
    """Bytes that git has answered."""
    spent: float = 0.0
    """Seconds of CPU that answering has taken."""
    released: Event = field(default_factory=Event)

    def filters(self) -> Remote:
        """It takes filters, as forges do."""
        git("config", "uploadpack.allowFilter", "true", cwd=self.repository)
        return self


@contextmanager
def served_remote(repository: Path) -> Iterator[Remote]:
    """A repository over HTTP, with what can go wrong."""
    remote = Remote(repository)
    with running_peer(_Handler, remote=remote) as url:
        remote.url = f"{url}/{repository.name}"
        try:
            yield remote
        finally:
            remote.released.set()


class _Handler(PeerHandler, BaseHTTPRequestHandler):
    remote: Remote

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self._body())

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _answer(self, body: bytes) -> None:
        remote = self.remote
        remote.asked.append(f"{self.command} {self.path}")
        is_meant = remote.only in self.path or remote.only.encode() in body
        if remote.status and is_meant:
            self.say(remote.status, remote.body, **remote.headers)
            return
        head, _, content = self._from_git(body).partition(b"\r\n\r\n")
        lines = [line.split(": ", 1) for line in head.decode().split("\r\n")]
        fields = {name.replace("-", "_"): value for name, value in lines}
        status = int(fields.pop("Status", "200")[:3])
        remote.sent += len(content)
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with suppress(OSError):  # who asked has gone
            self._send(content, is_meant=is_meant)

    def _send(self, content: bytes, *, is_meant: bool) -> None:
        remote = self.remote
        if not is_meant:
            self.wfile.write(content)
        elif remote.rate:
            step = max(1, remote.rate // 20)
            for start in range(0, len(content), step):
                self.wfile.write(content[start : start + step])
                time.sleep(step / remote.rate)
        elif remote.cut_after is None or len(content) <= remote.cut_after:
            self.wfile.write(content)
        else:
            self.wfile.write(content[: remote.cut_after])
            self.wfile.flush()
            if remote.hangs:
                remote.released.wait(60)
            self.close_connection = True

    def _from_git(self, body: bytes) -> bytes:
        path, _, query = self.path.partition("?")
        variables = {
            "GIT_PROJECT_ROOT": str(self.remote.repository.parent),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "PATH": os.environ["PATH"],
        }
        environment = {**closed_environment(), **variables}
        pipe = subprocess.PIPE
        with subprocess.Popen(["git", "http-backend"], env=environment, stdin=pipe, stdout=pipe) as process:
            assert process.stdin
            assert process.stdout
            process.stdin.write(body)
            process.stdin.close()
            answer = process.stdout.read()
            _, _, used = os.wait4(process.pid, 0)
            process.returncode = 0
        self.remote.spent += used.ru_utime + used.ru_stime
        return answer
