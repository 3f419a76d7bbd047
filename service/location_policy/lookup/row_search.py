"""Rows of a snapshot by what a reader types: an address, a subnet, part of one, the name of a location or of a file.

Each word is a term, and a row must meet all of them:

    10.61.2.7        the rows that hold this address; the one that answers it comes first
    10.61.0.0/16     the row of this subnet, then those inside it, then those that hold it
    10.61.           the same, as far as it is typed; 2001:db8: too
    /24              the rows of this length
    sydney           the rows with this in a name or in the path of their file, in capitals or not

Networks are found by bisection. Names and paths are few, so a word is compared with each of them once and not with each
row: a search among 100,000 rows takes some hundredths of a second.
"""

from __future__ import annotations

import re
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal
from unicodedata import normalize

from ..net.addresses import Address, Network, parse_address, parse_interface
from .snapshot import Snapshot

Order = Literal["subnet", "location", "source", "length"]
"""By address; by names; by file and line; by the length of the prefix."""

InOrder = Callable[[Order], Sequence[int]]

WORDS = 20
"""Words of a search that count: more were pasted by mistake."""

_LENGTH = re.compile(r"/(\d{1,3})")
_PART_OF_IPV4 = re.compile(r"(?:\d{1,3}\.){1,3}|(?:\d{1,3}\.){1,2}\d{1,3}")
_PART_OF_IPV6 = re.compile(r"(?:[0-9a-f]{1,4}:){1,7}|(?:[0-9a-f]{1,4}:){1,6}[0-9a-f]{1,4}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for; `location` and `path` are whole, and exact."""

    text: str = ""
    location: str | None = None
    path: str | None = None
    order: Order | None = None
    """None: by address, but for an address the longest first."""
    is_descending: bool = False


def find_rows(snapshot: Snapshot, search: Search, in_order: InOrder | None = None) -> Sequence[int]:
    """The positions of the rows that are meant, in the order that is meant.

    `in_order` has all positions in an order: sorting a large map takes a while, and is worth keeping.
    """
    terms = [_term(word) for word in search.text.split()[:WORDS]]
    rows = snapshot.by_address()
    found = _filtered(snapshot, rows, _placed(snapshot, terms), terms, search)
    if search.order is None and len(terms) == 1 and isinstance(network := terms[0], Network):
        return sorted(found, key=lambda at: _nearness(snapshot.network_at(at), network))
    if search.order is None and any(isinstance(term, bytes) and not isinstance(term, Network) for term in terms):
        return sorted(found, key=lambda position: -snapshot.lengths[rows[position]])
    if search.order not in (None, "subnet"):
        everything = in_order(search.order) if in_order else ordered(snapshot, search.order)
        found = everything if len(found) == snapshot.size else _kept_in_order(everything, found)
    return found[::-1] if search.is_descending else found


def asked_network(text: str) -> Network | None:
    """The network that a search is for, if it is for one alone."""
    words = text.split()
    term = _term(words[0]) if len(words) == 1 else None
    return term if isinstance(term, Network) else None


def _nearness(row: Network, asked: Network) -> tuple[int, int]:
    """The row itself, then those inside it in order, then those that hold it, the longest first."""
    if row == asked:
        return 0, 0
    return (1, 0) if row.length > asked.length else (2, -row.length)


def ordered(snapshot: Snapshot, order: Order) -> array[int]:
    """All positions in an order; equal ones stay in the order of addresses."""
    rows = snapshot.by_address()
    match order:
        case "location":
            return _by_key(map(_ranks(snapshot).__getitem__, map(snapshot.names_of.__getitem__, rows)))
        case "source":
            return _inverted(rows)
        case "length":
            return _by_key(map(snapshot.lengths.__getitem__, rows))
    return array("I", range(snapshot.size))


Term = Address | Network | int | str


def _term(word: str) -> Term:
    """What a word means: an address, a network, a length, or itself."""
    if length := _LENGTH.fullmatch(word):
        return int(length[1])
    for parse in (parse_address, _parse_network, _parse_part):
        try:
            return parse(word)
        except ValueError:
            continue
    return _folded(word)


def _folded(text: str) -> str:
    """The same for all ways to write it: in capitals or not, with its accents composed or not (Unicode, UAX 15)."""
    return normalize("NFC", text).casefold()


def _parse_network(word: str) -> Network:
    return Network.holding(*parse_interface(word))


def _parse_part(word: str) -> Network:
    """The beginning of an address, in whole parts, as a network."""
    if _PART_OF_IPV4.fullmatch(word):
        parts = word.removesuffix(".").split(".")
        return Network.holding(parse_address(".".join([*parts, *"000"][:4])), 8 * len(parts))
    if _PART_OF_IPV6.fullmatch(word):
        parts = word.removesuffix(":").split(":")
        return Network.holding(parse_address(":".join([*parts, *"00000000"][:8])), 16 * len(parts))
    raise ValueError(f"{word!r} is not the beginning of an address")


def _placed(snapshot: Snapshot, terms: Iterable[Term]) -> Sequence[int]:
    """The positions that the addresses and networks among the terms leave, in order."""
    found: Sequence[int] | None = None
    for term in terms:
        if not isinstance(term, bytes):
            continue
        inside = snapshot.inside(term) if isinstance(term, Network) else range(0)
        around = _around(snapshot, term)
        if found is None:
            found = [*around, *inside] if around else inside
        else:
            found = [at for at in found if at in inside or at in around]
    return range(snapshot.size) if found is None else found


def _around(snapshot: Snapshot, term: Address | Network) -> list[int]:
    """The positions of the rows that hold an address, or a network and more, in order: all before those inside it."""
    if isinstance(term, Network):
        holding = snapshot.holding(term.first)
        return sorted(at for at in holding if snapshot.network_at(at).length < term.length)
    return sorted(snapshot.holding(term))


def _filtered(
    snapshot: Snapshot, rows: array[int], places: Sequence[int], terms: Iterable[Term], search: Search
) -> Sequence[int]:
    """Of these positions, those of rows with the lengths, names and paths that are meant."""
    for term in terms:
        if isinstance(term, int):
            places = [at for at in places if snapshot.lengths[rows[at]] == term]
        elif isinstance(term, str):
            places = _kept(rows, places, _text_flags(snapshot, term))
    if search.location is not None:
        flags = _name_flags(snapshot, lambda names: names[0] == search.location)
        places = _kept(rows, places, flags)
    if search.path is not None:
        places = _kept(rows, places, _path_flags(snapshot, lambda path: path == search.path))
    return places


def _kept(rows: array[int], places: Iterable[int], flags: bytes) -> list[int]:
    return [at for at in places if flags[rows[at]]]


def _kept_in_order(everything: Sequence[int], found: Sequence[int]) -> list[int]:
    flags = bytearray(len(everything))
    for at in found:
        flags[at] = 1
    return [at for at in everything if flags[at]]


def _text_flags(snapshot: Snapshot, word: str) -> bytes:
    """For each row: is the word in a name, or in the path?"""
    by_name = _name_flags(snapshot, lambda names: any(word in _folded(name) for name in names))
    by_path = _path_flags(snapshot, lambda path: word in _folded(path))
    both = int.from_bytes(by_name) | int.from_bytes(by_path)
    return both.to_bytes(snapshot.size)


def _name_flags(snapshot: Snapshot, is_meant: Callable[[tuple[str, ...]], bool]) -> bytes:
    meant = bytes(map(is_meant, snapshot.names))
    return bytes(meant[number] for number in snapshot.names_of)  # not in C, which would let no answer go first


def _path_flags(snapshot: Snapshot, is_meant: Callable[[str], bool]) -> bytes:
    ends = (*snapshot.starts, snapshot.size)[1:]
    sizes = (end - start for start, end in zip(snapshot.starts, ends, strict=True))
    return b"".join(bytes((is_meant(path),)) * size for path, size in zip(snapshot.paths, sizes, strict=True))


def _ranks(snapshot: Snapshot) -> array[int]:
    """Of each tuple of names its place among all, without regard to case."""
    by_name = sorted(range(len(snapshot.names)), key=lambda number: [*map(str.casefold, snapshot.names[number])])
    return _inverted(by_name)


def _by_key(keys: Iterable[int]) -> array[int]:
    """All positions by their keys, which are few; not by sorting, which would let no answer go first until it ends."""
    found: dict[int, array[int]] = defaultdict(lambda: array("I"))
    for position, key in enumerate(keys):
        found[key].append(position)
    order = array("I")
    for key in sorted(found):
        order += found[key]
    return order


def _inverted(order: Sequence[int]) -> array[int]:
    """Where each number stands in an order of all."""
    places = array("I", bytes(array("I").itemsize * len(order)))
    for place, number in enumerate(order):
        places[number] = place
    return places
