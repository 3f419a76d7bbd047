"""Decision logs, read again: how many calls of each situation their lines have.

Lines of every version are read, as written or packed by gzip, from files, pipes and standard input. What is no line of
a decision log is counted and passed over. What is kept in memory grows neither with the lines nor with what they say.
"""

from __future__ import annotations

import sys
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO, Any

import orjson

from ..errors import UnusableCalls
from .history_file import Remembered
from .recent import summed
from .situation import LONGEST, NO_CALL, Situation, as_sent, merged, rest, settled

CHUNK = 1 << 20
"""Bytes that are read at once, and that a line may have."""
MOST = 200_000
"""Situations that are told apart; the rest are merged by network."""
LONGEST_PART = 2_000
"""Bytes of what a line says of its situation that are remembered as they are written."""
MOST_NODES = 1_000
"""Pairs of a node and a bad address that it sent; more are counted as one."""

_BEGIN = b'{"version":2,"time":"'
"""How a line begins as it is written; before what is parsed, it has a moment, an id and a node."""
_PACKED = b"\x1f\x8b"

_Key = tuple[Any, ...]


class LoggedCalls:
    """The calls in decision logs that were answered since a moment.

    `lines` were read, of which `passed_over` are none of a decision log, and `earlier` were answered before.
    `bad_by_node` has the bad addresses by the address of the node that sent them.
    """

    def __init__(self, since: datetime) -> None:
        self.lines = self.passed_over = self.earlier = 0
        self.bad_by_node: Counter[tuple[str, str]] = Counter()
        self._since = since
        self._since_bytes = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S").encode()
        self._found: dict[_Key, list[Any]] = {}
        """Of each situation, as lines have it, the number of its calls and the day of the last."""
        self._days: dict[bytes, int] = {}
        """The days that there were, by their text."""
        self._known: dict[bytes, list[Any]] = {}
        """The same by the part of a line that says it, since parsing takes most of the time."""
        self._texts: dict[str, str] = {}

    def read(self, path: Path) -> None:
        """Read a file, a pipe, or standard input, which is `-`; raises UnusableCalls where it cannot be read."""
        try:
            with nullcontext(sys.stdin.buffer) if str(path) == "-" else path.open("rb") as file:
                self.take(_lines(file))
        except OSError as error:
            message = f"{path} cannot be read: {error.strerror}"
            raise UnusableCalls(message, "name what serve --decision-log writes") from None

    def check(self, place: object) -> None:
        """Raises UnusableCalls, which names a place, where lines were read and none is one of a decision log."""
        if 0 < self.lines == self.passed_over:
            raise UnusableCalls(f"{place}: no line is one of a decision log", "name what serve --decision-log writes")

    def take(self, lines: Iterable[bytes | None]) -> None:
        """Read lines; None stands for what is too long, or damaged."""
        known, days, since = self._known, self._days, self._since_bytes
        for line in lines:
            self.lines += 1
            if line is not None and line[:21] == _BEGIN and line[-1:] == b"}" and b"Z" in line[40:48]:
                part = line[line.find(b'"protocol":') : line.rfind(b',"commit":')]
                entry, day = known.get(part), line[21:31]
                if entry and since < line[21:40] and day in days and line.rfind(_BEGIN) == 0:
                    entry[0] += 1
                    entry[1] = max(entry[1], day)
                else:
                    self._take_slowly(line, part)
            else:
                self._take_slowly(line)

    @property
    def first_day(self) -> date:
        """From when on calls are known: the day of the first, or that asked for where lines are from before it."""
        asked = self._since.astimezone(UTC).date()
        return asked if self.earlier or not self._days else date.fromordinal(min(self._days.values()))

    def remembered(self) -> list[Remembered]:
        """Each situation with its calls and the day of the last."""
        return summed((settled(_situation(key)), calls, self._days[day]) for key, (calls, day) in self._found.items())

    def _take_slowly(self, line: bytes | None, part: bytes = b"") -> None:
        """A line that is the first of its situation or day, of another version, or none; `part` says the situation."""
        try:
            fields = orjson.loads(line or b"")
            moment, key = _moment(fields["time"]), self._key(fields)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
            self.passed_over += 1
            return
        if moment < self._since:
            self.earlier += 1
        elif key[6] not in NO_CALL:
            day = moment.date().isoformat().encode()
            self._days[day] = moment.toordinal()
            entry = self._add(key, day, fields)
            if 0 < len(part) <= LONGEST_PART and key[6] != "bad-address" and len(self._known) < MOST:
                self._known[part] = entry

    def _key(self, fields: dict[str, Any]) -> _Key:
        """Raises ValueError, TypeError or KeyError where these are no fields of a line."""
        is_old = "ms_subnet" not in fields
        protocol, address, overflow = fields["protocol"], fields["address"], fields["overflow"]
        remote, subnet = fields.get("remote_address"), fields.get("ms_subnet")
        if is_old:  # which parameter it is from is not said: that by which this protocol is mostly looked up
            remote, subnet = (None, address) if protocol == "mssip" else (address, None)
        asked = [fields.get(name) for name in ("node_location", "proxy_node_location", "call_direction")]
        texts = [protocol, *asked, remote, subnet, fields["outcome"], fields["location"]]
        view, names = fields.get("view"), tuple(overflow) if overflow else ()
        if (
            not isinstance(overflow, list | None)
            or not all(text is None or isinstance(text, str) for text in (*texts, view, *names))
            or not fields["outcome"]
        ):
            raise TypeError("a value is no text")
        key = (*map(self._interned, texts), tuple(map(self._interned, names)), self._interned(view))
        if "/" in f"{remote}{subnet}":
            key = _key_of(as_sent(_situation(key)))
        return _key_of(settled(_situation(key))) if any(text and len(text) > LONGEST for text in key[:6]) else key

    def _interned(self, text: str | None) -> str | None:
        if text is None or len(text) > LONGEST or len(self._texts) > MOST:
            return text
        return self._texts.setdefault(text, text)

    def _add(self, key: _Key, day: bytes, fields: dict[str, Any]) -> list[Any]:
        for wider in (merged, rest):
            if key in self._found or len(self._found) < (MOST if wider is merged else MOST + MOST // 10):
                break
            key = _key_of(wider(settled(_situation(key))))
        entry = self._found.setdefault(key, [0, b""])
        entry[0] += 1
        entry[1] = max(entry[1], day)
        if key[6] == "bad-address":
            self._note_bad(fields)
        return entry

    def _note_bad(self, fields: dict[str, Any]) -> None:
        pair = str(fields.get("node_ip") or "")[:64], str(fields.get("address") or "")[:64]
        if pair not in self.bad_by_node and len(self.bad_by_node) >= MOST_NODES:
            pair = "", ""
        self.bad_by_node[pair] += 1


def _situation(key: _Key) -> Situation:
    return Situation._make((*(text or "" for text in key[:6]), *key[6:]))


def _key_of(found: Situation) -> _Key:
    return (*(text or None for text in found[:6]), *found[6:])


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def _lines(file: IO[bytes]) -> Iterator[bytes | None]:
    """The lines of a file; None in place of one that is too long, and of what cannot be unpacked."""
    begun = b""
    is_too_long = False
    for chunk in _unpacked(file):
        if chunk is None:
            yield None
            continue
        first, *others = (begun + chunk).split(b"\n")
        if not others:
            begun, is_too_long = (b"", True) if len(first) > CHUNK else (first, is_too_long)
            continue
        yield None if is_too_long else first
        is_too_long = False
        begun = others.pop()
        yield from others
    if begun or is_too_long:
        yield None if is_too_long else begun


def _unpacked(file: IO[bytes]) -> Iterator[bytes | None]:
    """What a file has, unpacked where it is packed; None at its end where it is cut or damaged."""
    chunk = _read(file)
    if not chunk.startswith(_PACKED):
        while chunk:
            yield chunk
            chunk = _read(file)
        return
    unpacker = zlib.decompressobj(wbits=31)
    try:
        while chunk:
            if unpacker.eof:  # logs that were packed one by one and joined
                unpacker = zlib.decompressobj(wbits=31)
            yield unpacker.decompress(chunk, CHUNK)
            chunk = unpacker.unused_data.lstrip(b"\0") if unpacker.eof else unpacker.unconsumed_tail
            chunk = chunk or _read(file)
        is_whole = unpacker.eof
    except zlib.error:
        is_whole = False
    if not is_whole:
        yield None


def _read(file: IO[bytes]) -> bytes:
    return file.read(CHUNK)
