"""The memory of a service with all that it starts, as the limit of a container counts it.

    sudo python benchmarks/measures/memory.py [--rows 10000 1000000]

An upstream takes a first push of so many rows over HTTP, then one of a single row; a replica follows it, from nothing,
and then that row; then it is started anew from what it has kept. Each service has a control group of its own, of which
what cannot be given back is read fifty times a second: memory of processes and files in memory, not cached files.
What is told is the largest of each step, and what is held a while after it, in MiB.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from benchmarks.side_by_side.maps import networks
from benchmarks.side_by_side.maps import rows as table_of
from tests.support.git_http import address_of
from tests.support.program import PROGRAM, closed_environment
from tests.support.repositories import Clone, git, init
from tests.support.service import BUILDING, Service, started_service, wait_until

ROOT = Path("/sys/fs/cgroup")
INTO = ["sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"']
REST = 3.0
"""Seconds after which a step is over."""


class Group:
    """A control group, of version 1 or 2."""

    def __init__(self, name: str) -> None:
        parent = ROOT / "memory"
        self._keys = {"total_rss", "total_shmem"} if parent.is_dir() else {"anon", "shmem"}
        self.path = (parent if parent.is_dir() else ROOT) / f"location-policy-{name}-{os.getpid()}"
        self.path.mkdir()
        self.most = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._poll)
        self._thread.start()

    def held(self) -> int:
        """Bytes that are taken now."""
        lines = (self.path / "memory.stat").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.split()[0] in self._keys)

    def program(self) -> list[str]:
        """What starts the program in it."""
        return [*INTO, str(self.path), str(PROGRAM)]

    def close(self) -> None:
        """Without processes it goes."""
        self._ended.set()
        self._thread.join()
        self.path.rmdir()

    def _poll(self) -> None:
        while not self._ended.wait(0.02):
            self.most = max(self.most, self.held())


@contextmanager
def grouped(name: str) -> Iterator[Group]:
    group = Group(name)
    try:
        yield group
    finally:
        group.close()


@contextmanager
def step(group: Group, rows: int, name: str) -> Iterator[None]:
    """Print what a step takes."""
    group.most = 0
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    time.sleep(REST)
    print(f"{rows:9,} rows  {name:34} {group.most >> 20:5} MiB at most {group.held() >> 20:5} after it {took:6.1f} s")


def answers_from(service: Service, commit: str) -> None:
    """Wait until this commit is in force."""

    def does() -> bool:
        active = service.status()["active"]
        return active is not None and active["commit"] == commit

    wait_until(does, service.log.read_text, BUILDING * 3)


def measure(rows: int, folder: Path) -> None:
    repository = init(folder / "map.git", "--empty")
    with ExitStack() as stack:
        group = stack.enter_context(grouped("upstream"))
        with step(group, rows, "upstream: start without a map"):
            upstream = stack.enter_context(started_service("--repo", repository, cwd=folder, program=group.program()))
        git("init", "--quiet", "--initial-branch=main", folder / "clone", cwd=folder)
        clone = Clone(folder / "clone")
        clone.git("remote", "add", "origin", address_of(upstream))
        table = table_of(networks(rows, None))
        for text, name in ((table, "first push"), (with_first(table, "Perth"), "push of a row")):
            commit = clone.commit({"locations.csv": text})
            with step(group, rows, f"upstream: {name}"):
                push(clone)
                answers_from(upstream, commit)
        follow(rows, folder, upstream, clone, with_first(table, "Lima"))


def push(clone: Clone) -> None:
    """However long it takes."""
    command = ["git", "push", "--quiet", "origin", "HEAD:main"]
    subprocess.run(command, cwd=clone.path, env=closed_environment(), stderr=subprocess.DEVNULL, check=True)


def with_first(table: str, location: str) -> str:
    """The same table with another location in its first row."""
    return location + table[table.index(",") :]


def follow(rows: int, folder: Path, upstream: Service, clone: Clone, changed: str) -> None:
    """The steps of a replica."""
    commit = clone.git("rev-parse", "HEAD")
    state = folder / "replica"
    options = ("--repo", address_of(upstream), "--state-dir", state, "--fetch-interval", "1")
    with ExitStack() as stack:
        group = stack.enter_context(grouped("replica"))
        with step(group, rows, "replica: first copy"):
            replica = stack.enter_context(started_service(*options, cwd=folder, program=group.program()))
            answers_from(replica, commit)
        commit = clone.commit({"locations.csv": changed})
        push(clone)
        with step(group, rows, "replica: a commit of a row"):
            answers_from(replica, commit)
    with ExitStack() as stack:
        group = stack.enter_context(grouped("again"))
        with step(group, rows, "replica: start from what it keeps"):
            replica = stack.enter_context(started_service(*options, cwd=folder, program=group.program()))
            answers_from(replica, commit)
    kept = sum(one.stat().st_size for one in state.rglob("*") if one.is_file())
    print(f"{rows:9,} rows  replica: on disk {kept >> 20} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 1_000_000])
    for rows in parser.parse_args().rows:
        with tempfile.TemporaryDirectory() as name:
            measure(rows, Path(name).resolve())


if __name__ == "__main__":
    main()
