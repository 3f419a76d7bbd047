"""One question to another server over HTTP, and its whole answer or a NoAnswer.

The standard library does: it is one request to a known host, without redirects or cookies. Its timeouts are those of
single reads, which a server that sends a byte now and then never meets. So a question is asked in a thread, and waited
for until its deadline, wherever it hangs: name service, handshake, headers, body. Then its connection is cut, which
ends the thread too. Who asks one question after the other of the same server, and has a thread of its own for that,
holds a connection.
"""

from __future__ import annotations

import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from types import MappingProxyType
from typing import NamedTuple, TypeVar

from .. import __version__
from ..errors import NoAnswer

BODY_LIMIT = 16 * 1024 * 1024
"""Bytes of an answer; a thousand locations have about one million."""

PORTS = {"https": 443, "http": 80}

CONNECT = 10.0
"""Seconds that a connection which is held may take to be made."""
IDLE = 1.0
"""Seconds in which a question fails that was put to a connection that is no more."""
PROXY = "Proxy-Authorization"

T = TypeVar("T")

_HEADERS = ("Content-Type", "Location", "Retry-After")
_USUAL = {"Accept": "application/json", "User-Agent": f"location-policy/{__version__}"}


class Origin(NamedTuple):
    """A server, as RFC 6454 names it."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + (f":{self.port}" if self.port != PORTS[self.scheme] else "")


class Question(NamedTuple):
    """What is asked; a body is JSON, and `headers` are further ones. `authorization` is a header; it and the path,
    which may be a secret too, show in no traceback or log. Of the answer `most` bytes are read.
    """

    path: str
    authorization: tuple[str, str] | None
    method: str = "GET"
    body: bytes | None = None
    headers: Mapping[str, str] = MappingProxyType({})
    most: int = BODY_LIMIT

    def __repr__(self) -> str:
        return f"Question({self.method} …)"


class Login(NamedTuple):
    """A user and a password; neither shows in a traceback or a log."""

    user: str
    password: str

    def __repr__(self) -> str:
        return "Login(…)"

    def header(self, name: str = "Authorization") -> tuple[str, str]:
        """HTTP Basic (RFC 7617), in UTF-8."""
        return name, "Basic " + b64encode(f"{self.user}:{self.password}".encode()).decode()


class Proxy(NamedTuple):
    """A proxy that is asked by http, and the user that it wants, if any."""

    origin: Origin
    login: Login | None = None


class Reply(NamedTuple):
    """An answer: its status, what counts of its headers, and its body."""

    status: int
    content_type: str
    location: str
    retry_after: str
    body: bytes


def trust(ca: Path | None) -> ssl.SSLContext:
    """Whose certificates are believed: those of the system, or just what `ca` has signed; raises NoAnswer."""
    try:
        return ssl.create_default_context(cafile=ca)
    except ssl.SSLError:
        raise NoAnswer(f"{ca} has no certificate of a CA", "PEM is wanted: -----BEGIN CERTIFICATE-----") from None
    except OSError as error:
        raise NoAnswer(f"{ca} cannot be read: {error.strerror}") from None


def ask(
    origin: Origin, question: Question, context: ssl.SSLContext, seconds: float, if_late: str | None = None
) -> Reply:
    """The answer; raises NoAnswer when it is not whole after so many seconds, with what to do then."""
    connection = _connection(origin, context, seconds)
    try:
        return _within(seconds, lambda: _ask(origin, question, connection))
    except (OSError, HTTPException) as error:
        if isinstance(error, TimeoutError):
            _cut(connection)
            raise NoAnswer(_sentence(origin, error), if_late) from None
        raise NoAnswer(_sentence(origin, error), _mend(error)) from None


class HeldConnection:
    """A connection for one question after the other, each of which may be held by the server; for one thread.

    `cut` is for any: it ends the question that is under way.
    """

    def __init__(self, origin: Origin, context: ssl.SSLContext, proxy: Proxy | None = None) -> None:
        self._origin = origin
        self._is_cut = False
        through = proxy is not None and origin.scheme == "http"  # of https the proxy only sees where it goes
        self._start = f"{origin}" if through else ""
        to = proxy.origin if proxy else origin
        self._connection = _connection(to._replace(scheme=origin.scheme), context, CONNECT)
        self._headers = dict([proxy.login.header(PROXY)] if through and proxy and proxy.login else [])
        if proxy and not through:
            self._connection.set_tunnel(
                origin.host, origin.port, dict([proxy.login.header(PROXY)] if proxy.login else [])
            )

    def ask(self, path: str, headers: Mapping[str, str], seconds: float, most: int) -> Reply:
        """The answer to a GET, of `most` bytes at most; raises NoAnswer when a read brings nothing for so many seconds.

        A server may have closed a connection that was idle, so a failure at once is tried again on a new one.
        """
        is_used, began, is_whole = self._connection.sock is not None, time.monotonic(), False
        self._is_cut = False
        try:
            try:
                reply = self._ask(path, headers, seconds, most)
            except ConnectionError:
                if self._is_cut or not is_used or time.monotonic() - began > IDLE:
                    raise
                self.close()
                reply = self._ask(path, headers, seconds, most)
            is_whole = True
        except (OSError, HTTPException) as error:
            raise NoAnswer(_sentence(self._origin, error)) from None
        finally:
            if not is_whole:
                self.close()
        return reply

    def _ask(self, path: str, headers: Mapping[str, str], seconds: float, most: int) -> Reply:
        if self._connection.sock is None:
            self._connection.connect()
        self._connection.sock.settimeout(seconds)
        self._connection.request("GET", self._start + path, headers={**_USUAL, **self._headers, **headers})
        return _reply(self._origin, self._connection.getresponse(), most)

    def cut(self) -> None:
        """End the question that is under way, whatever it waits for once there is a connection."""
        self._is_cut = True
        _cut(self._connection)

    def close(self) -> None:
        """Close the connection; the next question makes another."""
        self._connection.close()


def _within(seconds: float, question: Callable[[], T]) -> T:
    """What the question gives or raises; TimeoutError when it gives nothing in time, and then its thread is left."""
    if seconds <= 0:
        raise TimeoutError
    outcomes: SimpleQueue[T | Exception] = SimpleQueue()

    def ask() -> None:
        try:
            outcomes.put(question())
        except (OSError, HTTPException, NoAnswer) as error:
            outcomes.put(error)

    Thread(target=ask, daemon=True).start()
    try:
        outcome = outcomes.get(timeout=seconds)
    except Empty:
        raise TimeoutError from None
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def _cut(connection: HTTPConnection) -> None:
    """End what a thread still waits for there, once there is a connection."""
    if found := connection.sock:
        with suppress(OSError):  # it has ended meanwhile
            socket.socket.shutdown(found, socket.SHUT_RDWR)  # that of TLS would take its state from the reading thread


def _ask(origin: Origin, question: Question, connection: HTTPConnection) -> Reply:
    headers = dict([question.authorization] if question.authorization else [])
    headers |= {**question.headers, **_USUAL, "Connection": "close"}
    if question.body is not None:
        headers["Content-Type"] = "application/json"
    try:
        connection.request(question.method, question.path, question.body, headers)
        return _reply(origin, connection.getresponse(), question.most)
    finally:
        connection.close()


def _reply(origin: Origin, response: HTTPResponse, most: int) -> Reply:
    body = _body(origin, response, most)
    content_type, location, retry_after = (response.getheader(name, "") for name in _HEADERS)
    return Reply(response.status, content_type, location, retry_after, body)


def _connection(origin: Origin, context: ssl.SSLContext, seconds: float) -> HTTPConnection:
    if origin.scheme == "https":
        return HTTPSConnection(origin.host, origin.port, timeout=seconds, context=context)
    return HTTPConnection(origin.host, origin.port, timeout=seconds)


def _body(origin: Origin, response: HTTPResponse, most: int) -> bytes:
    """The whole body: reading with a limit does not tell by itself that the other end has stopped early."""
    body = response.read(most + 1)
    if len(body) > most:
        raise NoAnswer(f"the answer of {origin} is longer than {most:,} bytes")
    if response.length:
        raise NoAnswer(f"the answer of {origin} ended {response.length:,} bytes early", "try again")
    return body


def _sentence(origin: Origin, error: OSError | HTTPException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate of {origin} is not trusted: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return f"{origin} has not answered in time"
    return f"{origin} cannot be reached: {_reason(error)}"


def _mend(error: OSError | HTTPException) -> str | None:
    if not isinstance(error, ssl.SSLCertVerificationError):
        return None
    if "match" in error.verify_message or "mismatch" in error.verify_message:
        return "name the server as its certificate does"
    return "--ca FILE names the certificate of the CA that has signed it, or its own where it has signed itself"


def _reason(error: OSError | HTTPException) -> str:
    if isinstance(error, ssl.SSLError):
        return f"TLS: {(error.reason or 'the connection was cut').lower().replace('_', ' ')}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "the answer was cut, or is not HTTP"
