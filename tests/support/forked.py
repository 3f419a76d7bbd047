"""The program, forked from a process that has imported all of it and has run none of it.

Most of what a command costs is the start of an interpreter and its imports. Here these are paid once: a process of its
own imports the package and waits. Each start is a fork of it, which takes its own arguments, variables, folder and
streams, runs `main()`, and ends as an interpreter does. What is forked has no thread, connection or repository open, so
nothing of one start is seen in another.

All this is for Linux; elsewhere, and where branches are counted, the program is started as people start it.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO

READ_BEFORE = ("PATH", "PYTHON", "LD_", "LC_", "LANG", "TZ", "COVERAGE_", "GIT_PYTHON_")
"""How the names of variables begin that are read by an interpreter, or by what it imports, when it starts."""
_RECORD = 16
"""Bytes of a number in a report: the id of the process, and later its status."""


def can_fork(variables: Mapping[str, str]) -> bool:
    """Is it the same with these variables as if it were started?"""
    is_measured = any(name.startswith("COVERAGE_") for name in os.environ)
    return sys.platform == "linux" and not is_measured and not any(name.startswith(READ_BEFORE) for name in variables)


class Forked:
    """A program that was forked; what `subprocess.Popen` has, as far as tests want it."""

    def __init__(self, command: Sequence[str], report: int, stdout: IO[str] | None) -> None:
        self.args = command
        self.stdout = stdout
        self.returncode: int | None = None
        self._report = os.fdopen(report, "rb", buffering=0)
        self.pid = int(self._report.read(_RECORD))

    def poll(self) -> int | None:
        """The status, if it has ended."""
        return self._status(0)

    def wait(self, timeout: float | None = None) -> int:
        """The status, once it has ended; raises `subprocess.TimeoutExpired`."""
        if (status := self._status(timeout)) is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return status

    def send_signal(self, one: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, one)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def _status(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._report], [], [], timeout)[0]:
            self.returncode = int(self._report.read(_RECORD))
            self._report.close()
        return self.returncode


def fork(
    command: Sequence[str],
    cwd: Path | None,
    environment: Mapping[str, str],
    streams: Sequence[int],
    stdout: IO[str] | None = None,
) -> Forked:
    """The program, with `command` as its arguments, and with these files as its three streams.

    The environment is the whole of it, made by `closed_environment` from variables for which `can_fork` holds.
    """
    report, told = os.pipe()
    try:
        asked = json.dumps([list(command), str(cwd or Path.cwd()), dict(environment)])
        socket.send_fds(_template(), [asked.encode()], [*streams, told])
    finally:
        os.close(told)
    return Forked(command, report, stdout)


@cache
def _template() -> socket.socket:
    """What is asked for a fork: by the next of its messages the process that has imported everything makes one."""
    from tests.support.program import closed_environment

    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pipe = subprocess.PIPE  # as most streams of a program are, for what Python asks of a stream at its start
    process = subprocess.Popen(
        [sys.executable, "-P", __file__, str(its.fileno())],
        env=closed_environment(),
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        pass_fds=[its.fileno()],
    )
    its.close()
    atexit.register(process.communicate)
    atexit.register(ours.close)  # which comes first, and ends it
    return ours


# --- in the process that is forked ---


def _import_all() -> None:
    import location_policy

    os.environ["GIT_PYTHON_REFRESH"] = "quiet"
    for module in pkgutil.walk_packages(location_policy.__path__, "location_policy."):
        importlib.import_module(module.name)
    gc.collect()
    gc.freeze()  # a collection in a fork would copy every page of these


def _return_in_forks(asked: socket.socket) -> None:
    """Make a fork for each message, and tell of each which process it is and how it ended."""
    running: dict[int, tuple[int, int]] = {}
    while True:
        ready = set(select.select([asked.fileno(), *running], [], [])[0])
        for ended in running.keys() & ready:
            pid, report = running.pop(ended)
            _tell(report, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
            _close(ended, report)
        if asked.fileno() not in ready:
            continue
        message, handles, _, _ = socket.recv_fds(asked, 1 << 20, 4)
        if not message:
            os._exit(0)
        *streams, report = handles
        if (pid := os.fork()) == 0:
            _close(asked.detach(), report, *running, *(one for _, one in running.values()))
            _become(message, streams)
            return
        _close(*streams)
        _tell(report, pid)
        running[os.pidfd_open(pid)] = pid, report


def _tell(report: int, number: int) -> None:
    with suppress(BrokenPipeError):  # the reader has gone
        os.write(report, b"%*d" % (_RECORD, number))


def _close(*handles: int) -> None:
    for handle in handles:
        os.close(handle)


def _become(message: bytes, streams: Sequence[int]) -> None:
    for number, handle in enumerate(streams):
        os.dup2(handle, number)
    _close(*streams)
    sys.argv[:], folder, environment = json.loads(message)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)


def _end() -> None:
    """What comes last at the end of an interpreter, without taking modules apart, which would copy their pages."""
    if _status is not None:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(_status)


_status: int | None = None

if __name__ == "__main__":
    atexit.register(_end)  # first, so that it is the last to run
    _import_all()
    _return_in_forks(socket.socket(fileno=int(sys.argv[1])))
    from location_policy.__main__ import main

    try:
        main()
    except SystemExit as end:
        _status = end.code if isinstance(end.code, int) else None
        raise
