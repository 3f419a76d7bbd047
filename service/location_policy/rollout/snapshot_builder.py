"""A commit's files to a snapshot, the cheapest way: nothing is built twice, and what takes long is built elsewhere."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import cast

from ..config.commit import Commit
from ..config.files import File
from ..config.validate import Validator
from ..errors import BuildFailed
from ..lookup.snapshot import Snapshot, build_snapshot
from ..runtime.subprocess_job import Job, run_job, unpickle

POLITE, POLITE_PER_BYTE = 2.0, 7e-7
"""Seconds in which a process that takes only what is left must be done: four times what it takes on an idle machine."""
DEADLINE = 600.0
"""Seconds that a map of two million rows does not take at low priority, not even beside a busy server."""


def build(
    files: Iterable[File], *, was_served: bool, polite: float | None = None, deadline: float = DEADLINE
) -> Snapshot:
    """The snapshot of these files, without a commit.

    `polite` are the seconds in which only what is left of the processors is taken; by default as many as it should
    need. Raises BuildFailed when the process dies, fails or takes too long, and InvalidConfiguration as the gate does.
    """
    order = list(files)
    if polite is None:
        polite = POLITE + POLITE_PER_BYTE * sum(file.size for file in order)
    work = Job(_build, (order, was_served), BuildFailed, "build", "built", "the map")
    with run_job(work, polite, deadline) as made:
        return cast("Snapshot", unpickle(made))


def _build(files: list[File], was_served: bool) -> Snapshot:
    return build_snapshot(Validator().load_map(files, was_served=was_served, errors_only=True), None)


LARGE = 1_000_000
"""Bytes of files from which on a process of its own pays: it takes a tenth of a second to start."""
AGAIN = 10.0
"""Seconds after which a process that has failed is started anew."""

_MadeOf = tuple[bool, tuple[tuple[str, str, int, str], ...]]


class SnapshotBuilder:
    """Makes snapshots, and remembers the last one; for one thread."""

    def __init__(self, large: int = LARGE) -> None:
        self._large = large
        self._made: tuple[_MadeOf, Snapshot] | None = None
        self._failed: tuple[_MadeOf, BuildFailed, float] | None = None

    def load(self, validator: Validator, files: Sequence[File], commit: Commit, *, was_served: bool) -> Snapshot:
        """The snapshot of a commit; raises InvalidConfiguration as the gate does, and BuildFailed."""
        made_of = was_served, tuple((file.path, file.kind, file.size, file.blob) for file in files)
        if self._made is None or self._made[0] != made_of:
            self._made = made_of, self._make(validator, files, made_of)
        return self._made[1].of(commit)

    def _make(self, validator: Validator, files: Sequence[File], made_of: _MadeOf) -> Snapshot:
        if sum(len(file.content or b"") for file in files) < self._large:
            return _make_here(validator, files, was_served=made_of[0])
        return self._make_elsewhere(files, made_of)

    def _make_elsewhere(self, files: Sequence[File], made_of: _MadeOf) -> Snapshot:
        """Have it made elsewhere, but not again at once where that has just failed."""
        if self._failed and self._failed[0] == made_of and time.monotonic() < self._failed[2]:
            raise self._failed[1]
        polite = None if self._made else 0  # at first no client is served
        try:
            return build(files, was_served=made_of[0], polite=polite)
        except BuildFailed as error:
            self._failed = made_of, error, time.monotonic() + AGAIN
            raise


def _make_here(validator: Validator, files: Sequence[File], *, was_served: bool) -> Snapshot:
    """Make it in this process."""
    with resting_collector():
        return build_snapshot(validator.load_map(files, was_served=was_served, errors_only=True), None)


@contextmanager
def resting_collector() -> Iterator[None]:
    """In the block no cyclic garbage is collected: it finds none in maps, doubles the time, and holds answers back."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
