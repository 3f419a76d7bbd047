"""A large map is judged and built in a process of its own, and comes back as a file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from .elsewhere import Work, do_elsewhere, unpickle
from .errors import BuildFailed
from .location_map import Gate
from .snapshot import Snapshot, take
from .sources import File

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
    work = Work(_build, (order, was_served), BuildFailed, "build", "built", "the map")
    with do_elsewhere(work, polite, deadline) as made:
        return cast("Snapshot", unpickle(made))


def _build(files: list[File], was_served: bool) -> Snapshot:
    return take(Gate().load_map(files, was_served=was_served, errors_only=True), None)
