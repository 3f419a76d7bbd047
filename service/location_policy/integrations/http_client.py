"""One question to a Management Node over HTTP, and its whole answer or a NoAnswer.

The standard library does: it is one GET to a known host, without redirects, proxies, cookies or reuse. Its timeouts
are those of single reads, which a server that sends a byte now and then never meets. So the question is asked in a
thread, and waited for until its deadline, wherever it hangs: name service, handshake, headers, body.
"""

from __future__ import annotations

import ssl
from base64 import b64encode
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import NamedTuple, TypeVar

from .. import __version__
from ..errors import NoAnswer

BODY_LIMIT = 16 * 1024 * 1024
"""Bytes of an answer; a thousand locations have about one million."""

PORTS = {"https": 443, "http": 80}

T = TypeVar("T")

_HEADERS = ("Content-Type", "Location", "Retry-After")


class Origin(NamedTuple):
    """A server, as RFC 6454 names it."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + (f":{self.port}" if self.port != PORTS[self.scheme] else "")


class Question(NamedTuple):
    """What is asked; a body is JSON. `authorization` is a header, and shows in no traceback or log."""

    path: str
    authorization: tuple[str, str] | None
    method: str = "GET"
    body: bytes | None = None

    def __repr__(self) -> str:
        return f"Question({self.method} {self.path})"


class Login(NamedTuple):
    """A user and a password; neither shows in a traceback or a log."""

    user: str
    password: str

    def __repr__(self) -> str:
        return "Login(…)"

    def header(self) -> tuple[str, str]:
        """HTTP Basic (RFC 7617), in UTF-8."""
        return "Authorization", "Basic " + b64encode(f"{self.user}:{self.password}".encode()).decode()


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


def ask(origin: Origin, question: Question, context: ssl.SSLContext, seconds: float) -> Reply:
    """The answer; raises NoAnswer when it is not whole after so many seconds."""
    try:
        return _within(seconds, lambda: _ask(origin, question, context, seconds))
    except ssl.SSLCertVerificationError as error:
        raise NoAnswer(f"the certificate of {origin} is not trusted: {error.verify_message}", _mend(error)) from None
    except TimeoutError:
        raise NoAnswer(f"{origin} has not answered in time", "--timeout SECONDS waits longer") from None
    except (OSError, HTTPException) as error:
        raise NoAnswer(f"{origin} cannot be asked: {_reason(error)}") from None


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


def _ask(origin: Origin, question: Question, context: ssl.SSLContext, seconds: float) -> Reply:
    headers = dict([question.authorization] if question.authorization else []) | {
        "Accept": "application/json",
        "Connection": "close",
        "User-Agent": f"location-policy/{__version__}",
    }
    if question.body is not None:
        headers["Content-Type"] = "application/json"
    connection = _connection(origin, context, seconds)
    try:
        connection.request(question.method, question.path, question.body, headers)
        response = connection.getresponse()
        body = _body(origin, response)
    finally:
        connection.close()
    content_type, location, retry_after = (response.getheader(name, "") for name in _HEADERS)
    return Reply(response.status, content_type, location, retry_after, body)


def _connection(origin: Origin, context: ssl.SSLContext, seconds: float) -> HTTPConnection:
    if origin.scheme == "https":
        return HTTPSConnection(origin.host, origin.port, timeout=seconds, context=context)
    return HTTPConnection(origin.host, origin.port, timeout=seconds)


def _body(origin: Origin, response: HTTPResponse) -> bytes:
    """The whole body: reading with a limit does not tell by itself that the other end has stopped early."""
    body = response.read(BODY_LIMIT + 1)
    if len(body) > BODY_LIMIT:
        raise NoAnswer(f"the answer of {origin} is longer than {BODY_LIMIT:,} bytes")
    if response.length:
        raise NoAnswer(f"the answer of {origin} ended {response.length:,} bytes early", "try again")
    return body


def _mend(error: ssl.SSLCertVerificationError) -> str:
    if "match" in error.verify_message or "mismatch" in error.verify_message:
        return "name the server as its certificate does"
    return "--ca FILE names the certificate of the CA that has signed it, or its own where it has signed itself"


def _reason(error: OSError | HTTPException) -> str:
    if isinstance(error, ssl.SSLError):
        return f"TLS: {(error.reason or 'the connection was cut').lower().replace('_', ' ')}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "the answer was cut, or is not HTTP"
