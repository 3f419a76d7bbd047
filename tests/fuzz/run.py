"""Throws hostile values at the gate, the query parser, the application and the hook for as long as it is told.

    python tests/fuzz/run.py [--seconds 300] [--seed 1]
    python tests/fuzz/run.py --bombs [NAME …]
    python tests/fuzz/run.py --atheris configuration [--seconds 300]

First each of the bombs (`tests/fuzz/bombs.py`) is set off, which takes minutes more; `--bombs` does nothing else. The
time is shared evenly by all targets. hypothesis makes the values, a new seed each round; what fails is shrunk and
raised, and belongs into tests/fuzz/corpus/. With `--atheris` (pip install atheris; not in the lock) one target is
given bytes that are steered by the branches they reach. Printed are values, seconds and values a second.
"""

from __future__ import annotations

import argparse
import importlib
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

from hypothesis import HealthCheck, given, seed, settings  # noqa: E402  the path comes first
from hypothesis.strategies import SearchStrategy, tuples  # noqa: E402

from tests.fuzz import strategies, targets  # noqa: E402
from tests.fuzz.bombs import (  # noqa: E402
    BOMBS,
    MEMORY,
    PACKED,
    ROW,
    SECONDS,
    SERVICE_MEMORY,
    WAIT,
    Bomb,
    push,
)
from tests.support.program import AS_INSTALLED  # noqa: E402
from tests.support.repositories import git, init_with  # noqa: E402
from tests.support.service import Service, running_service, wait_until  # noqa: E402

ROUND = 500
"""Values that are made from one seed."""

CORPUS = {"rules": "configuration", "expectations": "configuration"}
"""Where the corpus of a target is, if not under its own name."""

TARGETS: dict[str, tuple[Callable[..., None], SearchStrategy[tuple[object, ...]]]] = {
    "configuration": (targets.configuration, tuples(strategies.CONFIGURATIONS)),
    "query": (targets.query, tuples(strategies.QUERIES)),
    "request": (targets.request, tuples(strategies.METHODS, strategies.TARGETS, strategies.QUERIES)),
    "updates": (targets.updates, tuples(strategies.UPDATES)),
    "push": (targets.push, tuples(strategies.TREES, strategies.COMMITS)),
    "tables": (targets.tables, tuples(strategies.OLD_TABLES, strategies.TABLES)),
}

STEERED: dict[str, Callable[[bytes], None]] = {
    "configuration": lambda text: targets.configuration(
        dict(zip(("locations.csv", "policy.toml"), text.split(b"\0\n", 1), strict=False))
    ),
    "expectations": lambda text: targets.configuration(
        {"locations.csv": b"Sydney,10.61.2.0/24\n", "expectations.csv": text}
    ),
    "rules": lambda text: targets.configuration({"locations.csv": b"Sydney,10.61.2.0/24\n", "policy.toml": text}),
    "query": targets.query,
    "updates": targets.updates,
}


def set_off(bomb: Bomb) -> None:
    """Push a bomb to a repository that is served, and hold what it costs to what it may."""
    with tempfile.TemporaryDirectory() as folder:
        repository = init_with(Path(folder), {"locations.csv": ROW})
        made = bomb.push(git("rev-parse", "main", cwd=repository))
        assert len(made.pack) < PACKED, bomb.name
        with running_service(repository, program=AS_INSTALLED) as service:
            waits, is_over = [0.0], threading.Event()
            node = threading.Thread(target=_ask, args=(service, waits, is_over))
            node.start()
            try:
                cost = push(repository, made, limit=600.0)
                tip = git("rev-parse", "main", cwd=repository)
                wait_until(lambda: service.status()["active"]["commit"] == tip, service.status, within=600.0)
            finally:
                is_over.set()
                node.join()
            told = Path(f"/proc/{service.process.pid}/status").read_text()
    memory = int(re.findall(r"VmHWM:\s+(\d+)", told)[0]) >> 10
    figures = f"{cost.processor:>6.1f} s of processors{cost.seconds:>7.1f} s{cost.memory:>5} MiB"
    served = f"the service {memory:>4} MiB, a node waits {max(waits):.3f} s"
    verdict = "taken" if cost.is_taken else "refused"
    print(f"{bomb.name:20}{len(made.pack):>9,} bytes{figures}, {verdict}; {served}", flush=True)
    assert (cost.processor < SECONDS, cost.memory < MEMORY) == (True, True), cost.said
    assert (memory < SERVICE_MEMORY, max(waits) < WAIT) == (True, True), served


def _ask(service: Service, waits: list[float], is_over: threading.Event) -> None:
    """Ask as a conference node does, again and again, and note how long each answer takes."""
    while not is_over.wait(0.02):
        started = time.monotonic()
        assert service.locate("10.61.2.7").status == 200
        waits.append(time.monotonic() - started)


def spend(name: str, seconds: float, first_seed: int) -> None:
    """Give one target values until its time is over."""
    target, values = TARGETS[name]
    end, started, count = time.monotonic() + seconds, time.monotonic(), 0

    def throw(value: tuple[object, ...]) -> None:
        nonlocal count
        if time.monotonic() < end:
            count += 1
            target(*value)

    many = settings(max_examples=ROUND, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    number = first_seed
    while time.monotonic() < end:
        seed(number)(many(given(values)(throw)))()
        number += 1
    took = time.monotonic() - started
    print(f"{name:14}{count:>10,} values{took:>8.0f} s{count / took:>10,.0f} a second", flush=True)


def steer(name: str, seconds: float) -> None:
    """Give one target bytes that atheris makes, beginning with the corpus."""
    atheris = importlib.import_module("atheris")  # an optional tool: nothing here is sure to know it

    atheris.instrument_all()
    arguments = [sys.argv[0], f"-max_total_time={seconds:.0f}", "-max_len=4096", "-timeout=5", "-print_final_stats=1"]
    with tempfile.TemporaryDirectory() as found:  # what it finds on its way goes into the first folder
        atheris.Setup(
            [*arguments, found, str(ROOT / "tests" / "fuzz" / "corpus" / CORPUS.get(name, name))], STEERED[name]
        )
        atheris.Fuzz()


def main() -> None:
    """Read the arguments and spend the time."""
    parser = argparse.ArgumentParser(description="Throws hostile values at the program.")
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bombs", nargs="*", metavar="NAME", help="set off these bombs, or all, and nothing else")
    parser.add_argument("--atheris", choices=STEERED)
    options = parser.parse_args()
    if options.atheris:
        steer(options.atheris, options.seconds)
        return
    for bomb in BOMBS:
        if not options.bombs or bomb.name in options.bombs:
            set_off(bomb)
    for name in TARGETS if options.bombs is None else ():
        spend(name, options.seconds / len(TARGETS), options.seed)


if __name__ == "__main__":
    main()
