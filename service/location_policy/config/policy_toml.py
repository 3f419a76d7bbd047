"""`policy.toml` to Rules: known locations, which field per protocol, the form of an answer, the table of overflow
locations, severities, limits, views.

Names of protocols and of request parameters are compared without regard to case, and `_` in a parameter's name is `-`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeGuard, cast

from .. import __version__
from ..problems import CODES, GATHERED, Problem, Severity
from ..spelling import nearest
from ..text import quote
from .csv_lines import LINE_LIMIT
from .files import RULES_PATH
from .percentages import LIMITS, Percentage, meant_share, parse_share
from .toml_positions import TomlPositions, decode_rules, line_of_long_key, repeated_key

if TYPE_CHECKING:
    from .views.view import View

OverflowForm = Literal["pair", "list"]

PROTOCOLS = frozenset(("api", "webrtc", "sip", "rtmp", "h323", "teams", "mssip", "gms"))
"""The protocols that Pexip Infinity names; a request may have any other."""

ADDRESS_FIELDS = ("ms-subnet", "remote-address", "node-ip", "proxy-node-address")
"""Request parameters that hold an address (`ms-subnet` is the caller's subnet as its client reported it)."""

_ADJUSTABLE = [code for code in CODES if CODES[code].adjustable]
_KINDS = {list: "a list", dict: "a table", int: "a number", float: "a number"}

SPELT = 100
"""Unknown keys for which the nearest known one is looked for: a wrong file has thousands, at a millisecond each."""

PAIR = 2
"""Overflow locations that the form "pair" can say."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How a map is to be read and answered; the defaults are those of an absent `policy.toml`.

    `answer` is there for the map of a view alone: the location and overflow locations of each of its calls, whose
    address is not asked for.
    """

    known: tuple[str, ...] = ()
    match: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({"mssip": ("ms-subnet",)}))
    overflow: OverflowForm = "pair"
    default: str | None = None
    severities: Mapping[str, Severity] = field(default_factory=lambda: MappingProxyType({}))
    limits: Mapping[str, Percentage] = field(default_factory=lambda: MappingProxyType({}))
    views: tuple[View, ...] = ()
    answer: tuple[str, ...] | None = None
    overflow_table: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """The overflow locations of what names a location alone, by location."""
    overflow_lines: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}), compare=False)
    """The line of each entry of the table."""

    @property
    def rowless(self) -> tuple[str, ...] | None:
        """What an address gets that no row covers: a location and its overflow locations, or no answer."""
        written = self._rowless
        return written and self.with_overflow(written)

    @property
    def rowless_overflow_line(self) -> int:
        """The line of the entry of the table that it takes; 0: it takes none."""
        return self.overflow_line(self._rowless) if self._rowless else 0

    @property
    def _rowless(self) -> tuple[str, ...] | None:
        return self.answer or ((self.default,) if self.default is not None else None)

    def with_overflow(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """The names with which a row, a default or an answer answers: a location alone has the table's overflow."""
        return names + self.overflow_table.get(names[0], ()) if len(names) == 1 else names

    def overflow_line(self, names: tuple[str, ...]) -> int:
        """The line of the entry of the table that these names take, as they are written; 0: they take none."""
        return self.overflow_lines.get(names[0], 0) if len(names) == 1 else 0

    def of_view(self, view: View) -> Rules:
        """The rules of the map of a view: there is no fall-through, so it has no default but its own."""
        match = self.match if view.match is None else view.match
        return replace(self, match=match, default=view.default, answer=view.answer, views=())

    def severity(self, code: str) -> Severity:
        """How much a code weighs under these rules."""
        return self.severities.get(code, CODES[code].severity)

    def codes_of(self, *severities: Severity) -> frozenset[str]:
        """The adjustable codes that have one of these severities."""
        return frozenset(code for code in _ADJUSTABLE if self.severity(code) in severities)

    def lenient(self) -> Rules:
        """These rules, with a warning for every error that is a matter of severity."""
        softer: dict[str, Severity] = {code: "warning" for code in _ADJUSTABLE if self.severity(code) == "error"}
        return replace(self, severities=MappingProxyType({**self.severities, **softer}))


_TWICE = ("Cannot declare ", "Cannot overwrite a value")
"""What the parser says of a table that it has had, and of a key."""

_UNREAD = Rules(overflow="list")
"""What stands in for rules that cannot be read: the rows are judged by none of them."""


def parameter_name(name: str) -> str:
    """A request parameter's name in the one spelling in which names are compared."""
    return name.lower().replace("_", "-")


def read_rules(content: bytes) -> tuple[Rules, tuple[Problem, ...]]:
    """The rules, and everything that is wrong with them; a value that is wrong counts as absent."""
    try:
        text = decode_rules(content)
    except UnicodeDecodeError as error:
        return _UNREAD, (_not_utf8(error),)
    if problem := _too_large(text):
        return _UNREAD, (problem,)
    import tomllib  # only where rules are read: a push to a branch that is not served goes without

    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: also an integer of more than 4,300 digits
        return _UNREAD, (_syntax_problem(str(error), text),)
    reader = RulesReader(text)
    return reader.rules(document), tuple(reader.problems)


def _not_utf8(error: UnicodeDecodeError) -> Problem:
    before = error.object[: error.start].decode()
    line, column = before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1
    message = f"byte 0x{error.object[error.start]:02X} is not UTF-8"
    return Problem(RULES_PATH, line, column, "not-utf8", message, "save the file as UTF-8")


def _too_large(text: str) -> Problem | None:
    """What would cost the parser more than it is worth."""
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > LINE_LIMIT:
            message = f"the line has {len(line):,} characters, more than the {LINE_LIMIT:,} that a line may have"
            return Problem(RULES_PATH, number, 1, "too-large", message, "break it into shorter lines")
    if (at := line_of_long_key(text)) is not None:
        return Problem(RULES_PATH, at, 1, "too-large", "a key has more than 16 parts", f"delete line {at}")
    return None


def _syntax_problem(message: str, text: str) -> Problem:
    """The parser's message, its place taken out of it: `… (at line 3, column 7)`."""
    what, _, place = message.rpartition(" (at ")
    numbers = [int("".join(filter(str.isdigit, part))) for part in place.split(",") if any(map(str.isdigit, part))]
    line, column = numbers if len(numbers) == 2 else (text.count("\n") + 1, 1)
    if what.startswith(_TWICE) and (found := repeated_key(text, line)):
        key, (line, column) = found
        is_table = what.startswith(_TWICE[0])
        hint = f"move its lines below the first {quote(key)}" if is_table else "delete one of the two"
        return Problem(RULES_PATH, line, column, "rules-syntax", f"{quote(key)} stands twice", hint)
    said = what or message
    hint = 'below a [table] a line is key = "value"'
    return Problem(RULES_PATH, line, column, "rules-syntax", said[:1].lower() + said[1:], hint)


def known_here(names: Iterable[str]) -> str:
    """The keys that there are, as far as this version of the program knows: one may have come with a later one."""
    return f"known here: {', '.join(names) or 'none'}; a newer version than this, {__version__}, may know more"


class RulesReader:
    """Takes values out of a TOML document and notes what is wrong, each with the line of its key."""

    def __init__(self, text: str) -> None:
        self.places = TomlPositions(text.split("\n"))
        self.spelt = 0
        self.problems: list[Problem] = []

    def rules(self, document: dict[str, Any]) -> Rules:
        tables: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "locations": self._locations,
            "match": self._match,
            "answer": self._answer,
            "checks": self._checks,
            "limits": self._limits,
        }
        values: dict[str, Any] = {}
        for name, table in document.items():
            if name == "view":
                from .views.read import read_views  # most configurations have none

                values["views"] = read_views(table, self)
            elif name not in tables and name != "overflow":
                self._unknown((name,), (*tables, "overflow", "view"))
            elif not isinstance(table, dict):
                self.wrong_type((name,), "a table", table, f"write [{name}] on a line of its own")
            elif name == "overflow":
                from .overflow.read import read_overflow  # as above

                values |= read_overflow(table, self)
            else:
                values |= tables[name](table)
        return Rules(**values)

    def _locations(self, table: dict[str, Any]) -> dict[str, Any]:
        self._known_keys("locations", table, ("known",))
        known = table.get("known", [])
        wrong = [known] if not isinstance(known, list) else [name for name in known if not self.is_name(name)]
        if wrong:
            what = "a list of names without space around them"
            self.wrong_type(("locations", "known"), what, wrong[0], 'write known = ["Sydney", "Melbourne"]')
            return {}
        return {"known": tuple(known)}

    def _match(self, table: dict[str, Any]) -> dict[str, Any]:
        return {"match": self.match(table, ("match",))}

    def match(self, table: dict[str, Any], at: tuple[str, ...]) -> Mapping[str, tuple[str, ...]]:
        """Where the addresses of callers are, by protocol, as the table says whose key is `at`."""
        match: dict[str, tuple[str, ...]] = {"mssip": ("ms-subnet",)}
        spellings: dict[str, str] = {}
        for protocol, value in table.items():
            first = spellings.setdefault(protocol.lower(), protocol)
            if first != protocol:
                what = f"match.{quote(protocol)} is match.{quote(first)} again"
                self.add((*at, protocol), "rules-type", what, "delete one of the two")
            else:
                match[protocol.lower()] = self._fields(protocol, value, at)
        return MappingProxyType({protocol: fields for protocol, fields in match.items() if fields})

    def _fields(self, protocol: str, value: object, at: tuple[str, ...]) -> tuple[str, ...]:
        """The request parameters that hold the address of a protocol's callers, in the order of trying."""
        values = [] if value is False else value if isinstance(value, list) else [value]
        fields = [parameter_name(name) if isinstance(name, str) else "" for name in values]
        for name, field_name in zip(values, fields, strict=True):
            if field_name not in ADDRESS_FIELDS:
                usual = "ms-subnet" if protocol.lower() == "mssip" else "remote-address"
                hint = f'write {quote(protocol)} = "{sent_name(nearest(field_name, ADDRESS_FIELDS) or usual)}"'
                shown = f"match.{quote(protocol)}"
                self.wrong_type((*at, protocol), "request parameters that hold an address", name, hint, shown)
                return ()
        return tuple(fields)

    def _answer(self, table: dict[str, Any]) -> dict[str, Any]:
        self._known_keys("answer", table, ("overflow", "default"))
        values: dict[str, Any] = {key: table[key] for key in ("overflow", "default") if key in table}
        if values.get("overflow", "pair") not in ("pair", "list"):
            wrong = values.pop("overflow")
            self.wrong_type(("answer", "overflow"), '"pair" or "list"', wrong, 'write overflow = "pair"')
        if not self.is_name(values.get("default", "x")):
            wrong = values.pop("default")
            what = "a name without space around it"
            self.wrong_type(("answer", "default"), what, wrong, 'write default = "Singapore"')
        return values

    def _checks(self, table: dict[str, Any]) -> dict[str, Any]:
        severities = {}
        for code, severity in table.items():
            if code in CODES and code not in _ADJUSTABLE:
                self.add(("checks", code), "rules-type", f"{code} is always an error", "delete it from [checks]")
            elif code not in CODES:
                self._unknown(("checks", code), _ADJUSTABLE)
            elif severity not in ("error", "warning", "off"):
                self.wrong_type(("checks", code), '"error", "warning" or "off"', severity, f'write {code} = "warning"')
            else:
                severities[code] = cast("Severity", severity)
        return {"severities": MappingProxyType(severities)}

    def _limits(self, table: dict[str, Any]) -> dict[str, Any]:
        self._known_keys("limits", table, LIMITS)
        limits = {}
        for key, value in table.items():
            if key not in LIMITS:
                continue
            try:
                limits[key] = parse_share(value)
            except (TypeError, ValueError):
                hint = f'write {key} = "{meant_share(value) or LIMITS[key]}"'
                self.wrong_type(("limits", key), 'a percentage from "0%" to "100%"', value, hint)
        return {"limits": MappingProxyType(limits)}

    @staticmethod
    def is_name(value: object) -> TypeGuard[str]:
        """Can this be a name, as far as its form tells?"""
        return isinstance(value, str) and value != "" and value == value.strip(" \t")

    def _known_keys(self, name: str, table: dict[str, Any], keys: Collection[str]) -> None:
        for key in table:
            if key not in keys:
                self._unknown((name, key), keys)

    def _unknown(self, keys: tuple[str, ...], names: Collection[str]) -> None:
        self.spelt += 1
        meant = nearest(keys[-1], names) if self.spelt <= SPELT else None
        what = f"there is no {'table' if len(keys) == 1 else 'key'} {quote(keys[-1])}"
        where = f" in [{keys[0]}]" if len(keys) > 1 else ""
        hint = f"write {meant}" if meant else known_here(names)
        self.add(keys, "rules-unknown-key", what + where, hint)

    def wrong_type(self, keys: tuple[str, ...], what: str, value: object, hint: str, shown: str = "") -> None:
        """Note that a key, which is told as its path or as `shown`, takes another kind of value."""
        told = shown or ".".join(map(quote, keys))
        self.add(keys, "rules-type", f"{told} takes {what}, not {_shown(value)}", hint)

    def line(self, keys: tuple[str, ...]) -> int:
        """The line of a key."""
        return self.places.find(keys)[0]

    def add(self, keys: tuple[str, ...], code: str, message: str, hint: str) -> None:
        """Note what is wrong, at the place of its key."""
        if len(self.problems) == GATHERED:
            return
        line, column = self.places.find(keys)
        self.problems.append(Problem(RULES_PATH, line, column, code, message, hint))


def sent_name(parameter: str) -> str:
    """A parameter's name as conference nodes send it."""
    return parameter if parameter == "ms-subnet" else parameter.replace("-", "_")


def _shown(value: object) -> str:
    """A value from outside as a message repeats it."""
    if isinstance(value, str):
        return '"' + quote(value).strip('"') + '"'
    if isinstance(value, bool):
        return str(value).lower()
    return next((name for kind, name in _KINDS.items() if isinstance(value, kind)), "a date or a time")
