"""Where it listens, and where it does not."""

from __future__ import annotations

import os
import socket
from contextlib import closing
from ipaddress import ip_address
from pathlib import Path

import pytest

from location_policy.errors import CannotStart
from location_policy.server.options import Listen, Tls
from location_policy.server.sockets import bind, plain_host, remove_unix

TLS = Tls(Path("cert.pem"), Path("key.pem"))
BEYOND = ["0.0.0.0", "::", "192.0.2.1", "2001:db8::1"]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.5", "localhost"])
def test_it_listens_on_a_loopback_address_and_takes_a_free_port(host: str) -> None:
    with bind(Listen(host, 0), asks_who=False) as listener:
        address, port = listener.getsockname()[:2]
        socket.create_connection((address, port)).close()


def test_it_listens_on_ipv6_too() -> None:
    with bind(Listen("::1", 0), asks_who=False) as listener:
        assert listener.getsockname()[0] == "::1"


@pytest.mark.parametrize(
    ("host", "plain"),
    [("::ffff:127.0.0.1", "127.0.0.1"), ("::FFFF:7f00:1", "127.0.0.1"), ("::1", "::1"), ("localhost", "localhost")],
)
def test_an_ipv4_address_in_the_form_of_ipv6_is_that_ipv4_address(host: str, plain: str) -> None:
    assert plain_host(host) == plain
    with bind(Listen(plain_host(host), 0), asks_who=False) as listener:
        assert ip_address(listener.getsockname()[0]).is_loopback


@pytest.mark.parametrize("host", BEYOND)
def test_beyond_loopback_somebody_must_be_asked_who_it_is(host: str) -> None:
    with pytest.raises(CannotStart, match="can be reached from other machines, and nobody is asked for a") as caught:
        bind(Listen(host, 0, tls=TLS), asks_who=False)
    assert caught.value.hint
    for option in ("--htpasswd", "--client-ca", "--allow-anonymous-policy"):
        assert option in caught.value.hint


@pytest.mark.parametrize("host", BEYOND)
def test_beyond_loopback_there_must_be_tls(host: str) -> None:
    with pytest.raises(CannotStart, match="can be reached from other machines, and without TLS") as caught:
        bind(Listen(host, 0), asks_who=True)
    assert caught.value.hint
    for option in ("--tls-cert", "--tls-key", "--behind-proxy"):
        assert option in caught.value.hint


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
@pytest.mark.parametrize("listen", [Listen(tls=TLS), Listen(behind_proxy=True)])
def test_it_listens_beyond_loopback_where_both_is_said(host: str, listen: Listen) -> None:
    with bind(Listen(host, 0, tls=listen.tls, behind_proxy=listen.behind_proxy), asks_who=True) as listener:
        assert listener.getsockname()[0] == host


@pytest.mark.parametrize("host", ["nowhere.invalid", "x" * 300, "a..b", ""])
def test_a_host_that_is_no_address_is_told(host: str) -> None:
    with pytest.raises(CannotStart, match="is not an address of this machine"):
        bind(Listen(host, 0), asks_who=False)


def test_a_port_that_is_taken_is_told_with_how_to_find_who_has_it() -> None:
    with bind(Listen(port=0), asks_who=False) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart, match=f"cannot listen on 127.0.0.1 port {port}: Address already") as caught:
            bind(Listen(port=port), asks_who=False)
        assert caught.value.hint
        assert f"sport = :{port}" in caught.value.hint


# --- a Unix socket ---


def unix(path: Path) -> socket.socket:
    return bind(Listen(uds=path), asks_who=False)


def test_a_unix_socket_is_for_owner_and_group_and_goes_with_the_service(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    before = os.umask(0)
    os.umask(before)
    with unix(path):
        assert path.stat().st_mode & 0o777 == 0o660
        with closing(socket.socket(socket.AF_UNIX)) as asker:
            asker.connect(str(path))
        remove_unix(path)
        remove_unix(path)
    assert not path.exists()
    assert os.umask(before) == before


def test_a_socket_that_nobody_listens_on_is_replaced_and_another_is_not(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    unix(path).close()
    with unix(path), pytest.raises(CannotStart, match="another process does"):
        unix(path)


def test_what_is_no_socket_stays(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("precious")
    with pytest.raises(CannotStart, match="it is there and is no socket"):
        unix(path)
    assert path.read_text() == "precious"


@pytest.mark.parametrize("name", ["none/socket", "x" * 200])
def test_a_path_that_cannot_be_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(CannotStart, match="cannot listen on "):
        unix(tmp_path / name)
