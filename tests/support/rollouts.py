"""Many commits put in force one after the other, and what the service holds meanwhile."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

from tests.support.maps import many_rows
from tests.support.repositories import git, run_git
from tests.support.service import DEADLINE, Service

TARGET = "/policy/v1/participant/location?protocol=mssip&ms-subnet=192.0.2.1"


class Held(NamedTuple):
    """What a process holds: kibibytes in memory, open files without sockets, threads, children."""

    rss: int
    files: int
    threads: int
    children: int


def held(service: Service) -> Held:
    """What the service holds now; its connections come and go and do not count."""
    process = Path(f"/proc/{service.process.pid}")
    tasks = list((process / "task").iterdir())
    children = "".join(read(task / "children") for task in tasks).split()
    files = [target(path) for path in (process / "fd").iterdir()]
    rss = next(int(line.split()[1]) for line in read(process / "status").splitlines() if line.startswith("VmRSS:"))
    return Held(rss, sum(not file.startswith("socket:") for file in files), len(tasks), len(children))


def held_at_rest(service: Service) -> Held:
    """What it holds between two calls of git, whose pipes and processes come and go: the least of a second's looks."""
    looks = []
    for _ in range(50):
        looks.append(held(service))
        time.sleep(0.02)
    return Held(*map(min, zip(*looks, strict=True)))


def read(path: Path) -> str:
    """Empty when the thread or process has ended since it was listed."""
    text = ""
    with suppress(FileNotFoundError, ProcessLookupError):
        text = path.read_text()
    return text


def target(path: Path) -> str:
    """That of a file which was closed since it was listed counts as a socket's."""
    target = "socket:"
    with suppress(FileNotFoundError):
        target = str(path.readlink())
    return target


def chain(repository: Path, count: int, rows: int) -> list[str]:
    """The ids of this many commits, each on top of the one before, each of which changes one row."""
    ref = "refs/heads/chain"
    stream = b"".join(_one(ref, rows, number) for number in range(count))
    done = run_git("fast-import", "--quiet", cwd=repository, stdin=stream)
    assert done.returncode == 0, done.stderr
    return git("rev-list", "--reverse", ref, cwd=repository).split()


def _one(ref: str, rows: int, number: int) -> bytes:
    text = f"{many_rows(rows)}Perth-{number},192.0.2.0/24\n".encode()
    who = b"committer Alice <alice@example.com> %d +0000" % (1_700_000_000 + number)
    head = b"commit %b\n%b\ndata 1\n.\n" % (ref.encode(), who)
    return head + b"M 100644 inline locations.csv\ndata %d\n%b\n" % (len(text), text)


def roll_out(service: Service, repository: Path, commits: list[str]) -> Iterator[float]:
    """Put the commits in force by `git update-ref`, one after the other; the seconds from there to an answer."""
    with closing(http.client.HTTPConnection("127.0.0.1", service.port, timeout=10)) as connection:
        for commit in commits:
            git("update-ref", "refs/heads/main", commit, cwd=repository)
            began = time.monotonic()
            while _answered_from(connection) != commit:
                assert time.monotonic() < began + DEADLINE, service.log.read_text()[-2000:]
                time.sleep(0.005)
            yield time.monotonic() - began


def _answered_from(connection: http.client.HTTPConnection) -> str | None:
    connection.request("GET", TARGET)
    response = connection.getresponse()
    response.read()
    assert response.status == 200
    return response.getheader("X-Location-Policy-Commit")
