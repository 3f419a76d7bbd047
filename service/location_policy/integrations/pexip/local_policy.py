"""The map as one Jinja2 script of Pexip's local policy, which nodes run by themselves: a fallback without a server.

A script has at most 49,152 characters. What does not fit is left out from the shortest prefix on. An address is
answered by its longest row, so a row that is left answers what it answers in the whole map; an address that has lost
its row gets no opinion, never the answer of another row. So the default location is the first to go.

Rows of one answer stand in one list, which comes after those of all rows that its own rows hold: the first that has the
address wins. The script is a chain of tests, each with its answer as JSON: the form of Pexip's own examples.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ...config.expectation_coverage import Covered
from ...config.location_map import LocationMap
from ...config.policy_toml import OverflowForm, Rules
from ...errors import LocationPolicyError
from ...net.addresses import Network
from ...net.ranges import Names, Range, count_slash64s, outermost

LIMIT = 49_152
"""Characters that a script of local policy may have (Pexip Infinity)."""

_SHORTEST = len('"::/0",')
_EVERYWHERE = ("0.0.0.0/0", "::/0")
_SUGGESTED = "{{ suggested_media_overflow_locations|pex_to_json }}"
"""What Pexip has chosen: no opinion of ours."""
_TEMPLATE = re.compile("[{}%#]")

Group = tuple[Names, Sequence[Network | str]]
"""An answer, and the subnets that get it."""


@dataclass(frozen=True, slots=True)
class Script:
    """A script, and how much of the map is in it: of its rows, and of what they answer.

    With `is_whole` every address gets what it gets from the map, by default too.
    """

    text: str
    rows: Covered
    addresses: Covered
    slash64s: Covered
    is_whole: bool


def local_policy(location_map: LocationMap, commit: str | None, limit: int = LIMIT) -> Script:
    """The script with as much of the map as fits, IPv4 before IPv6; raises LocationPolicyError where nothing does."""
    rules = location_map.rules
    names, rowless = location_map.answers(), rules.rowless
    ordered = sorted(names, key=lambda network: (len(network), -network.length, network))
    total = len(ordered) + (rowless is not None)
    head = f"made by location-policy{f' from commit {commit}' if commit else ''}"

    def script(count: int) -> str:
        groups = _groups({network: names[network] for network in ordered[:count]})
        if rowless is not None and count == total:
            groups.append((rowless, _EVERYWHERE))
        kept = f"{min(count, len(ordered)):,} of {len(ordered):,} subnets"
        return "\n".join((f"{{# {head}: {kept} #}}", *_lines(rules, groups), ""))

    most = min(total, limit // _SHORTEST)
    fits = bisect_right(range(most + 1), limit, key=lambda count: len(script(count))) - 1
    if fits < 0:
        raise LocationPolicyError(f"not even a script without a subnet fits into {limit:,} characters")
    kept, whole = _answered(ordered[:fits]), _answered(ordered)
    return Script(
        script(fits),
        Covered(min(fits, len(ordered)), len(ordered)),
        Covered(kept[0], whole[0]),
        Covered(kept[1], whole[1]),
        is_whole=fits == total,
    )


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
    yield "{% set p = call_info.protocol|lower %}{% set s = none %}"
    for fields in dict.fromkeys(rules.match.values()):
        protocols = ",".join(_quoted(protocol) for protocol, named in rules.match.items() if named == fields)
        values = " or ".join(f"call_info.{field.replace('-', '_')}" for field in fields)
        yield f"{{% if p in [{protocols}] %}}{{% set s = {values} %}}{{% endif %}}"
    yield '{% set a = (s if s is string else s|first) if s else "" %}'
    yield '{% if a[:7]|lower == "::ffff:" and "." in a %}{% set a = a[7:] %}{% endif %}'
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
