"""What the prefix tree costs beside other ways to find a longest match, all in one run.

    PYTHONPATH=service python benchmarks/measures/prefix_tree.py [--table networks.txt.gz] [--rows 1000000]

Candidates take turns, so that a noisy moment hits all of them; `x` is the median, over the turns, of the time against
PrefixTree's in the same turn. Rows come in random order. Memory is what tracemalloc counts beyond the rows themselves:
held by the result, and at the peak of the build. Isolated rows are the worst for the memory of a trie, nested ones for
the climb of PrefixTree. The candidates must agree on every query before anything is timed.
"""

from __future__ import annotations

import argparse
import gzip
import random
import time
import tracemalloc
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from pathlib import Path
from statistics import median
from typing import Protocol

from location_policy.net.addresses import Address, Network, parse_interface
from location_policy.net.prefix_tree import PrefixTree

QUERIES = 20_000
LOOKUP_TURNS = 9
BUILD_TURNS = 3
WORST_ROWS = 100_000
TOO_MUCH = 512 << 20
WIDTHS = (32, 128)
LOW_WORD = (1 << 64) - 1


class Lookup(Protocol):
    def longest_match(self, address: Address) -> int | None: ...


Build = Callable[[Sequence[Network]], Lookup]


# --- the candidates ---


class Multibit:
    """A trie that eats several bits a level, one flat array for a family.

    A slot is `row + 1`, or 0 for no row, or below 0 where the next node starts.
    """

    def __init__(self, strides: dict[int, list[int]], networks: Sequence[Network]) -> None:
        self._levels = {
            width // 8: [
                (width - eaten, 1 << s) for eaten, s in zip(accumulate(strides[width]), strides[width], strict=True)
            ]
            for width in WIDTHS
        }
        self._slots = {width // 8: self._fill(width, networks) for width in WIDTHS}

    def _fill(self, width: int, networks: Sequence[Network]) -> array[int]:
        levels = self._levels[width // 8]
        slots = array("i", [0]) * levels[0][1]
        # The shorter first: the longer overwrite, and where one ends there is no node yet.
        for row in sorted(rows_of(width, networks), key=lambda row: networks[row].length):
            free = width - networks[row].length
            first = int.from_bytes(networks[row].first)
            node = 0
            for (shift, size), (_, next_size) in zip(levels, [*levels[1:], (0, 0)], strict=True):
                slot = node + (first >> shift & size - 1)
                if free >= shift:
                    count = 1 << free - shift
                    slots[slot : slot + count] = array("i", [row + 1]) * count
                    break
                if slots[slot] >= 0:
                    slots.extend(array("i", [slots[slot]]) * next_size)
                    slots[slot] = next_size - len(slots)
                node = -slots[slot]
            if len(slots) * slots.itemsize > TOO_MUCH:
                raise MemoryError
        return slots

    def longest_match(self, address: Address) -> int | None:
        slots = self._slots[len(address)]
        number = int.from_bytes(address)
        entry = 0
        for shift, size in self._levels[len(address)]:
            entry = slots[(number >> shift & size - 1) - entry]
            if entry >= 0:
                break
        return entry - 1 if entry else None


class Ranges:
    """Disjoint ranges in flat arrays, each with its start and row; `bisect` in the slice of the top 16 bits."""

    def __init__(self, networks: Sequence[Network]) -> None:
        self._families = {width // 8: self._ranges(width, networks) for width in WIDTHS}

    @staticmethod
    def _starts(width: int, networks: Sequence[Network]) -> Iterator[tuple[int, int]]:
        """Where an answer starts, and its row; of several at one address the last counts."""
        yield 0, -1
        open_ends = [(1 << width, -1)]
        for row in sorted(rows_of(width, networks), key=networks.__getitem__):
            first = int.from_bytes(networks[row].first)
            while open_ends[-1][0] <= first:
                end, _ = open_ends.pop()
                yield end, open_ends[-1][1]
            yield first, row
            open_ends.append((first + (1 << width - networks[row].length), row))
        while len(open_ends) > 1 and open_ends[-1][0] < 1 << width:
            end, _ = open_ends.pop()
            yield end, open_ends[-1][1]

    def _ranges(self, width: int, networks: Sequence[Network]) -> tuple[array[int], ...]:
        low_bits = 64 if width == 128 else 0
        high, low, found = array("Q" if low_bits else "I"), array("Q"), array("i")
        before = -1
        for first, row in self._starts(width, networks):
            if first == before:
                found[-1] = row
                continue
            before = first
            found.append(row)
            high.append(first >> low_bits)
            if low_bits:
                low.append(first & LOW_WORD)
        top_shift = width - low_bits - 16
        return high, low, found, array("I", (bisect_left(high, top << top_shift) for top in range((1 << 16) + 1)))

    def longest_match(self, address: Address) -> int | None:
        high, low, found, chunks = self._families[len(address)]
        number = int.from_bytes(address)
        word = number >> 64 if low else number
        top = word >> 48 if low else word >> 16
        at = bisect_right(high, word, chunks[top], chunks[top + 1]) - 1
        if low and high[at] == word:
            at = bisect_right(low, number & LOW_WORD, bisect_left(high, word, 0, at), at + 1) - 1
        return None if found[at] < 0 else found[at]


class LengthDicts:
    """A dict for each prefix length, the longest asked first."""

    def __init__(self, networks: Sequence[Network]) -> None:
        self._families = {width // 8: self._dicts(width, networks) for width in WIDTHS}

    @staticmethod
    def _dicts(width: int, networks: Sequence[Network]) -> list[tuple[int, dict[int, int]]]:
        by_free: dict[int, dict[int, int]] = {}
        for row in rows_of(width, networks):
            free = width - networks[row].length
            by_free.setdefault(free, {})[int.from_bytes(networks[row].first) >> free] = row
        return sorted(by_free.items())

    def longest_match(self, address: Address) -> int | None:
        number = int.from_bytes(address)
        for free, rows in self._families[len(address)]:
            row = rows.get(number >> free)
            if row is not None:
                return row
        return None


def rows_of(width: int, networks: Sequence[Network]) -> list[int]:
    return [row for row, network in enumerate(networks) if len(network) * 8 == width + 8]


CANDIDATES: dict[str, Build] = {
    "PrefixTree": PrefixTree,
    "trie 16-8-8, 16-8…": partial(Multibit, {32: [16, 8, 8], 128: [16, *[8] * 14]}),
    "trie 16-8-8, 16-4…": partial(Multibit, {32: [16, 8, 8], 128: [16, *[4] * 28]}),
    "ranges": Ranges,
    "dict per length": LengthDicts,
}


# --- the cases ---


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    networks: list[Network]
    queries: dict[str, list[Address]]


def random_network(chosen: random.Random) -> Network:
    """Six in seven IPv4, mostly /24; the rest IPv6 in 2000::/12, mostly /48."""
    if chosen.random() < 6 / 7:
        return Network.holding(Address(chosen.randbytes(4)), chosen.choice([24, 24, 24, *range(12, 25)]))
    low_bytes = chosen.randbytes(15)
    return Network.holding(Address(b"\x20" + low_bytes), chosen.choice([48, 48, 48, 32, 36, 40, 44, 56, 64]))


def distinct(rows: int, make: Callable[[], Network]) -> list[Network]:
    made: dict[Network, None] = {}
    while len(made) < rows:
        made[make()] = None
    return list(made)


def nested(rows: int, chosen: random.Random) -> list[Network]:
    chains = (Address(chosen.randbytes(16)) for _ in range(rows // 100))
    networks = {Network.holding(address, length): None for address in chains for length in range(129)}
    return chosen.sample(list(networks), rows)


def address_in(network: Network, chosen: random.Random) -> Address:
    size = len(network.first)
    free = size * 8 - network.length
    return Address((int.from_bytes(network.first) | chosen.getrandbits(free)).to_bytes(size))


def case(name: str, networks: list[Network], chosen: random.Random, most_length: int = 128) -> Case:
    """Queries are addresses in random networks, of those no longer than `most_length`."""
    chosen.shuffle(networks)
    queries = {}
    for family, width in zip(("IPv4", "IPv6"), WIDTHS, strict=True):
        some = [networks[row] for row in rows_of(width, networks) if networks[row].length <= most_length]
        queries[family] = [address_in(network, chosen) for network in chosen.choices(some, k=QUERIES)] if some else []
    return Case(name, networks, queries)


def cases(table: Path | None, rows: int | None) -> Iterator[Case]:
    chosen = random.Random(1)
    if table is not None:
        with gzip.open(table, "rt") as lines:
            networks = [Network.holding(*parse_interface(line.strip())) for line in lines]
        yield case("table", chosen.sample(networks, rows or len(networks)), chosen)
    else:
        yield case("random", distinct(rows or 1_000_000, partial(random_network, chosen)), chosen)
    for length in (64, 128):
        isolated = distinct(WORST_ROWS, lambda: Network.holding(Address(chosen.randbytes(16)), length))  # noqa: B023
        yield case(f"isolated /{length}", isolated, chosen)
    yield case("nested /0 to /128", nested(WORST_ROWS, chosen), chosen, most_length=24)


# --- measuring ---


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def all_of(lookup: Lookup, queries: Sequence[Address]) -> list[int | None]:
    return [lookup.longest_match(address) for address in queries]


def in_turns(turns: int, works: Mapping[str, Callable[[], object]]) -> dict[str, tuple[float, float]]:
    """The median time of each, and the median of its ratio to the first of them in the same turn."""
    times = [{name: seconds(work) for name, work in works.items()} for _ in range(turns)]
    first = next(iter(works))
    return {name: (median(t[name] for t in times), median(t[name] / t[first] for t in times)) for name in works}


def memory(build: Build, networks: Sequence[Network]) -> tuple[float, float]:
    """MB held by the result, MB at the peak of its build."""
    tracemalloc.start()
    try:
        result = build(networks)
        held, peak = tracemalloc.get_traced_memory()
        del result
    finally:
        tracemalloc.stop()
    return held / 1e6, peak / 1e6


def measure(case: Case) -> None:
    built: dict[str, Lookup] = {}
    for name, build in CANDIDATES.items():
        with suppress(MemoryError):
            built[name] = build(case.networks)
    reference = built["PrefixTree"]
    for queries in case.queries.values():
        wanted = all_of(reference, queries)
        for name, lookup in built.items():
            assert all_of(lookup, queries) == wanted, name
    columns = []
    for family, queries in case.queries.items():
        if queries:
            works = {name: partial(all_of, lookup, queries) for name, lookup in built.items()}
            turns = in_turns(LOOKUP_TURNS, works)
            columns.append((f"{family} us", {n: (t / len(queries) * 1e6, x) for n, (t, x) in turns.items()}))
    builds = in_turns(BUILD_TURNS, {name: partial(CANDIDATES[name], case.networks) for name in built})
    columns.append(("build s", builds))
    print(f"\n{f'{case.name}, {len(case.networks):,} rows':36}", end="")
    print("".join(f"{title:>9}{'x':>7}" for title, _ in columns) + f"{'held MB':>9}{'peak MB':>9}")
    for name, build in CANDIDATES.items():
        if name not in built:
            print(f"  {name:34}over {TOO_MUCH >> 20} MB in one family: given up")
            continue
        cells = "".join(f"{values[name][0]:9.2f}{values[name][1]:7.2f}" for _, values in columns)
        held, peak = memory(build, case.networks)
        print(f"  {name:34}{cells}{held:9.1f}{peak:9.1f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the prefix tree beside other ways to find a longest match.")
    parser.add_argument("--table", type=Path, metavar="FILE", help="gzipped list of networks, one a line")
    parser.add_argument("--rows", type=int, help="how many (default: all of the table, or 1,000,000 random ones)")
    arguments = parser.parse_args()
    for each in cases(arguments.table, arguments.rows):
        measure(each)


if __name__ == "__main__":
    main()
