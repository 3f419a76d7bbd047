"""The real nginx, Caddy and HAProxy in front of the real service, with the configuration that is shipped."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.support.access import Pki, login, write_users
from tests.support.deployments import DEPLOY, changed, free_port, needs, nginx_around, started
from tests.support.git_http import clone_over_http, push_over_http, trusting
from tests.support.program import PROGRAM, closed_environment
from tests.support.repositories import GOOD, make_repository
from tests.support.service import DEADLINE, Service, basic, started_service, wait_until

NGINX = DEPLOY / "nginx" / "location-policy.conf"
SOCKET = "unix:/run/location-policy/socket"
TWO_SERVICES = DEPLOY / "nginx" / "two-services.conf"
CADDY = DEPLOY / "caddy" / "Caddyfile"
HAPROXY = DEPLOY / "haproxy" / "haproxy.cfg"
CHECK_OF_MAP = "    http-check send meth GET uri /readyz\n"
ASKED = "/policy/v1/participant/location?protocol=mssip&ms-subnet=10.61.2.0"

NODE_WAITS = 5.0
"""Seconds that a conference node waits for an answer."""

AROUND_CADDY = """
{{
	admin off
	auto_https disable_redirects
	default_bind 127.0.0.1
}}
import {folder}/shipped
"""


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    return Pki(tmp_path / "pki")


@pytest.fixture
def arguments(tmp_path: Path) -> list[str | Path]:
    """Of a service behind a proxy that asks for a password."""
    repository = make_repository(tmp_path / "locations.git", GOOD)
    users = write_users(tmp_path / "htpasswd", "node", "ana")
    (tmp_path / "roles").write_text("node: node\nana: editor\n")
    return ["--repo", repository, "--htpasswd", users, "--roles", tmp_path / "roles", "--behind-proxy"]


@contextmanager
def nginx_before(
    upstreams: dict[str, str], pki: Pki, folder: Path, shipped: Path = NGINX
) -> Iterator[Service]:  # pragma: no cover
    port = free_port()
    changes = {
        "listen 8443 ssl": f"listen 127.0.0.1:{port} ssl",
        "    listen [::]:8443 ssl;\n": "",
        "/etc/location-policy/cert.pem": pki.cert,
        "/etc/location-policy/key.pem": pki.key,
        **upstreams,
    }
    (folder / "shipped.conf").write_text(changed(shipped, changes))
    (folder / "nginx.conf").write_text(nginx_around(f"include {folder}/shipped.conf;", folder))
    command = ("nginx", "-p", folder, "-e", "stderr", "-c", folder / "nginx.conf", "-g", "user root;")
    with started(*command, port=port, cwd=folder) as process:
        yield Service(process, port, folder / "serve.log", pki.client())


@contextmanager
def caddy_before(upstream: int, pki: Pki, folder: Path) -> Iterator[Service]:  # pragma: no cover
    port = free_port()
    changes = {
        "policy.example.com:8443": f"127.0.0.1:{port}",
        "127.0.0.1:8080": f"127.0.0.1:{upstream}",
        "/etc/location-policy/cert.pem": pki.cert,
        "/etc/location-policy/key.pem": pki.key,
    }
    (folder / "shipped").write_text(changed(CADDY, changes))
    (folder / "Caddyfile").write_text(AROUND_CADDY.format(folder=folder))
    homes = {"XDG_DATA_HOME": str(folder / "data"), "XDG_CONFIG_HOME": str(folder / "config"), "HOME": str(folder)}
    command = ("caddy", "run", "--adapter", "caddyfile", "--config", folder / "Caddyfile")
    with started(*command, port=port, cwd=folder, **homes) as process:
        yield Service(process, port, folder / "serve.log", pki.client())


@contextmanager
def haproxy_before(
    upstream: int, pki: Pki, folder: Path, more: Mapping[str, object] | None = None
) -> Iterator[Service]:  # pragma: no cover
    port, pem = free_port(), folder / "both.pem"
    pem.write_bytes(pki.cert.read_bytes() + pki.key.read_bytes())
    changes = {
        "    user haproxy\n    group haproxy\n": "",
        "bind :8443": f"bind 127.0.0.1:{port}",
        "/etc/haproxy/location-policy.pem": pem,
        "127.0.0.1:8080": f"127.0.0.1:{upstream}",
        "inter 1s": "inter 50ms",
        **(more or {}),
    }
    (folder / "haproxy.cfg").write_text(changed(HAPROXY, changes))
    with started("haproxy", "-db", "-f", folder / "haproxy.cfg", port=port, cwd=folder) as process:
        yield Service(process, port, folder / "serve.log", pki.client())


def check(proxy: Service) -> None:  # pragma: no cover
    """All that an administrator and a node rely on, through a proxy that stands on 127.0.0.1."""
    wait_until(lambda: proxy.ask("/readyz").status == 200, proxy.log.read_text)
    stranger = proxy.ask(ASKED)
    assert (stranger.status, stranger.headers["www-authenticate"][:30]) == (401, 'Basic realm="location-policy",')
    answer = proxy.ask(ASKED, login=login("node"))
    assert answer.json()["result"]["location"] == "Sydney"
    assert len(answer.headers["x-location-policy-commit"]) == 40
    assert answer.headers["content-length"] == str(len(answer.body))
    for target in (f"/{ASKED}", ASKED.replace("?", "/?"), ASKED.replace("10.61.2.0", "%5B%2210.61.2.0%22%5D")):
        assert proxy.ask(target, login=login("node")).json()["status"] == "success", target
    assert proxy.ask(ASKED, "HEAD", login=login("node")).status == 200
    wait_until(lambda: proxy.ask("/status", login=login("ana")).json()["state"] == "in-sync", proxy.log.read_text)
    assert status_of(proxy, "GET", ASKED, basic(login("node", "wrong")) | {"X-Forwarded-For": "192.0.2.1"}) == 401
    failure = "wrong credentials user=node address=127.0.0.1 failures=1"  # not the address that the client made up
    wait_until(lambda: failure in proxy.log.read_text(), proxy.log.read_text)
    check_forms(proxy)


def check_forms(proxy: Service) -> None:  # pragma: no cover
    """A form of our own pages comes through the proxy, and one from elsewhere does not."""
    own = f"https://127.0.0.1:{proxy.port}"
    kind = {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": "0", "Sec-Fetch-Site": "same-origin"}
    for origin, status in ((own, 409), (own.replace("https", "http"), 403), ("https://127.0.0.1", 403)):
        assert status_of(proxy, "POST", "/edit", basic(login("ana")) | kind | {"Origin": origin}) == status, origin


def check_git(proxy: Service, folder: Path, pki: Pki) -> None:  # pragma: no cover
    """A clone, and a push that git sends in pieces, through the proxy."""
    copy = clone_over_http(proxy, folder / "copy", user="ana", **trusting(pki))
    (copy.path / "large.bin").write_bytes(os.urandom(2_000_000))
    new = copy.commit({"locations/apac.csv": "Perth,10.61.2.0/24\n"})
    done = push_over_http(copy, **trusting(pki))
    assert done.returncode == 0, done.stderr
    wait_until(lambda: proxy.ask(ASKED, login=login("node")).headers["x-location-policy-commit"] == new)


def status_of(proxy: Service, method: str, target: str, headers: dict[str, str]) -> int:  # pragma: no cover
    """The status of an answer, on a connection of its own; no body is sent, under any headers."""
    connection = http.client.HTTPSConnection("127.0.0.1", proxy.port, timeout=DEADLINE, context=proxy.context)
    try:
        connection.putrequest(method, target)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        return connection.getresponse().status
    finally:
        connection.close()


def post(proxy: Service, target: str, announced: int) -> int:  # pragma: no cover
    """The status of the answer to a body of which only the length is sent."""
    return status_of(proxy, "POST", target, basic(login("ana")) | {"Content-Length": str(announced)})


@contextmanager
def serving_at(path: Path, arguments: list[str | Path]) -> Iterator[None]:  # pragma: no cover
    """A service at a Unix socket."""
    with (path.parent / "serve.log").open("wb") as log:
        command = [PROGRAM, "serve", "--uds", path, *arguments]
        process = subprocess.Popen(command, env=closed_environment(), stdout=log, stderr=log)
    try:
        wait_until(path.exists)
        yield
    finally:
        process.terminate()
        process.wait(timeout=10)


@needs("nginx", "nginx")  # pragma: no cover
def test_nginx_in_front_by_a_unix_socket(tmp_path: Path, arguments: list[str | Path], pki: Pki) -> None:
    socket = tmp_path / "socket"
    with serving_at(socket, arguments), nginx_before({SOCKET: f"unix:{socket}"}, pki, tmp_path) as proxy:
        check(proxy)
        check_git(proxy, tmp_path, pki)
        assert post(proxy, "/", 300 << 20) == 413
        assert post(proxy, "/locations.git/git-receive-pack", 300 << 20) != 413  # a push is as large as it is


@needs("nginx", "nginx")  # pragma: no cover
def test_nginx_in_front_by_tcp(tmp_path: Path, arguments: list[str | Path], pki: Pki) -> None:
    arguments += ["--forwarded-allow-ips", "127.0.0.1"]
    with (
        started_service(*arguments, cwd=tmp_path) as service,
        nginx_before({SOCKET: f"127.0.0.1:{service.port}"}, pki, tmp_path) as proxy,
    ):
        check(proxy)


@contextmanager
def two_behind_nginx(
    arguments: list[str | Path], pki: Pki, folder: Path
) -> Iterator[tuple[Service, list[Service]]]:  # pragma: no cover
    """nginx, and the two services of one repository behind it."""
    with ExitStack() as stack:
        services = []
        for name in ("8081", "8082"):
            own = [*arguments, "--forwarded-allow-ips", "127.0.0.1", "--state-dir", folder / name]
            services.append(stack.enter_context(started_service(*own, cwd=folder)))
        ports = {
            f"server 127.0.0.1:{shown} ": f"server 127.0.0.1:{service.port} "
            for shown, service in zip(("8081", "8082"), services, strict=True)
        }
        yield stack.enter_context(nginx_before(ports, pki, folder, TWO_SERVICES)), services


def who_answers(proxy: Service, services: list[Service]) -> Service:  # pragma: no cover
    pid = proxy.ask("/status", login=login("ana")).json()["service"]["pid"]
    return next(service for service in services if service.process.pid == pid)


@needs("nginx", "nginx")  # pragma: no cover
def test_nginx_in_front_of_two_services(tmp_path: Path, arguments: list[str | Path], pki: Pki) -> None:
    with two_behind_nginx(arguments, pki, tmp_path) as (proxy, services):
        check(proxy)
        check_git(proxy, tmp_path, pki)
        pushed = proxy.ask(ASKED, login=login("node")).headers["x-location-policy-commit"]
        for service in services:
            service.login = login("ana")
            service.wait_for("in-sync", pushed)
        silent = who_answers(proxy, services)
        silent.process.send_signal(signal.SIGSTOP)
        asked = time.monotonic()
        answer = proxy.ask(ASKED, login=login("node")).json()
        took = time.monotonic() - asked
        silent.process.send_signal(signal.SIGCONT)
        assert answer["status"] == "success"
        assert took < NODE_WAITS


@needs("nginx", "nginx")  # pragma: no cover
def test_a_restart_of_one_of_two_services_is_not_seen(tmp_path: Path, arguments: list[str | Path], pki: Pki) -> None:
    with two_behind_nginx(arguments, pki, tmp_path) as (proxy, services):
        wait_until(lambda: all(service.ask("/readyz").status == 200 for service in services))
        ended = who_answers(proxy, services)
        ended.process.terminate()
        while ended.process.poll() is None:
            assert proxy.ask(ASKED, login=login("node")).json()["status"] == "success"
        assert proxy.ask(ASKED, login=login("node")).json()["status"] == "success"
        assert who_answers(proxy, services) is not ended


@needs("nginx", "nginx")  # pragma: no cover
def test_two_services_without_a_map_take_the_first_push(tmp_path: Path, arguments: list[str | Path], pki: Pki) -> None:
    arguments[1] = make_repository(tmp_path / "empty.git", {})
    with two_behind_nginx(arguments, pki, tmp_path) as (proxy, services):
        for _ in range(3):
            answer = proxy.ask(ASKED, login=login("node"))
            assert (answer.status, answer.json()["status"][:23]) == (503, "policy.reason.not.ready")
        copy = clone_over_http(proxy, tmp_path / "copy", user="ana", **trusting(pki))
        new = copy.commit(GOOD)
        assert push_over_http(copy, **trusting(pki)).returncode == 0
        for service in services:
            service.login = login("ana")
            service.wait_for("in-sync", new)


@needs("caddy", "caddy")  # pragma: no cover
def test_caddy_in_front(tmp_path: Path, arguments: list[str | Path], pki: Pki) -> None:
    arguments += ["--forwarded-allow-ips", "127.0.0.1"]
    with started_service(*arguments, cwd=tmp_path) as service, caddy_before(service.port, pki, tmp_path) as proxy:
        check(proxy)
        check_git(proxy, tmp_path, pki)


@needs("haproxy", "haproxy")  # pragma: no cover
def test_haproxy_in_front(tmp_path: Path, arguments: list[str | Path], pki: Pki) -> None:
    arguments += ["--forwarded-allow-ips", "127.0.0.1"]
    with started_service(*arguments, cwd=tmp_path) as service, haproxy_before(service.port, pki, tmp_path) as proxy:
        check(proxy)
        check_git(proxy, tmp_path, pki)


@needs("haproxy", "haproxy")  # pragma: no cover
def test_haproxy_sends_what_fails_at_one_service_to_another_within_the_time_of_a_node(
    tmp_path: Path, arguments: list[str | Path], pki: Pki
) -> None:
    arguments += ["--forwarded-allow-ips", "127.0.0.1"]
    without_a_map = ["--repo", make_repository(tmp_path / "empty.git", {}), *arguments[2:]]
    states = [("--state-dir", tmp_path / name) for name in ("one", "two")]
    with (
        started_service(*arguments, *states[0], cwd=tmp_path) as good,
        started_service(*without_a_map, *states[1], cwd=tmp_path) as other,
    ):
        second = {"#server two 127.0.0.1:8081": f"server two 127.0.0.1:{other.port}"}
        wait_until(lambda: good.ask("/readyz").status == 200)
        with haproxy_before(good.port, pki, tmp_path, second | {CHECK_OF_MAP: "", " check inter 50ms": ""}) as proxy:

            def answers() -> set[tuple[int, bool]]:
                began = time.monotonic()
                statuses = {proxy.ask(ASKED, login=login("node")).status for _ in range(2)}
                return {(status, time.monotonic() - began < NODE_WAITS) for status in statuses}

            assert answers() == {(200, True)}  # one of the two was asked where there is no map
            other.process.send_signal(signal.SIGSTOP)
            assert answers() == {(200, True)}
            other.process.send_signal(signal.SIGCONT)
            other.process.send_signal(signal.SIGKILL)
            other.process.wait(timeout=10)
            assert answers() == {(200, True)}


@needs("haproxy", "haproxy")  # pragma: no cover
def test_the_check_of_haproxy_by_itself_finds_a_service_that_lives_and_that_of_the_file_one_with_a_map(
    tmp_path: Path, arguments: list[str | Path], pki: Pki
) -> None:
    arguments[1], log = make_repository(tmp_path / "empty.git", {}), tmp_path / "server.log"
    with started_service(*arguments, cwd=tmp_path) as service:
        with haproxy_before(service.port, pki, tmp_path) as proxy:
            wait_until(lambda: "location-policy/one is DOWN" in log.read_text(), log.read_text)
        with haproxy_before(service.port, pki, tmp_path, {CHECK_OF_MAP: "    option log-health-checks\n"}) as proxy:
            wait_until(lambda: "one succeeded, reason: Layer7 check passed" in log.read_text(), log.read_text)
            assert proxy.ask(ASKED, login=login("node")).json()["status"][:23] == "policy.reason.not.ready"


@needs("haproxy", "haproxy")  # pragma: no cover
def test_haproxy_leads_to_a_service_without_a_map_where_none_has_one_so_that_it_takes_the_first_push(
    tmp_path: Path, arguments: list[str | Path], pki: Pki
) -> None:
    arguments[1], log = make_repository(tmp_path / "empty.git", {}), tmp_path / "server.log"
    arguments += ["--forwarded-allow-ips", "127.0.0.1"]
    with started_service(*arguments, cwd=tmp_path) as service, haproxy_before(service.port, pki, tmp_path) as proxy:
        wait_until(lambda: "location-policy/one is DOWN" in log.read_text(), log.read_text)
        answer = proxy.ask(ASKED, login=login("node"))
        assert (answer.status, answer.json()["status"][:23]) == (503, "policy.reason.not.ready")
        copy = clone_over_http(proxy, tmp_path / "copy", user="ana", **trusting(pki))
        new = copy.commit(GOOD)
        assert push_over_http(copy, **trusting(pki)).returncode == 0
        wait_until(lambda: proxy.ask(ASKED, login=login("node")).headers.get("x-location-policy-commit") == new)
