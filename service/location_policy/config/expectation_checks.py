"""Expectations held against a map: which are broken, by which address, and what it gets instead.

`ExpectationChecker` goes on from one map to the next. An expectation that was kept can be broken only in the addresses
of a row that differs, so only there is it judged anew.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ..net.addresses import Address, Network, format_address
from ..net.ranges import AddressSpace
from ..problems import GATHERED, Problem
from ..text import quote
from .expectations import (
    EXPECTATIONS_LIMIT,
    LESS,
    Expectation,
    ExpectationCache,
    ExpectationFile,
    read_expectations,
)
from .files import EXPECTATIONS_PATH, LINES_LIMIT, RULES_PATH, File
from .row_diff import file_changes, space_of
from .row_file import RowFile

if TYPE_CHECKING:
    from .views.view import View

_SHOWN_WHY = 400
"""Characters of a why that a message repeats."""


class Breach(NamedTuple):
    """The first address that breaks an expectation, what it gets, and the row that says so; None: none does."""

    address: Address
    location: str | None
    row: Network | None


class ExpectationChecker:
    """Reads the expectations at a path and holds them against one map after the other; without any, nothing is made of
    a map.
    """

    def __init__(self, path: str = EXPECTATIONS_PATH, memory: ExpectationCache | None = None) -> None:
        """`memory` is that of others too, whose files may have the same lines."""
        self._path = path
        self._memory = ExpectationCache() if memory is None else memory
        self._blob = ("", "")
        self._file = ExpectationFile()
        self._rows: Sequence[RowFile] = ()
        self._space: AddressSpace | None = None
        self._default: str | None = None
        self._expected = frozenset[Expectation]()
        self._at: dict[Network, list[Expectation]] = {}
        self._places = AddressSpace({})
        self._breaches: dict[Expectation, Breach] = {}

    def knows(self, path: str, blob: str) -> bool:
        """Are the expectations in this blob the ones that were read last?"""
        return (path, blob) == self._blob

    def read(self, files: Iterable[File]) -> ExpectationFile:
        """The expectations among these files."""
        file = next((file for file in files if file.path == self._path), None)
        if file is None:
            self._blob, self._file = ("", ""), ExpectationFile(self._path)
        elif file.content is not None:
            self._blob, self._file = (file.path, file.blob), read_expectations(file.content, self._memory, file.path)
        return self._file

    def judge(
        self,
        rows: Sequence[RowFile],
        default: str | None,
        unsure: Collection[int] = (),
        view: View | None = None,
    ) -> Iterator[Problem]:
        """The expectations that were read last and that this map breaks, but for those in the lines that are unsure.

        `default` is the location for an address that no row covers; `view` has the map, or it is the one at the top.
        """
        if self._file.expected:
            self._go_on(rows, default)
        if self._file.expected and self._breaches:
            places = _places({breach.row for breach in self._breaches.values() if breach.row}, rows)
            for number, expectation in self._file.expectations():
                breach = self._breaches.get(expectation)
                if breach and number not in unsure:
                    place = places[breach.row] if breach.row else None
                    message = _message(expectation, breach, place, view)
                    yield self._file.problem(number, "broken-expectation", message, _hint(expectation, place, view))

    def _go_on(self, rows: Sequence[RowFile], default: str | None) -> None:
        """Find the breaches of this map."""
        space, changed = self._follow(rows)
        stale = self._expect(self._file.expected)
        if default != self._default:
            self._default, stale = default, set(self._expected)
        areas = {expectation: {expectation.network} for expectation in stale | self._breaches.keys()}
        for network in changed:
            for expectation, area in self._shared(network):
                areas.setdefault(expectation, set()).add(area)
        for expectation, shared in areas.items():
            self._breaches.pop(expectation, None)
            if breach := _breach(expectation, shared, space, default):
                self._breaches[expectation] = breach

    def _follow(self, rows: Sequence[RowFile]) -> tuple[AddressSpace, Iterable[Network]]:
        """The addresses of this map, and the rows that differ from those of the last one."""
        changed: set[Network] = set()
        if self._space is None:
            self._space = space_of(rows)
        else:
            differing = file_changes(self._rows, rows)
            self._space.move(differing.gone, differing.come)
            changed = {*differing.gone, *differing.come}
        self._rows = rows
        return self._space, changed

    def _expect(self, expected: frozenset[Expectation]) -> set[Expectation]:
        """Go on to other expectations; those that are new."""
        if expected is self._expected:
            return set()
        new = set(expected - self._expected)
        self._expected, self._at = expected, {}
        for expectation in expected:
            self._at.setdefault(expectation.network, []).append(expectation)
        self._places = AddressSpace(dict.fromkeys(self._at, ()))
        self._breaches = {one: breach for one, breach in self._breaches.items() if one in expected}
        return new

    def _shared(self, network: Network) -> Iterator[tuple[Expectation, Network]]:
        """The expectations of addresses of this network, each with the addresses that it has of it."""
        for place in self._places.rows_above(network):
            yield from ((expectation, network) for expectation in self._at[place])
        for place in self._places.rows_below(network):
            yield from ((expectation, place) for expectation in self._at[place])


def read_each(checkers: Iterable[ExpectationChecker], files: Sequence[File]) -> Iterator[ExpectationFile]:
    """What is expected of each map among these files; with the first that is too much together with those before it,
    or once very much is wrong, no more is read.
    """
    number = lines = wrong = 0
    is_enough = False
    for checker in checkers:
        found = checker.read(() if is_enough else files)
        number, lines, wrong = number + len(found.expected), lines + len(found.texts), wrong + len(found.problems)
        if not is_enough and (number > EXPECTATIONS_LIMIT or lines > LINES_LIMIT):
            found = ExpectationFile(found.path, problems=(_too_many(found.path),))
        is_enough = is_enough or wrong >= GATHERED or any(problem.code == "too-large" for problem in found.problems)
        yield found


def _too_many(path: str) -> Problem:
    """What is said of the file with which there are too many."""
    limits = f"{EXPECTATIONS_LIMIT:,} expectations, or {LINES_LIMIT:,} lines of them"
    return Problem(path, 1, 1, "too-large", f"all views together have more than {limits}", LESS)


def _breach(
    expectation: Expectation, areas: Iterable[Network], space: AddressSpace, default: str | None
) -> Breach | None:
    """How these areas of an expectation break it; in order, the first that does has the first address that does."""
    for area in sorted(areas):
        for part in space.parts(area):
            location = space.names[part.network][0] if part.network else default
            if location != expectation.location:
                first = part.range.first.to_bytes(len(area) - 1)
                return Breach(Address(first), location, part.network)
    return None


def _places(rows: set[Network], files: Iterable[RowFile]) -> dict[Network, tuple[str, int]]:
    """The path and the line of each row."""
    return {
        row.network: (file.path, number)
        for file in files
        if not rows.isdisjoint(file.networks)
        for number, row in file.rows()
        if row.network in rows
    }


def _message(expectation: Expectation, breach: Breach, place: tuple[str, int] | None, view: View | None) -> str:
    got = f"gets {quote(breach.location)}" if breach.location else "gets no answer"
    if place:
        got += f" from {place[0]}:{place[1]} ({breach.row})"
    elif view and view.answer:
        got += f", the answer of view {view.name}"
    else:
        got += " by default, as no row covers it" if breach.location else ", as no row covers it"
    which = "it" if str(expectation) == format_address(breach.address) else f"all of {expectation}"
    wanted = quote(expectation.location) if expectation.location else "no answer"
    why = expectation.why if len(expectation.why) <= _SHOWN_WHY else f"{expectation.why[:_SHOWN_WHY]}…"
    return f"{format_address(breach.address)} {got}, but {which} should get {wanted}" + (f": {why}" if why else "")


def _hint(expectation: Expectation, place: tuple[str, int] | None, view: View | None) -> str:
    mend = f"correct line {place[1]} of {place[0]}" if place else "add the row that it needs"
    if view and view.answer:
        mend = f"correct the answer of view {view.name} in {RULES_PATH}"
    elif place is None and expectation.location is None:
        mend = f"delete default {f'of view {view.name}' if view else 'below [answer]'} in {RULES_PATH}"
    return f"{mend}; if the expectation no longer holds, change it in the same commit"
