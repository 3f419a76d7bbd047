"""The Authorization header: what it claims, and what is none."""

from __future__ import annotations

from base64 import b64encode

import pytest

from location_policy.access.basic_auth import Basic, parse_basic


def header(text: str | bytes, scheme: bytes = b"Basic ") -> bytes:
    return scheme + b64encode(text if isinstance(text, bytes) else text.encode())


def test_user_and_password_are_read_and_the_password_may_have_colons() -> None:
    assert parse_basic(header("node:a:b")) == Basic("node", (b"a:b",))
    assert parse_basic(header("node:", b"bAsIc   ")) == Basic("node", (b"",))


def test_both_forms_of_unicode_are_the_same_user_and_either_may_be_the_password() -> None:
    composed, apart = "Jos\u00e9", "Jose\u0301"
    assert parse_basic(header(f"{composed}:{composed}")) == Basic(composed, (composed.encode(),))
    assert parse_basic(header(f"{apart}:{apart}")) == Basic(composed, (composed.encode(), apart.encode()))


def test_a_client_that_knows_no_utf8_is_understood() -> None:
    assert parse_basic(header("José:ü".encode("latin-1"))) == Basic("José", ("ü".encode(),))


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (b"", "another scheme"),
        (b"Bearer abc", "another scheme"),
        (b"Basic", "no colon"),
        (b"Basic ?", "not base64"),
        (b"Basic bm9kZTp4=x", "not base64"),
        (b"Basic bm9kZTp", "not base64"),
        (b"Basic \xff\xfe", "not base64"),
        (header("no colon"), "no colon"),
        (header("node:a\0b"), "control characters"),
        (header("no\nde:a"), "control characters"),
    ],
)
def test_anything_else_is_told_without_repeating_it(value: bytes, told: str) -> None:
    with pytest.raises(ValueError, match=told) as caught:
        parse_basic(value)
    assert "bm9k" not in str(caught.value)
