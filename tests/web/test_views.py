"""Views and the table of overflow locations held against an oracle: what is answered, looked up, exported and compared
is what the slow and obvious way gives.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from location_policy.cli.commands.lookup import MapPlace, lookup
from location_policy.config.policy_toml import parameter_name
from location_policy.config.validate import load_map
from location_policy.integrations.pexip.local_policy import local_policy
from location_policy.lookup.query_string import Pairs
from location_policy.plan.as_json import plan_fields
from location_policy.plan.plan import make_plan
from location_policy.rollout.state import ActiveState
from location_policy.web.edge.policy_api import LOCATION, PolicyApi
from tests.support.local_policy import render
from tests.support.maps import files_of, snapshot_of, view_rules
from tests.support.repositories import Clone, Files

Names = tuple[str, ...]
Json = dict[str, Any]

NAMES = ("Oslo", "Sydney", "Lima")
VALUES = {
    "location": ("DMZ", "Edge Oslo"),
    "proxy_node_location": ("DMZ",),
    "call_direction": ("dial_in", "dial_out"),
    "protocol": ("mssip", "webrtc", "rtmp"),
}
ASKED = {
    "location": ("", "dmz", "Edge Oslo"),
    "proxy_node_location": ("", "DMZ"),
    "call_direction": ("DIAL_OUT", "non_dial"),
    "protocol": ("mssip", "WebRTC", "rtmp", "teams"),
}
CALLS = [dict(zip(ASKED, values, strict=True)) for values in product(*ASKED.values())]
ADDRESSES = range(8)
"""Those of 10.0.0.0/29, by their last number."""
PAIRS = 300
EXPORTED = 40
"""Calls of each that are asked of the script of local policy, which takes its time."""


@dataclass(frozen=True, eq=False)  # known by what it is, and so a key
class Map:
    """Rows by first address and size, and what answers without one."""

    rows: Mapping[tuple[int, int], Names] = field(default_factory=dict)
    default: str | None = None
    match: frozenset[str] | None = None
    """The protocols but mssip that have a rule; None: those of the map at the top."""
    answer: Names | None = None
    conditions: Mapping[str, Names] = field(default_factory=dict)
    name: str | None = None


@dataclass(frozen=True)
class Configuration:
    top: Map
    views: tuple[Map, ...]
    overflow: str
    table: Mapping[str, Names] = field(default_factory=dict)

    def files(self) -> Files:
        """The configuration as its files."""
        rules = [f'[answer]\noverflow = "{self.overflow}"']
        rules += [f'default = "{self.top.default}"'] * (self.top.default is not None)
        rules += ["[match]", *(f'{protocol} = "remote_address"' for protocol in sorted(self.top.match or ()))]
        rules += ["[overflow]", *(f"{name} = {json.dumps(others)}" for name, others in self.table.items())]
        found: dict[str, str] = {"locations.csv": rows_text(self.top)}
        for view in self.views:
            rules.append(view_rules(str(view.name), **view.conditions, answer=view.answer, default=view.default))
            if view.match is not None:
                fields = ", ".join(f'{protocol} = "remote_address"' for protocol in sorted(view.match))
                rules.append(f"match = {{ {fields} }}")
            if view.answer is None:
                found[f"views/{view.name}/locations.csv"] = rows_text(view)
        return {**found, "policy.toml": "\n".join(rules) + "\n"}

    @cached_property
    def _taken(self) -> Mapping[int, Map]:
        return {id(call): self._first(call) for call in CALLS}

    def taken_by(self, call: Mapping[str, str]) -> Map:
        """What answers one of `CALLS`."""
        return self._taken[id(call)]

    def _first(self, call: Mapping[str, str]) -> Map:
        """The first view whose conditions all hold, else the map at the top."""
        for view in self.views:
            if all(call[key].lower() in [one.lower() for one in values] for key, values in view.conditions.items()):
                return view
        return self.top

    def is_matched(self, call: Mapping[str, str]) -> bool:
        """Is the address of the call looked at?"""
        view = self.taken_by(call)
        match = self.top.match if view.match is None else view.match
        return call["protocol"].lower() in {"mssip", *(match or ())}

    def answer(self, call: Mapping[str, str], address: int | None) -> Names | None:
        """What the call gets."""
        return self.complete(self.written(call, address))

    def written(self, call: Mapping[str, str], address: int | None) -> Names | None:
        """The same as it is written where it stands."""
        view = self.taken_by(call)
        if view.answer:
            return view.answer
        if address is None or not self.is_matched(call):
            return None
        return row_of(view, address) or ((view.default,) if view.default else None)

    def complete(self, names: Names | None) -> Names | None:
        """A location alone with its overflow of the table."""
        return names and (names if names[1:] else (*names, *self.table.get(names[0], ())))


@lru_cache(maxsize=256)
def row_of(found: Map, address: int) -> Names | None:
    holding = [(size, names) for (first, size), names in found.rows.items() if first <= address < first + size]
    return min(holding)[1] if holding else None


def rows_text(found: Map) -> str:
    lines = [
        f"{','.join(names)},10.0.0.{first}/{33 - size.bit_length()}\n" for (first, size), names in found.rows.items()
    ]
    return "".join(lines)


def draw_names(chosen: random.Random) -> Names:
    return tuple(chosen.sample(NAMES, chosen.choice((1, 1, 2, 3))))


def draw_map(chosen: random.Random, name: str | None = None) -> Map:
    sizes = [chosen.choice((1, 2, 4, 8)) for _ in range(chosen.randint(1, 5))]
    rows = {(chosen.randrange(0, 8, size), size): draw_names(chosen) for size in sizes}
    default = chosen.choice((None, *NAMES))
    match = frozenset(chosen.sample(("webrtc", "rtmp"), chosen.randint(0, 2)))
    if name is None:
        return Map(rows, default, match)
    conditions = {
        key: tuple(chosen.sample(values, chosen.randint(1, len(values))))
        for key, values in VALUES.items()
        if chosen.random() < 0.4
    }
    if chosen.random() < 0.3:
        return Map(answer=draw_names(chosen), conditions=conditions, name=name)
    return Map(rows, default, chosen.choice((None, match)), None, conditions, name)


def draw(chosen: random.Random) -> Configuration:
    names = chosen.sample(("edge", "lab", "stream", "home"), chosen.randint(0, 4))
    views = tuple(draw_map(chosen, name) for name in names)
    return Configuration(draw_map(chosen), views, chosen.choice(("pair", "list")), draw_table(chosen))


def draw_table(chosen: random.Random) -> dict[str, Names]:
    if chosen.random() < 0.3:
        return {}
    others = {name: [one for one in NAMES if one != name] for name in NAMES if chosen.random() < 0.6}
    return {name: tuple(chosen.sample(names, chosen.choice((1, 2)))) for name, names in others.items()}


def draw_change(chosen: random.Random, old: Configuration) -> Configuration:
    """Another configuration, or this one with a change."""
    if not old.views or chosen.random() < 0.3:
        return draw(chosen)
    at = chosen.randrange(len(old.views))
    view = old.views[at]
    match chosen.randrange(7):
        case 0:
            return replace(old, views=(*old.views[:at], *old.views[at + 1 :]))
        case 1:
            return replace(old, views=tuple(chosen.sample(old.views, len(old.views))))
        case 2:
            return replace(old, views=(*old.views[:at], draw_map(chosen, view.name), *old.views[at + 1 :]))
        case 3:
            return replace(old, top=draw_map(chosen))
        case 4:
            return replace(old, table=draw_table(chosen))
        case 5:
            return lifted(old)
    other = replace(view, conditions=draw_map(chosen, view.name).conditions)
    return replace(old, views=(*old.views[:at], other, *old.views[at + 1 :]))


def lifted(old: Configuration) -> Configuration:
    """The same answers with nothing in the table: what rows, defaults and answers take from it stands in them."""

    def own(one: Map) -> Map:
        rows = {place: old.complete(names) or names for place, names in one.rows.items()}
        return replace(one, rows=rows, answer=old.complete(one.answer), default=one.default)

    return replace(old, top=own(old.top), views=tuple(map(own, old.views)), table={})


def query_of(call: Mapping[str, str], address: int | None) -> list[tuple[str, str]]:
    placed = [] if address is None else [(key, f"10.0.0.{address}") for key in ("ms-subnet", "remote_address")]
    return [*call.items(), *placed]


TARGETS = [
    (call, address, f"{LOCATION}?{urlencode(query_of(call, address))}".encode())
    for call, address in product(CALLS, (None, *ADDRESSES))
]


def names_in(result: Json) -> Names:
    overflow = result.get("overflow_locations")
    if overflow is None:
        overflow = [
            result[key] for key in ("primary_overflow_location", "secondary_overflow_location") if key in result
        ]
    return result["location"], *overflow


async def nowhere(*_: object) -> None:
    raise AssertionError


def assert_answers(asked: Configuration) -> None:
    active = ActiveState()
    active.change(snapshot=snapshot_of(asked.files()))
    api = PolicyApi(active, nowhere)
    for call, address, target in TARGETS:
        response = api.at_once(target)
        assert response
        body = json.loads(response.partition(b"\r\n\r\n")[2])
        found = names_in(body["result"]) if body["status"] == "success" else None
        assert (found, body.get("policy.view")) == (asked.answer(call, address), asked.taken_by(call).name)
        assert ("policy.overflow" in body) == (found != asked.written(call, address))


def assert_looked_up(
    asked: Configuration, folder: Path, chosen: random.Random, capsys: pytest.CaptureFixture[str]
) -> None:
    call, address = chosen.choice(CALLS), chosen.choice(ADDRESSES)
    Clone(folder).write(asked.files())
    parameters = Pairs((parameter_name(key), value) for key, value in call.items() if value)
    status = lookup(f"10.0.0.{address}", MapPlace(folder), parameters, "json")
    body = json.loads(capsys.readouterr().out)
    wanted = asked.answer(call, address)
    assert (status, body.get("policy.view")) == (int(wanted is None), asked.taken_by(call).name)
    assert (names_in(body["result"]) if status == 0 else None) == wanted


def assert_exported(asked: Configuration, chosen: random.Random) -> None:
    text = local_policy(load_map(files_of(asked.files())), None).text
    for call, address, _ in chosen.sample(TARGETS, EXPORTED):
        info: Json = {key: value for key, value in call.items() if value}
        if address is not None:
            info |= {"ms_subnet": [f"10.0.0.{address}"], "remote_address": f"10.0.0.{address}"}
        found = render(text, info)
        assert (names_in(found) if found else None) == asked.answer(call, address)


def told_names(told: Json | None) -> Names | None:
    return (told["location"], *told["overflow"]) if told else None


def holds(subnets: Sequence[str], address: int) -> bool:
    spans = [(int(one.split("/")[0].split(".")[3]), 1 << 32 - int(one.split("/")[1])) for one in subnets]
    return any(first <= address < first + size for first, size in spans)


def rowless(found: Map) -> Names | None:
    return found.answer or ((found.default,) if found.default else None)


def assert_compared(old: Configuration, new: Configuration) -> None:
    told: Json = plan_fields(make_plan(load_map(files_of(old.files())), load_map(files_of(new.files()))))
    nothing: Json = {"rules": [], "ranges": [], "calls": {}}
    by_pair = {(one["before"], one["after"]): one for one in told["views"]}
    assert (None, None) not in by_pair
    differs = False
    for call in CALLS:
        before, after = old.taken_by(call), new.taken_by(call)
        is_top = before.name is after.name is None
        found: Json = {**told, "calls": {}} if is_top else by_pair.get((before.name, after.name), nothing)
        for key, values in found["calls"].items():
            assert call[key].lower() in [one.lower() for one in values]
        rules = {one["key"] for one in found["rules"]}
        assert old.answer(call, None) == new.answer(call, None) or "answer" in rules
        are_matched = all(view.answer or one.is_matched(call) for one, view in ((old, before), (new, after)))
        for address in ADDRESSES:
            was, now = old.answer(call, address), new.answer(call, address)
            differs |= was != now
            ranges = [one for one in found["ranges"] if holds(one["subnets"], address)]
            if not are_matched:
                assert was == now or rules & {f"match.{call['protocol'].lower()}", "answer"}
            elif ranges:
                assert [(told_names(one["from"]), told_names(one["to"])) for one in ranges] == [(was, now)]
            elif was != now:
                assert row_of(before, address) is row_of(after, address) is None
                assert old.complete(rowless(before)) != new.complete(rowless(after))
                assert rules & {"answer", "answer.default"}
    assert told["effect"] or not differs
    entries = {name for name in NAMES if old.table.get(name) != new.table.get(name)}
    assert {one["key"] for one in told.get("overflow", ())} == {f"overflow.{name}" for name in entries}


@pytest.mark.parametrize("part", range(6))
def test_what_is_answered_looked_up_exported_and_compared_is_what_the_oracle_says(
    part: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(part, PAIRS, 6):
        chosen = random.Random(number)
        old = draw(chosen)
        new = draw_change(chosen, old)
        assert_answers(new)
        assert_looked_up(new, tmp_path / str(number), chosen, capsys)
        assert_compared(old, new)
        assert_exported(new, chosen)
