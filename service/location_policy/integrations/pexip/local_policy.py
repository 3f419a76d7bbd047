"""The map as one Jinja2 script of Pexip's local policy, which nodes run by themselves: a fallback without a server.

A script has at most 49,152 characters. What does not fit is left out from the shortest prefix on. An address is
answered by its longest row, so a row that is left answers what it answers in the whole map; an address that has lost
its row gets no opinion, never the answer of another row. So the default location is the first to go.

Rows of one answer stand in one list, which comes after those of all rows that its own rows hold: the first that has the
address wins. The script is a chain of tests, each with its answer as JSON: the form of Pexip's own examples. With views
each has such a chain of its own, in a chain of tests for what their conditions ask for.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ...config.expectation_coverage import Covered
from ...config.location_map import LocationMap
from ...config.policy_toml import OverflowForm, Rules
from ...config.views.view import View
from ...errors import LocationPolicyError
from ...net.addresses import Network
from ...net.ranges import Names, Range, count_slash64s, outermost

LIMIT = 49_152
"""Characters that a script of local policy may have (Pexip Infinity)."""

_SHORTEST = len('"::/0",')
_EVERYWHERE = ("0.0.0.0/0", "::/0")
_SUGGESTED = "{{ suggested_media_overflow_locations|pex_to_json }}"
"""What Pexip has chosen: no opinion of ours."""
_BEGIN = "{% set p = call_info.protocol|lower %}{% set s = none %}"
_NO_HOST_NAME = '{% if p == "rtmp" and ":" not in a and a|replace(".","")|int(-1) < 0 %}{% set a = "" %}{% endif %}'
"""A stream to a host by its name brings no address."""
_TEMPLATE = re.compile("[{}%#]")

Group = tuple[Names, Sequence[Network | str]]
"""An answer, and the subnets that get it."""


@dataclass(frozen=True, slots=True)
class Script:
    """A script, and how much of the map is in it: of its rows, and of what they answer.

    With `is_whole` every address gets what it gets from the map, by default too. `parts` are those of views, in their
    order, and that of the map at the top, which comes last.
    """

    text: str
    rows: Covered
    addresses: Covered
    slash64s: Covered
    is_whole: bool
    parts: tuple[Part, ...]


class Part(NamedTuple):
    """What a script has of one map, that of a view or with None the one at the top; `text` is its part of it."""

    view: str | None
    rows: Covered
    text: str


def local_policy(location_map: LocationMap, commit: str | None, limit: int = LIMIT) -> Script:
    """The script with as much of all maps as fits, IPv4 before IPv6; raises LocationPolicyError where nothing does."""
    maps = [_Map.of(one) for one in (*location_map.views, location_map)]
    ordered = _in_order([one.names for one in maps])
    defaults = [at for at in reversed(range(len(maps))) if maps[at].has_default]
    total = len(ordered) + len(defaults)
    head = f"made by location-policy{f' from commit {commit}' if commit else ''}"

    def parts(number: int) -> list[Part]:
        kept: list[dict[Network, Names]] = [{} for _ in maps]
        for at, network in ordered[:number]:
            kept[at][network] = maps[at].names[network]
        with_default = defaults[: max(0, number - len(ordered))]
        return [one.part(kept[at], has_default=at in with_default) for at, one in enumerate(maps)]

    def script(number: int) -> str:
        kept = f"{min(number, len(ordered)):,} of {len(ordered):,} subnets"
        return "\n".join((f"{{# {head}: {kept} #}}", _BEGIN, *_joined(location_map.rules.views, parts(number)), ""))

    most = min(total, limit // _SHORTEST)
    fits = bisect_right(range(most + 1), limit, key=lambda number: len(script(number))) - 1
    if fits < 0:
        raise LocationPolicyError(f"not even a script without a subnet fits into {limit:,} characters")
    told = parts(fits)
    answered = [_answered(network for at, network in ordered[:fits] if at == number) for number in range(len(maps))]
    whole = [_answered(one.names) for one in maps]
    (addresses, slash64s), (all_addresses, all_slash64s) = (
        map(sum, zip(*sizes, strict=True)) for sizes in (answered, whole)
    )
    return Script(
        script(fits),
        Covered(min(fits, len(ordered)), len(ordered)),
        Covered(addresses, all_addresses),
        Covered(slash64s, all_slash64s),
        is_whole=fits == total,
        parts=tuple(told),
    )


def _in_order(maps: Sequence[Iterable[Network]]) -> list[tuple[int, Network]]:
    """The rows of all maps, each with the number of its map, in the order in which they are told: the longest first, of
    one length the first of each map, then the second of each.
    """
    ranked = []
    for at, networks in enumerate(maps):
        ranks = Counter[tuple[int, int]]()
        for network in sorted(networks):
            kind = len(network), -network.length
            ranked.append((*kind, ranks[kind], at, network))
            ranks[kind] += 1
    return [(at, network) for *_, at, network in sorted(ranked)]


class _Map(NamedTuple):
    """The rules of one map, and its rows by their networks."""

    view: str | None
    rules: Rules
    names: Mapping[Network, Names]

    @classmethod
    def of(cls, location_map: LocationMap) -> _Map:
        return cls(location_map.name, location_map.rules, location_map.answers())

    @property
    def has_default(self) -> bool:
        """Is there an answer for an address without a row?"""
        return self.rules.answer is None and self.rules.rowless is not None

    def part(self, kept: Mapping[Network, Names], *, has_default: bool) -> Part:
        """The part of the script with these rows."""
        rowless = self.rules.rowless
        if rowless is not None and self.rules.answer is not None:
            lines = [f'{{"result": {_answer(rowless, self.rules.overflow)} }}']
        else:
            groups = _groups(kept)
            if has_default and rowless is not None:
                groups.append((rowless, _EVERYWHERE))
            lines = [*_lines(self.rules, groups)]
        return Part(self.view, Covered(len(kept), len(self.names)), "\n".join(lines))


def _joined(views: Sequence[View], parts: Sequence[Part]) -> Iterator[str]:
    """The parts, each behind what its view asks for."""
    *of_views, top = parts
    for view, part in zip(views, of_views, strict=True):
        rows = "" if view.answer else f": {part.rows.number:,} of {part.rows.whole:,} subnets"
        yield f"{{% {'elif' if view.number else 'if'} {_condition(view)} %}}{{# view {view.name}{rows} #}}"
        yield part.text
    if views:
        yield f"{{% else %}}{{# the map at the top: {top.rows.number:,} of {top.rows.whole:,} subnets #}}"
    yield top.text
    if views:
        yield "{% endif %}"


def _condition(view: View) -> str:
    """What a view asks for, as a test of Jinja2."""
    tests = []
    for parameter, values in view.conditions.items():
        asked = "p" if parameter == "protocol" else f'(call_info.{parameter} or "")|lower'
        listed = ",".join(_quoted(form) for form in dict.fromkeys(form for value in values for form in _lower(value)))
        tests.append(f"{asked} in [{listed}]")
    return " and ".join(tests) or "true"


def _lower(value: str) -> Iterator[str]:
    """What `lower`, the one way that local policy has, makes of a value in small, in capital or in mixed letters."""
    yield from (value.lower(), value.casefold(), value.upper().lower())


def _answered(rows: Iterable[Network]) -> tuple[int, int]:
    """How many IPv4 addresses, and how many IPv6 /64s, these rows answer."""
    places = outermost(rows)
    addresses = sum(Range.of(network).size for network in places if len(network) == 5)
    return addresses, count_slash64s(Range.of(network) for network in places if len(network) != 5)


def _groups(names: Mapping[Network, Names]) -> list[Group]:
    """The rows by answer, those that hold others after these."""
    groups: dict[tuple[int, Names], list[Network | str]] = {}
    for network, height in sorted(_heights(names).items(), key=lambda found: (found[1], len(found[0]))):
        groups.setdefault((height, names[network]), []).append(network)
    return [(answer, networks) for (_, answer), networks in groups.items()]


def _heights(networks: Iterable[Network]) -> dict[Network, int]:
    """How many of these networks stand in each other below each of them, at most."""
    heights: dict[Network, int] = {}
    holding: list[Network] = []
    for network in (*sorted(networks, key=lambda network: (len(network), network)), None):
        while holding and not (network and _holds(holding[-1], network)):
            height = heights[holding.pop()]
            if holding:
                heights[holding[-1]] = max(heights[holding[-1]], height + 1)
        if network:
            heights[network] = 0
            holding.append(network)
    return heights


def _holds(outer: Network, inner: Network) -> bool:
    return len(outer) == len(inner) and Network.holding(inner.first, outer.length) == outer


def _lines(rules: Rules, groups: Iterable[Group]) -> Iterator[str]:
    """The caller's address `a`, and the answer of the first list that has it."""
    for fields in dict.fromkeys(rules.match.values()):
        protocols = ",".join(_quoted(protocol) for protocol, named in rules.match.items() if named == fields)
        values = " or ".join(f"call_info.{field.replace('-', '_')}" for field in fields)
        yield f"{{% if p in [{protocols}] %}}{{% set s = {values} %}}{{% endif %}}"
    yield '{% set a = (s if s is string else s|first) if s else "" %}'
    yield '{% if a[:7]|lower == "::ffff:" and "." in a %}{% set a = a[7:] %}{% endif %}'
    if "rtmp" in rules.match:
        yield _NO_HOST_NAME
    yield f'{{"result": {{% if not a %}}{_SUGGESTED}'
    for names, networks in groups:
        listed = ",".join(f'"{network}"' for network in networks)
        yield f"{{% elif pex_in_subnet(a,[{listed}]) %}}{_answer(names, rules.overflow)}"
    yield f"{{% else %}}{_SUGGESTED}{{% endif %}} }}"


def _answer(names: Names, form: OverflowForm) -> str:
    location, *overflow = map(_quoted, names)
    parts = [f'"location":{location}']
    if form == "list" and overflow:
        parts.append(f'"overflow_locations":[{",".join(overflow)}]')
    elif form == "pair":
        keys = ("primary_overflow_location", "secondary_overflow_location")
        parts += [f'"{key}":{name}' for key, name in zip(keys, overflow, strict=False)]
    return "{" + ",".join(parts) + "}"


def _quoted(text: str) -> str:
    """A string of JSON, and of Jinja2, in ASCII; what could begin or end something of a template is escaped."""
    return _TEMPLATE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text))
