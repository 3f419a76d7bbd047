"""Credentials, TLS and where it listens, as a process: what is asked, what is told, and what no log ever has."""

from __future__ import annotations

import http.client
import re
import shutil
import signal
import socket
import ssl
import subprocess
import threading
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.support.access import PASSWORD, Pki, hashed, login, write_users
from tests.support.program import AS_INSTALLED, PROGRAM, closed_environment, run_program
from tests.support.repositories import GOOD, force_commit, make_repository
from tests.support.service import Service, basic, started_service, wait_until

ASKED = "/policy/v1/participant/location?protocol=mssip&ms-subnet=10.61.2.0"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "locations.git", GOOD)


@pytest.fixture
def users(tmp_path: Path) -> Path:
    return write_users(tmp_path / "htpasswd", "node")


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    return Pki(tmp_path / "pki")


def ready(service: Service) -> None:
    wait_until(lambda: service.ask("/readyz").status == 200, service.log.read_text)


def told(service: Service, text: str) -> int:
    return service.log.read_text().count(text)


# --- credentials ---


def test_a_node_is_answered_at_once_or_after_a_challenge_and_a_stranger_is_not(repository: Path, users: Path) -> None:
    with started_service("--repo", repository, "--htpasswd", users, cwd=repository.parent) as service:
        ready(service)
        assert service.ask(ASKED).headers["www-authenticate"] == 'Basic realm="location-policy", charset="UTF-8"'
        assert service.ask(ASKED, login=login("node")).json()["status"] == "success"
        for user, password in (("node", "wrong"), ("nobody", PASSWORD)):
            assert service.ask(ASKED, login=login(user, password)).status == 401
        response = service.ask("/status", login=login("node"))
        assert (response.status, response.headers["x-content-type-options"]) == (200, "nosniff")
        assert "server" not in response.headers
        assert told(service, "wrong credentials user=node address=127.0.0.1 failures=1") == 1


def test_a_changed_file_is_taken_up_and_a_broken_one_is_told_once(repository: Path, users: Path) -> None:
    with started_service("--repo", repository, "--htpasswd", users, cwd=repository.parent) as service:
        ready(service)
        assert service.ask(ASKED, login=login("node")).status == 200
        users.write_text("node:opensesame\n")
        wait_until(lambda: told(service, "the old one stays in use") == 1)
        assert service.ask(ASKED, login=login("node")).status == 200
        write_users(users, "ana")
        wait_until(lambda: service.ask(ASKED, login=login("ana")).status == 200)
        assert service.ask(ASKED, login=login("node")).status == 401
        assert told(service, "the old one stays in use") == 1


def test_a_file_that_cannot_be_used_keeps_it_from_starting(repository: Path, users: Path) -> None:
    users.write_text("node:{SHA}fEqNCco3Yq9h5ZUglD3CZJT4lBs=\n")
    done = run_program("serve", "--repo", repository, "--port", "0", "--htpasswd", users)
    assert (done.returncode, done.stdout) == (3, "")
    assert f"{users}:1:1: error: the password of node is kept by SHA-1, which is not taken" in done.stderr
    assert f"  hint: htpasswd -B {users} node\n" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--tls-cert", "x"), "--tls-cert needs --tls-key too"),
        (("--tls-key", "x"), "--tls-key needs --tls-cert too"),
        (("--client-ca", "x"), "--client-ca needs --tls-cert and --tls-key too"),
        (("--tls-cert", "x", "--tls-key", "y"), "x cannot be read: No such file or directory"),
        (("--htpasswd", "x"), "x cannot be read: No such file or directory"),
        (("--roles", "x"), "--roles needs --htpasswd or --client-ca too: without them nobody is asked who it is"),
        (("--forwarded-allow-ips", "x"), "--forwarded-allow-ips: 'x' is not an IPv4 or IPv6 address"),
        (("--host", "::", "--allow-anonymous-policy"), ":: can be reached from other machines, and without TLS"),
        (("--host", "::", "--behind-proxy"), ":: can be reached from other machines, and nobody is asked"),
    ],
)
def test_what_does_not_fit_together_is_told(tmp_path: Path, arguments: tuple[str, ...], sentence: str) -> None:
    done = run_program("serve", "--port", "0", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith(f"location-policy: {sentence}")
    assert list(tmp_path.iterdir()) == []


def test_no_secret_is_told_anywhere(repository: Path, users: Path, pki: Pki) -> None:
    access = ("--htpasswd", users, "--open-metrics", "--decision-log", repository.parent / "decisions")
    arguments = ("--repo", repository, *access, *pki.arguments())
    with started_service(*arguments, cwd=repository.parent, program=AS_INSTALLED) as service:
        service.context = pki.client()
        ready(service)
        answers = [
            service.ask(target, login=login("node", password))
            for target in (ASKED, "/status", "/metrics", "/nothing")
            for password in (PASSWORD, "planted-secret", "planted-secret\0")
        ]
        users.write_text("node:planted-secret\n")
        wait_until(lambda: told(service, "the old one stays in use") == 1)
        line = Path(f"/proc/{service.process.pid}/cmdline").read_bytes() if Path("/proc").exists() else b""
        assert service.stop() == 0
        assert service.process.stdout
        seen = [service.process.stdout.read().encode(), line, *(answer.body for answer in answers)]
        seen += [repr(answer.headers).encode() for answer in answers]
        seen += [service.log.read_bytes(), (repository.parent / "decisions").read_bytes()]
    for secret in (b"planted-secret", PASSWORD.encode(), b"$2b$", b"cGxhbnRlZC", b"BEGIN"):
        assert not any(secret in one for one in seen)


@pytest.mark.parametrize("value", ["Basic", "Basic ====", "Digest x", "Basic " + "A" * 30_000])
def test_a_header_that_is_none_harms_nobody(repository: Path, users: Path, value: str) -> None:
    with started_service("--repo", repository, "--htpasswd", users, cwd=repository.parent) as service:
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=10)
        connection.request("GET", "/status", headers={"Authorization": value})
        assert connection.getresponse().status == 401
        connection.close()


def test_a_password_of_ten_megabytes_is_not_read_to_its_end(repository: Path, users: Path) -> None:
    with started_service("--repo", repository, "--htpasswd", users, cwd=repository.parent) as service:
        with closing(socket.create_connection(("127.0.0.1", service.port), timeout=10)) as connection:
            connection.sendall(b"GET /status HTTP/1.1\r\nHost: x\r\nAuthorization: Basic " + b"A" * 100_000)
            assert connection.recv(100).startswith(b"HTTP/1.1 431 ")
        assert service.ask("/healthz").status == 200


FLOODERS = 40
"""At once: more than are hashed before a client has waited too long."""


def flood(service: Service, ended: threading.Event, first: int) -> None:
    """Wrong passwords from ever new addresses, told by a proxy: of anywhere, of one IPv6 site, and one and the same."""
    number = first
    while not ended.is_set():
        number += FLOODERS
        addresses = (
            f"2001:db8:1:{number % 65536:x}::1",
            "192.0.2.1",
            f"{number % 199 + 1}.{number % 251}.{number % 241}.1",
        )
        headers = {**basic(f"node:{number}"), "X-Forwarded-For": addresses[min(number % FLOODERS, 2)]}
        with suppress(OSError, http.client.HTTPException), closing(http_connection(service)) as connection:
            connection.request("GET", ASKED, headers=headers)
            connection.getresponse().read()


def http_connection(service: Service) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", service.port, timeout=10)


def test_a_node_that_was_right_before_is_answered_under_a_flood_also_after_a_reload_and_a_restart(
    repository: Path, tmp_path: Path
) -> None:
    users = tmp_path / "htpasswd"
    users.write_text(f"node:{hashed(cost=11)}\n")
    arguments = ("--repo", repository, "--htpasswd", users, "--forwarded-allow-ips", "127.0.0.1")
    with started_service(*arguments, cwd=repository.parent) as service:
        ready(service)
        assert service.ask(ASKED, login=login("node")).status == 200
        wait_until((repository / "location-policy/known-clients").exists)
    with started_service(*arguments, cwd=repository.parent) as service:
        ended = threading.Event()
        threads = [threading.Thread(target=flood, args=(service, ended, first)) for first in range(FLOODERS)]
        for thread in threads:
            thread.start()
        try:
            wait_until(lambda: told(service, "wrong credentials") > 0, service.log.read_text)
            statuses = [service.ask(ASKED, login=login("node")).status for _ in range(10)]
            users.write_text(f"node:{hashed(cost=11)}\n")
            wait_until(lambda: told(service, "read again") == 1, service.log.read_text)
            statuses += [service.ask(ASKED, login=login("node")).status for _ in range(10)]
        finally:
            ended.set()
            for thread in threads:
                thread.join()
    assert statuses == [200] * 20


# --- where it listens ---


def test_a_proxy_on_the_same_host_asks_over_a_unix_socket(repository: Path) -> None:
    path, log = repository.parent / "socket", repository.parent / "serve.log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [PROGRAM, "serve", "--repo", repository, "--uds", path],
            env=closed_environment(),
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    assert process.stdout
    try:
        assert process.stdout.readline().endswith(f" on {path}\n")
        with closing(socket.socket(socket.AF_UNIX)) as asker:
            asker.connect(str(path))
            asker.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert asker.recv(1000).startswith(b"HTTP/1.1 200 ")
        process.terminate()
        assert process.wait(timeout=10) == 0
        assert f"curl --unix-socket {path} http://localhost/status" in process.stdout.read()
        assert not path.exists()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


# --- TLS ---


def test_a_renewed_certificate_is_taken_up_and_no_connection_ends(repository: Path, pki: Pki) -> None:
    with started_service("--repo", repository, *pki.arguments(), cwd=repository.parent) as service:
        service.context = pki.client()
        ready(service)
        connection = http.client.HTTPSConnection("127.0.0.1", service.port, timeout=10, context=service.context)
        connection.request("GET", "/healthz")
        connection.getresponse().read()
        first = pki.cert.read_text().split("-----")[2]
        pki.renew()
        wait_until(lambda: certificate_of(service) != first)
        kept = connection.sock
        connection.request("GET", "/healthz")
        assert connection.getresponse().status == 200
        assert connection.sock is kept
        connection.close()
        pki.key.write_text("torn")
        wait_until(lambda: told(service, "the old certificate stays in use") == 1)
        assert service.ask("/healthz").status == 200


def certificate_of(service: Service) -> str:
    return ssl.get_server_certificate(("127.0.0.1", service.port), timeout=10).split("-----")[2]


def test_a_client_without_a_certificate_of_the_ca_gets_no_answer(repository: Path, pki: Pki) -> None:
    (repository.parent / "roles").write_text("node.example.com: node\n")
    arguments = ("--client-ca", pki.ca_file, "--roles", repository.parent / "roles")
    with started_service("--repo", repository, *pki.arguments(), *arguments, cwd=repository.parent) as service:
        service.context = pki.client("node.example.com")
        ready(service)
        assert service.ask(ASKED).status == 200
        assert service.ask("/status").status == 403
        service.context = pki.client()
        with pytest.raises((ssl.SSLError, ConnectionError)):
            service.ask(ASKED)


def test_another_ca_of_clients_ends_the_connections_that_the_old_one_has_let_in(
    repository: Path, pki: Pki, tmp_path: Path
) -> None:
    clients, other = tmp_path / "clients.pem", Pki(tmp_path / "other")
    clients.write_bytes(pki.ca_file.read_bytes())
    with started_service(
        "--repo", repository, *pki.arguments(), "--client-ca", clients, cwd=repository.parent
    ) as service:
        service.context = pki.client("node.example.com")
        ready(service)
        known = http.client.HTTPSConnection("127.0.0.1", service.port, timeout=10, context=service.context)
        known.request("GET", ASKED)
        assert known.getresponse().read()
        kept = known.sock
        pki.renew()
        wait_until(lambda: told(service, "certificate in use") == 1)
        known.request("GET", ASKED)
        assert known.getresponse().read()
        assert known.sock is kept  # it has ended for no certificate of ours
        clients.write_bytes(other.ca_file.read_bytes())
        wait_until(lambda: told(service, "certificate in use") == 2)
        assert kept is not None
        assert kept.recv(1) == b""
        with pytest.raises((OSError, http.client.HTTPException)):
            service.ask(ASKED)
        other.ca.issue_cert("x@example.com", common_name="node.example.com").configure_cert(service.context)
        assert service.ask(ASKED).status == 200
        known.close()
        assert "Traceback" not in service.log.read_text()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_finds_both_versions_and_none_that_is_older(repository: Path, pki: Pki) -> None:
    with started_service("--repo", repository, *pki.arguments(), cwd=repository.parent) as service:
        seen = {}
        for version in ("tls1_1", "tls1_2", "tls1_3"):
            command = ["openssl", "s_client", f"-{version}", "-connect", f"127.0.0.1:{service.port}"]
            command += ["-CAfile", str(pki.ca_file), "-verify_return_error"]
            done = subprocess.run(command, input=b"", capture_output=True, check=False, timeout=20)
            found = re.search(rb"New, (\S+), Cipher is (\S+)", done.stdout)
            seen[version] = (done.returncode == 0, found and found[1])
    assert seen == {"tls1_1": (False, b"(NONE)"), "tls1_2": (True, b"TLSv1.2"), "tls1_3": (True, b"TLSv1.3")}


def test_the_log_says_at_the_start_that_everyone_here_may_change_the_map(repository: Path, users: Path) -> None:
    line = "INFO no users: everyone on this machine may change the map, and nobody through a proxy\n"
    for arguments, times in ((("--htpasswd", users), 0), (("--behind-proxy",), 0), ((), 1)):
        with started_service("--repo", repository, *arguments, cwd=repository.parent) as service:
            assert told(service, line) == times
    remote = repository.as_uri()
    for more, may in (
        ((), "pin commits of it"),
        (("--changes", "review"), "push changes of the map to be reviewed"),
    ):
        with started_service("--repo", remote, *more, cwd=repository.parent) as service:
            assert told(service, f"INFO no users: everyone on this machine may {may}") == 1


def test_where_tls_is_ours_a_browser_is_told_to_come_back_by_it(repository: Path, pki: Pki) -> None:
    with started_service("--repo", repository, *pki.arguments(), cwd=repository.parent) as service:
        service.context = pki.client()
        assert service.ask("/healthz").headers["strict-transport-security"] == "max-age=31536000"
    with started_service("--repo", repository, cwd=repository.parent) as service:
        assert "strict-transport-security" not in service.ask("/healthz").headers


def test_who_asks_without_tls_gets_no_answer_and_harms_nobody(repository: Path, pki: Pki) -> None:
    with started_service("--repo", repository, *pki.arguments(), cwd=repository.parent) as service:
        with closing(socket.create_connection(("127.0.0.1", service.port), timeout=10)) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert not connection.recv(1000).startswith(b"HTTP")
        service.context = pki.client()
        assert service.ask("/healthz").status == 200
        assert "Traceback" not in service.log.read_text()


def test_a_role_of_nobody_is_told_at_the_start(repository: Path, users: Path, tmp_path: Path) -> None:
    (tmp_path / "roles").write_text("node: node\nnobody: viewer\n")
    arguments = ("--htpasswd", users, "--roles", tmp_path / "roles")
    with started_service("--repo", repository, *arguments, cwd=repository.parent) as service:
        wait_until(lambda: told(service, "WARNING roles but no password: nobody\n") == 1, service.log.read_text)


def test_a_loopback_address_in_the_form_of_ipv6_is_one(repository: Path) -> None:
    with started_service("--repo", repository, "--host", "::ffff:127.0.0.1", cwd=repository.parent) as service:
        ready(service)  # it starts at all: beyond loopback it would want passwords


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (("--uds", "x", "--host", "127.0.0.1"), {}),
        (("--port", "0"), {"LOCATION_POLICY_UDS": "x"}),
        ((), {"LOCATION_POLICY_UDS": "x", "LOCATION_POLICY_PORT": "0"}),
    ],
)
def test_a_unix_socket_and_an_address_exclude_each_other(
    tmp_path: Path, arguments: tuple[str, ...], environment: dict[str, str]
) -> None:
    done = run_program("serve", *arguments, cwd=tmp_path, environment=environment)
    assert done.returncode == 2
    assert "--uds listens on a Unix socket instead of --host and --port: leave one out" in " ".join(done.stderr.split())
    assert not list(tmp_path.iterdir())


# --- SIGHUP ---


def test_a_hangup_looks_at_everything_and_tells_again_what_is_wrong(repository: Path, users: Path, pki: Pki) -> None:
    arguments = ("--fetch-interval", "3600", "--htpasswd", users, *pki.arguments())
    with started_service("--repo", repository.as_uri(), *arguments, cwd=repository.parent) as service:
        service.context, service.login = pki.client(), login("node")
        service.wait_for("in-sync")
        pid = service.status()["service"]["pid"]
        users.write_text("node:opensesame\n")
        pki.key.write_text("torn")
        wait_until(lambda: told(service, "stays in use") == 2)
        new = force_commit(repository, {"locations.csv": "Perth,10.61.2.0/24\n"})
        service.process.send_signal(signal.SIGHUP)
        service.wait_for("in-sync", new)
        wait_until(lambda: told(service, "stays in use") == 4)
        assert service.status()["service"]["pid"] == pid
