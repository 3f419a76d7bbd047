"""What a change of configuration does: rules, totals, places."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from location_policy.net.addresses import Network
from location_policy.net.ranges import Names, Range
from location_policy.plan.answer_changes import address_space
from location_policy.plan.plan import Plan, Source, Total, make_plan
from location_policy.plan.rule_changes import RuleChange
from tests.net.test_ranges import MAPS
from tests.plan.test_answer_changes import text_of
from tests.support.maps import map_of, network

ROW = "Sydney,10.0.0.0/24\n"
Rows = dict[Network, Names]


def plan_of(old: str, new: str, old_policy: str = "", new_policy: str = "") -> Plan:
    return make_plan(map_of(old, old_policy), map_of(new, new_policy))


def test_a_plan_for_a_new_branch_adds_all_rows() -> None:
    plan = make_plan(None, map_of(ROW))
    assert plan.effect
    assert plan.rules == plan.judging == ()
    assert plan.totals() == {
        "moved": Total(),
        "removed": Total(),
        "added": Total(1, 256, 0),
        "overflow": Total(),
    }


def test_the_same_answers_have_no_effect() -> None:
    plan = plan_of(f"{ROW}Perth,10.1.0.0/16\n", f"Perth,10.1.0.0/17\nPerth,10.1.128.0/17\n{ROW}")
    assert not plan.effect
    assert (plan.changes, plan.places(plan.changes)) == ((), {})


def test_each_key_that_answers_requests_is_a_change_of_rules() -> None:
    policy = """
        match = {mssip = false, webrtc = ["remote_address", "node_ip"]}
        answer = {default = "Perth", overflow = "list"}
        locations = {known = ["Sydney", "Perth"]}
    """
    plan = plan_of(ROW, ROW, "", policy)
    assert plan.effect
    assert (plan.changes, plan.judging) == ((), ())
    assert plan.rules == (
        RuleChange("match.mssip", ("ms-subnet",), None),
        RuleChange("answer.default", None, "Perth"),
        RuleChange("answer.overflow", "pair", "list"),
        RuleChange("locations.known", (), ("Perth", "Sydney")),
        RuleChange("match.webrtc", None, ("remote-address", "node-ip")),
    )


def test_a_key_that_says_what_is_so_without_it_is_no_change() -> None:
    policy = '[match]\nmssip = "ms_subnet"\n[answer]\noverflow = "pair"\n[checks]\nhost-bits = "error"\n'
    plan = plan_of(ROW, ROW, "", policy)
    assert plan.rules == plan.judging == ()


def test_known_names_in_another_order_are_no_change() -> None:
    one, other = ('[locations]\nknown = ["Sydney", "Perth"]', '[locations]\nknown = ["Perth", "Sydney", "Perth"]')
    assert not plan_of(ROW, ROW, one, other).effect


def test_how_pushes_are_judged_is_told_apart_and_has_no_effect() -> None:
    plan = plan_of(ROW, ROW, "", '[checks]\nhost-bits = "warning"\n')
    assert plan.judging == (RuleChange("checks.host-bits", "error", "warning"),)
    assert not plan.effect


def test_places_are_those_of_the_new_map_or_else_of_the_old() -> None:
    plan = plan_of(f"{ROW}Perth,10.0.1.0/24\nHobart,10.0.3.0/24\n", "# moved\nPerth,10.0.0.0/24\nHobart,10.0.3.0/24\n")
    assert plan.places(plan.changes) == {
        network("10.0.0.0/24"): Source("locations.csv", 2, is_gone=False),
        network("10.0.1.0/24"): Source("locations.csv", 2, is_gone=True),
    }


def test_a_network_of_length_64_is_counted_once_however_often_it_is_touched() -> None:
    old = "Sydney,2001:db8::1/128\nSydney,2001:db8::5/128\nSydney,2001:db8:0:1::/63\nSydney,2001:db8:0:2::1/128\n"
    old = old.replace("2001:db8:0:1::/63", "2001:db8:0:4::/63")
    totals = plan_of(old, old.replace("Sydney", "Perth")).totals()
    assert totals["moved"] == Total(4, 0, 4)


def test_a_space_that_goes_along_serves_a_series_of_plans() -> None:
    maps = [map_of(ROW), map_of("Perth,10.0.0.0/24\n"), map_of("Perth,10.0.0.0/25\n")]
    space = address_space(maps[0])
    plans = [make_plan(old, new, space) for old, new in pairwise(maps)]
    assert [plan.changes[0].kind for plan in plans] == ["moved", "removed"]


@given(MAPS, MAPS)
def test_the_totals_count_every_address_that_changes(old: Rows, new: Rows) -> None:
    totals = plan_of(text_of(old), text_of(new)).totals()
    changed = make_plan(map_of(text_of(old)), map_of(text_of(new))).changes
    for kind, total in totals.items():
        seen = {
            address
            for change in changed
            for part in change.ranges
            for address in range(part.first, part.last + 1)
            if change.kind == kind
        }
        assert total.addresses == len(seen)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 3)), max_size=8))
def test_a_64_is_counted_once_wherever_ranges_begin_and_end(spans: list[tuple[int, int]]) -> None:
    rows = {Range(first << 62, ((first + more) << 62) + 5) for first, more in spans}
    networks = {row for part in rows for row in part.networks(16)}
    text = "".join(f"Sydney,{row}\n" for row in networks)
    touched = {n for row in networks for n in range(Range.of(row).first >> 64, (Range.of(row).last >> 64) + 1)}
    assert plan_of(ROW, ROW + text).totals()["added"].slash64s == len(touched)
