"""Where it listens, and where it does not."""

from __future__ import annotations

import socket

import pytest

from location_policy.errors import CannotStart
from location_policy.server import bind


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.5", "localhost"])
def test_it_listens_on_a_loopback_address_and_takes_a_free_port(host: str) -> None:
    with bind(host, 0) as listener:
        address, port = listener.getsockname()[:2]
        socket.create_connection((address, port)).close()


def test_it_listens_on_ipv6_too() -> None:
    with bind("::1", 0) as listener:
        assert listener.getsockname()[0] == "::1"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "2001:db8::1"])
def test_a_host_beyond_loopback_is_refused_with_a_way_out(host: str) -> None:
    with pytest.raises(CannotStart, match="can be reached from other machines") as caught:
        bind(host, 0)
    assert caught.value.hint == "listen on 127.0.0.1 behind a reverse proxy, or add --allow-anonymous-policy"


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_it_listens_beyond_loopback_where_everyone_may_ask(host: str) -> None:
    with bind(host, 0, allow_anonymous=True) as listener:
        assert listener.getsockname()[0] == host


@pytest.mark.parametrize("host", ["nowhere.invalid", "x" * 300, "a..b", ""])
def test_a_host_that_is_no_address_is_told(host: str) -> None:
    with pytest.raises(CannotStart, match="is not an address of this machine"):
        bind(host, 0)


def test_a_port_that_is_taken_is_told_with_how_to_find_who_has_it() -> None:
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart, match=f"cannot listen on 127.0.0.1 port {port}: Address already") as caught:
            bind("127.0.0.1", port)
        assert caught.value.hint
        assert f"sport = :{port}" in caught.value.hint
