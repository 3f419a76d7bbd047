"""A service of several workers, and questions to each of them."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, cast

from tests.support.rollouts import read
from tests.support.service import Json, Service, started_service, wait_until

LOCATE = "/policy/v1/participant/location?protocol=mssip&ms-subnet="


class Worker:
    """A connection that one worker holds open."""

    def __init__(self, service: Service) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=10)
        self.pid = cast("int", self.status()["service"]["worker"])

    def ask(self, target: str) -> http.client.HTTPResponse:
        """One request; the body is read."""
        self._connection.request("GET", target)
        response = self._connection.getresponse()
        self.body = response.read()
        return response

    def status(self) -> Json:
        """The whole of `/status`, as this one tells it."""
        self.ask("/status")
        return cast("Json", json.loads(self.body))

    def commit(self) -> str | None:
        """From which commit it answers."""
        return self.ask(f"{LOCATE}10.61.2.7").headers["x-location-policy-commit"]

    def close(self) -> None:
        """Let it go."""
        self._connection.close()


@contextmanager
def running_workers(repository: Path | str, *arguments: str | Path, cwd: Path, notify: str = "") -> Iterator[Service]:
    """A service of this repository with two workers, each of which answers and knows that the other one does."""
    options = ("--repo", repository, "--workers", "2", *arguments)
    with started_service(*options, cwd=cwd, NOTIFY_SOCKET=notify) as service, each_worker(service) as workers:
        for worker in workers.values():
            wait_until(lambda: are_ready(worker.status()["workers"]), service.log.read_text)  # noqa: B023
            worker.close()
        yield service


def are_ready(workers: list[Json]) -> bool:
    """Whether there are two, which answer from one commit."""
    return len(workers) == 2 and len({one["commit"] for one in workers} - {None}) == 1


def workers_of(service: Service) -> list[dict[str, Any]]:
    """The workers as `/status` has them, the oldest first."""
    return cast("list[dict[str, Any]]", service.status()["workers"])


def pids_of(service: Service) -> list[int]:
    """The oldest first."""
    return [worker["pid"] for worker in workers_of(service)]


@contextmanager
def each_worker(service: Service) -> Iterator[Mapping[int, Worker]]:
    """A connection to each worker, by its pid: each takes one while it has fewer than another."""
    with ExitStack() as stack:
        found: dict[int, Worker] = {}

        def has_all() -> bool:
            worker = stack.enter_context(closing(Worker(service)))
            found.setdefault(worker.pid, worker)
            return set(found) == set(pids_of(service))

        wait_until(has_all, lambda: (found, service.log.read_text()))
        yield found


def is_alive(pid: int) -> bool:
    """A process that has ended and that nobody has asked about is not."""
    return read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()[:1] not in ([], ["Z"])
