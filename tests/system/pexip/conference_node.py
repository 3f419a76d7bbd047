"""A stand-in for a Pexip conference node: asks a policy server, and judges the answer as a node would.

Asking and judging are apart: `ask` has the socket, `judge` is pure. Both hold to the Pexip contract, part 2.4; a node
that rejects any part of an answer rejects all of it, and places the call by itself.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from threading import Timer
from typing import TypeAlias

HOST = "127.0.0.1"

TIMEOUT = 5.0
"""Seconds from the request to the last byte of the answer (Pexip contract 1.6: logged by a node, not configurable)."""

LONGEST_NAME = 250
"""Characters in the name of a location (Pexip contract 1.7)."""


@dataclass(frozen=True, slots=True)
class Response:
    """What came back over the socket; names of headers in lower case, `elapsed` in seconds."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    elapsed: float = 0.0


@dataclass(frozen=True, slots=True)
class Placed:
    """The node puts the media into this location and, when it is full, into these, in order."""

    location: str
    overflow: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.location}({','.join(self.overflow)})" if self.overflow else self.location


@dataclass(frozen=True, slots=True)
class Fallback:
    """The node makes nothing of the answer, and places the call by itself."""

    why: str

    def __str__(self) -> str:
        return "FALLBACK"


Verdict: TypeAlias = Placed | Fallback


class NoResponseError(Exception):
    """Nothing that is HTTP came back in time."""


class _VoidError(Exception):
    """The answer counts for nothing; the text says why."""


def ask(port: int, target: str, timeout: float = TIMEOUT) -> Response:
    """The response to GET of this path and query, with any status; a redirect is not followed (contract 1.6).

    Raises NoResponseError when there is none within `timeout` seconds, counted over the whole exchange.
    """
    started = time.monotonic()
    connection = HTTPConnection(HOST, port, timeout=timeout)
    try:
        connection.connect()
        with _hanging_up_after(timeout, connection.sock):
            status, headers, body = _exchange(connection, target)
    except (OSError, HTTPException) as error:
        raise NoResponseError(f"no answer: {error!r}") from error
    finally:
        connection.close()
    elapsed = time.monotonic() - started
    if elapsed >= timeout:  # a body without Content-Length ends where the connection does, cut short or not
        raise NoResponseError(f"no answer: took {elapsed:.1f} s")
    return Response(status, headers, body, elapsed)


def judge(response: Response, known: Collection[str]) -> Verdict:
    """What a node makes of the response, where `known` are the names of its locations (Pexip contract 2.4)."""
    try:
        return _placed(_result(_document(response)), known)
    except _VoidError as error:
        return Fallback(str(error))


def place(port: int, target: str, known: Collection[str], timeout: float = TIMEOUT) -> Verdict:
    """Ask, then judge; no answer is a fallback too (Pexip contract 1.7)."""
    try:
        return judge(ask(port, target, timeout), known)
    except NoResponseError as error:
        return Fallback(str(error))


@contextmanager
def _hanging_up_after(seconds: float, connected: socket.socket) -> Iterator[None]:
    """A time limit for all that happens inside: a socket's own timeout starts anew with each byte."""

    def hang_up() -> None:
        with suppress(OSError):  # gone already
            connected.shutdown(socket.SHUT_RDWR)

    alarm = Timer(seconds, hang_up)
    alarm.start()
    try:
        yield
    finally:
        alarm.cancel()
        alarm.join()


def _exchange(connection: HTTPConnection, target: str) -> tuple[int, dict[str, str], bytes]:
    connection.request("GET", target)
    with connection.getresponse() as response:
        headers = {name.lower(): value for name, value in response.getheaders()}
        return response.status, headers, response.read()


def _document(response: Response) -> dict[str, object]:
    """The JSON object of a response that came in time, with status 200 and the right type."""
    if response.elapsed > TIMEOUT:
        raise _VoidError(f"took {response.elapsed:.1f} s")
    if response.status != 200:
        raise _VoidError(f"HTTP status {response.status}")
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise _VoidError(f"Content-Type is {media_type!r}")
    try:
        document = json.loads(response.body.decode())
    except ValueError as error:
        raise _VoidError(f"not JSON: {error}") from error
    if not isinstance(document, dict):
        raise _VoidError("the JSON is not an object")
    return document


def _result(document: dict[str, object]) -> dict[str, object]:
    if document.get("status") != "success":
        raise _VoidError(f"status is {document.get('status')!r}")
    result = document.get("result")
    if not isinstance(result, dict):
        raise _VoidError("no result, or not an object")
    return result


def _placed(result: dict[str, object], known: Collection[str]) -> Placed:
    """The location and its overflow; one name that is not known voids them all. Names compare exactly."""
    location = result.get("location")
    if not isinstance(location, str) or not 0 < len(location) <= LONGEST_NAME:
        raise _VoidError(f"location is {location!r}")
    overflow = tuple(_name(value) for value in _overflow(result))
    unknown = [name for name in (location, *overflow) if name not in known]
    if unknown:
        raise _VoidError(f"no such location: {unknown[0]!r}")
    return Placed(location, overflow)


def _overflow(result: dict[str, object]) -> list[object]:
    """The list where there is one, else the older pair without what is missing (Pexip contract 2.1)."""
    if "overflow_locations" in result:
        listed = result["overflow_locations"]
        if not isinstance(listed, list):
            raise _VoidError(f"overflow_locations is {listed!r}")
        return listed
    pair = (result.get("primary_overflow_location"), result.get("secondary_overflow_location"))
    return [value for value in pair if value is not None]


def _name(value: object) -> str:
    if not isinstance(value, str):
        raise _VoidError(f"an overflow location is {value!r}")
    return value
