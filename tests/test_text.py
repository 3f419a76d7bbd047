"""Text that people read."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from location_policy.text import (
    SHOWN_VALUE,
    count,
    describe,
    escape,
    moment_text,
    precise_moment_text,
    quote,
    unescape,
    without_secrets,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Zürich", "Zürich"),
        ("a\x1b[2Jb", r"a\x1b[2Jb"),
        ("a\nb\r", r"a\nb\r"),
        ("Z\udcfcrich", r"Z\udcfcrich"),
        ("\u202ecsv.exe", r"\u202ecsv.exe"),
        ("a\u00a0b", r"a\xa0b"),
        ("Syd\u3164ney", r"Syd\u3164ney"),
        ("Zu\u0308rich", r"Zu\u0308rich"),
        ("\u212bngstr\u00f6m", r"\u212bngström"),
        ("S\u0443dney", r"S\u0443dney"),
        ("М\u006fсква", r"М\x6fсква"),
        ("\uff33ydney", r"\uff33ydney"),
        ("Мос\u200bква", r"Мос\u200bква"),
    ],
)
def test_what_is_not_what_it_looks_like_is_written_out(text: str, shown: str) -> None:
    assert escape(text) == shown
    assert escape(shown) == shown


@pytest.mark.parametrize(
    "text", ["S\u0443dney", "a\u00a0b", "Sydney\U0001d159", "М\u006fсква", "Zürich", r"A\new", r"\U99999999"]
)
def test_what_is_written_out_can_be_read_again(text: str) -> None:
    assert unescape(escape(text)) == text


@pytest.mark.parametrize("text", ["Москва", "東京DC", "Αθήνα 1", "ＡＢＣ＋", "मुंबई", "กรุงเทพ", "Łódź", "서울"])
def test_a_name_in_any_language_stands_as_it_is(text: str) -> None:
    assert escape(text) == text
    assert quote(text) == text


def test_a_value_in_a_message_is_escaped_wherever_that_is_shown() -> None:
    assert quote("Sydney\u200b") == r"Sydney\u200b"
    assert describe("\u200b") == r"\u200b (zero width space)"
    assert describe("\r") == r"\r (a control character)"


@pytest.mark.parametrize(("value", "shown"), [("Sydney", "Sydney"), ("", '""'), ("Sydney ", '"Sydney "')])
def test_a_value_stands_between_marks_where_needed(value: str, shown: str) -> None:
    assert quote(value) == shown


def test_a_long_value_is_cut() -> None:
    assert quote("x" * (SHOWN_VALUE + 1)) == "x" * SHOWN_VALUE + "…"


@pytest.mark.parametrize(("number", "text"), [(0, "0 errors"), (1, "1 error"), (19950, "19,950 errors")])
def test_a_number_agrees_with_its_noun(number: int, text: str) -> None:
    assert count(number, "error") == text


@pytest.mark.parametrize(("noun", "text"), [("country", "2 countries"), ("day", "2 days"), ("address", "2 addresses")])
def test_a_noun_has_its_plural(noun: str, text: str) -> None:
    assert count(2, noun) == text


def test_a_moment_is_told_in_utc_as_precisely_as_is_asked() -> None:
    moment = datetime(2026, 3, 1, 13, 5, 7, 89_500, timezone(timedelta(hours=1)))
    assert moment_text(moment) == "2026-03-01T12:05:07Z"
    assert precise_moment_text(moment) == "2026-03-01T12:05:07.089Z"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "cannot read https://alice:secret@git.example.com/x.git, nor git@h:x",
            "cannot read https://git.example.com/x.git, nor git@h:x",
        ),
        ("https://user:p@ss@host/x.git", "https://host/x.git"),
        ("HTTPS://user:pw@host/x.git", "HTTPS://host/x.git"),
        ("https://host/x.git?private_token=secret", "https://host/x.git"),
        ("https://user:pw@host/x.git?private_token=secret is gone", "https://host/x.git is gone"),
        ("user:pw@host:x.git", "host:x.git"),
        ("ssh://git:pw@host/x", "ssh://host/x"),
        ("https:/user:pw@host/x?token=y", "https:/host/x"),
        ("https://user:a/b/c@host/x", "https://host/x"),
        ("http://h:8080/x and mail to a@b", "http://h:8080/x and mail to a@b"),
        ("http://[::1]:8080/x@y", "http://[::1]:8080/x@y"),
        ("is branch main meant? see git@h:x", "is branch main meant? see git@h:x"),
    ],
)
def test_every_spelling_of_a_secret_in_a_url_is_left_out(text: str, shown: str) -> None:
    assert without_secrets(text) == shown
