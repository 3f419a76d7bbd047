"""Parts of a subnet, and rows, in words: which addresses, what they get, how many they are, and where that stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from ...config.files import RULES_PATH
from ...history.commit_text import answer_text
from ...lookup.answers import Match
from ...lookup.leading_rows import LeadingRows
from ...lookup.snapshot import Snapshot
from ...lookup.subnet_answers import SubnetAnswers
from ...net.addresses import Network
from ...net.ranges import Range, count_slash64s
from ...net.split import LISTED, PartChange, SplitPart, range_text
from ...plan.change_text import name_text
from ...text import count, escape

After = Callable[[str, int], Iterable[str]]
"""The lines below a row, by its path and its line."""


def nothing(_path: str, _line: int) -> Iterable[str]:
    """No line below a row."""
    return ()


def split_line(found: SubnetAnswers, network: Network) -> str:
    """That a subnet is split, and in how many parts."""
    return f"{network} is split in {count(len(found.parts), 'part')}"


def whole_lines(found: SubnetAnswers, network: Network, after: After = nothing) -> Iterator[str]:
    """The one answer that all of a subnet gets from rows, or from none."""
    (part,) = found.parts
    if part.rows:
        yield answer_text(part.names)
        rows = [found.match(row) for row in part.rows[:LISTED]]
        yield from placed_rows(rows, after)
        yield from rest_line(len(part.rows), "row")
        yield from overflow_lines(rows, after)
    else:
        yield f"no answer: no row covers {network}"


def location_lines(snapshot: Snapshot, name: str, found: LeadingRows, after: After = nothing) -> Iterator[str]:
    """The rows that lead to a location, as location and as overflow."""
    if not any(found):
        yield f"no row leads to {name_text(name)}"
    if found.is_default and snapshot.rules.answer:
        yield f"{name_text(name)} is the answer of every call of view {snapshot.view}"
    elif found.is_default:
        yield f"{name_text(name)} is the default: that of every address that no row covers"
    for positions, role in ((found.as_location, "the location"), (found.as_overflow, "overflow")):
        if positions:
            yield f"{name_text(name)} is {role} of {count(len(positions), 'row')}"
            rows = [snapshot.match_at(position) for position in positions[:LISTED]]
            yield from placed_rows(rows, after, with_names=True)
            yield from rest_line(len(positions), "row")
            yield from overflow_lines(rows, after)


def placed_rows(rows: Iterable[Match], after: After = nothing, *, with_names: bool = False) -> Iterator[str]:
    """Rows by their places."""
    for row in rows:
        names = f" {answer_text(row.names)}" if with_names else ""
        yield f"  {escape(row.path)}:{row.line}: {row.network}{names}"
        yield from after(row.path, row.line)


def overflow_lines(rows: Iterable[Match], after: After = nothing) -> Iterator[str]:
    """Where the overflow locations stand that rows have from the table."""
    for line, location in dict.fromkeys((row.overflow_line, row.names[0]) for row in rows if row.overflow_line):
        yield overflow_line(line, location)
        yield from after(RULES_PATH, line)


def overflow_line(line: int, location: str) -> str:
    """Where the overflow locations of a location stand, in one line."""
    return f"  {RULES_PATH}:{line}: overflow of {name_text(location)}"


def part_line(part: SplitPart, size: int) -> str:
    """A part, in one line; `size` is that of an address, in bytes."""
    return f"{range_text(part.range, size)}  {answer_text(part.names)}  {_size(part.range, size)}"


def change_line(change: PartChange, size: int) -> str:
    """What a part got and gets, in one line."""
    answers = f"{answer_text(change.before)} -> {answer_text(change.after)}"
    return f"{range_text(change.range, size)}  {answers}  {_size(change.range, size)}"


def rest_line(number: int, noun: str) -> Iterator[str]:
    """How many there are beyond those that are listed, where there are."""
    if number > LISTED:
        yield f"  … and {count(number - LISTED, 'more ' + noun)}"


def _size(addresses: Range, size: int) -> str:
    return count(addresses.size, "address") if size == 4 else count(count_slash64s([addresses]), "/64")
