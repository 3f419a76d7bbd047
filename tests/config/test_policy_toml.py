"""`policy.toml` to rules."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from location_policy import __version__
from location_policy.config.percentages import parse_share
from location_policy.config.policy_toml import Rules, parameter_name, read_rules
from location_policy.problems import GATHERED, Problem

NEWER = f"a newer version than this, {__version__}, may know more"


def rules(text: str) -> Rules:
    """The rules of a text without problems."""
    read, problems = read_rules(text.encode())
    assert problems == ()
    return read


def problems(text: str) -> tuple[Problem, ...]:
    return read_rules(text.encode())[1]


def test_an_absent_file_means_the_defaults() -> None:
    assert rules("") == Rules()
    assert Rules().match == {"mssip": ("ms-subnet",)}
    assert (Rules().known, Rules().overflow, Rules().default) == ((), "pair", None)


def test_known_locations_keep_their_order() -> None:
    assert rules('[locations]\nknown = ["Sydney", "Melbourne"]').known == ("Sydney", "Melbourne")


@pytest.mark.parametrize(
    "text", ['answer.overflow = "list"', 'answer = { "overflow" = "list" }', '["answer"]\noverflow="list"']
)
def test_a_key_may_be_written_in_every_way_of_toml(text: str) -> None:
    assert rules(text).overflow == "list"


def test_a_byte_order_mark_and_crlf_are_tolerated() -> None:
    assert rules('\ufeff[answer]\r\ndefault = "Singapore"\r\n').default == "Singapore"


@pytest.mark.parametrize("value", ["false", "[]"])
def test_a_protocol_can_be_removed(value: str) -> None:
    assert rules(f"match.MSSIP = {value}").match == {}


def test_a_protocol_can_be_added_in_any_case_and_spelling() -> None:
    match = rules('[match]\nWebRTC = "remote_address"\nsip = ["Node_IP", "proxy-node-address"]').match
    assert match == {"mssip": ("ms-subnet",), "webrtc": ("remote-address",), "sip": ("node-ip", "proxy-node-address")}


def test_names_of_parameters_have_one_spelling() -> None:
    assert parameter_name("MS_Subnet") == "ms-subnet"


def test_a_severity_can_be_set() -> None:
    read = rules('[checks]\nhost-bits = "off"\nstray-csv = "error"')
    assert [read.severity(code) for code in ("host-bits", "stray-csv", "formula-name")] == ["off", "error", "error"]


def test_limits_are_percentages() -> None:
    limits = rules('[limits]\nchanged-addresses = "12.5%"\nremoved-subnets = "0%"').limits
    assert limits == {"changed-addresses": parse_share("12.5%"), "removed-subnets": parse_share("0%")}


def test_lenient_rules_turn_adjustable_errors_into_warnings() -> None:
    lenient = rules('[checks]\nhost-bits = "off"\nstray-csv = "error"').lenient()
    codes = ("host-bits", "stray-csv", "formula-name", "duplicate-subnet")
    assert [lenient.severity(code) for code in codes] == ["off", "warning", "warning", "error"]


@pytest.mark.parametrize(
    "text",
    [
        "locations = 1",
        "locations.known = 1",
        'locations.known = ["a", 1]',
        'locations.known = [""]',
        "[[match]]",
        "match.sip = true",
        "match.sip = 1",
        'match.sip = ""',
        'match.sip = [""]',
        "match.sip = {}",
        'match.sip = "x"',
        "answer.overflow = []",
        'answer.overflow = "PAIR"',
        "answer.default = 1.5",
        'answer.default = ""',
        "answer.default = 2026-01-01",
        'answer.default = "Sydney "',
        "checks.host-bits = true",
        'checks.host-bits="Off"',
        'checks.duplicate-subnet = "off"',
        f"answer.default = 0x{'f' * 5000}",
        "limits.removed-subnets = 10",
        'limits.removed-subnets = "101%"',
        "limits.removed-subnets = []",
        f"limits.removed-subnets = 0x{'f' * 5000}",
    ],
)
def test_a_value_of_the_wrong_kind_is_said(text: str) -> None:
    (problem,) = problems(text)
    assert (problem.code, problem.line, problem.column) == ("rules-type", 1, 1)
    assert problem.hint


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ('"Pair"', '"Pair"'),
        ('"Pair "', '"Pair "'),
        ('""', '""'),
        ("true", "true"),
        ("1", "a number"),
        ("1.5", "a number"),
        ("[]", "a list"),
        ("{}", "a table"),
        ("2026-01-01", "a date or a time"),
        ("07:30:00", "a date or a time"),
    ],
)
def test_a_message_shows_the_value(value: str, shown: str) -> None:
    (problem,) = problems(f"answer.overflow = {value}")
    assert problem.message == f'answer.overflow takes "pair" or "list", not {shown}'


def test_a_wrong_value_counts_as_absent() -> None:
    read, _ = read_rules(b'[locations]\nknown = ["Sydney", 1]\n[answer]\noverflow = 1\ndefault = "Perth"')
    assert (read.known, read.overflow, read.default) == ((), "pair", "Perth")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ('match.mssip = "mssubnet"', 'write mssip = "ms-subnet"'),
        ('match.sip = "Remote-Adress"', 'write sip = "remote_address"'),
        ("match.sip = 1", 'write sip = "remote_address"'),
        ("match.MSSIP = true", 'write MSSIP = "ms-subnet"'),
        ("location = {}", "write locations"),
        ("answer.Default = 'x'", "write default"),
        ("checks.hostbits = 'off'", "write host-bits"),
        ("limits.removed-subnets = 30", 'write removed-subnets = "30%"'),
        ('limits.removed-subnets = "7.5 %"', 'write removed-subnets = "7.5%"'),
        ('limits.removed-subnets = "-1%"', 'write removed-subnets = "10%"'),
        ("limits.changed-addresses = false", 'write changed-addresses = "25%"'),
        ("answer.colour = 1", f"known here: overflow, default; {NEWER}"),
        ("limits.rows = 1", f"known here: changed-addresses, removed-subnets, changed-calls; {NEWER}"),
    ],
)
def test_a_hint_names_what_was_meant(text: str, hint: str) -> None:
    assert [problem.hint for problem in problems(text)] == [hint]


def test_a_protocol_stands_once_whatever_its_case() -> None:
    (problem,) = problems('[match]\nsip = "node_ip"\nSIP = "remote_address"')
    assert (problem.code, problem.line, problem.message) == ("rules-type", 3, "match.SIP is match.sip again")


def test_everything_that_is_wrong_is_found() -> None:
    text = "[nowhere]\n[answer]\noverflow = 1\ndefault = 2\n[checks]\nx = 1\nnul = 'off'"
    assert [problem.line for problem in problems(text)] == [1, 3, 4, 6, 7]


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("[answer]\ndefault = Singapore", 2, 11, "invalid value"),
        ("[answer]\ndefault\n", 2, 8, "expected '=' after a key in a key/value pair"),
        ("[answer\n", 1, 8, "expected ']' at the end of a table declaration"),
        ("a = [", 1, 1, "invalid value"),
        ("a = 1\na = 2\n", 2, 1, "a stands twice"),
        ("[match]\n  sip = [\n'node-ip',\n]\n  sip = [\n'node-ip',\n]", 5, 3, "sip stands twice"),
    ],
)
def test_what_is_not_toml_has_its_place(text: str, line: int, column: int, message: str) -> None:
    (problem,) = problems(text)
    assert (problem.code, problem.line, problem.column, problem.message) == ("rules-syntax", line, column, message)


@pytest.mark.parametrize(
    ("text", "line", "message", "hint"),
    [
        ("[match]\n[answer]\n[match]\nsip = 'node-ip'\n", 3, "[match] stands twice", "the first [match]"),
        ("[[view]]\n[view.match]\n[view.match]", 3, "[view.match] stands twice", "the first [view.match]"),
    ],
)
def test_a_table_that_is_repeated_is_told_with_what_to_do(text: str, line: int, message: str, hint: str) -> None:
    (problem,) = problems(text)
    assert (problem.line, problem.column, problem.message) == (line, 1, message)
    assert problem.hint == f"move its lines below {hint}"


def test_a_key_that_is_repeated_is_to_be_deleted_once() -> None:
    (problem,) = problems("[answer]\ndefault = 'Oslo'\ndefault = 'Perth'\n")
    assert (problem.line, problem.message, problem.hint) == (3, "default stands twice", "delete one of the two")


@pytest.mark.parametrize("text", ["a = " + "[" * 10_000, "a = " + "1" * 5_000])
def test_toml_that_the_parser_gives_up_on_is_a_problem(text: str) -> None:
    assert [problem.code for problem in problems(text)] == ["rules-syntax"]


def test_bytes_that_are_not_utf8_have_a_place_in_characters() -> None:
    _, (problem,) = read_rules("\ufeff# a\n# ü".encode() + b"\xfc\n")
    assert (problem.code, problem.line, problem.column) == ("not-utf8", 2, 4)


def test_rules_that_cannot_be_read_judge_no_row() -> None:
    read, _ = read_rules(b"\xff")
    assert (read.known, read.overflow) == ((), "list")


values = st.sampled_from(
    ["1", "true", "false", '"pair"', '"x "', "[]", '["Sydney"]', "{ a = 1 }", "07:30:00", "0x" + "f" * 5000]
)
keys = st.sampled_from(
    ["locations", "match", "answer", "checks", "known", "mssip", "MSSIP", "overflow", "nul", '"a b"', "''"]
)
dotted = st.lists(keys, min_size=1, max_size=3).map(".".join)
toml_lines = st.tuples(dotted, values).map(" = ".join) | dotted.map("[{}]".format) | dotted.map("[[{}]]".format)


@given(st.lists(toml_lines | st.text(max_size=10)).map("\n".join))
@example("[match]\n'\"' = 1")
def test_every_problem_lies_in_the_file(text: str) -> None:
    for problem in read_rules(text.encode(errors="replace"))[1]:
        assert 1 <= problem.line <= text.count("\n") + 1
        assert 1 <= problem.column <= len(text.split("\n")[problem.line - 1]) + 1


@given(st.binary())
def test_no_bytes_are_too_much(content: bytes) -> None:
    read_rules(content)


def test_a_file_of_nothing_but_unknown_keys_is_judged_at_once() -> None:
    found = problems("[locations]\n" + "".join(f"k{number} = 1\n" for number in range(20_000)))
    assert [found[0].line, found[-1].line] == [2, GATHERED + 1]
