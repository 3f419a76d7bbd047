"""The script of local policy, rendered by Jinja2 and held to the answers of the service."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from location_policy.config.location_map import LocationMap
from location_policy.config.validate import load_map
from location_policy.errors import LocationPolicyError
from location_policy.integrations.pexip.local_policy import LIMIT, local_policy
from location_policy.lookup import decision as policy
from location_policy.lookup.query_string import Pairs
from location_policy.lookup.snapshot import Snapshot, build_snapshot
from location_policy.net.addresses import Address, Network, format_address
from tests.support.local_policy import render
from tests.support.maps import files_of, map_of, network, view_rules

ROWS = """\
Sydney,Melbourne,Singapore,10.61.2.0/24
Melbourne,Sydney,10.61.2.128/25
Sydney,10.61.0.0/16
Oslo,2001:db8::/32
"""


def served(snapshot: Snapshot, protocol: str, **values: str) -> dict[str, Any] | None:
    """The result that a node gets from the service; None for no opinion."""
    parameters = Pairs([("protocol", protocol), *((name.replace("_", "-"), value) for name, value in values.items())])
    body = policy.answer(snapshot, parameters).body
    return body.get("result")


def test_the_script_is_short_and_tries_longer_rows_first() -> None:
    script = local_policy(map_of(ROWS), "c99d929d73")
    lines = script.text.splitlines()
    assert lines[0] == "{# made by location-policy from commit c99d929d73: 4 of 4 subnets #}"
    assert [line.partition("subnet(a,")[2].partition(")")[0] for line in lines[6:-1]] == [
        '["10.61.2.128/25"]',
        '["2001:db8::/32"]',
        '["10.61.2.0/24"]',
        '["10.61.0.0/16"]',
    ]
    assert (script.is_whole, script.rows, script.addresses, script.slash64s) == (
        True,
        (4, 4),
        (2**16, 2**16),
        (2**32, 2**32),
    )


def test_rows_of_one_answer_stand_in_one_list() -> None:
    rows = "".join(f"Sydney,10.{i}.0.0/{16 + i % 8}\n" for i in range(200)) + "Oslo,10.0.0.0/8\nOslo,11.0.0.0/8\n"
    text = local_policy(map_of(rows), None).text
    assert text.count('"location":"Sydney"') == 1
    assert text.count('"location":"Oslo"') == 2


@pytest.mark.parametrize(
    ("call", "location"),
    [
        ({"protocol": "mssip", "ms_subnet": ["10.61.2.0"]}, "Sydney"),
        ({"protocol": "MSSIP", "ms_subnet": "10.61.2.200"}, "Melbourne"),
        ({"protocol": "mssip", "ms_subnet": ["::ffff:10.61.2.200", "10.61.2.0"]}, "Melbourne"),
        ({"protocol": "mssip", "ms_subnet": ["2001:db8::1"]}, "Oslo"),
        ({"protocol": "mssip", "ms_subnet": ["10.62.0.0"]}, None),
        ({"protocol": "mssip", "ms_subnet": []}, None),
        ({"protocol": "mssip", "remote_address": "10.61.2.0"}, None),
        ({"protocol": "sip", "ms_subnet": ["10.61.2.0"]}, None),
        ({"protocol": "webrtc", "remote_address": "10.61.2.0"}, "Sydney"),
        ({"protocol": "api", "ms_subnet": None, "remote_address": "10.61.2.0"}, "Sydney"),
        ({"protocol": "api", "ms_subnet": ["10.61.2.128"], "remote_address": "10.61.2.0"}, "Melbourne"),
        ({}, None),
    ],
)
def test_a_call_gets_the_location_of_its_address(call: dict[str, Any], location: str | None) -> None:
    policy_toml = '[match]\nwebrtc = "remote_address"\napi = ["ms-subnet", "remote_address"]\n'
    result = render(local_policy(map_of(ROWS, policy_toml), None).text, call)
    assert (result and result["location"]) == location


def test_a_map_that_matches_no_protocol_has_no_opinion() -> None:
    text = local_policy(map_of(ROWS, "[match]\nmssip = false\n"), None).text
    assert render(text, {"protocol": "mssip", "ms_subnet": ["10.61.2.0"]}) is None


def test_as_many_answers_as_fit_can_be_compiled() -> None:
    location_map = map_of("".join(f"{i:x},{i // 256}.{i % 256}.0.0/16\n" for i in range(2_000)))
    script = local_policy(location_map, None)
    assert script.rows.number > 700
    last = script.rows.number - 1
    call = {"protocol": "mssip", "ms_subnet": [f"{last // 256}.{last % 256}.1.1"]}
    assert render(script.text, call) == {"location": f"{last:x}"}


def test_what_does_not_fit_is_left_out_from_the_shortest_prefix_on() -> None:
    rows = "".join(f"Sydney,10.{i >> 8}.{i & 255}.0/24\n" for i in range(4_000)) + "Oslo,10.0.0.0/8\n"
    script = local_policy(map_of(rows), None)
    assert (script.is_whole, script.rows.whole) == (False, 4_001)
    assert 3_000 < script.rows.number < 4_000
    assert LIMIT - 20 < len(script.text) <= LIMIT
    assert script.addresses == (script.rows.number * 256, 2**24)
    assert "Oslo" not in script.text
    assert f": {script.rows.number:,} of 4,001 subnets" in script.text


def test_a_default_is_the_first_to_go() -> None:
    location_map = map_of(ROWS, '[answer]\ndefault = "Perth"\n')
    whole = local_policy(location_map, None)
    missed, unmapped = ({"protocol": "mssip", "ms_subnet": [address]} for address in ("10.61.9.0", "192.0.2.1"))
    assert render(whole.text, unmapped) == {"location": "Perth"}
    without_default = local_policy(location_map, None, len(whole.text) - 1)
    assert (without_default.is_whole, without_default.rows) == (False, (4, 4))
    fewer = local_policy(location_map, None, len(without_default.text) - 1)
    assert fewer.rows == (3, 4)
    for script in (without_default, fewer):
        assert render(script.text, unmapped) is None
    assert render(fewer.text, missed) == {"location": "Sydney"}


def test_a_limit_that_leaves_no_room_is_told() -> None:
    with pytest.raises(LocationPolicyError, match="not even a script without a subnet fits into 100 characters"):
        local_policy(map_of(ROWS), None, 100)


names = st.one_of(
    st.sampled_from(
        ["Sydney", "Oslo", 'He said "no"', "back\\slash\\", "{{ x }}", "{% if %}", "{# c #}", "-%}", "it's"]
    ),
    st.text(st.characters(exclude_categories=("C", "Zl", "Zp"), exclude_characters=" "), min_size=1, max_size=8),
)


@given(names, names)
@example("\N{GRINNING FACE}ü\N{SNOWMAN}", "\\N{DIGIT ONE}\\x41")
def test_any_name_comes_out_as_it_went_in(location: str, overflow: str) -> None:
    quoted = (f'"{name.replace(chr(34), chr(34) * 2)}"' for name in (location, overflow))
    text = local_policy(_lenient(",".join((*quoted, "10.61.2.0/24"))), None).text
    assert text.isascii()
    result = render(text, {"protocol": "mssip", "ms_subnet": ["10.61.2.0"]})
    assert result == {"location": location.strip(" \t"), "primary_overflow_location": overflow.strip(" \t")}


def _lenient(row: str) -> LocationMap:
    off = "".join(f'{code} = "off"\n' for code in ("formula-name", "repeated-location"))
    return map_of(row + "\n", f"[checks]\n{off}")


def networks_in(first: str, lengths: tuple[int, ...]) -> st.SearchStrategy[Network]:
    """Networks that are likely to hold each other."""
    base = network(first)
    width = len(base.first) * 8
    offsets = st.sampled_from([0, 1, 128]).map(lambda value: value << (width - base.length - 8))
    addresses = offsets.map(lambda offset: (int.from_bytes(base.first) | offset).to_bytes(width // 8))
    return st.builds(Network.holding, addresses, st.sampled_from(lengths))


rows = st.dictionaries(
    st.one_of(
        networks_in("10.0.0.0/16", (0, 8, 15, 17, 18, 20, 22, 23, 24, 32)),
        networks_in("2001:db8::/48", (0, 32, 50, 52, 56, 64, 128)),
    ),
    st.lists(st.sampled_from(["Sydney", "Oslo", "Perth"]), min_size=1, max_size=3, unique=True),
    min_size=1,
    max_size=12,
)


@settings(max_examples=50)
@given(rows, st.sampled_from(["pair", "list"]), st.sampled_from([None, "Tokyo"]), st.integers(0, 800), st.data())
def test_a_script_says_what_the_service_says_or_leaves_the_choice_to_pexip(
    mapped: dict[Network, list[str]], form: str, default: str | None, less: int, data: st.DataObject
) -> None:
    text = "".join(f"{','.join(names)},{network}\n" for network, names in mapped.items())
    chosen = f'default = "{default}"\n' if default else ""
    match = '[match]\nsip = ["ms-subnet", "remote_address"]\n'
    location_map = map_of(text, f'[answer]\noverflow = "{form}"\n{chosen}{match}')
    snapshot = build_snapshot(location_map, None)
    whole = local_policy(location_map, None)
    limit = max(600, len(whole.text) - less)
    part = local_policy(location_map, None, limit)
    assert whole.is_whole
    assert len(part.text) <= limit
    asked = st.one_of(st.sampled_from(sorted(mapped)).map(lambda one: one.first), st.binary(min_size=4, max_size=4))
    for packed in data.draw(st.lists(asked, min_size=1, max_size=6)):
        address = format_address(Address(packed))
        for protocol, call in (("mssip", [("ms_subnet", address)]), ("sip", [("remote_address", address)])):
            expected = served(snapshot, protocol, **dict(call))
            asking = {
                "protocol": protocol,
                **{name: [value] if "ms" in name else value for name, value in call},
            }
            assert render(whole.text, asking) == expected
            assert render(part.text, asking) in ((expected,) if part.is_whole else (expected, None))


# --- views ---

VIEWS = (
    view_rules("stream", protocol="rtmp", call_direction="dial_out", answer=["Out", "Oslo"])
    + view_rules("edge", location=["DMZ", "Straße {{ x }}"], default="Perth")
    + 'match = { rtmp = "remote_address" }\n'
)


def map_with_views(edge: str = "Lima,10.61.2.0/24\n", top: str = "Sydney,10.61.0.0/16\n") -> LocationMap:
    return load_map(
        files_of({"policy.toml": VIEWS, "locations.csv": top, "views/edge/locations.csv": edge}),
    )


@pytest.mark.parametrize(
    ("call", "location"),
    [
        ({}, "Sydney"),
        ({"location": None, "proxy_node_location": None}, "Sydney"),
        ({"location": "dmz"}, "Lima"),
        ({"location": "DMZ", "ms_subnet": ["10.61.3.0"]}, "Perth"),
        ({"location": "STRASSE {{ X }}"}, "Lima"),
        ({"location": "straße {{ x }}"}, "Lima"),
        ({"protocol": "rtmp", "call_direction": "dial_out", "location": "DMZ"}, "Out"),
        ({"protocol": "RTMP", "call_direction": "DIAL_OUT"}, "Out"),
        ({"protocol": "rtmp", "location": "DMZ", "remote_address": "10.61.2.7"}, "Lima"),
        ({"protocol": "rtmp", "location": "DMZ", "remote_address": "2001:db8::1"}, "Perth"),
        ({"protocol": "rtmp", "location": "DMZ", "remote_address": "live.example.com"}, None),
        ({"protocol": "rtmp", "remote_address": "10.61.2.7"}, None),
    ],
)
def test_a_call_gets_the_answer_of_the_view_that_takes_it(call: dict[str, Any], location: str | None) -> None:
    location_map = map_with_views()
    call = {"protocol": "mssip", "ms_subnet": ["10.61.2.0"], **call}
    result = render(local_policy(location_map, None).text, call)
    assert (result and result["location"]) == location
    values = {name: value[0] if isinstance(value, list) else value for name, value in call.items() if value}
    assert served(build_snapshot(location_map, None), values.pop("protocol"), **values) == result


def test_maps_of_one_size_lose_as_many_rows_wherever_their_subnets_are() -> None:
    edge, top = (
        "".join(f"{name},10.{at}.{one}.0/24\n" for one in range(200)) for name, at in (("Lima", 2), ("Oslo", 1))
    )
    script = local_policy(map_with_views(edge, top), None, limit=4_000)
    (_, of_edge, of_top) = script.parts
    assert 0 < of_edge.rows.number < 200
    assert abs(of_edge.rows.number - of_top.rows.number) <= 1


def test_what_does_not_fit_is_left_out_of_all_views_alike_and_gets_no_other_answer() -> None:
    edge = "".join(f"Lima,10.{i >> 8}.{i & 255}.0/24\n" for i in range(2_000)) + "Oslo,10.0.0.0/8\n"
    top = "".join(f"Sydney,11.{i >> 8}.{i & 255}.0/25\n" for i in range(2_000))
    script = local_policy(map_with_views(edge, top), None)
    stream, of_edge, of_top = script.parts
    assert (script.is_whole, script.rows.whole, len(script.text) <= LIMIT) == (False, 4_001, True)
    assert (of_top.rows, stream.rows) == ((2_000, 2_000), (0, 0))
    assert 500 < of_edge.rows.number < 2_000
    assert script.rows.number == of_edge.rows.number + 2_000
    assert script.addresses == (of_edge.rows.number * 256 + 2_000 * 128, 2**24 + 2_000 * 128)
    assert f"view edge: {of_edge.rows.number:,} of 2,001 subnets" in script.text
    for address in ("10.200.0.1", "11.0.0.1"):
        assert render(script.text, {"protocol": "mssip", "ms_subnet": [address], "location": "DMZ"}) is None
