"""A valid configuration: its rules, its rows, what is expected of them, and whose they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ..net.addresses import Address, Network
from ..problems import Problems
from .expectations import Expectation
from .owners import Owned
from .policy_toml import Rules
from .row import Row
from .row_file import RowFile


@dataclass(frozen=True, slots=True)
class LocationMap:
    """The rules, the rows by file in the order of their paths, what is worth a warning, what is expected, and whose
    address space is whose.
    """

    rules: Rules
    files: tuple[RowFile, ...]
    warnings: Problems
    expected: frozenset[Expectation] = frozenset()
    owned: tuple[Owned, ...] = ()

    @property
    def size(self) -> int:
        """How many rows there are."""
        return sum(file.size for file in self.files)

    def without_contents(self) -> LocationMap:
        """The same rows without the bytes of the files, for what only compares rows."""
        return replace(self, files=tuple(replace(file, content=b"") for file in self.files))

    def with_contents(self, contents: Mapping[str, bytes]) -> LocationMap:
        """The same rows with the bytes of the files again, by their paths."""
        return replace(self, files=tuple(replace(file, content=contents[file.path]) for file in self.files))

    def rows(self) -> Iterator[tuple[str, int, Row]]:
        """Each row with its path and its line number, 1-based."""
        for file in self.files:
            for number, row in file.rows():
                yield file.path, number, row

    def rows_at(self, address: Address) -> list[tuple[str, int, Row]]:
        """The rows that hold an address, the one that answers first, then those that it beats; as `rows` gives them."""
        holding = {Network.holding(address, length) for length in range(len(address) * 8 + 1)}
        files = [file for file in self.files if not holding.isdisjoint(file.networks)]
        rows = [(file.path, number, row) for file in files for number, row in file.rows() if row.network in holding]
        return sorted(rows, key=lambda found: -found[2].network.length)
