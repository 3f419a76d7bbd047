"""Certificates: what is taken, what is refused, and what a handshake gets afterwards."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from unittest.mock import Mock

import pytest
import trustme
import uvicorn
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from location_policy.errors import CannotStart
from location_policy.server import run
from location_policy.server.options import Tls
from location_policy.server.run import LifecycleCallbacks
from location_policy.server.tls import Certificates
from tests.support.access import Pki

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    return Pki(tmp_path / "pki")


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


def certificates(pki: Pki, client_ca: Path | None = None) -> Certificates:
    return Certificates(Tls(pki.cert, pki.key, client_ca))


def shake_hands(
    found: Certificates,
    client: ssl.SSLContext,
    name: str | None = "localhost",
    session: ssl.SSLSession | None = None,
) -> ssl.SSLSocket:
    """The client's end of a connection that was made over a pair of sockets."""
    ours, theirs = socket.socketpair()
    theirs.settimeout(20)
    ours.settimeout(20)

    def serve() -> None:
        try:
            with found.context.wrap_socket(ours, server_side=True) as connection:
                connection.sendall(b"hello")
                connection.recv(1)
                connection.unwrap()  # a session is kept of a connection that has ended well
        except (ssl.SSLError, OSError):
            ours.close()

    threading.Thread(target=serve, daemon=True).start()
    connection = client.wrap_socket(theirs, server_hostname=name, session=session)
    try:
        assert connection.recv(5) == b"hello"
    except OSError:
        connection.close()
        raise
    return connection


def serial_seen(found: Certificates, pki: Pki) -> object:
    with shake_hands(found, pki.client()) as connection:
        certificate = connection.getpeercert()
        assert certificate
        return certificate["serialNumber"]


@pytest.mark.parametrize(
    ("version", "name"), [(ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")]
)
def test_it_speaks_the_two_versions_of_today(pki: Pki, version: ssl.TLSVersion, name: str) -> None:
    client = pki.client()
    client.minimum_version = client.maximum_version = version
    with shake_hands(certificates(pki), client) as connection:
        assert connection.version() == name
        cipher = connection.cipher()
        assert cipher
        assert "GCM" in cipher[0] or "CHACHA20" in cipher[0]


def test_a_client_that_names_no_server_gets_a_certificate_too(pki: Pki) -> None:
    client = pki.client()
    client.check_hostname = False
    shake_hands(certificates(pki), client, None).close()


def test_the_end_that_is_told_is_that_of_the_pair_in_force(pki: Pki) -> None:
    pki.renew(ends=NOW + 3 * DAY)
    found = certificates(pki)
    assert abs(found.ends - (NOW + 3 * DAY)) < timedelta(seconds=2)
    pki.renew(ends=NOW + 5 * DAY)
    found.look()
    assert abs(found.ends - (NOW + 5 * DAY)) < timedelta(seconds=2)
    pki.renew(ends=NOW - DAY)
    found.look()
    assert abs(found.ends - (NOW + 5 * DAY)) < timedelta(seconds=2)


def test_a_renewed_pair_is_in_the_next_handshake(pki: Pki, log: pytest.LogCaptureFixture) -> None:
    found = certificates(pki)
    first = serial_seen(found, pki)
    found.look(asked=False)
    found.look(asked=True)
    assert (serial_seen(found, pki), log.messages) == (first, [])
    pki.renew(ends=NOW + 9 * DAY)
    found.look(asked=False)
    assert serial_seen(found, pki) != first
    assert log.messages == [f"certificate in use file={pki.cert} ends={NOW + 9 * DAY:%Y-%m-%dT%H:%M:%SZ}"]


# --- what is refused ---


def expire(pki: Pki) -> str:
    pki.renew(begins=NOW - 9 * DAY, ends=NOW - DAY)
    return f"a certificate in {pki.cert} has expired, on {NOW - DAY:%Y-%m-%d %H:%M} UTC"


def postpone(pki: Pki) -> str:
    pki.renew(begins=NOW + DAY, ends=NOW + 9 * DAY)
    return f"a certificate in {pki.cert} is not valid yet, but from {NOW + DAY:%Y-%m-%d %H:%M} UTC on"


def mismatch(pki: Pki) -> str:
    other = trustme.CA(key_type=trustme.KeyType.ECDSA).issue_cert("localhost")
    other.private_key_pem.write_to_path(pki.key)
    return f"the key in {pki.key} is not that of the certificate in {pki.cert}"


def remove_key(pki: Pki) -> str:
    pki.key.unlink()
    return f"{pki.key} cannot be read: No such file or directory"


def tear_certificate(pki: Pki) -> str:
    pki.cert.write_bytes(pki.cert.read_bytes()[:200])
    return f"{pki.cert} has no certificate that can be read; PEM is wanted"


def tear_key(pki: Pki) -> str:
    pki.key.write_bytes(pki.key.read_bytes()[:100])
    return f"{pki.key} has no key that can be read for the certificate in {pki.cert}; PEM is wanted"


def encrypt_key(pki: Pki) -> str:
    key = load_pem_private_key(pki.key.read_bytes(), None)
    secret = BestAvailableEncryption(b"secret")
    pki.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, secret))
    return f"the key in {pki.key} is encrypted; put one there that is not: openssl pkey -in KEY -out NEW"


FAULTS = (expire, postpone, mismatch, remove_key, tear_certificate, tear_key, encrypt_key)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_pair_that_cannot_be_used_is_refused_at_the_start(pki: Pki, fault: type) -> None:
    told = fault(pki)
    with pytest.raises(CannotStart) as caught:
        certificates(pki)
    assert caught.value.message == told


@pytest.mark.parametrize("fault", FAULTS)
def test_later_the_old_pair_stays_in_every_handshake_and_it_is_told_once(
    pki: Pki, fault: type, log: pytest.LogCaptureFixture
) -> None:
    found = certificates(pki)
    first = serial_seen(found, pki)
    told = fault(pki)
    for _ in range(3):
        found.look(asked=False)
        assert serial_seen(found, pki) == first
    assert log.messages == [f"the old certificate stays in use: {told}"]
    found.look(asked=True)
    assert len(log.messages) == 2
    pki.renew()
    found.look(asked=False)
    assert serial_seen(found, pki) != first


# --- clients with certificates ---


def test_a_client_needs_a_certificate_of_the_ca(pki: Pki) -> None:
    found = certificates(pki, pki.ca_file)
    shake_hands(found, pki.client("node")).close()
    stranger = pki.client()
    trustme.CA().issue_cert("x@example.com").configure_cert(stranger)
    for client in (pki.client(), stranger):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            shake_hands(found, client)


def test_another_ca_of_clients_is_taken_up(pki: Pki, tmp_path: Path) -> None:
    clients = tmp_path / "clients.pem"
    clients.write_bytes(pki.ca_file.read_bytes())
    found = certificates(pki, clients)
    client = pki.client("node")
    with shake_hands(found, client) as connection:
        session = connection.session
        connection.unwrap()
    with shake_hands(found, client, session=session) as connection:
        assert not connection.session_reused
    trustme.CA().cert_pem.write_to_path(clients)
    found.look(asked=False)
    for kept in (None, session):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            shake_hands(found, client, session=kept)


def test_no_session_of_tls_1_2_outlives_the_ca_of_its_client(pki: Pki, tmp_path: Path) -> None:
    clients = tmp_path / "clients.pem"
    clients.write_bytes(pki.ca_file.read_bytes())
    found = certificates(pki, clients)
    client = pki.client("node")
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    session = None
    with suppress(ssl.SSLError, ConnectionError), shake_hands(found, client) as connection:
        session = connection.session
        connection.unwrap()
    trustme.CA().cert_pem.write_to_path(clients)
    found.look(asked=False)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        shake_hands(found, client, session=session)


def test_a_ca_of_clients_that_is_none_is_refused(pki: Pki, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("")
    with pytest.raises(CannotStart, match="empty has no certificate of a CA"):
        certificates(pki, tmp_path / "empty")


def test_files_that_change_while_they_are_read_are_left_to_the_next_look(
    pki: Pki, monkeypatch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture
) -> None:
    found = certificates(pki)
    first = serial_seen(found, pki)
    pki.renew()
    real, left = ssl.SSLContext.load_cert_chain, [1]

    def load(self: ssl.SSLContext, *arguments: Path, **named: object) -> None:
        real(self, *arguments, **named)  # type: ignore[arg-type]  # as it came
        if left:
            left.pop()
            pki.renew()

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", load)
    found.look(asked=False)
    assert (serial_seen(found, pki), log.messages) == (first, [])
    found.look(asked=False)
    assert serial_seen(found, pki) != first


def test_connections_end_with_another_ca_and_later_those_whose_handshake_had_begun(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run, "HANDSHAKE", 0.05)

    async def serve() -> None:
        ended: asyncio.Queue[str] = asyncio.Queue()
        server = run._Server(uvicorn.Config("none", log_config=None), LifecycleCallbacks())
        first, second = (Mock(shutdown=partial(ended.put_nowait, name)) for name in ("first", "second"))
        server.server_state.connections = {first}
        serving = asyncio.create_task(server.main_loop())
        await asyncio.sleep(0)
        await asyncio.to_thread(server.end_connections)
        assert await ended.get() == "first"
        server.server_state.connections = {second}
        assert await ended.get() == "second"
        server.should_exit = True
        server._wake()
        await serving
        server.end_connections()  # the loop ends: there is nothing left to do

    asyncio.run(asyncio.wait_for(serve(), 20))
