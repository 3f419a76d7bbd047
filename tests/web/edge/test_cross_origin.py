"""Requests that change something, from pages of other origins: refused, also of a user who may."""

from __future__ import annotations

import http.client
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from location_policy.access.credentials import Credentials, Roles
from location_policy.access.proxies import Proxies, parse_networks
from location_policy.rollout.state import ActiveState
from location_policy.web.app import make_app
from location_policy.web.edge.cross_origin import foreign
from location_policy.web.edge.guard import Access
from tests.support.access import PASSWORD, write_users
from tests.support.app import SETTINGS
from tests.support.repositories import GOOD, make_repository, tip
from tests.support.service import running_service
from tests.web.edge.test_guard import send_raw

NOBODY = Proxies()
BELIEVED = Proxies(parse_networks("192.0.2.1"))


def scope(method: str = "POST", scheme: str = "http", peer: str | None = "192.0.2.1", **headers: str) -> dict[str, Any]:
    """A request with these headers; `Host` is ours unless another is named."""
    named = {"host": "map.example:8443", **headers}
    pairs = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in named.items()]
    return {"method": method, "scheme": scheme, "client": peer and (peer, 1), "headers": pairs}


OWN = "https://map.example:8443"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "X"])
@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": ""},
        {"sec_fetch_site": "same-origin", "origin": "https://evil.example"},
        {"sec_fetch_site": "cross-site", "origin": OWN},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "https://map.example"},
        {"origin": "https://map.example:8444"},
        {"origin": "https://evil.example/map.example:8443"},
        {"origin": "https://map.example:8443.evil.example"},
        {"origin": "ftp://map.example:8443"},
        {"origin": "https://é:8443"},
    ],
)
def test_a_page_from_elsewhere_changes_nothing(method: str, headers: dict[str, str]) -> None:
    assert foreign(scope(method, **headers), NOBODY)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_whoever_looks_may_come_from_anywhere(method: str) -> None:
    assert foreign(scope(method, sec_fetch_site="cross-site", origin="https://evil.example"), NOBODY) is None


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec_fetch_site": "same-origin", "origin": OWN},
        {"sec_fetch_site": "none"},
        {"origin": OWN},
        {"origin": "HTTPS://MAP.example:8443"},
        {"origin": "http://map.example:8443"},
        {"origin": "https://map.example", "host": "map.example"},
        {"origin": "https://map.example", "host": "map.example:443"},
        {"origin": "http://map.example:80", "host": "map.example"},
        {"origin": "http://[::1]:8080", "host": "[::1]:8080"},
        {"origin": "http://[::1]", "host": "[::1]"},
    ],
)
def test_our_own_pages_and_who_is_no_browser_may(headers: dict[str, str]) -> None:
    assert foreign(scope(**headers), NOBODY) is None


def test_the_scheme_counts_where_it_is_known() -> None:
    insecure = "http://map.example:8443"
    assert foreign(scope(scheme="https", origin=insecure), NOBODY)
    assert foreign(scope(scheme="https", origin=OWN), NOBODY) is None
    for peer, proxies in (("192.0.2.1", BELIEVED), (None, NOBODY)):
        assert foreign(scope(peer=peer, origin=insecure, x_forwarded_proto="https"), proxies)
        assert foreign(scope(peer=peer, origin=OWN, x_forwarded_proto="http, HTTPS "), proxies) is None
        assert foreign(scope(peer=peer, origin=OWN), proxies) is None
    assert foreign(scope(origin=insecure, x_forwarded_proto="https"), NOBODY) is None  # anybody may say so


def test_an_origin_needs_one_host_to_be_held_to() -> None:
    named = scope(origin=OWN)
    none = {**named, "headers": [pair for pair in named["headers"] if pair[0] != b"host"]}
    two = {**named, "headers": [*named["headers"], (b"host", b"map.example:8443")]}
    assert all(foreign(one, NOBODY) for one in (none, two))


# --- through the whole application ---


@pytest.fixture
def access(tmp_path: Path) -> Access:
    """An editor."""
    (tmp_path / "roles").write_text("ana: editor, node\n")
    return Access(Credentials(write_users(tmp_path / "htpasswd", "ana")), Roles(tmp_path / "roles"))


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/edit", b"application/json"),
        ("/api/v1/edit", b"application/problem+json"),
        ("/locations.git/git-receive-pack", b"text/plain; charset=utf-8"),
        ("/policy/v1/participant/location", b"application/json"),
        ("/nowhere", b"application/json"),
        ("/healthz", b"application/json"),
    ],
)
def test_no_password_helps_a_page_from_elsewhere(access: Access, path: str, kind: bytes) -> None:
    login = b"Basic " + b64encode(f"ana:{PASSWORD}".encode())
    headers = [(b"authorization", login), (b"host", b"map.example"), (b"origin", b"https://evil.example")]
    more = {"method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"", "scheme": "http"}
    head, body = send_raw(make_app(ActiveState(), SETTINGS, None, access), headers, **more)
    assert head["status"] == 403
    assert dict(head["headers"])[b"content-type"] == kind
    assert b"A page of https://evil.example may not change anything here" in body["body"]


def test_what_a_page_of_another_origin_calls_itself_is_no_markup() -> None:
    headers = [(b"host", b"map.example"), (b"origin", b"https://<b>.example"), (b"accept", b"text/html")]
    head, body = send_raw(make_app(ActiveState(), SETTINGS), headers, method="POST", path="/edit", scheme="http")
    assert head["status"] == 403
    assert b"<b>" not in body["body"]
    assert b"may not change anything here" in body["body"]


def test_a_page_of_another_origin_is_refused_over_a_socket(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "locations.git", GOOD)
    with running_service(repository) as service:
        for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "null"}):
            connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=10)
            connection.request("POST", "/edit", "subnet=10.0.0.0/8", {**headers, "Content-Type": "text/plain"})
            response = connection.getresponse()
            assert (response.status, b"may not change anything here" in response.read()) == (403, True)
            connection.close()
    assert tip(repository)
