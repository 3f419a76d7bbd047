"""One change of an answer in words: where, from what to what, how much, and the rows that say so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, pairwise
from typing import TYPE_CHECKING, NamedTuple

from ..config.percentages import measured_share
from ..net.addresses import Network
from ..net.ranges import Names, Range
from ..text import count, escape, quote
from .answer_changes import Change
from .plan import Source, Total, total

if TYPE_CHECKING:
    from .affected_calls import AffectedCalls
    from .answer_pairs import Pair

NAMED = 3
"""Subnets or names that a line has of each sort; the rest is counted."""


class ChangeText(NamedTuple):
    """The cells of one line."""

    subnets: str
    answers: str
    size: str
    sources: str


def change_text(change: Change, places: Mapping[Network, Source], calls: AffectedCalls | None = None) -> ChangeText:
    """A change in words; `places` are those of its rows, and `calls` those of its plan."""
    sources = sources_text([places[row] for row in change.rows])
    size = size_text(total([change]))
    return ChangeText(subnets_text(change), answers_text(change), size + _calls_text(calls, change), sources)


def _calls_text(calls: AffectedCalls | None, change: Change) -> str:
    """Behind its size, those of a change."""
    if calls is None:
        return ""
    from .affected_calls import calls_text  # most repositories have no calls beside them

    return calls_text(calls.of([change]))


def subnets_text(change: Change) -> str:
    """The ranges as subnets: one that holds them all but for some others, where that is shorter, or each by itself."""
    cover = _cover(change)
    holes = list(_networks(_gaps(change, cover), change.size))
    subnets = list(change.subnets())
    if len(holes) + 1 >= len(subnets):
        return listed(map(str, subnets), len(subnets))
    few = ", ".join(map(str, holes)) if len(holes) <= NAMED else count(len(holes), "subnet")
    return f"{cover} except {few}" if holes else str(cover)


class PairText(NamedTuple):
    """The cells of the line of a pair."""

    answers: str
    ranges: str
    size: str
    share: str


def pair_text(pair: Pair) -> PairText:
    """A pair of answers in words."""
    share = share_text(pair.size, pair.whole)
    from .affected_calls import calls_text  # few plans are told by pairs

    size = size_text(pair.size) + calls_text(pair.calls)
    return PairText(answers_text(pair), count(pair.size.ranges, "range"), size, share)


def rest_text(number: int, size: Total) -> str:
    """How many pairs are not told, and how much they are together."""
    return f"{number:,} more: {count(size.ranges, 'range')}, {size_text(size)}"


def answers_text(change: Change | Pair) -> str:
    """What the addresses got and get."""
    before, after = change.before, change.after
    if before and after and change.kind == "overflow":
        return f"{name_text(before[0])}: overflow {_overflow(before)} -> {_overflow(after)}"
    return f"{_location(before)} -> {_location(after)}"


def share_text(part: Total, whole: Total) -> str:
    """How much of a map that is, of each family of addresses of which it is any."""
    shares = ((part.addresses, whole.addresses, "IPv4"), (part.slash64s, whole.slash64s, "IPv6"))
    return ", ".join(f"{measured_share(number, of)} of {family}" for number, of, family in shares if number)


def size_text(size: Total) -> str:
    """How many IPv4 addresses, and how many IPv6 networks of length 64."""
    sizes = ((size.addresses, "address"), (size.slash64s, "/64"))
    return ", ".join(count(number, noun) for number, noun in sizes if number)


def sources_text(sources: Sequence[Source]) -> str:
    """Where rows stand, or stood."""
    first, more = sources[0], len(sources) - 1
    place = f"{'was ' * first.is_gone}{escape(first.path)}:{first.line}"
    return f"({place} and {more:,} more)" if more else f"({place})"


def name_text(name: str) -> str:
    """A name from outside."""
    return escape(quote(name))


def listed(texts: Iterable[str], number: int) -> str:
    """The first of so many texts, and how many more."""
    some = ", ".join(islice(texts, NAMED))
    return some if number <= NAMED else f"{some} and {number - NAMED:,} more"


def _location(names: Names | None) -> str:
    return name_text(names[0]) if names else "no answer"


def _overflow(names: Names) -> str:
    return ", ".join(map(name_text, names[1:])) or "none"


def _cover(change: Change) -> Network:
    """The longest network that holds all ranges."""
    first, last = change.ranges[0].first, change.ranges[-1].last
    free = (first ^ last).bit_length()
    return Network((first >> free << free).to_bytes(change.size) + bytes((change.size * 8 - free,)))


def _gaps(change: Change, cover: Network) -> Iterator[Range]:
    """What the cover has besides the ranges."""
    whole = Range.of(cover)
    edges = Range(whole.first - 1, whole.first - 1), *change.ranges, Range(whole.last + 1, whole.last + 1)
    for one, other in pairwise(edges):
        if one.last + 1 < other.first:
            yield Range(one.last + 1, other.first - 1)


def _networks(ranges: Iterable[Range], size: int) -> Iterator[Network]:
    for addresses in ranges:
        yield from addresses.networks(size)
