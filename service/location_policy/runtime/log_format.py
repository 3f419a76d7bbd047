"""The ordinary log, on standard error: a line when something changes, as text or as JSON.

A line is made from the template of the call and its values, not from the finished sentence: what stands as `key=%s`
in a template is a field, and no value can become one, end the line or begin another. Passwords of URLs are left out.
"""

from __future__ import annotations

import io
import json
import logging
import re
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from types import TracebackType
from typing import Literal, NamedTuple

from ..text import escape, moment_text, without_secrets

LogFormat = Literal["text", "json"]

log = logging.getLogger(__name__)

_PLACE = re.compile(r"(?P<lead> ?\b(?P<key>[a-z_]+)=)?(?P<form>%[0-9.]*[sdf])(?P<unit>(?(key)[a-z]*))|%%")
_BARE = re.compile(r'[^\s"=\\]+')


def log_to_stderr(form: LogFormat) -> None:
    """Write what this process logs to standard error in this form; of two talkative libraries only what is wrong.

    As JSON that is all that is written there: warnings, what nothing catches, and what is printed are logged too.
    """
    handler = logging.StreamHandler(sys.__stderr__) if sys.__stderr__ else logging.NullHandler()  # it may be closed
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    for library in ("uvicorn", "watchfiles"):
        logging.getLogger(library).setLevel(logging.WARNING)
    if form == "json":
        logging.raiseExceptions = False  # what a line that cannot be written would print would be a line again
        logging.captureWarnings(True)
        sys.stderr = LoggedStream()
        sys.excepthook = _log_uncaught
        sys.unraisablehook = lambda told: _log_uncaught(told.exc_type, told.exc_value, told.exc_traceback)
        threading.excepthook = lambda told: _log_uncaught(told.exc_type, told.exc_value, told.exc_traceback)


class LoggedStream(io.TextIOBase):
    """Standard error for those who print: what is printed until a line ends, be it several lines, is one of the log."""

    def __init__(self) -> None:
        self._begun = ""

    def write(self, text: str) -> int:
        """Take this."""
        self._begun += text
        if self._begun.endswith("\n"):
            told, self._begun = self._begun.strip(), ""
            if told:
                log.log(logging.WARNING if "warning: " in told else logging.ERROR, "%s", told)
        return len(text)


def _log_uncaught(kind: type[BaseException], error: BaseException | None, place: TracebackType | None) -> None:
    log.critical("nothing catches this", exc_info=(kind, error or kind(), place))


class TextLines(logging.Formatter):
    """`2026-03-01T12:30:00Z INFO active commit=90b0e99 subnets=812 took=0.04s`; a traceback is indented below it."""

    def format(self, record: logging.LogRecord) -> str:
        """One record, without a line end."""
        told = "".join(piece.as_text() for piece in _pieces(record))
        lines = [f"{_time(record)} {record.levelname} {told}"]
        if record.exc_info:
            traceback = without_secrets(self.formatException(record.exc_info))
            lines += [f"    {escape(line)}" for line in traceback.split("\n")]
        return "\n".join(lines)


class JsonLines(logging.Formatter):
    """An object a line: time, level, message, the fields by their keys, and the traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """One record, without a line end; ASCII only."""
        pieces = list(_pieces(record))
        told: dict[str, object] = {
            "time": _time(record),
            "level": record.levelname,
            "message": "".join(piece.text for piece in pieces if not piece.key),
            **{piece.key: piece.value for piece in pieces if piece.key},
        }
        if record.exc_info:
            told["traceback"] = without_secrets(self.formatException(record.exc_info))
        return json.dumps(told)


class _Piece(NamedTuple):
    """A part of a line; with a key it is a field, and `lead` what stands before its value."""

    text: str
    lead: str = ""
    key: str = ""
    value: object = None

    def as_text(self) -> str:
        if not self.key or _BARE.fullmatch(self.text):
            return self.lead + escape(self.text)
        return self.lead + '"' + escape(self.text.replace("\\", "\\\\").replace('"', '\\"')) + '"'


def _pieces(record: logging.LogRecord) -> Iterator[_Piece]:
    template, values = str(record.msg), record.args
    places = [place for place in _PLACE.finditer(template) if place["form"]]
    if not values or not isinstance(values, tuple) or len(values) != len(places):  # a form that only others use
        yield _Piece(without_secrets(record.getMessage().strip()))
        return
    end, left = 0, iter(values)
    for place in _PLACE.finditer(template):
        yield _Piece(template[end : place.start()])
        end = place.end()
        yield _filled(place, next(left)) if place["form"] else _Piece("%")
    yield _Piece(template[end:])


def _filled(place: re.Match[str], value: object) -> _Piece:
    text = without_secrets(place["form"] % value) + place["unit"]
    if not place["key"]:
        return _Piece(text)
    is_number = isinstance(value, int | float) and not place["unit"]
    return _Piece(text, place["lead"], place["key"], value if is_number else text)


def _time(record: logging.LogRecord) -> str:
    return moment_text(datetime.fromtimestamp(record.created, UTC))
