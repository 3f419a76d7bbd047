"""The file of a call history: how many calls of each situation there were on each day, in SQLite.

A day is its number (`date.toordinal`), in UTC. What is written is whole or not there: each addition is a transaction,
which survives the end of the process, though not always that of the machine.
"""

from __future__ import annotations

import sqlite3
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any

from ..net.addresses import Address, Network, format_address, parse_address
from .situation import Situation, merged, network_of, rest

VERSION = 1
"""The form of the file."""
APPLICATION = 0x4C50434C
"""What says that a file is one of ours (`PRAGMA application_id`)."""
MOST = 1_000_000
"""Rows: situations of a day."""
SLACK = 100
"""One in so many rows more than need be is merged at once, since it takes a while."""
MODE = 0o640
"""Who may read the file, and what SQLite keeps beside it: its owner and group, whatever the umask."""
BESIDE = ("-wal", "-shm")
"""How what SQLite keeps beside a file is called, behind its name."""

STEPS = 10_000
"""Instructions of SQLite between two looks at the clock."""

Blocks = Sequence[tuple[bytes, bytes]]
"""Addresses: the first and the last of each block, as their bytes."""
Remembered = tuple[Situation, int, int]
"""A situation, its calls, and the day of the last of them."""

_SCHEMA = f"""
BEGIN;
CREATE TABLE situations (
    id INTEGER PRIMARY KEY,
    hash INTEGER NOT NULL UNIQUE,
    remote_address, ms_subnet,
    protocol TEXT, node_location TEXT, proxy_node_location TEXT, call_direction TEXT,
    outcome TEXT, location TEXT, overflow TEXT, view TEXT
);
CREATE TABLE counts (
    situation INTEGER, day INTEGER, calls INTEGER NOT NULL, PRIMARY KEY (situation, day)
) WITHOUT ROWID;
CREATE TABLE days (day INTEGER PRIMARY KEY, calls INTEGER NOT NULL);
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {VERSION};
COMMIT;
"""
_FIELDS = (
    "remote_address, ms_subnet, protocol, node_location, proxy_node_location, call_direction,"
    " outcome, location, overflow, view"
)
_INDEXES = """
CREATE INDEX IF NOT EXISTS by_remote_address ON situations (remote_address);
CREATE INDEX IF NOT EXISTS by_ms_subnet ON situations (ms_subnet);
"""
_CHOSEN = """
WITH blocks (first, last) AS (VALUES {}), chosen AS (
    SELECT id FROM blocks CROSS JOIN situations ON remote_address BETWEEN first AND last
    UNION SELECT id FROM blocks CROSS JOIN situations ON ms_subnet BETWEEN first AND last
)
"""
"""The situations of which an address is in a block: each block is looked for by an index."""
_TORN = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class UnusableHistory(Exception):
    """A file that is no call history of this version, or a damaged one; says why."""


class HistoryFile:
    """An open file, made where it is missing; for one thread at a time.

    Raises UnusableHistory, and OSError or sqlite3.Error where it cannot be read or written now.
    """

    def __init__(self, path: Path, most: int = MOST) -> None:
        self._most = most
        if not _is_regular(path):
            raise UnusableHistory("it is no file")
        if not path.exists():
            path.touch(MODE)
        path.chmod(MODE)  # before SQLite opens it, since what SQLite keeps beside it has the same
        self._path, self._identity = path, _identity(path)
        self._connection = sqlite3.connect(path, timeout=1.0, isolation_level=None, check_same_thread=False)
        with _reasons(), ExitStack() as if_unusable:
            if_unusable.callback(self._connection.close)
            self._begin()
            if_unusable.pop_all()
        self.merged = 0
        """How many rows were merged since there are too many."""

    def _begin(self) -> None:
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        if not self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            self._connection.executescript(_SCHEMA)
        _check(self._connection)
        if (found := self._connection.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise UnusableHistory(f"it is damaged: {found}")
        self._connection.executescript(_INDEXES)
        self._rows = self._count_rows()

    @property
    def is_in_place(self) -> bool:
        """Is it the file that has its name? One that was removed, or moved away, is written and nobody reads it."""
        return _identity(self._path) == self._identity

    @property
    def is_empty(self) -> bool:
        """Has it no calls?"""
        return not self._rows

    def add(self, day: int, counts: Mapping[Situation, int]) -> None:
        """Add calls of a day; raises UnusableHistory, or sqlite3.Error, and then nothing is added."""
        with _reasons(), _transaction(self._connection):
            self._add(day, counts.items())
            self._rows += len(counts)
            if self._rows > self._most:
                self._merge(day)

    def forget(self, before: int) -> None:
        """Delete what was before this day; raises as `add` does."""
        execute = self._connection.execute
        with _reasons():
            if execute("SELECT 1 FROM days WHERE day < ? LIMIT 1", (before,)).fetchone() is None:
                return
            with _transaction(self._connection):
                execute("DELETE FROM counts WHERE day < ?", (before,))
                execute("DELETE FROM days WHERE day < ?", (before,))
                execute("DELETE FROM situations WHERE id NOT IN (SELECT situation FROM counts)")
            self._rows = self._count_rows()

    def close(self) -> None:
        """Write the journal into the file, and end."""
        self._connection.close()

    def _add(self, day: int, counts: Iterable[tuple[Situation, int]]) -> None:
        execute = self._connection.execute
        whole = 0
        for found, calls in counts:
            fields = _packed(found)
            key = _hash(fields)
            row = execute("SELECT id FROM situations WHERE hash = ?", (key,)).fetchone()
            if row is None:
                marks = "?, " * len(fields)
                row = execute(
                    f"INSERT INTO situations (hash, {_FIELDS}) VALUES ({marks}?) RETURNING id", (key, *fields)
                ).fetchone()
            execute(
                "INSERT INTO counts VALUES (?, ?, ?)"
                " ON CONFLICT (situation, day) DO UPDATE SET calls = calls + excluded.calls",
                (row[0], day, calls),
            )
            whole += calls
        execute(
            "INSERT INTO days VALUES (?, ?) ON CONFLICT (day) DO UPDATE SET calls = calls + excluded.calls",
            (day, whole),
        )

    def _merge(self, day: int) -> None:
        """Merge the rare situations of this day, to networks, and where that is not enough to one for each answer."""
        self._rows = self._count_rows()
        for wider in (merged, rest):
            is_narrower = True
            while is_narrower and self._rows > self._most:
                is_narrower = self._merge_rarest(day, self._rows - self._most + self._most // SLACK, wider)
                self._rows = self._count_rows()

    def _merge_rarest(self, day: int, number: int, wider: Callable[[Situation], Situation]) -> bool:
        """Whether there was something to merge."""
        execute = self._connection.execute
        rows = f"SELECT id, calls, {_FIELDS} FROM counts JOIN situations ON id = situation WHERE day = ?"
        into: dict[Situation, int] = {}
        for row, calls, *fields in execute(f"{rows} ORDER BY calls LIMIT ?", (day, number)).fetchall():
            before = _unpacked(fields)
            after = wider(before)
            if after != before:
                into[after] = into.get(after, 0) + calls
                execute("DELETE FROM counts WHERE situation = ? AND day = ?", (row, day))
                execute(
                    "DELETE FROM situations WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM counts WHERE situation = ?1)",
                    (row,),
                )
                self.merged += 1
        execute("UPDATE days SET calls = calls - ? WHERE day = ?", (sum(into.values()), day))
        self._add(day, into.items())
        return bool(into)

    def _count_rows(self) -> int:
        return int(self._connection.execute("SELECT count(*) FROM counts").fetchone()[0])


def read_history(
    path: Path, since: int, within: Blocks | None = None, patience: float | None = None
) -> Iterator[Remembered]:
    """The situations of a file that occurred on this day or later; nothing is written. With `within`, those of which an
    address is in one of the blocks.

    Raises UnusableHistory, also where it may not be read, or takes longer than `patience` seconds.
    """
    with _reading(path, patience) as connection:
        yield from _remembered(connection, since, within)


def read_total(path: Path, since: int) -> tuple[int, int]:
    """How many calls of a file there were on this day or later, and the first day of them, 0 where there are none;
    raises UnusableHistory.
    """
    with _reading(path) as connection:
        asked = "SELECT total(calls), ifnull(min(day), 0) FROM days WHERE day >= ?"
        calls, first = connection.execute(asked, (since,)).fetchone()
        return int(calls), int(first)


@contextmanager
def _reading(path: Path, patience: float | None = None) -> Iterator[sqlite3.Connection]:
    """A connection that only reads; raises UnusableHistory, also in place of what goes wrong meanwhile."""
    if not _is_regular(path) or not path.exists():
        raise UnusableHistory("it is no file")
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=0.2)
    except sqlite3.Error as error:
        raise UnusableHistory(str(error)) from None
    try:
        if patience is not None:
            until = time.monotonic() + patience
            connection.set_progress_handler(lambda: time.monotonic() > until, STEPS)
        _check(connection)
        yield connection
    except sqlite3.Error as error:
        raise UnusableHistory(str(error)) from None
    finally:
        connection.close()


def _remembered(connection: sqlite3.Connection, since: int, within: Blocks | None = None) -> Iterator[Remembered]:
    if within is not None and not within:
        return
    # An address is sorted among those of its own length alone by accident: what is found besides does no harm.
    values = [value for block in within or () for value in block]
    chosen = _CHOSEN.format(", ".join("(?, ?)" for _ in within)) if within else ""
    only = "AND id IN (SELECT id FROM chosen) GROUP BY id" if chosen else "GROUP BY situation ORDER BY sum(calls) DESC"
    found = connection.execute(
        f"{chosen} SELECT {_FIELDS}, sum(calls), max(day) FROM counts JOIN situations ON id = situation"
        f" WHERE day >= ? {only}",
        (*values, since),
    )
    for *fields, calls, last in found:
        yield _unpacked(fields), calls, last


def _check(connection: sqlite3.Connection) -> None:
    """Raises UnusableHistory, or sqlite3.Error."""
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if application != APPLICATION:
        raise UnusableHistory("it is of another program")
    if version != VERSION:
        raise UnusableHistory(f"it is of version {version}, and {VERSION} is known here")


@contextmanager
def _reasons() -> Iterator[None]:
    """Raises UnusableHistory in place of an error of a damaged file, which is no matter of trying again."""
    try:
        yield
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _TORN:
            raise UnusableHistory(f"it is damaged: {error}") from None
        raise


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")


Fields = tuple[bytes | str | None, ...]


def _packed(found: Situation) -> Fields:
    """The fields as they are kept: an address as its bytes, so that those of a network stand together."""
    return (
        _packed_address(found.remote_address),
        _packed_address(found.ms_subnet),
        *(text or None for text in found[:4]),
        found.outcome,
        found.location,
        "\n".join(found.overflow) or None,
        found.view,
    )


def _unpacked(fields: Sequence[Any]) -> Situation:
    remote, subnet, protocol, node_location, proxy, direction, outcome, location, overflow, view = fields
    return Situation(
        protocol or "",
        node_location or "",
        proxy or "",
        direction or "",
        _unpacked_address(remote),
        _unpacked_address(subnet),
        outcome,
        location,
        tuple(overflow.split("\n")) if overflow else (),
        view,
    )


def _packed_address(text: str) -> bytes | str | None:
    if not text:
        return None
    if "/" in text:
        network = network_of(text)
        return bytes(network) if network is not None and str(network) == text else text
    try:
        return bytes(parse_address(text))
    except ValueError:
        return text


def _unpacked_address(kept: bytes | str | None) -> str:
    if not isinstance(kept, bytes):
        return kept or ""
    return format_address(Address(kept)) if len(kept) in (4, 16) else str(Network(kept))


def _hash(fields: Fields) -> int:
    return int.from_bytes(blake2b(repr(fields).encode(errors="surrogatepass"), digest_size=8).digest(), signed=True)


def _identity(path: Path) -> tuple[int, int] | None:
    """By which a file is told from another of the same name; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _is_regular(path: Path) -> bool:
    """Is it a file, or nothing? A pipe would never open."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:
        return True
