"""Where the service listens, and whether it may.

The socket is bound before anything else happens, so that a taken port is told at once and in one sentence.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from ..errors import CannotStart
from ..net.addresses import format_address, parse_address
from .options import Listen

BACKLOG = 2048
UDS_MODE = 0o660
"""Of a Unix socket: for its owner and its group, such as that of the proxy."""


def plain_host(host: str) -> str:
    """An IPv4 address that is written as IPv6 (RFC 4291, 2.5.5.2) as that IPv4 address; any other host as it is."""
    try:
        return format_address(parse_address(host))
    except ValueError:
        return host


def bind(listen: Listen, *, asks_who: bool) -> socket.socket:
    """A listening socket; port 0 takes a free one. `asks_who`: no client is answered whom the service does not know.

    Raises CannotStart, also where other machines could reach what they should not, or read it on its way.
    """
    if listen.uds is not None:
        return bind_unix(listen.uds)
    family, address = _resolve(listen.host, listen.port)
    if not ip_address(address[0]).is_loopback:
        _check(listen, asks_who=asks_who)
    try:
        return _listen(family, address)
    except OSError as error:
        hint = f"see what uses it with: ss -ltnp 'sport = :{listen.port}', or choose another --port"
        message = f"cannot listen on {listen.host} port {listen.port}: {error.strerror}"
        raise CannotStart(message, hint if error.errno == errno.EADDRINUSE else None) from None


def _check(listen: Listen, *, asks_who: bool) -> None:
    """Beyond loopback there are passwords or an explicit word, and TLS or an explicit word."""
    if not asks_who:
        message = f"{listen.host} can be reached from other machines, and nobody is asked for a password"
        hint = "add --htpasswd FILE (see location-policy password), --client-ca FILE, or --allow-anonymous-policy"
        raise CannotStart(message, hint)
    if not listen.tls and not listen.behind_proxy:
        message = f"{listen.host} can be reached from other machines, and without TLS everything can be read on its way"
        hint = "add --tls-cert FILE and --tls-key FILE, or --behind-proxy if a proxy in front has TLS"
        raise CannotStart(message, hint)


def _resolve(host: str, port: int) -> tuple[socket.AddressFamily, tuple[Any, ...]]:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError):
        raise CannotStart(f"{host} is not an address of this machine", "name one such as 127.0.0.1") from None
    return family, address


def _listen(family: socket.AddressFamily, address: tuple[Any, ...]) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


# --- a Unix socket ---


def bind_unix(path: Path) -> socket.socket:
    """A listening Unix socket; one that a dead process has left is replaced, one on which a process listens is not."""
    try:
        _make_room(path)
        return _listen_unix(path)
    except OSError as error:
        raise CannotStart(f"cannot listen on {path}: {error.strerror or error}") from None


def _listen_unix(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _mask(~UDS_MODE & 0o777):
            listener.bind(os.fspath(path))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _make_room(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise CannotStart(f"cannot listen on {path}: it is there and is no socket", "choose another --uds")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asker:
        try:
            asker.connect(os.fspath(path))
        except ConnectionRefusedError:
            path.unlink()
        else:
            raise CannotStart(
                f"cannot listen on {path}: another process does", f"see which with: ss -lxp | grep {path}"
            )


@contextmanager
def _mask(mask: int) -> Iterator[None]:
    """The socket must at no moment be open to more: its mode is that of its birth."""
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def remove_unix(path: Path | None) -> None:
    """Take the path of a Unix socket away again, if there is one."""
    if path:
        path.unlink(missing_ok=True)
