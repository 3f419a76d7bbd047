"""What a state directory remembers of calls: the files of all services that use it, read from beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path

from .history_file import Remembered, UnusableHistory, read_history, read_total
from .situation import Situation, bounded

FILE_NAMES = ("calls.sqlite", *(f"calls-{number}.sqlite" for number in range(2, 10)))
"""A service that finds the first in use takes the next."""


def today() -> date:
    """The present day, by which calls are counted."""
    return datetime.now(UTC).date()


def history_files(state_directory: Path) -> list[Path]:
    """Those that are there."""
    paths = (state_directory / name for name in FILE_NAMES)
    try:
        return [path for path in paths if path.is_file()]
    except OSError:
        return []


def recent_calls(state_directory: Path, since: date) -> Iterator[Remembered]:
    """The situations that occurred since, each with its calls and the day of the last; a file that cannot be read is
    passed over. Nothing where there is no history.

    A situation may come once from each file: `summed` makes one of them.
    """
    for path in history_files(state_directory):
        try:
            yield from read_history(path, since.toordinal())
        except UnusableHistory:
            continue


def first_day(state_directory: Path) -> int | None:
    """The first day of which calls are remembered; None where there are none, or no file can be read."""
    firsts = []
    for path in history_files(state_directory):
        with suppress(UnusableHistory):
            calls, first = read_total(path, 0)
            firsts += [first] if calls else []
    return min(firsts, default=None)


def summed(found: Iterable[Remembered], most: int | None = None) -> list[Remembered]:
    """Each situation once, with all its calls; of more than so many the later ones are merged."""
    whole: dict[Situation, Remembered] = {}
    for one, calls, last in found:
        key = one if most is None else bounded(one, whole, most)
        before = whole.get(key, (key, 0, last))
        whole[key] = key, before[1] + calls, max(before[2], last)
    return list(whole.values())
