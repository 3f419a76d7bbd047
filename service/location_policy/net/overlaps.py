"""Rows that change no answer: those that say what a wider row says, and those that longer rows leave no address.

Sorted by first address, then by length, networks are a tree in preorder: the parent of each is the longest that holds
it. A row is redundant when its parent gives the same names. All redundant rows can go at once: the nearest that stays
gives the same names, too.

A row is shadowed when the rows below it take every address of it. Redundant rows do not count there, only what is
below them: of 10.0.0.0/23 A, 10.0.0.0/24 A and 10.0.1.0/24 B, the first is shadowed only as long as the second stays,
which is redundant only as long as the first stays. The second is told. So deleting every row that is told, or any
of them, changes no answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .addresses import Network

_NOWHERE = -1


@dataclass(frozen=True, slots=True)
class Overlaps:
    """Rows that change no answer, each by its index, with another that says why.

    `redundant` has the wider row that gives the same names, `shadowed` the first of the longer rows that take all.
    """

    redundant: Mapping[int, int]
    shadowed: Mapping[int, int]


def find_overlaps(
    networks: Sequence[Network], names: Sequence[tuple[str, ...]], *, keeps_redundant: bool = False
) -> Overlaps:
    """What can be deleted of these rows; the networks are distinct.

    With `keeps_redundant` no row is called redundant, so that all of them count as taking addresses.
    """
    redundant: dict[int, int] = {}
    shadowed: dict[int, int] = {}
    for width in (32, 128):
        size = width // 8 + 1
        rows = sorted((row for row, network in enumerate(networks) if len(network) == size), key=networks.__getitem__)
        sizes = [1 << width - networks[row][-1] for row in rows]
        parents = _parents([int.from_bytes(networks[row][:-1]) for row in rows], sizes)
        if not keeps_redundant:
            redundant |= {
                row: rows[parent]
                for row, parent in zip(rows, parents, strict=True)
                if parent != _NOWHERE and names[row] == names[rows[parent]]
            }
        is_redundant = [row in redundant for row in rows]
        shadowed |= {rows[at]: rows[inner] for at, inner in _shadowed(parents, sizes, is_redundant).items()}
    return Overlaps(redundant, shadowed)


def _parents(firsts: Sequence[int], sizes: Sequence[int]) -> list[int]:
    """The place of the parent of each network, in preorder."""
    parents: list[int] = []
    path: list[int] = []
    for at, first in enumerate(firsts):
        while path and firsts[path[-1]] + sizes[path[-1]] <= first:
            path.pop()
        parents.append(path[-1] if path else _NOWHERE)
        path.append(at)
    return parents


def _shadowed(parents: Sequence[int], sizes: Sequence[int], is_redundant: Sequence[bool]) -> dict[int, int]:
    """The places that have no address left, each with the first place below it that is not redundant."""
    left = list(sizes)
    shadowed = {}
    following = _NOWHERE
    for at in range(len(parents) - 1, -1, -1):  # backwards, a row comes after all that are below it
        if not left[at] and not is_redundant[at]:
            shadowed[at] = following
        if parents[at] != _NOWHERE:
            left[parents[at]] -= sizes[at] - left[at] if is_redundant[at] else sizes[at]
        if not is_redundant[at]:
            following = at
    return shadowed
