"""The files of deploy/, and servers of others in front of the service."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.program import closed_environment
from tests.support.service import wait_until

DEPLOY = Path(__file__).parent.parent.parent / "deploy"

_AROUND_NGINX = """
daemon off;
pid {folder}/nginx.pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {served}
}}
"""


def needs(program: str, package: str) -> pytest.MarkDecorator:
    """Skips where a program is absent, and says what to install."""
    reason = f"{program} is not installed; on Debian and Ubuntu: apt install {package}"
    return pytest.mark.skipif(shutil.which(program, path=search_path()) is None, reason=reason)


def search_path() -> str:
    """Where servers are looked for: not every user has the last two on their path."""
    return f"{closed_environment()['PATH']}:/usr/sbin:/sbin"


def changed(path: Path, changes: Mapping[str, object]) -> str:
    """A file of deploy/ as it is but for these places, each of which it must have."""
    text = path.read_text()
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, str(new))
    return text


def nginx_around(served: str, folder: Path) -> str:
    """What Debian's own configuration of nginx says around `served`, for folders of the test's own.

    Errors are written where `-e` says.
    """
    return _AROUND_NGINX.format(served=served, folder=folder)


def free_port() -> int:
    """A port of loopback on which no process listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def started(
    *command: str | Path, port: int, cwd: Path, **environment: str
) -> Iterator[subprocess.Popen[str]]:  # pragma: no cover
    """A server that listens on this port; it is ended with the `with` block."""
    log = cwd / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=closed_environment(**{"PATH": search_path(), **environment}),
            stdout=output,
            stderr=output,
            text=True,
        )
    try:
        wait_until(lambda: process.poll() is not None or _listens(port), log.read_text)
        assert process.poll() is None, log.read_text()
        yield process
    finally:
        process.terminate()
        process.wait(timeout=10)


def _listens(port: int) -> bool:  # pragma: no cover
    with socket.socket() as asker:
        return asker.connect_ex(("127.0.0.1", port)) == 0
