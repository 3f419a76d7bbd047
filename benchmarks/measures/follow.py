"""What it costs to follow a remote repository, and what it leaves behind.

    python benchmarks/measures/follow.py [--megabytes 300] [--looks 10000] [--failures 1000] [--boots 20]

A repository with three rows and so many megabytes beside them, served over HTTP by git's own http-backend with filters:
the first copy, an idle look, a commit that changes the map, and one that does not. Then looks without end: resident
memory, open files, children and files in the state directory before and after. Then starts without the remote, with a
copy that was destroyed, until the first answer; the time is counted from before the process.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from location_policy.errors import RepositoryError
from location_policy.repository.remote.mirror import Mirror
from tests.repository.remote.git_remote import Remote, served_remote
from tests.support.repositories import force_commit, git, make_repository
from tests.support.service import started_service, wait_until

STEP = 20
"""Megabytes in one commit."""
ROWS = "Sydney,10.61.2.0/24\nPerth,10.61.3.0/24\nSydney,10.61.4.0/24\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=300)
    parser.add_argument("--looks", type=int, default=10_000)
    parser.add_argument("--failures", type=int, default=1_000)
    parser.add_argument("--boots", type=int, default=20)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        repository = make_repository(folder / "remote.git", {"locations.csv": ROWS})
        git("config", "core.compression", "0", cwd=repository)  # noise is not made smaller
        for start in range(0, arguments.megabytes, STEP):
            force_commit(repository, beside(min(STEP, arguments.megabytes - start), seed=start))
        with served_remote(repository) as remote:
            remote.filters()
            fetches(remote, folder / "fetches")
            endless(remote, folder / "looks", arguments.looks, arguments.failures)
        boots(folder, arguments.boots)


def beside(megabytes: int, seed: int = 0) -> dict[str, bytes | str]:
    chance = random.Random(seed)
    return {"locations.csv": ROWS, **{f"video/{number}": chance.randbytes(2**20) for number in range(megabytes)}}


def mirror_of(remote: Remote, state: Path) -> Mirror:
    mirror = Mirror(remote.url, state, None, interval=0)
    mirror.make()
    return mirror


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def fetches(remote: Remote, state: Path) -> None:
    mirror = mirror_of(remote, state)
    timed("the first copy", mirror.update, remote)
    print(f"  the copy has {size_of(state):,} bytes, the remote {size_of(remote.repository):,}")
    for _ in range(3):
        timed("an idle look", mirror.update, remote)
    force_commit(remote.repository, {**beside(0), "locations.csv": ROWS.replace("Perth", "Melbourne")})
    timed("a commit that changes the map", mirror.update, remote)
    force_commit(remote.repository, {**beside(0), "locations.csv": ROWS.replace("Perth", "Melbourne"), "x": "y"})
    timed("a commit that does not", mirror.update, remote)


def timed(name: str, function: Callable[[], object], remote: Remote) -> None:
    remote.asked.clear()
    remote.spent = 0.0
    began, cpu = time.monotonic(), cpu_of_children()
    function()
    took = time.monotonic() - began
    spent = cpu_of_children() - cpu - remote.spent
    shown = f"{took * 1000:.0f} ms, {spent * 1000:.0f} ms CPU of git"
    print(f"{name}: {shown}, {len(remote.asked)} requests", flush=True)


def cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def held(state: Path) -> tuple[int, int, int, int]:
    """KiB of resident memory, open files, children, files in the state directory."""
    rss = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() // 1024
    children = sum(len(path.read_text().split()) for path in Path("/proc/self/task").glob("*/children"))
    return rss, len(os.listdir("/proc/self/fd")), children, sum(1 for _ in state.rglob("*"))  # noqa: PTH208  counts


def endless(remote: Remote, state: Path, looks: int, failures: int) -> None:
    """Looks over `file://`, where no server of ours is in this process."""
    mirror = Mirror(remote.repository.as_uri(), state, None, interval=0)
    mirror.make()
    repeated("looks", mirror, state, looks)
    kinds: dict[str, dict[str, object]] = {
        "503": {"status": 503},
        "a page": {"status": 200, "body": b"<html>\n</html>\n", "headers": {"Content_Type": "text/html"}},
        "cut": {"only": "command=fetch", "cut_after": 100},
    }
    for kind, faults in kinds.items():
        with served_remote(remote.repository) as failing:
            for key, value in faults.items():
                setattr(failing, key, value)
            mirror = mirror_of(failing, state)
            repeated(f"failures ({kind})", mirror, state, failures)


def repeated(name: str, mirror: Mirror, state: Path, times: int) -> None:
    def look(count: int) -> None:
        for _ in range(count):
            with suppress(RepositoryError):
                mirror.update()

    look(min(50, times))
    before, began = held(state), time.monotonic()
    look(times)
    took = time.monotonic() - began
    after = held(state)
    shown = f"{before} -> {after} (KiB, open files, children, files kept)"
    print(
        f"{times:,} {name}: {took:.0f} s, {shown}; {mirror.looks.ok:,} ok, {mirror.looks.failed:,} failed", flush=True
    )


def destroy(copy: Path, number: int) -> None:
    """One of several ways."""
    match number % 5:
        case 0:
            shutil.rmtree(copy)
        case 1:
            (copy / "config").write_text("[core\n")
        case 2:
            shutil.rmtree(copy / "objects")
        case 3:
            (copy / "HEAD").write_text("")
        case _:
            shutil.rmtree(copy)
            copy.write_text("")


def boots(folder: Path, times: int) -> None:
    """A process of its own each, so imports count."""
    place = folder / "boots"
    place.mkdir()
    remote = make_repository(place / "remote.git", {"locations.csv": ROWS})
    arguments = ("--repo", remote.as_uri(), "--state-dir", place / "state")
    with started_service(*arguments, cwd=place) as service:
        service.wait_for("in-sync")
    program = [sys.executable, "-m", "location_policy"]
    remote.rename(place / "away.git")
    (copy,) = (place / "state").glob("mirror-*.git")
    kept = place / "kept.git"
    copy.rename(kept)
    seconds = []
    for number in range(times):
        shutil.copytree(kept, copy)
        destroy(copy, number)
        began = time.monotonic()
        with started_service(*arguments, cwd=place, program=program) as service:
            wait_until(lambda: service.locate("10.61.2.0").status == 200)
            seconds.append(time.monotonic() - began)
        copy.unlink() if copy.is_file() else shutil.rmtree(copy, ignore_errors=True)
    start = interpreter_start()
    within = sum(one - start < 1 for one in seconds)
    shown = f"median {median(seconds):.2f} s, longest {max(seconds):.2f} s, {start:.2f} s of it before the first line"
    print(f"{times} starts without the remote: {shown}; {within} within 1 s of that")


def interpreter_start() -> float:
    """Seconds that Python takes to begin."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", ""], check=True)
    return time.monotonic() - began


if __name__ == "__main__":
    main()
