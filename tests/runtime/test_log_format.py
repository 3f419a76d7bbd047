"""A line of the ordinary log: its fields, and what values from outside cannot do to it."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from location_policy.runtime.log_format import JsonLines, TextLines
from tests.support.maps import MOMENT

FAKE = "x\n2026-03-01T12:30:00Z INFO active commit=fake"


def record_of(template: str, *values: object, level: int = logging.INFO) -> logging.LogRecord:
    record = logging.LogRecord("location_policy.rollout.refresher", level, "", 0, template, values, None)
    record.created = MOMENT.timestamp()
    return record


def text(template: str, *values: object) -> str:
    """The line without its time and level."""
    return TextLines().format(record_of(template, *values)).split(" ", 2)[2]


def fields(template: str, *values: object) -> dict[str, Any]:
    """The object without its time and level."""
    told: dict[str, Any] = json.loads(JsonLines().format(record_of(template, *values)))
    return {key: value for key, value in told.items() if key not in ("time", "level")}


ACTIVE = ("active commit=%s subnets=%d took=%.2fs", "90b0e99", 812, 0.041)


def test_a_line_of_text_has_the_time_the_level_and_the_fields() -> None:
    line = TextLines().format(record_of(*ACTIVE))
    assert line == "2026-03-01T12:30:00Z INFO active commit=90b0e99 subnets=812 took=0.04s"


def test_an_object_has_the_fields_as_keys_and_the_rest_as_its_message() -> None:
    assert json.loads(JsonLines().format(record_of(*ACTIVE))) == {
        "time": "2026-03-01T12:30:00Z",
        "level": "INFO",
        "message": "active",
        "commit": "90b0e99",
        "subnets": 812,
        "took": "0.04s",
    }


@pytest.mark.parametrize(
    ("template", "values", "message", "keys"),
    [
        ("refused commit=%s %s", ("c1", "1 error"), "refused 1 error", {"commit": "c1"}),
        ("unreachable repository=%s: %s", ("/srv/x.git", "is no repository"), None, {"repository": "/srv/x.git"}),
        ("hook %s: mend it with: %s", ("missing", "init x"), "hook missing: mend it with: init x", {}),
        ("100%% of %d", (3,), "100% of 3", {}),
        ("nothing to tell", (), "nothing to tell", {}),
    ],
)
def test_what_is_no_field_is_the_message(
    template: str, values: tuple[object, ...], message: str | None, keys: dict[str, str]
) -> None:
    assert fields(template, *values) == {"message": message or "unreachable: is no repository", **keys}
    assert text(template, *values) == template % values


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("a b", '"a b"'),
        ("", '""'),
        ('say "x"', r'"say \"x\""'),
        ("a=b", '"a=b"'),
        ("back\\slash", r'"back\\slash"'),
        ("a\nb\x1b[31m", r'"a\nb\x1b[31m"'),
        ("Zürich", "Zürich"),
        ("a\u2028b", r'"a\u2028b"'),
        ("\udcff", r"\udcff"),
    ],
)
def test_the_value_of_a_field_is_quoted_and_escaped_where_it_needs_it(value: str, told: str) -> None:
    assert text("seen name=%s end", value) == f"seen name={told} end"
    assert fields("seen name=%s end", value) == {"message": "seen end", "name": value}


def test_a_value_cannot_begin_a_line_in_either_form() -> None:
    for formatter in (TextLines(), JsonLines()):
        line = formatter.format(record_of("refused name=%s: %s", FAKE, FAKE))
        assert len(line.splitlines()) == 1


def test_a_value_cannot_become_a_field() -> None:
    told = fields("refused name=%s: %s", "x commit=fake %s", "commit=fake level=%d")
    assert told == {"message": "refused: commit=fake level=%d", "name": "x commit=fake %s"}


@given(st.text(), st.text())
def test_whatever_the_values_are_it_is_one_line(one: str, other: str) -> None:
    assert len(TextLines().format(record_of("seen name=%s: %s", one, other)).splitlines()) == 1
    told = JsonLines().format(record_of("seen name=%s: %s", one, other))
    assert told.isascii()
    assert len(told.splitlines()) == 1
    assert json.loads(told)["name"] == one


@pytest.mark.parametrize(
    ("template", "values", "told"),
    [
        ("took %r", ("a\nb",), r"took 'a\nb'"),
        ("%s of %(x)s", ({"x": "1"},), r"{'x': '1'} of 1"),
        ("Exception in ASGI application\n", (), "Exception in ASGI application"),
        ("100% sure, commit=%s", (), "100% sure, commit=%s"),
    ],
)
def test_what_a_library_logs_in_its_own_way_is_told_as_it_is(
    template: str, values: tuple[object, ...], told: str
) -> None:
    assert text(template, *values) == told
    assert fields(template, *values) == {"message": told}


def test_a_traceback_is_indented_below_its_line_or_a_key() -> None:
    record = record_of("unreachable repository=%s", "x", level=logging.ERROR)
    record.exc_info = (ValueError, ValueError(FAKE), None)
    first, *more = TextLines().format(record).splitlines()
    assert first == "2026-03-01T12:30:00Z ERROR unreachable repository=x"
    assert more == [r"    ValueError: x", "    2026-03-01T12:30:00Z INFO active commit=fake"]
    assert json.loads(JsonLines().format(record))["traceback"].endswith(FAKE)


def test_a_password_in_a_url_is_left_out() -> None:
    url = "https://alice:plugh@h/x.git?token=plugh"
    for template, values in (("from %s", (url,)), ("unreachable repository=%s", (url,)), (f"from {url}", ())):
        assert "plugh" not in text(template, *values)
        assert "plugh" not in str(fields(template, *values))
