"""Lint for a map that can be served: rows that change nothing or take too many, names that look mistaken.

All of it is a matter of severity, so the gate says which codes are told at all, and what is not asked for costs
nothing. What single rows say holds beside any error. What the map says as a whole, an error elsewhere may change:
a row that cannot be read may use a name, or lie around another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from ..net.addresses import Network, parse_address
from ..net.overlaps import find_overlaps
from ..problems import Problem, ProblemCollector, Problems
from ..spelling import QUOTES, near_misses, nearest, odd_sign
from ..text import describe, escape, quote
from .files import RULES_PATH
from .location_names import is_plain, shown_beside
from .policy_toml import PROTOCOLS, SPELT, Rules
from .row import Row
from .row_file import RowFile
from .toml_positions import Place, key_place, name_places

HOME_NETWORKS = ("192.168.0.0", "192.168.1.0", "10.0.0.0")
"""The /24 networks that home routers come with."""

# 2000::/3 is all that callers on the internet have in IPv6, so also a row that is a little longer takes them all; the
# private addresses of IPv6 are a /7 (RFC 4193), as those of IPv4 are a /8.
_CATCH_ALL = frozenset(
    Network(bytes((number << 8 - length, *bytes(size - 1), length)))
    for size in (4, 16)
    for length in range(8)
    for number in range(1 << length)
) - {Network.holding(parse_address("fc00::"), 7)}

# A caller's subnet comes as its first address without the mask (contract of Pexip, 1.5), so a caller at home is taken
# by a row that begins there; not by 192.168.1.128/25. A shorter row, such as 10.0.0.0/8, is how whole companies are.
_HOME = frozenset(Network.holding(parse_address(home), length) for home in HOME_NETWORKS for length in range(24, 33))

_WANTED = {"catch-all": _CATCH_ALL, "home-network": _HOME}


class PlacedRow(NamedTuple):
    """A row and where it stands."""

    file: RowFile
    line: int
    row: Row

    def __str__(self) -> str:
        return f"{self.file.path}:{self.line}"

    def problem(self, position: int, code: str, said: str, hint: str) -> Problem:
        """What is said of one of its cells; 0 is the location, -1 the subnet."""
        column, text = self.file.cell(self.line, position)
        return Problem(self.file.path, self.line, column, code, f"{quote(text)} {said}", hint, "warning")


def all_warnings(maps: Sequence[Sequence[RowFile]], rules: Rules, rules_text: bytes, found: Problems) -> Problems:
    """The warnings of a valid configuration, of which each of `maps` has its files, in the order of their places, given
    those that were `found` as it was loaded with `errors_only`: the others are looked for, and it need not be made
    again.
    """
    codes = rules.codes_of("warning")
    collector = ProblemCollector(lambda problem: problem.severity)
    collector.add(found)
    collector.add(whole_map_problems(maps, rules, rules_text, codes))
    for number, files in enumerate(maps):
        collector.add(single_row_problems(files, codes_of_view(codes) if number else codes))
    return collector.found()


def codes_of_view(codes: Collection[str]) -> frozenset[str]:
    """Those of the codes that are told of rows in a view: which calls are at home is what its conditions say."""
    return frozenset(codes) - {"home-network"}


def single_row_problems(files: Sequence[RowFile], codes: Collection[str]) -> Iterator[Problem]:
    """Rows that take too many callers."""
    wanted = frozenset[Network]().union(*(_WANTED[code] for code in _WANTED if code in codes))
    for file in files:
        if wanted.isdisjoint(file.networks):
            continue
        for line, row in file.rows():
            if row.network in wanted:
                placed = PlacedRow(file, line, row)
                yield _catch_all(placed) if row.network in _CATCH_ALL else _home_network(placed)


def _catch_all(placed: PlacedRow) -> Problem:
    family = "IPv4" if len(placed.row.network.first) == 4 else "IPv6"
    inside, share = ("in it ", f", one in {1 << length} of all") if (length := placed.row.network.length) else ("", "")
    said = f"takes every {family} address {inside}that no other row takes{share}, and leaves Pexip nothing to choose"
    return placed.problem(-1, "catch-all", said, _delete_or_allow(placed, "catch-all"))


def _home_network(placed: PlacedRow) -> Problem:
    first = str(placed.row.network).partition("/")[0]
    said = f"takes callers at home too: many home routers have {first}/24, so {first} is what is sent"
    return placed.problem(-1, "home-network", said, _delete_or_allow(placed, "home-network"))


def _delete_or_allow(placed: PlacedRow, code: str) -> str:
    return f'delete line {placed.line}, or write {code} = "off" below [checks] in {RULES_PATH} if it is meant'


def whole_map_problems(
    maps: Sequence[Sequence[RowFile]], rules: Rules, rules_text: bytes, codes: Collection[str]
) -> Iterator[Problem]:
    """Rows that change nothing in their map, and names that look mistaken; the configuration has no error."""
    files = [file for one in maps for file in one]
    if "redundant-subnet" in codes or "shadowed-subnet" in codes:
        for one in maps:
            yield from _overlaps(list(_rows(one)), rules, codes)
    if "unused-location" in codes:
        yield from _unused(files, rules, rules_text)
    if "unknown-protocol" in codes:
        yield from _unknown_protocols(rules, rules_text)
    if "unused-overflow" in codes and rules.overflow_table:
        from .overflow.checks import unused_entries  # most configurations have no table

        yield from unused_entries(files, rules, rules_text)
    if "name-near-miss" in codes and not rules.known:
        yield from _near_misses(files, rules, rules_text)


def _rows(files: Sequence[RowFile]) -> Iterator[PlacedRow]:
    return (PlacedRow(file, line, row) for file in files for line, row in file.rows())


def _overlaps(rows: Sequence[PlacedRow], rules: Rules, codes: Collection[str]) -> Iterator[Problem]:
    networks, names = (
        [placed.row.network for placed in rows],
        [rules.with_overflow(placed.row.names) for placed in rows],
    )
    found = find_overlaps(networks, names, keeps_redundant=rules.severity("redundant-subnet") == "off")
    if "redundant-subnet" in codes:
        for at, parent in found.redundant.items():
            said = f"gives the answer that {networks[parent]} in {rows[parent]} gives"
            yield rows[at].problem(-1, "redundant-subnet", said, f"delete line {rows[at].line}")
    if "shadowed-subnet" in codes:
        for at, inner in found.shadowed.items():
            said = f"never answers: longer rows take all of it, the first {networks[inner]} in {rows[inner]}"
            yield rows[at].problem(-1, "shadowed-subnet", said, f"delete line {rows[at].line}")


def _of_views(rules: Rules) -> Collection[str]:
    """The names that views use beside their rows."""
    if not rules.views:
        return ()
    from .views.checks import used_names  # most configurations have none

    return used_names(rules)


def _unused(files: Sequence[RowFile], rules: Rules, rules_text: bytes) -> Iterator[Problem]:
    table = rules.overflow_table
    used = {rules.default, *_of_views(rules), *table}.union(*table.values())
    used.update(*(names for file in files for names in file.names))
    unused = [name for name in dict.fromkeys(rules.known) if name not in used]
    if not unused:
        return
    places = name_places(rules_text, "locations", "known")
    place = key_place(rules_text, "locations", "known")
    for name in unused:
        message = f"{quote(name)} is in known, but no row and no default uses it"
        hint = 'delete it from known, or write unused-location = "off" below [checks]'
        yield Problem(RULES_PATH, *places.get(name, place), "unused-location", message, hint, "warning")


def _unknown_protocols(rules: Rules, rules_text: bytes) -> Iterator[Problem]:
    """Protocols of which no call is: a slip of the pen leaves all those that were meant unanswered."""
    named: dict[tuple[str, ...], Iterable[str]] = {("match",): rules.match}
    for view in rules.views:
        of_view = ("view", str(view.number))
        named[*of_view, "protocol"] = filter(None, view.conditions.get("protocol", ()))
        named[*of_view, "match"] = view.match or ()
    unknown = ((one, at) for at, found in named.items() for one in found if one.casefold() not in PROTOCOLS)
    for number, (protocol, at) in enumerate(unknown):
        meant = nearest(protocol, PROTOCOLS) if number < SPELT else None
        write = f"write {meant}" if meant else f"write one of {', '.join(sorted(PROTOCOLS))}"
        hint = f'{write}; or unknown-protocol = "off" below [checks], if Pexip has it'
        place = key_place(rules_text, *at) if at[-1] == "protocol" else key_place(rules_text, *at, protocol)
        message = f"{quote(protocol)} is no protocol that Pexip Infinity is known to have"
        yield Problem(RULES_PATH, *place, "unknown-protocol", message, hint, "warning")


def _near_misses(files: Sequence[RowFile], rules: Rules, rules_text: bytes) -> Iterator[Problem]:
    """Told at the first row of the rarer name, or at the default; one that is not what it looks like gives way to one
    that is, however rare.
    """
    uses = Counter[str]()
    for names, number in Counter(placed.row.names for placed in _rows(files)).items():
        for name in names:
            uses[name] += number
    places = _places_in_rules(rules, rules_text)
    for other in places:
        uses.setdefault(other, 0)
    near = dict(near_misses(sorted(uses, key=lambda name: (_oddness(name), -uses[name]))))
    if not near:
        return
    table = {*rules.overflow_table}.union(*rules.overflow_table.values())
    first: dict[str, tuple[PlacedRow, int]] = {}
    for placed in _rows(files):
        for position, name in enumerate(placed.row.names):
            first.setdefault(name, (placed, position))
    for name, better in near.items():
        what = "the default" if better == rules.default else "[overflow]" if better in table else "a view"
        where = f"first in {first[better][0]}" if better in first else f"{what} in {RULES_PATH}"
        message = f"{shown_beside(name, better)} is nearly {quote(better)}, {where}{_by_what(name, better)}"
        hint = f"write {better}; if both are meant, list every name in known = […] below [locations] in {RULES_PATH}"
        if name in first:
            placed, position = first[name]
            column = placed.file.cell(placed.line, position).column
            yield Problem(placed.file.path, placed.line, column, "name-near-miss", message, hint, "warning")
        else:
            yield Problem(RULES_PATH, *places[name], "name-near-miss", message, hint, "warning")


def _places_in_rules(rules: Rules, rules_text: bytes) -> dict[str, Place]:
    """The names in the rules with which something is answered, each with its first place."""
    found = {} if rules.default is None else {rules.default: key_place(rules_text, "answer", "default")}
    if rules.views:
        from .views.checks import answer_places  # as above

        found = answer_places(rules, rules_text) | found
    if rules.overflow_table:
        from .overflow.checks import table_places  # as above

        found = table_places(rules) | found
    return found


def _oddness(name: str) -> tuple[bool, bool, bool]:
    """The less, the rather is it recommended: it is what it looks like, is of one script, has single spaces and no
    quotation marks around it.
    """
    return not is_plain(name), escape(name) != name, "  " in name or name.strip(QUOTES) != name


def _by_what(name: str, better: str) -> str:
    """What tells apart two names that look the same; empty where anyone sees it."""
    if "  " in name and "  " not in better:
        return "; it has several spaces together"
    if sign := odd_sign(name, better):
        return f"; it has {describe(sign)}"
    if sign := odd_sign(better, name):
        return f"; that has {describe(sign)}"
    if is_plain(name) or not is_plain(better):
        return ""
    odd = next((c for c in name if not c.isascii() and c not in better), None)
    return f"; it has {describe(odd)}" if odd else ""
