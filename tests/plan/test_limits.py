"""Whether a change is larger than one push may make."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from location_policy.config.location_map import LocationMap
from location_policy.config.percentages import measured_share
from location_policy.config.validate import load_map
from location_policy.plan import rule_changes
from location_policy.plan.limits import Excess, exceeded_limits
from location_policy.plan.plan import make_plan
from location_policy.plan.rule_changes import dropped_by_pair
from tests.support.maps import files_of, many_rows, map_of, view_rules

CHANGED = '[limits]\nchanged-addresses = "25%"\n'
REMOVED = '[limits]\nremoved-subnets = "10%"\n'
V6 = "".join(f"Sydney,2001:db8:{number:x}::/48\n" for number in range(100))


def exceeded(old: str, new: str, old_policy: str, new_policy: str | None = None) -> list[tuple[str, ...]]:
    plan = make_plan(map_of(old, old_policy), map_of(new, old_policy if new_policy is None else new_policy))
    return [tuple(excess) for excess in exceeded_limits(plan)]


def moved(number: int, rows: str, location: str = "Perth") -> str:
    return rows.replace("Sydney", location, number)


def test_a_share_of_the_answered_addresses_may_change_and_no_more() -> None:
    rows = many_rows(100)
    assert exceeded(rows, moved(25, rows), CHANGED) == []
    assert exceeded(rows, moved(26, rows), CHANGED) == [("changed-addresses", "25%", "26% of IPv4 addresses")]


def test_addresses_count_and_not_rows() -> None:
    rows = many_rows(200) + "Sydney,10.9.0.0/16\n"
    (found,) = exceeded(rows, rows.replace("Sydney,10.9", "Perth,10.9"), CHANGED)
    assert found[2] == "99.7% of IPv4 addresses"


def test_an_answer_that_goes_counts_and_one_that_comes_does_not() -> None:
    rows = many_rows(100)
    assert exceeded(rows, rows + "Perth,192.0.2.0/24\n", CHANGED) == []
    assert exceeded(rows, "".join(rows.splitlines(True)[30:]), CHANGED)[0][2] == "30% of IPv4 addresses"


def test_families_are_held_to_the_limit_apart() -> None:
    rows = many_rows(10_000)
    assert exceeded(rows + V6, rows + moved(26, V6), CHANGED) == [("changed-addresses", "25%", "26% of IPv6 /64s")]
    assert len(exceeded(rows + V6, moved(5_000, rows) + moved(26, V6), CHANGED)) == 2


def test_long_ipv6_rows_count_by_the_64_that_they_touch() -> None:
    rows = "".join(f"Sydney,2001:db8::{number:x}/128\n" for number in range(1, 101))
    assert exceeded(rows, moved(1, rows), CHANGED)[0][2] == "100% of IPv6 /64s"


def test_rows_whose_subnet_is_gone_are_counted() -> None:
    rows = many_rows(200)
    assert exceeded(rows, "".join(rows.splitlines(True)[20:]), REMOVED) == []
    assert exceeded(rows, "".join(rows.splitlines(True)[22:]), REMOVED) == [
        ("removed-subnets", "10%", "11% of subnets")
    ]


def test_rows_that_go_are_counted_where_no_answer_changes() -> None:
    rows = "".join(f"Sydney,10.0.{number}.0/24\n" for number in range(200))
    merged = "Sydney,10.0.0.0/19\n" + "".join(rows.splitlines(True)[32:])
    assert exceeded(rows, merged, REMOVED) == [("removed-subnets", "10%", "16% of subnets")]


def test_a_row_that_names_another_location_is_not_gone() -> None:
    assert exceeded(many_rows(100), many_rows(100, "Perth"), REMOVED) == []


def test_a_small_map_has_no_limits() -> None:
    assert exceeded(many_rows(99), "Perth,192.0.2.0/24\n", CHANGED + 'removed-subnets = "0%"\n') == []


def test_without_limits_all_may_change() -> None:
    assert exceeded(many_rows(100), "Perth,192.0.2.0/24\n", "") == []


def test_the_limits_of_the_old_map_count() -> None:
    rows = many_rows(100)
    assert exceeded(rows, moved(26, rows), CHANGED, "") != []
    assert exceeded(rows, moved(26, rows), "", CHANGED) == []


def test_a_protocol_that_is_answered_no_more_takes_all_answers_with_it() -> None:
    rows = many_rows(100) + V6
    assert exceeded(rows, rows, CHANGED, f"match.mssip = false\n{CHANGED}") == [
        ("changed-addresses", "25%", "100% of IPv4 addresses"),
        ("changed-addresses", "25%", "100% of IPv6 /64s"),
    ]


def test_an_entry_of_the_overflow_table_counts_for_every_address_of_the_rows_that_take_it() -> None:
    rows = many_rows(70) + many_rows(100).replace("Sydney", "Perth").partition("10.0.0.69/32\n")[2]
    before, after = (f'{CHANGED}[overflow]\nSydney = "{name}"\n' for name in ("Oslo", "Lima"))
    assert exceeded(rows, rows, before, after) == [("changed-addresses", "25%", "70% of IPv4 addresses")]
    assert exceeded(rows, rows, before, f"{before}Lima = 'Oslo'\n") == []
    assert exceeded(rows, rows, before, CHANGED)[0][2] == "70% of IPv4 addresses"
    assert exceeded(rows, rows.replace("Sydney", "Sydney,Oslo"), before, CHANGED) == []


def test_an_entry_for_the_default_changes_all_that_has_no_row() -> None:
    policy = f'answer.default = "Oslo"\n{CHANGED}'
    assert exceeded(many_rows(100), many_rows(100), policy, f"{policy}[overflow]\nOslo = 'Lima'\n") == [
        ("changed-addresses", "25%", "100% of addresses without a row")
    ]


@pytest.mark.parametrize("fields", ['"remote_address"', '["remote_address", "ms-subnet"]', '["ms-subnet", "node_ip"]'])
def test_a_protocol_whose_address_is_looked_for_elsewhere_may_change_all_answers(fields: str) -> None:
    rows = many_rows(100)
    assert exceeded(rows, rows, CHANGED, f"match.mssip = {fields}\n{CHANGED}")[0][2] == "100% of IPv4 addresses"


def test_another_spelling_of_the_same_parameter_and_another_protocol_change_no_answer() -> None:
    rows = many_rows(100)
    policy = f'match.MSSIP = ["ms_subnet"]\nmatch.webrtc = "remote_address"\n{CHANGED}'
    assert exceeded(rows, rows, CHANGED, policy) == []


@pytest.mark.parametrize("default", ["", '[answer]\ndefault = "Perth"\n'])
@pytest.mark.parametrize(
    ("limit", "added", "measured"),
    [
        ("25%", ["0.0.0.0/0"], ["over 99.99% of all IPv4 addresses (those without a row)"]),
        ("25%", ["::/0"], ["100% of all IPv6 /64s (those without a row)"]),
        ("25%", ["0.0.0.0/2", "64.0.0.0/2"], ["50% of all IPv4 addresses (those without a row)"]),
        ("25%", ["64.0.0.0/2", "2000::/3"], []),
        ("10%", ["2000::/3"], ["12.5% of all IPv6 /64s (those without a row)"]),
        ("0%", ["11.0.0.0/8", "fd00::/8"], []),
        ("0%", ["12.0.0.0/7"], ["0.79% of all IPv4 addresses (those without a row)"]),
        ("0%", ["11.0.0.0/8", "12.0.0.0/32"], ["0.4% of all IPv4 addresses (those without a row)"]),
        ("100%", ["0.0.0.0/0", "::/0"], []),
    ],
)
def test_wide_rows_where_none_was_count_by_all_addresses(
    default: str, limit: str, added: list[str], measured: list[str]
) -> None:
    rows, policy = many_rows(100), f"{CHANGED.replace('25%', limit)}{default}"
    wider = rows + "".join(f"Hobart,{subnet}\n" for subnet in added)
    assert exceeded(rows, wider, policy) == [("changed-addresses", limit, one) for one in measured]


def test_what_a_wide_row_takes_of_other_rows_and_of_none_counts_each_by_itself() -> None:
    rows = "".join(f"Sydney,10.{number}.0.0/16\n" for number in range(100))
    assert exceeded(rows, "Hobart,0.0.0.0/0\n", CHANGED)[:2] == [
        ("changed-addresses", "25%", "100% of IPv4 addresses"),
        ("changed-addresses", "25%", "99.85% of all IPv4 addresses (those without a row)"),
    ]


def test_a_wide_row_that_says_what_the_default_says_changes_nothing() -> None:
    rows, policy = many_rows(100), f'{CHANGED}[answer]\ndefault = "Perth"\n'
    assert exceeded(rows, rows + "Perth,0.0.0.0/0\nPerth,::/0\n", policy) == []


def test_a_default_that_changes_is_no_change_of_a_row() -> None:
    rows, policy = many_rows(100), f'{CHANGED}[answer]\ndefault = "Perth"\n'
    assert exceeded(rows, moved(100, rows), policy)[0][2] == "100% of IPv4 addresses"
    assert exceeded(rows, "Perth,10.0.0.0/25\nSydney,192.0.2.0/24\n", policy)[0][2] == "100% of IPv4 addresses"


def test_a_default_that_comes_changes_or_goes_changes_all_that_has_no_row() -> None:
    rows, policies = many_rows(100), [f'{CHANGED}[answer]\ndefault = "{name}"\n' for name in ("Perth", "Oslo")]
    all_of_it = [("changed-addresses", "25%", "100% of addresses without a row")]
    assert exceeded(rows, rows, *policies) == exceeded(rows, rows, policies[0], CHANGED) == all_of_it
    assert exceeded(rows, rows + "Perth,0.0.0.0/0\n", CHANGED, policies[0]) == all_of_it


def test_another_form_of_overflow_changes_the_answers_that_have_some_once() -> None:
    rows, policy = many_rows(100), f'answer.overflow = "list"\n{CHANGED}'
    assert exceeded(moved(25, rows, "Sydney,Perth"), moved(25, rows, "Oslo,Perth"), CHANGED, policy) == []
    assert exceeded(moved(26, rows, "Sydney,Perth"), moved(25, rows, "Oslo,Perth"), CHANGED, policy) == [
        ("changed-addresses", "25%", "26% of IPv4 addresses")
    ]
    assert exceeded(rows, rows, CHANGED, policy) == []


def test_another_form_of_overflow_changes_what_has_no_row_where_that_has_some() -> None:
    default = f'{CHANGED}[answer]\ndefault = "Perth"\n'
    listed = f'answer.overflow = "list"\nanswer.default = "Perth"\n{CHANGED}'
    assert exceeded(many_rows(100), many_rows(100), default, listed) == []
    table = '[overflow]\nPerth = "Oslo"\n'
    assert exceeded(many_rows(100), many_rows(100), default + table, listed + table) == [
        ("changed-addresses", "25%", "100% of addresses without a row")
    ]


def test_another_form_of_overflow_changes_the_one_answer_of_a_view_where_that_has_some() -> None:
    stream = '[[view]]\nname = "stream"\nprotocol = "rtmp"\nanswer = {}\n'
    for answer, exceeds in (('["Perth"]', False), ('["Perth", "Oslo"]', True)):
        old, new = (
            load_map(files_of({"locations.csv": many_rows(100), "policy.toml": form + CHANGED + stream.format(answer)}))
            for form in ("", 'answer.overflow = "list"\n')
        )
        found = ["changed-addresses: 100% of addresses without a row (rtmp calls: view stream)"] if exceeds else []
        assert told(old, new) == found


@pytest.mark.parametrize(
    ("old", "new", "loosened"),
    [
        (CHANGED, "", [("limits.changed-addresses", "25%", "none")]),
        (CHANGED, CHANGED.replace("25", "25.1"), [("limits.changed-addresses", "25%", "25.1%")]),
        (CHANGED, CHANGED.replace("25", "25.0"), []),
        (CHANGED, CHANGED.replace("25", "24"), []),
        (CHANGED, CHANGED + 'removed-subnets = "10%"', []),
        (CHANGED.replace("25", "100"), "", []),
        ("", 'checks.host-bits = "off"', []),
        (CHANGED, f'checks.host-bits = "warning"\n{CHANGED}', [("checks.host-bits", "error", "warning")]),
        (CHANGED, f'checks.catch-all = "off"\n{CHANGED}', []),
        (f'checks.catch-all = "error"\n{CHANGED}', CHANGED, [("checks.catch-all", "error", "warning")]),
        (f'checks.owner-approval = "error"\n{CHANGED}', CHANGED, []),
        (f'locations.known = ["Sydney", "Oslo"]\n{CHANGED}', CHANGED, [("locations.known", "2 names", "any name")]),
        (f'locations.known = ["Sydney"]\n{CHANGED}', f'locations.known = ["Sydney", "Oslo"]\n{CHANGED}', []),
        (
            f'checks.unknown-location = "off"\nlocations.known = ["Sydney"]\n{CHANGED}',
            f'checks.unknown-location = "off"\n{CHANGED}',
            [],
        ),
    ],
)
def test_what_loosens_what_judges_is_over_the_limit_where_there_is_one(
    old: str, new: str, loosened: list[tuple[str, ...]]
) -> None:
    assert exceeded(many_rows(100), many_rows(100), old, new) == loosened
    assert exceeded(many_rows(99), many_rows(99), old, new) == []


def test_a_map_that_becomes_too_small_for_limits_is_loosened() -> None:
    rows = many_rows(101)
    fewer = "".join(rows.splitlines(True)[2:])
    assert exceeded(rows, fewer, CHANGED) == [("limits", "from 100 subnets on", "99 subnets")]
    assert exceeded(rows, "".join(rows.splitlines(True)[1:]), CHANGED) == exceeded(rows, fewer, "") == []


def test_expectations_that_go_are_over_the_limit_and_those_that_only_have_another_reason_are_none() -> None:
    def of(expectations: str, policy: str = CHANGED) -> LocationMap:
        return load_map(
            files_of({"locations.csv": many_rows(100), "policy.toml": policy, "expectations.csv": expectations})
        )

    old, other = of("10.0.0.1,Sydney\n10.0.0.2,Sydney,a lab\n192.0.2.1,\n"), of("10.0.0.2,Sydney\n192.0.2.1,,why\n")
    assert exceeded_limits(make_plan(old, other)) == (Excess("expectations.csv", "3 expectations", "2 of them"),)
    assert exceeded_limits(make_plan(old, of(""))) == (Excess("expectations.csv", "3 expectations", "0 of them"),)
    assert exceeded_limits(make_plan(other, old)) == ()
    assert exceeded_limits(make_plan(of("10.0.0.1,Sydney\n", ""), of("", ""))) == ()


def test_an_expectation_that_expects_another_answer_is_told_as_changed() -> None:
    def of(expectations: str, rows: str = "") -> LocationMap:
        files = {"locations.csv": many_rows(100) + rows, "policy.toml": CHANGED, "expectations.csv": expectations}
        return load_map(files_of(files))

    old = of("10.0.0.2,Sydney\n192.0.2.1,\n192.0.2.2,\n")
    assert exceeded_limits(make_plan(old, of("192.0.2.1,Perth\n192.0.2.2,\n", "Perth,192.0.2.1/32\n"))) == (
        Excess("expectations.csv", "3 expectations", "2 of them"),
        Excess("expectations.csv", "1 expectation", "another answer"),
    )
    new = of("10.0.0.2,Sydney\n192.0.2.1,Perth\n192.0.2.2,Perth\n", "Perth,192.0.2.0/24\n")
    assert exceeded_limits(make_plan(old, new)) == (Excess("expectations.csv", "2 expectations", "other answers"),)


def slow_lookup(rows: Iterable[tuple[str, str]], address: str) -> str | None:
    holding = [(net.prefixlen, name) for name, text in rows if ipaddress.ip_address(address) in (net := _network(text))]
    return max(holding)[1] if holding else None


def _text(rows: Iterable[tuple[str, str]]) -> str:
    return "".join(f"{name},{text}\n" for name, text in rows)


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_network(text)


SUBNETS = [
    str(subnet)
    for length in (28, 29, 30, 32)
    for subnet in ipaddress.ip_network("10.0.0.0/28").subnets(new_prefix=length)
]
MAPS = st.dictionaries(st.sampled_from(SUBNETS), st.sampled_from(["Sydney", "Perth"]), min_size=1, max_size=8)


@settings(max_examples=150, deadline=None)
@given(MAPS, MAPS, st.sampled_from([None, "Perth", "Hobart"]))
def test_the_measure_is_that_of_asking_for_each_address(
    old: dict[str, str], new: dict[str, str], default: str | None
) -> None:
    before, after = [(name, text) for text, name in old.items()], [(name, text) for text, name in new.items()]
    addresses = [f"10.0.0.{number}" for number in range(16)]
    answered = [one for one in addresses if slow_lookup(before, one)]
    changed = sum(slow_lookup(before, one) != (slow_lookup(after, one) or default) for one in answered)
    policy = '[limits]\nchanged-addresses = "0%"\n' + f'[answer]\ndefault = "{default}"\n' * bool(default)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rule_changes, "FEWEST", 0)
        old_map, new_map = (map_of(_text(rows), policy) for rows in (before, after))
        found = exceeded_limits(make_plan(old_map, new_map))
    wanted = Excess("changed-addresses", "0%", f"{measured_share(changed, len(answered))} of IPv4 addresses")
    assert found == ((wanted,) if changed else ())


# --- views ---

EDGE = '[[view]]\nname = "edge"\nlocation = "DMZ"\n'
LAB = '[[view]]\nname = "lab"\nlocation = "Lab"\n'
HALF = '[limits]\nchanged-addresses = "50%"\nremoved-subnets = "50%"\n'
TOP = many_rows(2_000)


def in_views(rules: str, top: str = TOP, **rows: str) -> LocationMap:
    views = {f"views/{name}/locations.csv": text for name, text in rows.items()}
    return load_map(files_of({"locations.csv": top, "policy.toml": rules, **views}))


def told(old: LocationMap, new: LocationMap) -> list[str]:
    return [f"{one.rule}: {one.measured}" for one in exceeded_limits(make_plan(old, new))]


def test_a_view_of_twenty_subnets_is_not_hidden_by_a_map_of_two_thousand() -> None:
    rows = many_rows(20)
    old = in_views(HALF + EDGE, edge=rows)
    assert told(old, in_views(HALF + EDGE, edge=moved(10, rows))) == []
    assert told(old, in_views(HALF + EDGE, edge=moved(11, rows))) == [
        "changed-addresses: 55% of IPv4 addresses (calls asked for by DMZ: view edge)"
    ]


def test_a_view_that_takes_over_all_calls_is_over_the_limits_by_all_of_them() -> None:
    old = in_views(HALF)
    new = in_views(HALF + EDGE.replace('location = "DMZ"\n', ""), edge="Perth,10.0.0.0/8\n")
    assert told(old, new) == [
        "changed-addresses: 100% of IPv4 addresses (all calls: the map -> view edge)",
        "removed-subnets: 100% of subnets (all calls: the map -> view edge)",
    ]


def test_a_view_with_the_rows_of_the_map_changes_nothing() -> None:
    assert told(in_views(HALF), in_views(HALF + EDGE, edge=TOP)) == []
    assert told(in_views(HALF + EDGE, edge=TOP), in_views(HALF)) == []


def test_removing_a_view_and_another_order_of_views_count() -> None:
    rows = {"edge": many_rows(20), "lab": many_rows(20, "Oslo")}
    both = LAB.replace('"Lab"', '["Lab", "DMZ"]')
    old = in_views(HALF + EDGE + both, **rows)
    assert told(old, in_views(HALF + both + EDGE, **rows)) == [
        "changed-addresses: 100% of IPv4 addresses (calls asked for by DMZ: view edge -> view lab)"
    ]
    assert told(old, in_views(HALF + both, lab=rows["lab"])) == [
        "changed-addresses: 100% of IPv4 addresses (calls asked for by DMZ: view edge -> view lab)"
    ]


def test_one_answer_in_place_of_another_is_all_that_such_a_view_answers() -> None:
    old, new = (in_views(HALF + EDGE + f'answer = "{name}"\n') for name in ("Oslo", "Perth"))
    assert told(old, new) == ["changed-addresses: 100% of addresses without a row (calls asked for by DMZ: view edge)"]


def test_a_rule_for_a_protocol_that_a_view_does_not_take_is_no_change_of_it() -> None:
    rules = HALF + EDGE + 'protocol = ["webrtc"]\n'
    with_rule = '[match]\nwebrtc = "remote_address"\nsip = "remote_address"\n' + rules
    old, new = (
        in_views(with_rule, edge=many_rows(9)),
        in_views(with_rule.replace("sip = ", "h323 = "), edge=many_rows(9)),
    )
    assert told(old, new) == ["changed-addresses: 100% of IPv4 addresses"]


def test_an_expectation_of_a_view_that_goes_is_over_the_limit() -> None:
    files = {"locations.csv": TOP, "policy.toml": HALF + EDGE, "views/edge/locations.csv": "Oslo,10.0.0.0/8\n"}
    expected = {"views/edge/expectations.csv": "10.1.0.0,Oslo\n10.2.0.0,Oslo\n"}
    old, new = load_map(files_of(files | expected)), load_map(files_of(files))
    assert told(old, new) == ["views/edge/expectations.csv: 0 of them"]
    assert told(old, in_views(HALF)) != []


def test_an_expectation_of_a_view_that_loses_all_its_calls_is_over_the_limit() -> None:
    rows = {"views/edge/locations.csv": TOP, "views/lab/locations.csv": moved(1, TOP)}
    files = {"locations.csv": TOP, "views/edge/expectations.csv": "10.0.0.0,Sydney\n", **rows}
    lab = LAB.replace("Lab", "DMZ")
    old, new, later = (
        load_map(files_of({**files, "policy.toml": HALF + views})) for views in (EDGE, lab + EDGE, lab.lower() + EDGE)
    )
    assert told(old, new) == ["views/edge/expectations.csv: 0 of them"]
    assert told(new, later) == [], "it is told once"
    assert told(new, old) == []


def test_an_expectation_of_the_map_at_the_top_that_loses_all_its_calls_is_over_the_limit() -> None:
    files = {"locations.csv": TOP, "expectations.csv": "10.0.0.0,Sydney\n"}
    every = '[[view]]\nname = "all"\n'
    old = load_map(files_of({**files, "policy.toml": HALF}))
    new = load_map(files_of({**files, "policy.toml": HALF + every, "views/all/locations.csv": moved(1, TOP)}))
    assert told(old, new) == ["expectations.csv: 0 of them"]


EXPECTED = "10.0.0.0,Sydney\n10.0.0.1,Sydney\n"
"""What `TOP` holds."""


def test_a_view_of_another_name_with_the_same_expectations_drops_none() -> None:
    one, other = ({f"views/{name}/locations.csv": TOP, f"views/{name}/expectations.csv": EXPECTED} for name in "ab")
    rules = HALF + EDGE
    old = load_map(files_of({"locations.csv": TOP, "policy.toml": rules.replace("edge", "a"), **one}))
    new = load_map(files_of({"locations.csv": TOP, "policy.toml": rules.replace("edge", "b"), **other}))
    assert told(old, new) == []
    assert make_plan(old, new).loosened == ()


def test_a_view_without_the_expectations_of_the_map_whose_calls_it_takes_is_over_the_limit() -> None:
    files = {"locations.csv": TOP, "expectations.csv": EXPECTED}
    old = load_map(files_of({**files, "policy.toml": HALF}))
    taken = {**files, "policy.toml": HALF + EDGE, "views/edge/locations.csv": TOP}
    assert told(old, load_map(files_of(taken))) == [
        "expectations.csv: 0 of them (calls asked for by DMZ: the map -> view edge)"
    ]
    some = load_map(files_of({**taken, "views/edge/expectations.csv": "10.0.0.1,Sydney\n"}))
    assert told(old, some) == ["expectations.csv: 1 of them (calls asked for by DMZ: the map -> view edge)"]
    changed = {**taken, "views/edge/locations.csv": moved(1, TOP), "views/edge/expectations.csv": "10.0.0.0,Perth\n"}
    assert told(old, load_map(files_of(changed))) == [
        "expectations.csv: 1 of them (calls asked for by DMZ: the map -> view edge)",
        "expectations.csv: another answer (calls asked for by DMZ: the map -> view edge)",
    ]
    kept = load_map(files_of({**taken, "views/edge/expectations.csv": EXPECTED}))
    assert told(old, kept) == told(kept, old) == []


def test_what_views_drop_that_expect_the_same_is_found_once() -> None:
    files = {"locations.csv": TOP, "expectations.csv": EXPECTED}
    views = "".join(view_rules(name, location=name, answer="Oslo") for name in "ab")
    old, new = (load_map(files_of({**files, "policy.toml": HALF + one})) for one in ("", views))
    dropped = dropped_by_pair(old, new)
    assert [bool(dropped[None, name]) for name in (None, "a", "b")] == [False, True, True]
    assert dropped[None, "a"] is dropped[None, "b"]


def test_a_view_of_calls_that_the_map_did_not_answer_drops_no_expectation() -> None:
    files = {"locations.csv": TOP, "expectations.csv": EXPECTED}
    stream = '[[view]]\nname = "stream"\nprotocol = "rtmp"\nanswer = "Oslo"\n'
    for rule, dropped in (("", 0), ('[match]\nrtmp = "remote_address"\n', 1)):
        old, new = (load_map(files_of({**files, "policy.toml": HALF + rule + views})) for views in ("", stream))
        assert sum(one.startswith("expectations.csv: 0 of them (rtmp calls") for one in told(old, new)) == dropped


def test_an_expectation_that_only_another_view_has_still_goes_for_the_calls_that_stay() -> None:
    rows = {"locations.csv": TOP, "views/edge/locations.csv": TOP}
    old = load_map(files_of({**rows, "policy.toml": HALF + EDGE, "expectations.csv": EXPECTED}))
    new = load_map(files_of({**rows, "policy.toml": HALF + EDGE, "views/edge/expectations.csv": EXPECTED}))
    assert told(old, new) == ["expectations.csv: 0 of them"]
    first = load_map(files_of({"locations.csv": TOP, "policy.toml": HALF, "expectations.csv": EXPECTED}))
    assert told(first, new) == ["expectations.csv: 0 of them"], "of all calls but those of the view"


def test_rows_of_all_views_make_a_map_large_enough_for_limits() -> None:
    old = in_views(CHANGED + EDGE, top=many_rows(60), edge=many_rows(40))
    assert told(old, in_views(CHANGED + EDGE, top=many_rows(60, "Perth"), edge=many_rows(40))) == [
        "changed-addresses: 100% of IPv4 addresses"
    ]
