"""A valid configuration: its rules, its rows, what is expected of them, and whose they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..net.addresses import Address, Network
from ..problems import Problems
from .expectations import Expectation
from .owners import Owned
from .policy_toml import Rules
from .row import Row
from .row_file import RowFile

if TYPE_CHECKING:
    from .views.view import View


@dataclass(frozen=True, slots=True)
class LocationMap:
    """The rules, the rows by file in the order of their paths, what is worth a warning, what is expected, and whose
    address space is whose.

    With views it is the map at the top, which answers the calls that no view takes. Each of `views`, in their order, is
    the map of a `view`, by the rules that hold in it; owners are the same in all.
    """

    rules: Rules
    files: tuple[RowFile, ...]
    warnings: Problems
    expected: frozenset[Expectation] = frozenset()
    owned: tuple[Owned, ...] = ()
    views: tuple[LocationMap, ...] = ()
    view: View | None = None

    @property
    def size(self) -> int:
        """How many rows there are, without those of views."""
        return sum(file.size for file in self.files)

    @property
    def name(self) -> str | None:
        """That of the view whose map it is."""
        return self.view.name if self.view else None

    @property
    def maps(self) -> tuple[LocationMap, ...]:
        """This one and those of the views."""
        return self, *self.views

    @property
    def total_size(self) -> int:
        """How many rows there are, with those of views."""
        return sum(one.size for one in self.maps)

    @property
    def all_files(self) -> tuple[RowFile, ...]:
        """The files of rows, with those of views."""
        return tuple(file for one in self.maps for file in one.files)

    def answering(self, value_of: Callable[[str], str]) -> LocationMap:
        """What answers a call: the map of the first view whose conditions all hold, else the one at the top; `value_of`
        gives what the call has of a parameter.
        """
        if not self.views:
            return self
        from .views.calls import conditions, first_view  # most configurations have none
        from .views.view import folded

        number = first_view(conditions(self.rules.views), lambda name: folded(value_of(name)))
        return self.views[number] if number < len(self.views) else self

    def without_contents(self) -> LocationMap:
        """The same rows without the bytes of the files, for what only compares rows."""
        files = tuple(replace(file, content=b"") for file in self.files)
        return replace(self, files=files, views=tuple(view.without_contents() for view in self.views))

    def with_contents(self, contents: Mapping[str, bytes]) -> LocationMap:
        """The same rows with the bytes of the files again, by their paths."""
        files = tuple(replace(file, content=contents[file.path]) for file in self.files)
        return replace(self, files=files, views=tuple(view.with_contents(contents) for view in self.views))

    def rows(self) -> Iterator[tuple[str, int, Row]]:
        """Each row as it is written, with its path and its line number, 1-based."""
        for file in self.files:
            for number, row in file.rows():
                yield file.path, number, row

    def answers(self) -> dict[Network, tuple[str, ...]]:
        """What each row answers: its names; where it has the location alone, with the overflow of the table."""
        if not self.rules.overflow_table:
            return {row.network: row.names for file in self.files for _, row in file.rows()}
        complete = self.rules.with_overflow
        return {row.network: complete(row.names) for file in self.files for _, row in file.rows()}

    def rows_at(self, address: Address) -> list[tuple[str, int, Row]]:
        """The rows that hold an address, the one that answers first, then those that it beats; as `rows` gives them."""
        holding = {Network.holding(address, length) for length in range(len(address) * 8 + 1)}
        files = [file for file in self.files if not holding.isdisjoint(file.networks)]
        rows = [(file.path, number, row) for file in files for number, row in file.rows() if row.network in holding]
        return sorted(rows, key=lambda found: -found[2].network.length)
