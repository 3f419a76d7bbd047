"""A large map is judged and built in a process of its own, so that answers never wait for it.

A process for each map, which at first only gets what nobody else wants of the processors: one of low priority would
hold an answer up for milliseconds. Where that is too little, one of low priority takes its place. It reads the files
from a file that has no name and writes the snapshot to another; what it has used of memory goes with it. It lives no
longer than its parent, whatever ends that: its standard input then ends. What passes between the two is pickled, and
nobody else can write there.
"""

from __future__ import annotations

import copyreg
import gc
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from pathlib import Path
from types import MappingProxyType
from typing import IO

from .errors import BuildFailed, LocationPolicyError
from .location_map import Gate
from .nameless import nameless
from .slices import SlicedReader, SlicedWriter
from .snapshot import Snapshot, take
from .sources import File

POLITE, POLITE_PER_BYTE = 2.0, 7e-7
"""Seconds in which a process that takes only what is left must be done: four times what it takes on an idle machine."""
DEADLINE = 600.0
"""Seconds that a map of two million rows does not take at low priority, not even beside a busy server."""
NICE = 10

_Mapping = MappingProxyType[object, object]


def build(
    files: Iterable[File], *, was_served: bool, polite: float | None = None, deadline: float = DEADLINE
) -> Snapshot:
    """The snapshot of these files, without a commit; raises as `build_pickled` and `unpickle` do."""
    with build_pickled(files, was_served=was_served, polite=polite, deadline=deadline) as made:
        return unpickle(made)


def build_pickled(
    files: Iterable[File], *, was_served: bool, polite: float | None = None, deadline: float = DEADLINE
) -> IO[bytes]:
    """The same as a file, which may have in it why there is no snapshot.

    `polite` are the seconds in which only what is left of the processors is taken; by default as many as it should
    need. Raises BuildFailed when the process dies or takes too long.
    """
    order = list(files), was_served
    if polite is None:
        polite = POLITE + POLITE_PER_BYTE * sum(file.size for file in order[0])
    with nameless() as asked, ExitStack() as at_failure:
        made = at_failure.enter_context(nameless())
        pickle.dump(order, SlicedWriter(asked), pickle.HIGHEST_PROTOCOL)
        asked.flush()
        if not (polite and _run(asked, made, polite, is_idle=True)) and not _run(asked, made, deadline, is_idle=False):
            raise BuildFailed(f"the map was not built within {deadline:g} seconds")
        made.seek(0)
        at_failure.pop_all()
    return made


def unpickle(made: IO[bytes]) -> Snapshot:
    """The snapshot in a file; raises InvalidConfiguration where there is that, as the gate does."""
    gc.disable()  # nothing in there is garbage
    try:
        found: Snapshot | LocationPolicyError = pickle.load(SlicedReader(made))
    finally:
        gc.enable()
    if isinstance(found, LocationPolicyError):
        raise found
    return found


def _run(asked: IO[bytes], made: IO[bytes], deadline: float, *, is_idle: bool) -> bool:
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
        raise BuildFailed(f"no process can be started to build the map: {error.strerror}") from None
    with process:
        try:
            _lower(process.pid, is_idle=is_idle)
            status = process.wait(deadline)
        except subprocess.TimeoutExpired:
            return False
        finally:
            process.kill()
    if status:
        how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
        raise BuildFailed(f"the process that built the map {how}")
    return True


def _lower(pid: int, *, is_idle: bool) -> None:
    """Give a process what is left, from here: it would begin too late, a tenth of a second of imports has passed."""
    with suppress(AttributeError, OSError):  # only Linux knows the second, and a sandbox may forbid both
        os.setpriority(os.PRIO_PROCESS, pid, NICE)
        if is_idle:
            os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0))


# --- in the process ---


def main() -> None:
    """Build what standard input asks for."""
    with suppress(OSError):  # where memory runs out, this one is to go, not who answers
        Path("/proc/self/oom_score_adj").write_text("1000")
    with os.fdopen(int(sys.argv[1]), "rb") as asked:
        files, was_served = pickle.load(asked)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    copyreg.pickle(MappingProxyType, _reduce)
    with os.fdopen(int(sys.argv[2]), "wb") as made:
        pickle.dump(_built(files, was_served=was_served), made, pickle.HIGHEST_PROTOCOL)
        made.flush()
        os._exit(0)  # to free a million rows one by one takes a while


def _built(files: list[File], *, was_served: bool) -> Snapshot | LocationPolicyError:
    gc.disable()
    try:
        return take(Gate().load_map(files, was_served=was_served, errors_only=True), None)
    except LocationPolicyError as error:
        return error
    except Exception as error:  # noqa: BLE001  the rim of this process
        return BuildFailed(f"the map cannot be built: {type(error).__name__}: {error}".partition("\n")[0])


def _reduce(mapping: _Mapping) -> tuple[Callable[[dict[object, object]], _Mapping], tuple[dict[object, object]]]:
    return _mapping, (dict(mapping),)


def _mapping(content: dict[object, object]) -> _Mapping:
    return MappingProxyType(content)


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)  # pragma: no cover  nothing is written down by who is ended so
