"""Whose calls a change moves, held to an oracle that asks the snapshots of both sides for each call."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest

from location_policy.calls import remembered
from location_policy.calls.history_file import HistoryFile, UnusableHistory, read_history
from location_policy.calls.moved import ListedCalls, with_calls
from location_policy.calls.remembered import RememberedCalls, calls_beside
from location_policy.calls.situation import Situation, merged, rest
from location_policy.config.location_map import LocationMap
from location_policy.config.validate import load_map
from location_policy.gate.effect import with_remembered_calls
from location_policy.lookup.decision import answer
from location_policy.lookup.query_string import parse_query
from location_policy.lookup.snapshot import build_snapshot
from location_policy.plan.plan import Plan, make_plan
from tests.calls.situations import situation
from tests.support.maps import ANY_NAME, files_of
from tests.support.repositories import Files

TODAY = date(2026, 11, 28)
RULES = '[match]\nmssip = "ms_subnet"\nwebrtc = "remote_address"\n'
VIEW = '[[view]]\nname = "edge"\nlocation = "DMZ"\n'
REAL_TODAY = date.today()  # noqa: DTZ011  # a day more or less does not matter here


def load(files: Files) -> LocationMap:
    """The map of these, in which any text is a name."""
    rules = files.get("policy.toml", RULES)
    assert isinstance(rules, str)
    return load_map(files_of({**files, "policy.toml": ANY_NAME + rules}))


def planned(old: LocationMap, new: LocationMap, calls: Iterable[tuple[Situation, int]], last: date = TODAY) -> Plan:
    """The plan with these calls."""
    found = [(one, number, last.toordinal()) for one, number in calls]
    return with_calls(make_plan(old, new), ListedCalls(found, TODAY - timedelta(days=29), 30))


def told(location_map: LocationMap, asked: Situation) -> tuple[object, ...]:
    """What a node is told by a map, as far as it makes a difference."""
    parameters = {
        "protocol": asked.protocol,
        "location": asked.node_location,
        "remote_address": asked.remote_address,
        "ms-subnet": asked.ms_subnet,
    }
    found = answer(build_snapshot(location_map, None), parse_query(urlencode(parameters).encode()))
    return found.location, found.overflow or None


def random_map(chosen: random.Random) -> LocationMap:
    """Rows in few places, so that they meet; now and then with a default, a view, or other rules."""

    def rows() -> str:
        networks = (f"10.{chosen.randrange(3)}.{chosen.randrange(4) * 64}.0/{length}" for length in (18, 19, 24))
        return "".join(f"{chosen.choice(('Oslo', 'Perth', 'Perth,Cairo', 'Lima,Cairo'))},{one}\n" for one in networks)

    kind = chosen.random()
    rules = '[match]\nmssip = "remote_address"\n' if kind < 0.1 else RULES
    default = '[answer]\ndefault = "Delhi"\n' if chosen.random() < 0.2 else ""
    has_view = chosen.random() < 0.3
    views = {"views/edge/locations.csv": rows()} if has_view else {}
    return load({"locations.csv": rows(), "policy.toml": f"{default}{rules}{VIEW * has_view}", **views})


def random_calls(chosen: random.Random) -> Counter[Situation]:
    """Calls from everywhere."""
    found = Counter[Situation]()
    for _ in range(60):
        addresses = [f"10.{chosen.randrange(3)}.{chosen.randrange(256)}.{chosen.randrange(3)}" for _ in range(2)]
        one = situation(
            protocol=chosen.choice(("mssip", "webrtc", "sip")),
            node_location=chosen.choice(("DMZ", "Oslo")),
            remote_address=addresses[0],
            ms_subnet=chosen.choice((addresses[1], "")),
        )
        found[one] += chosen.randrange(1, 9)
    return found


@pytest.mark.parametrize("seed", range(120))
def test_the_calls_that_get_another_answer_are_those_of_an_oracle(seed: int) -> None:
    chosen = random.Random(seed)
    old, new, calls = random_map(chosen), random_map(chosen), random_calls(chosen)
    found = planned(old, new, calls.items()).calls
    assert found is not None
    sides = [(told(old, one), told(new, one), number) for one, number in calls.items()]
    assert found.number == calls.total()
    assert found.changed == sum(number for before, after, number in sides if before != after)
    assert found.lost == sum(number for before, after, number in sides if before[0] and not after[0])
    assert found.unsure == 0


@pytest.mark.parametrize("seed", range(40))
def test_of_a_file_as_many_are_moved_as_of_all_its_calls(seed: int, tmp_path: Path) -> None:
    """Only calls of some addresses are read from it, also where views stay as they are."""
    chosen = random.Random(seed)
    rules = chosen.choice(("", VIEW, f"{VIEW}match.mssip = ['remote_address', 'ms_subnet']\ndefault = 'Kyiv'\n"))
    old, new = map_of_places(chosen, rules), map_of_places(chosen, rules)
    calls = Counter[Situation]({rest(situation()): 1})
    for _ in range(80):
        one = situation(
            protocol=chosen.choice(("mssip", "webrtc")),
            node_location=chosen.choice(("DMZ", "Oslo")),
            remote_address=f"{place(chosen)}.{chosen.randrange(2)}",
            ms_subnet=chosen.choice((f"{place(chosen)}.0", "")),
        )
        calls[one if chosen.random() < 0.9 else merged(one)] += chosen.randrange(1, 9)
    with closing(HistoryFile(tmp_path / "calls.sqlite")) as file:
        file.add(REAL_TODAY.toordinal(), calls)
    of_file = with_calls(make_plan(old, new), RememberedCalls([tmp_path / "calls.sqlite"]))
    assert numbers(of_file) == numbers(planned(old, new, calls.items(), REAL_TODAY))


def place(chosen: random.Random) -> str:
    """One of few /24, without its last byte."""
    return f"10.{chosen.randrange(3)}.{chosen.randrange(14) * 16}"


def map_of_places(chosen: random.Random, rules: str) -> LocationMap:
    """Rows of single addresses and of networks of 256, at the top and in a view, if the rules have one; now and then
    with a default.
    """

    def rows() -> str:
        networks = {f"{place(chosen)}.{chosen.choice(('0/24', '1/32'))}" for _ in range(14)}
        named = (f"{chosen.choice(('Oslo', 'Perth', 'Lima'))},{one}\n" for one in sorted(networks))
        return "".join((*named, "Cairo,10.1.0.0/18\n"))

    views = {"views/edge/locations.csv": rows()} if rules else {}
    default = '[answer]\ndefault = "Delhi"\n' if chosen.random() < 0.2 else ""
    return load({"policy.toml": f"{default}{RULES}{rules}", "locations.csv": rows(), **views})


def numbers(plan: Plan) -> list[object]:
    """What is told of the calls of a plan, and of the plans of its views."""
    told = [one.calls for one in (plan, *(view.plan for view in plan.views)) if one.calls]
    return [(one.changed, one.lost, one.unsure, one.by_change) for one in told]


def test_each_range_has_its_calls_and_the_day_of_the_last() -> None:
    old = load({"locations.csv": "Oslo,10.4.0.0/16\nLima,10.5.0.0/16\n"})
    new = load({"locations.csv": "Perth,10.4.0.0/16\n"})
    calls = [(situation(ms_subnet=f"10.{place}.0.1"), number) for place, number in ((4, 7), (5, 2), (6, 50))]
    plan = planned(old, new, calls)
    assert plan.calls is not None
    assert {change.before: plan.calls.of([change]) for change in plan.changes} == {
        ("Oslo",): (7, TODAY.toordinal()),
        ("Lima",): (2, TODAY.toordinal()),
    }
    assert (plan.calls.changed, plan.calls.lost, plan.calls.number) == (9, 2, 59)


def test_calls_of_which_addresses_were_merged_count_where_all_of_them_are_moved() -> None:
    old = load({"locations.csv": "Oslo,10.4.0.0/16\n"})
    new = load({"locations.csv": "Perth,10.4.0.0/17\nOslo,10.4.128.0/17\nLima,10.4.200.0/25\n"})
    places = {"10.4.1.7": 3, "10.4.200.7": 5, "10.4.140.7": 11}
    calls = [(merged(situation(ms_subnet=address, remote_address="")), number) for address, number in places.items()]
    found = planned(old, new, [*calls, (rest(situation()), 100)]).calls
    assert found is not None
    assert (found.changed, found.unsure) == (3, 105)


def test_calls_of_which_only_the_number_is_known_may_all_be_moved() -> None:
    old = load({"locations.csv": "Oslo,10.4.0.0/16\n"})
    for new in ({"locations.csv": "Perth,10.4.0.0/16\n"}, {"policy.toml": "[match]\nmssip = false\n"}):
        plan = make_plan(old, load({"locations.csv": "Oslo,10.4.0.0/16\n"} | new))
        known = ListedCalls([(situation(ms_subnet="10.4.0.1"), 3, TODAY.toordinal())], TODAY, 1, left_out=7)
        found = with_calls(plan, known).calls
        assert found is not None
        assert (found.number, found.changed, found.unsure) == (10, 3, 7)


def test_calls_by_rules_are_counted_though_they_are_in_no_range() -> None:
    old = load({"locations.csv": "Oslo,10.4.0.0/16\n"})
    new = load({"locations.csv": "Oslo,10.4.0.0/16\n", "policy.toml": '[match]\nmssip = "remote_address"\n'})
    plan = planned(old, new, [(situation(ms_subnet="10.4.0.1"), 4)])
    assert plan.calls is not None
    assert (plan.calls.changed, plan.calls.lost, plan.calls.by_change) == (4, 4, {})


def test_a_file_gives_those_in_the_ranges_and_the_number_of_all(tmp_path: Path) -> None:
    old = load({"locations.csv": "Oslo,10.4.0.0/16\nOslo,10.9.0.0/16\nOslo,2001:db8::/32\n"})
    new = load({"locations.csv": "Perth,10.4.0.0/16\nPerth,10.9.0.0/24\nOslo,10.9.0.0/16\nLima,2001:db8::/32\n"})
    day = REAL_TODAY.toordinal()
    counts = {
        situation(ms_subnet="10.4.0.1"): 3,
        merged(situation(ms_subnet="10.9.0.77", remote_address="")): 5,
        situation(protocol="webrtc", ms_subnet="", remote_address="2001:db8::7"): 7,
        situation(ms_subnet="10.5.0.1"): 11,
        rest(situation()): 13,
    }
    with closing(HistoryFile(tmp_path / "calls.sqlite")) as file:
        file.add(day - 1, counts)
        file.add(day - 40, counts)
        known = RememberedCalls([tmp_path / "calls.sqlite"])
        found = with_calls(make_plan(old, new), known).calls
    assert found is not None
    assert (found.number, found.changed, found.unsure) == (39, 15, 13)


def test_two_files_count_together_and_what_may_not_be_read_counts_nothing(tmp_path: Path) -> None:
    state = tmp_path / "location-policy"
    state.mkdir()
    assert calls_beside(tmp_path, {}) is None
    for name in ("calls.sqlite", "calls-2.sqlite"):
        with closing(HistoryFile(state / name)) as file:
            file.add(REAL_TODAY.toordinal(), {situation(): 2})
    known = calls_beside(tmp_path, {})
    assert known is not None
    assert (known.total(), [calls for _, calls, _ in known.found()]) == (4, [4])
    (state / "calls-2.sqlite").write_bytes(b"torn" * 1000)
    assert (known := calls_beside(tmp_path, {})) is not None
    assert known.total() == 2
    moved = tmp_path / "elsewhere"
    state.rename(moved)
    assert calls_beside(tmp_path, {}) is None
    assert (known := calls_beside(tmp_path, {"statedirectory": str(moved)})) is not None
    assert known.total() == 2


def test_a_file_that_takes_longer_than_one_may_wait_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "calls.sqlite"
    with closing(HistoryFile(path)) as file:
        file.add(1, {situation(ms_subnet=f"10.{n >> 8}.{n & 255}.1"): 1 for n in range(3000)})
    assert len(list(read_history(path, 0, patience=60.0))) == 3000
    with pytest.raises(UnusableHistory, match="interrupted"):
        list(read_history(path, 0, patience=-1.0))


def test_calls_that_a_limit_is_held_to_are_given_more_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "PATIENCE", -1.0)
    (tmp_path / "location-policy").mkdir()
    with closing(HistoryFile(tmp_path / "location-policy" / "calls.sqlite")) as file:
        file.add(REAL_TODAY.toordinal(), {situation(ms_subnet=f"10.{n >> 8}.{n & 255}.1"): 1 for n in range(3000)})
    for limit, number in (("changed-addresses", None), ("changed-calls", 3000)):
        old, new = (
            load({"locations.csv": f"{name},10.0.0.0/8\n", "policy.toml": f'[limits]\n{limit} = "5%"\n'})
            for name in ("Oslo", "Perth")
        )
        calls = with_remembered_calls(make_plan(old, new), tmp_path, {}).calls
        assert (calls and calls.changed) == number


def test_without_an_effect_only_the_number_is_asked_for() -> None:
    old = load({"locations.csv": "Oslo,10.4.0.0/16\n"})
    plan = planned(old, old, [(situation(), 3)])
    assert plan.calls is not None
    assert (plan.calls.number, plan.calls.changed) == (3, 0)
    assert replace(plan, calls=None) == make_plan(old, old)


def test_calls_that_are_looked_up_by_what_is_not_kept_may_be_moved() -> None:
    rules = '[match]\nmssip = "node_ip"\nsip = "remote_address"\n'
    old, new = (
        load({"locations.csv": f"{name},10.0.0.0/8\n", "policy.toml": rules + VIEW + "answer = 'Lima'\n"})
        for name in ("Oslo", "Perth")
    )
    by_node = situation(remote_address="10.1.2.3", ms_subnet="10.61.2.0")
    calls = planned(
        old, new, [(by_node, 5), (by_node._replace(protocol="sip"), 3), (by_node._replace(node_location="DMZ"), 7)]
    ).calls
    assert calls is not None
    assert (calls.changed, calls.unsure) == (3, 5)
    old, new = (load({"locations.csv": f"{name},10.0.0.0/8\n", "policy.toml": rules}) for name in ("Oslo", "Perth"))
    calls = planned(old, new, [(by_node, 5), (by_node._replace(protocol="sip"), 3)]).calls
    assert calls is not None
    assert (calls.changed, calls.unsure) == (3, 5)
