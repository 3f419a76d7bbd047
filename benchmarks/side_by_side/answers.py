"""Answers a second, beside peers."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace

from benchmarks.side_by_side import peers
from benchmarks.side_by_side.pairs import Row, Server, compare
from benchmarks.side_by_side.site import Site
from tests.support.access import PASSWORD, write_users

SERVER_CORE, LOAD_CORE = 0, 1
SIZE = 372
"""Bytes of the constant answer, as many as ours have."""
AUTHORIZATION = "Basic " + b64encode(f"node:{PASSWORD}".encode()).decode()

Measure = Callable[[], Iterator[Row]]
Peer = Callable[[], AbstractContextManager[Server]]


class Answers:
    """The rows of the table that compare two servers."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._folder = site.folder
        self._slices, self._seconds = (8, 0.2) if site.quick else (60, 0.3)

    def rows(self) -> Iterator[tuple[str, Measure]]:
        """Names and how to measure."""
        log = ("--decision-log", str(self._folder / "decisions.log"))
        users = ("--htpasswd", str(self._folder / "htpasswd"))
        write_users(self._folder / "htpasswd", "node")
        constant: Peer = lambda: peers.constant(SERVER_CORE, self._site.requests(10_000), SIZE)  # noqa: E731
        starlette: Peer = lambda: peers.framework(SERVER_CORE, self._site.requests(10_000), self._site.csv(10_000))  # noqa: E731
        nginx: Peer = lambda: peers.nginx_geo(  # noqa: E731
            SERVER_CORE, self._site.requests(10_000), self._site.csv(10_000), self._folder
        )
        plain = self._ours(10_000)
        yield self._pair("constant app, 10,000 rows", plain, constant, 0.90)
        yield self._pair("constant app, with metrics and log", self._ours(10_000, *log), constant, 0.70)
        with_users = self._ours(10_000, *log, *users, authorization=AUTHORIZATION)
        yield self._pair("constant app, with credentials too", with_users, constant, 0.65)
        if not self._site.quick:
            yield self._pair("1,000,000 rows against 3", self._ours(1_000_000), self._ours(3), 0.90)
        for count, reach in ((3, 9), (10_000, 1000)):
            yield self._pair(f"classic rule, {count:,} rows", self._ours(count), self._classic(count), reach)
        yield self._pair("plain Starlette", plain, starlette, 4)
        yield self._pair("nginx geo", plain, nginx, 0.25)

    def _pair(self, name: str, one: Peer, other: Peer, reach: float) -> tuple[str, Measure]:
        is_slow = name == "classic rule, 10,000 rows"

        def measure() -> Iterator[Row]:
            with one() as first, other() as second:
                seconds, chunks = (1.0, self._slices // 3) if is_slow else (self._seconds, self._slices)
                few = replace(second, connections=2) if is_slow else second  # what waits would run in our slice
                pair = compare(first, few, chunks, seconds, LOAD_CORE)
            yield Row(name, pair.shown(), f">= {reach:g}", pair.ratio >= reach, pair.figures())

        return name, measure

    def _ours(self, rows: int, *options: str, authorization: str = "") -> Peer:
        return lambda: peers.ours(
            SERVER_CORE,
            self._site.requests(rows, authorization),
            self._site.repository(rows),
            *options,
            authorization=authorization,
        )

    def _classic(self, rows: int) -> Peer:
        return lambda: peers.classic(SERVER_CORE, self._site.requests(rows), self._site.csv(rows), self._folder)
