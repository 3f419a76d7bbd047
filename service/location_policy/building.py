"""A large map is judged and built in a process of its own, so that answers never wait for it.

A process for each map, at low priority. It reads the files from its standard input and writes the snapshot to a
file that has no name; what it has used of memory goes with it. It lives no longer than its parent, whatever ends that:
its standard input then ends too. What passes between the two is pickled, and nobody else can write there.
"""

from __future__ import annotations

import copyreg
import gc
import os
import pickle
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import IO

from .errors import BuildFailed, LocationPolicyError
from .location_map import Gate
from .snapshot import Snapshot, take
from .sources import File

DEADLINE = 600.0
"""Seconds that a map of two million rows does not take, not even beside a busy server."""
NICE = 10

_Mapping = MappingProxyType[object, object]


def build(files: Iterable[File], *, was_served: bool, deadline: float = DEADLINE) -> Snapshot:
    """The snapshot of these files, without a commit.

    Raises InvalidConfiguration as the gate does, BuildFailed when the process dies or takes too long.
    """
    with tempfile.TemporaryFile() as made:
        _run(made, (list(files), was_served), deadline)
        made.seek(0)
        gc.disable()  # nothing in there is garbage
        try:
            found: Snapshot | LocationPolicyError = pickle.load(made)
        finally:
            gc.enable()
    if isinstance(found, LocationPolicyError):
        raise found
    return found


def _run(made: IO[bytes], order: tuple[list[File], bool], deadline: float) -> None:
    """Let a process write to `made` what it makes of the order."""
    command = [sys.executable, "-P", "-c", f"from {__name__} import main; main()", str(made.fileno())]
    pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
    try:
        process = subprocess.Popen(command, stdin=pipe, stdout=nowhere, stderr=nowhere, pass_fds=[made.fileno()])
    except OSError as error:
        raise BuildFailed(f"no process can be started to build the map: {error.strerror}") from None
    assert process.stdin
    try:
        with suppress(BrokenPipeError):  # its status tells
            pickle.dump(order, process.stdin, pickle.HIGHEST_PROTOCOL)
            process.stdin.flush()
        status = process.wait(deadline)
    except subprocess.TimeoutExpired:
        raise BuildFailed(f"the map was not built within {deadline:g} seconds") from None
    finally:
        process.kill()
        process.wait()
        with suppress(BrokenPipeError):
            process.stdin.close()
    if status:
        how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
        raise BuildFailed(f"the process that built the map {how}")


# --- in the process ---


def main() -> None:
    """Build what standard input asks for."""
    os.nice(NICE)
    with suppress(OSError):  # where memory runs out, this one is to go, not who answers
        Path("/proc/self/oom_score_adj").write_text("1000")
    files, was_served = pickle.load(sys.stdin.buffer)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    copyreg.pickle(MappingProxyType, _reduce)
    with os.fdopen(int(sys.argv[1]), "wb") as made:
        pickle.dump(_built(files, was_served=was_served), made, pickle.HIGHEST_PROTOCOL)
        made.flush()
        os._exit(0)  # to free a million rows one by one takes a while


def _built(files: list[File], *, was_served: bool) -> Snapshot | LocationPolicyError:
    gc.disable()
    try:
        return take(Gate().load_map(files, was_served=was_served), None)
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
