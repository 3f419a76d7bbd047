"""Whose address space a change touches, and who has given their word for it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from location_policy.config.location_map import LocationMap
from location_policy.config.owners import OWNERS_LIMIT, read_owners
from location_policy.config.validate import load_map
from location_policy.net.addresses import Address, Network, format_address
from location_policy.net.ranges import Range
from location_policy.plan.affected_owners import AffectedOwner
from location_policy.plan.approvals import unapproved
from location_policy.plan.as_text import owner_lines, plan_lines
from location_policy.plan.plan import make_plan, total_of
from tests.support.maps import files_of, network
from tests.support.repositories import Files

ROWS = "Sydney,10.61.0.0/16\nOslo,10.62.0.0/16\n"
OWNERS = "10.61.0.0/16,apac\n10.61.2.0/24,head office\n2001:db8::/32,v6\n"


def owned(rows: str = ROWS, owners: str = OWNERS, policy: str = "", **more: str) -> LocationMap:
    files: Files = {"locations.csv": rows, "owners.csv": owners, "policy.toml": policy, **more}
    return load_map(files_of(files))


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        (ROWS, []),
        (ROWS + "# a remark\n", []),
        (ROWS + "Perth,10.62.1.0/24\n", []),
        (ROWS + "Perth,10.61.2.0/24\n", ["address space of head office: 256 addresses"]),
        (ROWS + "Perth,10.61.2.0/23\n", [f"address space of {who}: 256 addresses" for who in ("apac", "head office")]),
        (ROWS + "Perth,2001:db8:1::/48\n", ["address space of v6: 65,536 /64s"]),
        (
            "Oslo,10.62.0.0/16\n",
            ["address space of apac: 65,280 addresses", "address space of head office: 256 addresses"],
        ),
    ],
)
def test_a_change_touches_the_space_of_the_longest_subnet_in_whatever_file(rows: str, lines: list[str]) -> None:
    old = owned()
    new = load_map(files_of({"locations/other.csv": rows, "owners.csv": OWNERS}))
    plan = make_plan(old, new)
    assert owner_lines(plan) == lines
    assert plan_lines(plan)[len(plan_lines(plan)) - len(lines) :] == lines


@pytest.mark.parametrize(
    "policy", ['[answer]\noverflow = "list"\n', "[match]\nmssip = false\n", "[match]\nsip = 'ms-subnet'\n"]
)
def test_a_change_of_how_all_requests_are_answered_touches_everybodys(policy: str) -> None:
    lines = owner_lines(make_plan(owned(), owned(policy=policy)))
    assert lines == [f"address space of {who}: by policy.toml" for who in ("apac", "head office", "v6")]


def test_a_change_of_owners_is_told_first_and_touches_those_of_before() -> None:
    plan = make_plan(
        owned(), owned(ROWS + "Perth,10.63.0.0/16\n", OWNERS.replace("head office", "me") + "10.63.0.0/16,new\n")
    )
    assert plan_lines(plan) == [
        "owners.csv: 10.61.2.0/24  head office -> me  (is asked from the next push on)",
        "owners.csv: 10.63.0.0/16  none -> new  (is asked from the next push on)",
        "10.63.0.0/16  no answer -> Perth  65,536 addresses  (locations.csv:3)",
        "1 range changed: 1 added (65,536 addresses)",
        "address space of head office: 256 addresses",
    ]


@pytest.mark.parametrize(
    ("owners", "touched"),
    [
        (OWNERS + "10.61.128.0/17,me\n", {"apac": 32768}),
        (OWNERS + "10.61.128.0/17,apac\n10.0.0.0/8,me\n", {}),
        ("10.61.0.0/16,apac\n2001:db8::/32,v6\n", {"head office": 256}),
        (OWNERS.replace("10.61.0.0/16,apac", "10.61.0.0/17,apac\n10.61.128.0/17,apac"), {}),
    ],
)
def test_a_longer_subnet_takes_addresses_from_their_owner(owners: str, touched: dict[str, int]) -> None:
    found = make_plan(owned(), owned(owners=owners)).touched
    assert {one.owner: total_of(one.ranges).addresses for one in found} == touched


@pytest.mark.parametrize(("severity", "is_asked"), [("error", False), ("warning", True), ("off", True)])
def test_that_owners_are_asked_no_more_touches_all_of_them(severity: str, *, is_asked: bool) -> None:
    old, new = (owned(policy=f'[checks]\nowner-approval = "{one}"\n') for one in ("error", severity))
    assert [one.owner for one in make_plan(old, new).touched] == ["apac", "head office", "v6"] * is_asked
    assert make_plan(new, old).touched == ()


def test_a_change_of_owners_alone_has_no_effect_on_answers() -> None:
    plan = make_plan(owned(), owned(owners=""))
    assert not plan.effect
    assert [one.owner for one in plan.touched] == ["apac", "head office", "v6"]


def test_many_owners_are_counted() -> None:
    owners = "".join(f"10.61.{number}.0/24,team {number}\n" for number in range(12))
    lines = owner_lines(make_plan(owned(owners=owners), owned("Oslo,10.62.0.0/16\n", owners)))
    assert (len(lines), lines[-1]) == (11, "… and of 2 owners more")


def test_more_owners_than_there_may_be_are_none() -> None:
    lines = (f"10.{number >> 16}.{number >> 8 & 255}.{number & 255},x\n" for number in range(OWNERS_LIMIT + 1))
    found = read_owners("".join(lines).encode())
    assert (found.owned, [problem.code for problem in found.problems]) == ((), ["too-large"])


subnets = st.builds(
    lambda number, length: Network.holding(Address(bytes((10, 0, number, number))), length),
    st.integers(0, 7),
    st.sampled_from([8, 21, 23, 24, 30]),
)
tables = st.dictionaries(subnets, st.sampled_from(["A", "B", "C"]), max_size=6)


@given(tables, tables, tables)
def test_what_is_touched_is_what_changes_address_by_address(
    owners: Mapping[Network, str], before: Mapping[Network, str], after: Mapping[Network, str]
) -> None:
    text = "".join(f"{network},{owner}\n" for network, owner in owners.items())
    old, new = (owned(_rows(table), text) for table in (before, after))
    found = {one.owner: one.ranges for one in make_plan(old, new).touched}
    for last in range(0, 2048, 3):
        address = Address(bytes((10, 0, *divmod(last, 256))))
        number = int.from_bytes(address)
        changes = _at(_table(before), address) != _at(_table(after), address)
        who = {_at(owners, address)} - {None} if changes else set()
        told = {owner for owner, ranges in found.items() if any(one.first <= number <= one.last for _, one in ranges)}
        assert told == who, format_address(address)


def _table(table: Mapping[Network, str]) -> dict[Network, str]:
    return {network("192.0.2.0/24"): "Z", **table}


def _rows(table: Mapping[Network, str]) -> str:
    return "".join(f"{name},{one}\n" for one, name in _table(table).items())


def _at(table: Mapping[Network, str], address: Address) -> str | None:
    holding = [one for one in table if Network.holding(address, one.length) == one]
    return table[max(holding, key=lambda one: one.length)] if holding else None


@pytest.mark.parametrize(
    ("owner", "pusher", "trailers"),
    [
        ("apac", "apac", []),
        ("APAC  Network", "apac network", []),
        ("alice@example.com", "root", ["Alice <Alice@example.com>"]),
        ("Alice", "root", ["Bob", "Alice <alice@example.com>"]),
        ("Alice <alice@example.com>", "alice@example.com", []),
        ("alice@example.com", "root", ["<alice@example.com>"]),
    ],
)
def test_the_pusher_or_a_trailer_is_the_word_of_an_owner(owner: str, pusher: str, trailers: list[str]) -> None:
    touched = (AffectedOwner(owner, ((4, Range(0, 1)),)),)
    assert unapproved(touched, pusher, trailers) == ()
    assert unapproved(touched, "root", ["ali", "apac2", "<>", ""]) == touched


def test_owners_stand_at_the_top_and_hold_in_every_view() -> None:
    policy = '[[view]]\nname = "edge"\nlocation = "DMZ"\n'
    path = "views/edge/locations.csv"
    old = owned(policy=policy, **{path: "Oslo,10.61.2.0/23\n"})
    new = owned(policy=policy, **{path: "Oslo,10.61.3.0/24\n"})
    assert owner_lines(make_plan(old, new)) == ["address space of head office: 256 addresses"]
    moved = owned("Perth,10.61.0.0/16\nOslo,10.62.0.0/16\n", policy=policy, **{path: "Oslo,10.61.3.0/24\n"})
    assert owner_lines(make_plan(old, moved)) == [
        "address space of apac: 65,280 addresses",
        "address space of head office: 256 addresses",
    ]


def test_one_answer_of_a_view_in_place_of_another_touches_every_owner() -> None:
    policy = '[[view]]\nname = "edge"\nlocation = "DMZ"\nanswer = "Oslo"\n'
    old, new = owned(policy=policy), owned(policy=policy.replace("Oslo", "Perth"))
    assert owner_lines(make_plan(old, new)) == [
        "address space of apac: by policy.toml",
        "address space of head office: by policy.toml",
        "address space of v6: by policy.toml",
    ]
