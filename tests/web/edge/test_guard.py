"""Who may ask what: every route with every role, and what comes in an Authorization header."""

from __future__ import annotations

import asyncio
import re
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from location_policy.access.credentials import Credentials, Roles
from location_policy.access.hash_pool import HashPool
from location_policy.access.proxies import Proxies, parse_networks
from location_policy.rollout.state import ActiveState
from location_policy.rollout.sync.syncs import Syncs
from location_policy.runtime.wakeup import Wakeup
from location_policy.web.app import EVERYONE_MAY, make_app
from location_policy.web.edge.asker import asker
from location_policy.web.edge.guard import OPEN, Access, Guard
from location_policy.web.edge.policy_api import LOCATION, PolicyApi
from location_policy.web.edge.webhook import PATH as WEBHOOK
from location_policy.web.edge.webhook import Webhook
from location_policy.web.ops.decision_log import DecisionLog
from location_policy.web.ops.sync_api import SyncApi
from tests.support.access import PASSWORD, write_users
from tests.support.app import SETTINGS
from tests.support.maps import snapshot_of
from tests.support.service import basic

ROLES = ("node", "viewer", "editor")
ASKED = f"{LOCATION}?protocol=mssip&ms-subnet=10.61.2.0"
ACCESS = Path(__file__).parent.parent.parent.parent / "docs" / "run" / "access.md"


@pytest.fixture
def access(tmp_path: Path) -> Access:
    """A user for each role, with its name, and one without."""
    (tmp_path / "roles").write_text("".join(f"{role}: {role}\n" for role in ROLES))
    users = write_users(tmp_path / "htpasswd", *ROLES, "nothing")
    return Access(Credentials(users), Roles(tmp_path / "roles"))


def app_of(access: Access, active: ActiveState | None = None, decisions: DecisionLog | None = None) -> ASGIApp:
    """The application with all that it can have."""
    active, wakeup = active or ActiveState(), Wakeup(1)
    api = SyncApi(Syncs(active, lambda: None, lambda _: None), wakeup)
    webhook = Webhook(lambda: [b"a secret of the forge"], lambda: 1, access.proxies)
    return make_app(active, SETTINGS, decisions, access, syncs=api, webhook=webhook)


def client_of(access: Access, decisions: DecisionLog | None = None) -> TestClient:
    active = ActiveState()
    active.change(snapshot=snapshot_of())
    app = app_of(access, active, decisions)
    return TestClient(app, base_url="http://127.0.0.1", follow_redirects=False)


def ask(client: TestClient, target: str, user: str | None = None, method: str = "GET") -> httpx2.Response:
    return client.request(method, target, headers=basic(user and f"{user}:{PASSWORD}"))


# --- every route with every role ---


def documented() -> list[tuple[str, str, str]]:
    """Route, method and role of each line of the table."""
    lines = re.findall(r"^\| `(/\S*)` \| (.+?) \| (.+?) \|", ACCESS.read_text(), re.MULTILINE)
    return [(path, method, role) for path, methods, role in lines for method in methods.split(", ")]


def routes(app: Any) -> Iterator[str]:  # noqa: ANN401  the layers have no common type
    """The paths of an application's routes, below any prefix."""
    assert isinstance(app, Guard)
    assert isinstance(app._app, PolicyApi)
    assert isinstance(app._app._app, Starlette)
    for route in app._app._app.routes:
        assert isinstance(route, Route)
        yield route.path


def test_the_table_has_every_route(access: Access) -> None:
    app = app_of(access)
    assert {path.partition("?")[0] for path, *_ in documented()} == {
        *routes(app),
        "/policy/v1/participant/location",
        "/",
    }


def test_no_password_is_the_proof_of_a_webhook(access: Access) -> None:
    client = client_of(access)
    for user in (*ROLES, None):
        assert ask(client, WEBHOOK, user, "POST").status_code == 401
    assert client.post(WEBHOOK, headers={"X-Gitlab-Token": "a secret of the forge"}).status_code == 202
    elsewhere = {"X-Gitlab-Token": "a secret of the forge", "Origin": "https://forge.example.com"}
    assert client.post(WEBHOOK, headers=elsewhere).status_code == 202


@pytest.mark.parametrize(("path", "method", "role"), [one for one in documented() if one[0] != WEBHOOK])
def test_a_route_is_for_the_role_that_the_table_names(access: Access, path: str, method: str, role: str) -> None:
    client = client_of(access)
    everybody: tuple[str | None, ...] = (*ROLES, "nothing", None)
    allowed: tuple[str | None, ...] = {"open": everybody, "viewer": ("viewer", "editor")}.get(role, (role,))
    for user in everybody:
        response = ask(client, path, user, method)
        if user in allowed:
            assert response.status_code not in (401, 403), user
        else:
            assert response.status_code == (403 if user else 401), user
            assert ("www-authenticate" in response.headers) == (user is None)


METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "X")


def test_whatever_the_table_does_not_have_is_for_viewers_to_look_at_and_else_for_editors(access: Access) -> None:
    client, known = client_of(access), {(path.partition("?")[0], method) for path, method, _ in documented()}
    app = app_of(access)
    for path in {*routes(app), "/nothing", "/locations.git/config"} - OPEN - {WEBHOOK}:
        for method in METHODS:
            if (path, method) not in known:
                allowed = {"viewer", "editor"} if method in ("GET", "HEAD") else {"editor"}
                statuses = {user: ask(client, path, user, method).status_code for user in (*ROLES, "nothing", None)}
                assert {user for user, status in statuses.items() if status not in (401, 403)} == allowed, (
                    path,
                    method,
                )


def test_roads_round_a_route_are_closed(access: Access) -> None:
    client = client_of(access)
    for path in (
        "//status",
        "/status/",
        "/healthz/",
        "//healthz",
        "/nothing",
        "/Metrics",
    ):
        assert ask(client, f"http://127.0.0.1{path}").status_code == 401, path
    for path in ("//policy/v1/participant/location", "/policy", "/policy/v1/participant/location/", "/policy%2fv1"):
        assert ask(client, f"http://127.0.0.1{path}").status_code == 401, path
        assert ask(client, f"http://127.0.0.1{path}", "editor").status_code == 403, path


def test_metrics_are_open_where_that_is_said(access: Access) -> None:
    client = client_of(Access(access.credentials, access.roles, open_paths=OPEN | {"/metrics"}))
    assert ask(client, "/metrics").status_code == 200
    assert ask(client, "/metrics", method="OPTIONS").status_code == 405
    assert ask(client, "/status").status_code == 401


def test_nodes_may_stay_nameless_where_that_is_said_and_others_not(access: Access) -> None:
    client = client_of(Access(access.credentials, access.roles, frozenset(("node",))))
    assert ask(client, ASKED).json()["status"] == "success"
    assert ask(client, "/status").status_code == 401


# --- what a client is told ---


def test_a_stranger_is_told_how_to_say_who_it_is(access: Access) -> None:
    for target in (ASKED, "/status"):
        response = ask(client_of(access), target)
        assert response.status_code == 401
        assert response.headers["www-authenticate"] == 'Basic realm="location-policy", charset="UTF-8"'
        assert response.headers["content-type"] == "application/json"
        assert response.json() == {
            "status": "policy.reason.unauthorized - This needs a user and a password",
            "message": "This needs a user and a password",
        }
    assert ask(client_of(access), "/status", method="HEAD").content == b""


def test_people_in_a_browser_are_told_on_a_page_that_needs_nothing_else(access: Access) -> None:
    client = client_of(access)
    for user, status, title, why in (
        (None, 401, "Sign in required", "This needs a user and a password"),
        ("node", 403, "Permission denied", "This needs the role viewer"),
    ):
        page = client.get("/map", headers={**basic(user and f"{user}:{PASSWORD}"), "accept": "text/html,*/*;q=0.8"})
        assert (page.status_code, page.headers["content-type"]) == (status, "text/html; charset=utf-8")
        assert f"<h1>{title}</h1>\n<p>{why}</p>" in page.text
        assert ("www-authenticate" in page.headers) == (status == 401)
        assert page.headers["content-security-policy"].startswith("default-src 'none'")
        assert "src=" not in page.text
        assert PASSWORD not in page.text


def test_a_policy_answer_is_json_whatever_is_asked_for(access: Access) -> None:
    for target in (ASKED, "/api/v1/map"):
        answer = client_of(access).get(target, headers={"accept": "text/html"})
        assert (answer.status_code, answer.headers["content-type"].endswith("json")) == (401, True)


def test_what_a_policy_answer_must_have_a_refusal_has_too(access: Access, tmp_path: Path) -> None:
    decisions = DecisionLog(str(tmp_path / "decisions")).start()
    client = client_of(access, decisions)
    response = ask(client, ASKED, "viewer")
    assert (response.status_code, response.json()["message"]) == (403, "This needs the role node")
    assert "x-location-policy-commit" in response.headers
    assert 'outcome="forbidden",protocol="none"} 1.0' in ask(client, "/metrics", "viewer").text
    decisions.close()
    assert (tmp_path / "decisions").read_text() == ""


def header(value: bytes) -> list[tuple[bytes, bytes]]:
    return [(b"authorization", value)]


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        (header(b""), "another scheme than Basic"),
        (header(b"Bearer x"), "another scheme than Basic"),
        (header(b"Basic \x80"), "not base64"),
        (header(b"Basic " + b64encode(b"node")), "no colon"),
        (header(b"Basic " + b64encode(b"node:\0")), "control characters"),
        (header(b"Basic " + b64encode(b"node:x" + b"y" * 20_000)), "User or password is wrong"),
        (header(b"Basic bm9kZTp4") * 2, "more than one"),
    ],
)
def test_a_header_that_is_none_is_told_and_is_no_fault_of_ours(
    access: Access, headers: list[tuple[bytes, bytes]], told: str
) -> None:
    sent = send_raw(app_of(access), headers)
    assert sent[0]["status"] == 401
    assert told in sent[1]["body"].decode()


def test_a_second_header_is_refused_also_after_the_first_was_right_before(access: Access) -> None:
    node = header(b"Basic " + b64encode(f"node:{PASSWORD}".encode()))
    active = ActiveState()
    active.change(snapshot=snapshot_of())
    app = make_app(active, SETTINGS, None, access)
    path, _, query = ASKED.partition("?")
    found = [send_raw(app, headers, path=path, query_string=query.encode()) for headers in (node, node * 2)]
    assert [sent[0]["status"] for sent in found] == [200, 401]
    assert "more than one Authorization header" in found[1][1]["body"].decode()
    assert isinstance(app, Guard)
    assert app.at_once(ASKED.encode(), node, None) is not None
    assert app.at_once(ASKED.encode(), node * 2, None) is None


def test_from_where_right_credentials_come_is_kept_also_where_one_password_is_that_of_many(access: Access) -> None:
    node = header(b"Basic " + b64encode(f"node:{PASSWORD}".encode()))
    believing = Access(access.credentials, access.roles, proxies=Proxies(parse_networks("192.0.2.1")))
    app = make_app(ActiveState(), SETTINGS, None, believing)
    path, _, query = ASKED.partition("?")
    for address in ("203.0.113.1", "203.0.113.2"):
        send_raw(app, [*node, (b"x-forwarded-for", address.encode())], path=path, query_string=query.encode())
    assert isinstance(app, Guard)
    app.at_once(ASKED.encode(), node, "203.0.113.3")
    app.at_once(ASKED.encode(), header(b"Basic " + b64encode(b"node:wrong")), "203.0.113.4")
    assert access.credentials
    found = [number for number in range(6) if f"203.0.113.{number}" in access.credentials.clients]
    assert found == [1, 2, 3]


def send_raw(app: Any, headers: list[tuple[bytes, bytes]], **more: object) -> list[Any]:  # noqa: ANN401  any ASGI
    """What the application sends when a server calls it so."""
    sent: list[Any] = []
    of_status = {"type": "http", "method": "GET", "path": "/status", "query_string": b""}
    scope = {**of_status, "headers": headers, "client": ("192.0.2.1", 1), **more}

    async def send(message: Any) -> None:  # noqa: ANN401  as ASGI has it
        sent.append(message)

    asyncio.run(app(scope, None, send))
    return sent


def test_a_failure_is_logged_with_the_forwarded_address_and_without_the_password(
    access: Access, caplog: pytest.LogCaptureFixture
) -> None:
    believing = Access(access.credentials, access.roles, proxies=Proxies(parse_networks("192.0.2.1")))
    headers = [*header(b"Basic " + b64encode(b"node:opensesame")), (b"x-forwarded-for", b"203.0.113.9")]
    assert send_raw(make_app(ActiveState(), SETTINGS, None, believing), headers)[0]["status"] == 401
    assert caplog.messages == ["wrong credentials user=node address=203.0.113.9 failures=1"]
    send_raw(make_app(ActiveState(), SETTINGS, None, believing), headers, client=None)
    assert "opensesame" not in caplog.text


def test_where_too_many_are_checked_a_stranger_comes_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("location_policy.access.credentials.PATIENCE", 0.0)
    users = write_users(tmp_path / "htpasswd", "node")
    response = ask(client_of(Access(Credentials(users, HashPool(threads=0)))), ASKED, "node")
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")
    assert response.json()["status"].startswith("policy.reason.busy - ")


def cancelled(access: Access, password: bytes) -> int:
    """The status of a request that is cancelled when nothing is left to do but to wait."""
    sent: list[Any] = []

    async def send(message: Any) -> None:  # noqa: ANN401  as ASGI has it
        sent.append(message)

    async def ask_and_end() -> None:
        headers = header(b"Basic " + b64encode(b"node:" + password))
        scope = {"type": "http", "method": "GET", "path": "/status", "headers": headers, "client": None}
        app: Any = app_of(access)
        request = asyncio.ensure_future(app(scope, None, send))
        await asyncio.sleep(0)
        assert not request.done()
        request.cancel()
        await request

    asyncio.run(ask_and_end())
    return int(sent[0]["status"])


def test_a_service_that_ends_answers_those_that_wait(tmp_path: Path) -> None:
    users = write_users(tmp_path / "htpasswd", "node")
    assert cancelled(Access(Credentials(users, HashPool(threads=0))), b"x") == 503
    found = Credentials(users)
    for _ in range(9):
        asyncio.run(found.user_of(b"Basic " + b64encode(b"node:x"), "local"))
    assert cancelled(Access(found), b"x") == 401


# --- users by certificate ---


def test_without_passwords_the_certificate_says_who_it_is(tmp_path: Path) -> None:
    (tmp_path / "roles").write_text("node.example.com: node\nana: viewer\n")
    app = make_app(ActiveState(), SETTINGS, None, Access(roles=Roles(tmp_path / "roles")))

    def status(name: str | None) -> int:
        extensions = {"tls": {"client_cert_name": name}} if name is not None else {}
        return int(send_raw(app, [], extensions=extensions)[0]["status"])

    assert [status(name) for name in ("ana", "node.example.com", "", None)] == [200, 403, 403, 401]


# --- without users, on this machine ---

STRAIGHT = {"host": "localhost:8080"}


def may_edit(headers: dict[str, str], http_version: str = "1.1", client: tuple[str, int] | None = ("::1", 1)) -> bool:
    """Whether a form of a client with these headers is taken, where no client is asked who it is."""
    statuses: list[int] = []
    asked: list[dict[str, Any]] = []

    async def app(scope: Any, _receive: object, _send: object) -> None:  # noqa: ANN401  as ASGI has it
        asked.append(scope)

    async def send(message: Any) -> None:  # noqa: ANN401  as ASGI has it
        statuses.append(message.get("status", 0))

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/edit",
        "http_version": http_version,
        "client": client,
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    asyncio.run(Guard(app, EVERYONE_MAY)(scope, None, send))  # type: ignore[arg-type]  # nothing is read
    assert statuses[:1] == ([] if asked else [403])
    return bool(asked)


def test_without_users_what_comes_straight_may_change_the_map() -> None:
    assert may_edit(STRAIGHT)
    assert may_edit({"host": "elsewhere"}, client=None)
    assert not may_edit({"host": "elsewhere"})


@pytest.mark.parametrize("client", [("127.0.0.1", 1), None])
@pytest.mark.parametrize(
    "name", ["forwarded", "via", "x-real-ip", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-x"]
)
def test_without_users_what_comes_through_a_proxy_changes_nothing(name: str, client: tuple[str, int] | None) -> None:
    assert not may_edit({**STRAIGHT, name: "1"}, client=client)


@pytest.mark.parametrize("client", [("127.0.0.1", 1), None])
def test_without_users_nothing_is_changed_without_a_host_or_by_http_1_0(client: tuple[str, int] | None) -> None:
    assert not may_edit({}, client=client)
    assert not may_edit(STRAIGHT, "1.0", client)


def test_who_asks_is_known_by_user_else_by_address(access: Access) -> None:
    found: list[str] = []

    async def app(scope: Any, _receive: object, _send: object) -> None:  # noqa: ANN401  as ASGI has it
        found.append(asker(scope))

    async def ask_as(user: str | None, address: str, access: Access) -> None:
        authorization = [(b"authorization", basic(f"{user}:{PASSWORD}")["Authorization"].encode())] if user else []
        headers = [(b"host", b"localhost"), *authorization]
        scope = {"type": "http", "method": "GET", "path": "/status", "client": (address, 1), "headers": headers}
        await Guard(app, access)({**scope, "http_version": "1.1"}, None, None)  # type: ignore[arg-type]  # not used

    asyncio.run(ask_as("viewer", "192.0.2.1", access))
    for address in ("192.0.2.1", "2001:db8::1"):
        asyncio.run(ask_as(None, address, EVERYONE_MAY))
    assert found == ["user viewer", "address 192.0.2.1", "address 2001:db8::/64"]
