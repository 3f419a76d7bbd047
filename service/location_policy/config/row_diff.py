"""The rows by which two maps differ, wherever they stand.

Files that were read with one `LineCache` share their lines, so what is alike is passed over without looking at it: the
cost follows the rows that changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress, count
from operator import is_not

from ..net.addresses import Network
from ..net.ranges import AddressSpace, Names
from .row import Line, row_of
from .row_file import RowFile


@dataclass(frozen=True, slots=True)
class RowChanges:
    """The rows that one map has and the next has not, and the other way round; one that names others is in both."""

    gone: Mapping[Network, Names]
    come: Mapping[Network, Names]

    def __bool__(self) -> bool:
        """Does any row differ?"""
        return bool(self.gone or self.come)


def space_of(files: Iterable[RowFile]) -> AddressSpace:
    """The rows of these files by what they answer."""
    return AddressSpace({row.network: row.names for file in files for _, row in file.rows()})


def file_changes(old: Iterable[RowFile], new: Iterable[RowFile]) -> RowChanges:
    """How the rows of the files of one map differ from those of another."""
    before, after = ({file.path: file for file in files} for files in (old, new))
    gone: dict[Network, Names] = {}
    come: dict[Network, Names] = {}
    for path in before.keys() | after.keys():
        one, other = _differing(before.get(path), after.get(path))
        gone.update(_rows(one))
        come.update(_rows(other))
    for network in gone.keys() & come.keys():
        if gone[network] == come[network]:
            del gone[network], come[network]
    return RowChanges(gone, come)


def _differing(old: RowFile | None, new: RowFile | None) -> tuple[tuple[Line, ...], tuple[Line, ...]]:
    """The lines of two files without what both begin with and both end with."""
    one, other = old.lines if old else (), new.lines if new else ()
    if old and new and (old.lines is new.lines or old.content == new.content != b""):
        return (), ()
    start = _alike(one, other)
    one, other = one[start:], other[start:]
    end = _alike(one[::-1], other[::-1])
    return one[: len(one) - end], other[: len(other) - end]


def _alike(one: Sequence[Line], other: Sequence[Line]) -> int:
    """How many lines both begin with; in C as far as it goes, since a series of commits asks it of each file."""
    return next(compress(count(), map(is_not, one, other)), min(len(one), len(other)))


def _rows(lines: Iterable[Line]) -> Iterator[tuple[Network, Names]]:
    for line in lines:
        if line is not None and (row := row_of(line)) is not None:
            yield row.network, row.names
