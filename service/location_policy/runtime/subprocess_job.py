"""Run a function in a low-priority child process, so that answers never wait for what takes seconds.

A process for each piece of work, which at first only gets what no other process wants of the processors: one of low
priority would hold an answer up for milliseconds. Where that is too little, one of low priority takes its place. It
reads what it is to do from a file that has no name and writes what it has found to another; what it has used of memory
goes with it. It lives no longer than its parent, however that ends: its standard input then ends. What passes between
the two is pickled, and no other process can write there.
"""

from __future__ import annotations

import copyreg
import gc
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from types import MappingProxyType
from typing import IO, NamedTuple

from ..errors import LocationPolicyError
from .chunks import ChunkedReader, ChunkedWriter
from .memfile import memory_file

NICE = 10
FAILED = 3
"""The status of a process that could not do its work, and has written why."""

_Mapping = MappingProxyType[object, object]


class Job(NamedTuple):
    """A function of a module, and what to give it; the rest is what is raised where nothing comes of it, in words.

    What is done to what: `build`, `built`, `the map`.
    """

    function: Callable[..., object]
    arguments: tuple[object, ...]
    error: type[LocationPolicyError]
    do: str
    done: str
    what: str


def run_job(work: Job, polite: float, deadline: float) -> IO[bytes]:
    """A file with what the function gives, or has raised that is ours; for `unpickle`.

    `polite` are the seconds in which only what is left of the processors is taken. Raises the work's own error when the
    process dies or fails, or has not done it in further `deadline` seconds.
    """
    with memory_file() as asked, ExitStack() as at_failure:
        made = at_failure.enter_context(memory_file())
        pickle.dump(work, ChunkedWriter(asked), pickle.HIGHEST_PROTOCOL)
        asked.flush()
        tries = [(polite, True)] * bool(polite) + [(deadline, False)]
        if not any(_run(work, asked, made, seconds, is_idle=is_idle) for seconds, is_idle in tries):
            raise work.error(f"{work.what} was not {work.done} within {deadline:g} seconds")
        made.seek(0)
        at_failure.pop_all()
    return made


def unpickle(made: IO[bytes]) -> object:
    """What the function gave; raises what it raised."""
    gc.disable()  # nothing in there is garbage
    try:
        found: object = pickle.load(ChunkedReader(made))
    finally:
        gc.enable()
    if isinstance(found, LocationPolicyError):
        raise found
    return found


def _run(work: Job, asked: IO[bytes], made: IO[bytes], deadline: float, *, is_idle: bool) -> bool:
    """Let a process write to `made` what is asked for; whether it was done in time."""
    for file in (asked, made):
        file.seek(0)  # the place in it is the process's too
    made.truncate()
    handles, pipe, nowhere = [asked.fileno(), made.fileno()], subprocess.PIPE, subprocess.DEVNULL
    code = f"from {__name__} import main; main()"
    command = [sys.executable, "-P", "-c", code, *map(str, handles)]
    try:
        process = subprocess.Popen(command, stdin=pipe, stdout=nowhere, stderr=nowhere, pass_fds=handles)
    except OSError as error:
        raise work.error(f"no process can be started to {work.do} {work.what}: {error.strerror}") from None
    with process:
        try:
            _lower(process.pid, is_idle=is_idle)
            status = process.wait(deadline)
        except subprocess.TimeoutExpired:
            return False
        finally:
            process.kill()
    if status == FAILED:
        made.seek(0)
        unpickle(made)
    if status:
        how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
        raise work.error(f"the process that {work.done} {work.what} {how}")
    return True


def _lower(pid: int, *, is_idle: bool) -> None:
    """Give a process what is left, from here: it would begin too late, a tenth of a second of imports has passed."""
    with suppress(AttributeError, OSError):  # only Linux knows the second, and a sandbox may forbid both
        os.setpriority(os.PRIO_PROCESS, pid, NICE)
        if is_idle:
            os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0))


# --- in the process ---


def main() -> None:
    """Do what is asked for."""
    with suppress(OSError):  # where memory runs out, this one is to go, not who answers
        Path("/proc/self/oom_score_adj").write_text("1000")
    with os.fdopen(int(sys.argv[1]), "rb") as asked:
        work: Job = pickle.load(asked)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    copyreg.pickle(MappingProxyType, _reduce)
    with os.fdopen(int(sys.argv[2]), "wb") as made:
        found = _done(work)
        pickle.dump(found, made, pickle.HIGHEST_PROTOCOL)
        made.flush()
        os._exit(FAILED if isinstance(found, work.error) else 0)  # to free a million rows one by one takes a while


def _done(work: Job) -> object:
    gc.disable()  # none of what so short a life makes is garbage
    try:
        return work.function(*work.arguments)
    except LocationPolicyError as error:
        return error
    except Exception as error:  # noqa: BLE001  the top level of this process
        said = f"{work.what} cannot be {work.done}: {type(error).__name__}: {error}"
        return work.error(said.partition("\n")[0])


def _reduce(mapping: _Mapping) -> tuple[Callable[[dict[object, object]], _Mapping], tuple[dict[object, object]]]:
    return _mapping, (dict(mapping),)


def _mapping(content: dict[object, object]) -> _Mapping:
    return MappingProxyType(content)


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)  # pragma: no cover  nothing is written down by who is ended so


POLITE, POLITE_PER_BYTE = 2.0, 4e-6
"""Seconds in which a process that takes only what is left must be done: twice what it takes on an idle machine."""


def find_apart(work: Job, weight: int, seconds: float) -> object:
    """What the work gives, for which so many bytes have to be read, within these seconds; raises what it raises."""
    polite = min(POLITE + POLITE_PER_BYTE * weight, seconds / 3)
    with run_job(work, polite, round(seconds - polite, 1)) as made:
        return unpickle(made)
