"""Where a Management Node is: what can be written, and what is refused without repeating a password."""

from __future__ import annotations

import pytest

from location_policy.errors import NoAnswer
from location_policy.integrations.http_client import Login
from location_policy.integrations.server_url import MANAGER, parse_origin


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://Manager.example.com/", "https://manager.example.com"),
        ("https://[2001:DB8::1]:8443", "https://[2001:db8::1]:8443"),
        ("https://münchen.example.com", "https://xn--mnchen-3ya.example.com"),
        ("http://localhost:80", "http://localhost"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_a_url_names_a_server(text: str, shown: str) -> None:
    assert str(parse_origin(text, MANAGER)) == shown


@pytest.mark.parametrize(
    ("text", "told", "hint"),
    [
        ("manager.example.com", "'manager.example.com' is not the URL", "https://manager.example.com"),
        ("ftp://manager.example.com", "is not the URL", "https://manager.example.com"),
        ("https://manager.example.com:99999", "is not the URL", "https://manager.example.com"),
        ("https://" + "a" * 64 + ".example.com", "is not the URL", "https://manager.example.com"),
        ("https://[::1", "is not a URL", "https://manager.example.com"),
        ("https://manager.example.com/admin/platform/", "names a page", "write --manager https://manager.example.com"),
        ("https://manager.example.com?x", "names a page", "write --manager https://manager.example.com"),
        ("http://manager.example.com:8080", "over http", "write --manager https://manager.example.com"),
        ("https://api:sesame@manager.example.com", "would show them", "give --user"),
    ],
)
def test_what_is_none_is_refused_with_what_to_write(text: str, told: str, hint: str) -> None:
    with pytest.raises(NoAnswer, match=told) as refusal:
        parse_origin(text, MANAGER)
    assert hint in str(refusal.value.hint)
    assert "sesame" not in f"{refusal.value} {refusal.value.hint}"


def test_http_goes_elsewhere_where_it_is_allowed() -> None:
    assert str(parse_origin("http://manager.example.com", MANAGER, allow_http=True)) == "http://manager.example.com"


def test_a_login_does_not_show_itself() -> None:
    assert repr(Login("api", "sesame")) == "Login(…)"
    assert Login("api", "sésame").header() == ("Authorization", "Basic YXBpOnPDqXNhbWU=")
