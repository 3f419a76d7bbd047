"""Parts of a subnet in words: which addresses, what they get, how many they are."""

from __future__ import annotations

from collections.abc import Iterator

from ...history.commit_text import answer_text
from ...net.ranges import Range, count_slash64s
from ...net.split import LISTED, PartChange, SplitPart, range_text
from ...text import count


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
