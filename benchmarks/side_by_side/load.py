"""A load generator that can be halted: wrk, which counts what it sends by hundredths of a second."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tests.support.rollouts import read

SCRIPT = Path(__file__).with_name("load.lua")
BUCKET = 0.01
"""Seconds."""
CONNECTIONS = 64
LONGEST = "3600s"
"""As wrk writes it: it is ended before."""
EDGE = 0.03
"""Seconds after a start that do not count, in which the connections fill again."""


class Load:
    """Requests without pause on kept-alive connections to one server, from one core, while it is let run."""

    def __init__(self, port: int, requests: Path, core: int, connections: int = CONNECTIONS) -> None:
        command = ["taskset", "-c", str(core), "wrk", "-t1", f"-c{connections}", f"-d{LONGEST}", "--timeout", "30s"]
        url = f"http://127.0.0.1:{port}/"
        script = ["-s", str(SCRIPT), url, "--", str(requests)]
        self._process = subprocess.Popen([*command, *script], stdout=subprocess.PIPE, text=True)
        self.windows: list[tuple[float, float]] = []

    def warm_up(self, seconds: float) -> None:
        """Let it run, uncounted, and halt it."""
        time.sleep(seconds)
        self._process.send_signal(signal.SIGSTOP)

    def run(self, seconds: float) -> None:
        """Let it run, counted, and halt it."""
        self._process.send_signal(signal.SIGCONT)
        began = time.monotonic()
        time.sleep(EDGE + seconds)
        self.windows.append((began + EDGE, time.monotonic()))
        self._process.send_signal(signal.SIGSTOP)

    def end(self) -> list[float]:
        """How many were sent a second in each run; raises RuntimeError where some were not answered."""
        self._process.send_signal(signal.SIGCONT)
        printed = self._printed()
        lines = [line.split() for line in printed.splitlines()]
        errors = next((int(line[1]) for line in lines if line and line[0] == "errors"), -1)
        if errors:
            raise RuntimeError(f"{errors} requests were not answered well:\n{printed}")
        counts = {int(line[1]): int(line[2]) for line in lines if line and line[0] == "sent"}
        return [_rate(counts, *window) for window in self.windows]

    def _printed(self) -> str:
        """What it says at its end; a signal that its thread of requests takes does not wake the other one."""
        for _ in range(200):
            self._process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                return self._process.communicate(timeout=0.3)[0]
        raise RuntimeError("wrk does not end")

    def kill(self) -> None:
        """End it in any case."""
        self._process.kill()
        self._process.wait()


def _rate(counts: Mapping[int, int], began: float, ended: float) -> float:
    """Only whole buckets count."""
    first, last = int(began / BUCKET) + 1, int(ended / BUCKET)
    return sum(counts.get(bucket, 0) for bucket in range(first, last)) / ((last - first) * BUCKET)


def write_requests(path: Path, requests: list[bytes]) -> Path:
    """The file that the script reads."""
    path.write_bytes(b"".join(b"%d\n%b" % (len(request), request) for request in requests))
    return path


def processor_seconds(pids: list[int]) -> float:
    """What the threads of these processes have used so far."""
    files = [file for pid in pids for file in Path(f"/proc/{pid}/task").glob("*/schedstat")]
    return sum(int(text.split()[0]) for text in map(read, files) if text) / 1e9


def stolen_ticks() -> tuple[int, int]:
    """Ticks that the host took away from this machine, and all."""
    ticks = [int(field) for field in Path("/proc/stat").read_text().partition("\n")[0].split()[1:9]]
    return ticks[7], sum(ticks)
