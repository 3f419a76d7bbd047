"""A plan for programs, held to a look at each address."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from location_policy.net.ranges import Range
from location_policy.plan.as_json import plan_fields
from location_policy.plan.plan import make_plan
from tests.net.test_ranges import MAPS, slow_row
from tests.plan.test_answer_changes import DEFAULTS, Rows, text_of
from tests.plan.test_plan import plan_of
from tests.support.maps import map_of, network

Answer = dict[str, Any] | None


def told(old: str, new: str, old_policy: str = "", new_policy: str = "") -> Any:  # noqa: ANN401  as json.loads has it
    """The plan as it comes out of the text again."""
    return json.loads(json.dumps(plan_fields(plan_of(old, new, old_policy, new_policy))))


def slow_answer(rows: Rows, address: int, default: str | None) -> Answer:
    row = slow_row(rows, address)
    names = rows[row] if row else (default,) if default else None
    return {"location": names[0], "overflow": list(names[1:])} if names else None


def kind_of(before: Answer, after: Answer) -> str:
    if before is None or after is None:
        return "added" if before is None else "removed"
    return "moved" if before["location"] != after["location"] else "overflow"


@given(MAPS, MAPS, DEFAULTS, DEFAULTS)
def test_each_address_is_in_the_one_range_that_says_what_it_got_and_gets(
    old: Rows, new: Rows, old_default: str | None, new_default: str | None
) -> None:
    policies = [f'[answer]\ndefault = "{default}"' if default else "" for default in (old_default, new_default)]
    fields = told(text_of(old), text_of(new), *policies)
    seen = []
    for one in fields["ranges"]:
        addresses = [a for text in one["subnets"] for a in range(*_ends(text))]
        assert len(addresses) == one["addresses"]
        seen += [(address, one["kind"], one["from"], one["to"]) for address in addresses]
    expected = []
    for address in range(0x0A000000, 0x0A000100):
        before, after = slow_answer(old, address, old_default), slow_answer(new, address, new_default)
        if before != after and (slow_row(old, address) or slow_row(new, address)):
            expected.append((address, kind_of(before, after), before, after))
    assert sorted(seen, key=lambda one: one[0]) == expected
    assert fields["effect"] == bool(expected or old_default != new_default)
    assert sum(total["addresses"] for total in fields["totals"].values()) == len(expected)


def _ends(text: str) -> tuple[int, int]:
    addresses = Range.of(network(text))
    return addresses.first, addresses.last + 1


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(59, 70)), max_size=6, unique=True))
def test_slash64s_are_those_that_are_touched(places: list[tuple[int, int]]) -> None:
    rows = {str(network(f"2001:db8:0:{number:x}::/{length}")) for number, length in places}
    fields = told("Hobart,192.0.2.0/24\n", "Hobart,192.0.2.0/24\n" + "".join(f"Sydney,{row}\n" for row in rows))
    touched = {slash64 for row in rows for slash64 in range(*_slash64s(row))}
    assert fields["totals"]["added"] == {
        "ranges": len(fields["ranges"]),
        "addresses": 0,
        "slash64s": str(len(touched)),
    }
    for one in fields["ranges"]:
        assert "addresses" not in one
        assert int(one["slash64s"]) == len({n for text in one["subnets"] for n in range(*_slash64s(text))})


def _slash64s(text: str) -> tuple[int, int]:
    first, after = _ends(text)
    return first >> 64, ((after - 1) >> 64) + 1


def test_rules_that_judge_stand_by_themselves() -> None:
    row = "Sydney,10.0.0.0/24\n"
    fields = told(row, row, "", '[checks]\nhost-bits = "warning"\n[match]\nwebrtc = "remote_address"\n')
    assert fields["judging"] == [{"key": "checks.host-bits", "from": "error", "to": "warning"}]
    assert fields["rules"] == [{"key": "match.webrtc", "from": None, "to": ["remote-address"]}]
    assert fields["effect"] is True


def test_a_new_map_adds_all_of_it() -> None:
    fields = plan_fields(make_plan(None, map_of("Sydney,Perth,::/0\n")))
    assert fields["ranges"] == [
        {
            "subnets": ["::/0"],
            "kind": "added",
            "from": None,
            "to": {"location": "Sydney", "overflow": ["Perth"]},
            "slash64s": str(2**64),
            "sources": ["locations.csv:1"],
        }
    ]
