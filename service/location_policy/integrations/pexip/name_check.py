"""Names held against those that a Management Node has.

Pexip compares names letter by letter, drops a whole answer for one that it does not know, and says so nowhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from ...config.files import RULES_PATH, File, holds_rows
from ...config.overflow.checks import table_places
from ...config.policy_toml import Rules
from ...config.row_file import LineCache, read_rows
from ...config.toml_positions import key_place, name_places
from ...config.views.checks import answer_places, asked_places, without_strays
from ...config.views.view import folded
from ...spelling import nearest
from ...text import count, escape, quote, shorten

SPELT = 100
"""Unknown names for which the nearest one is looked for."""
SHOWN_LINES = 20
"""Lines of a text that are shown, and the characters of each."""
SHOWN_WIDTH = 100


class Mismatch(NamedTuple):
    """One thing in which the two do not agree; `place` is in a file, or in the Management Node.

    `text` is what is written there, where it has to be seen. A note is nothing wrong.
    """

    place: str
    message: str
    hint: str = ""
    severity: Literal["error", "note"] = "error"
    text: str = ""

    def __str__(self) -> str:
        shown = self.text.splitlines()
        more = [f"… and {count(len(shown) - SHOWN_LINES, 'more line')}"] * (len(shown) > SHOWN_LINES)
        lines = [f"{self.place}: {self.severity}: {self.message}"]
        lines += [f"  | {shorten(line, SHOWN_WIDTH)}" for line in (*shown[:SHOWN_LINES], *more)]
        lines += [f"  hint: {self.hint}"] * bool(self.hint)
        return "\n".join(map(escape, lines))

    def fields(self) -> dict[str, str]:
        """The same as JSON, with a severity where it is a note; of a text no more than its beginning."""
        fields = {"place": self.place, "message": self.message, "hint": self.hint}
        if self.severity == "note":
            fields["severity"] = self.severity
        return fields | ({"text": shorten(self.text)} if self.text else {})


class Speller:
    """Tells that a name is not there, and which one was probably meant."""

    def __init__(self, there: Collection[str]) -> None:
        self._there = there
        self._spelt = 0

    def mismatch(self, place: str, name: str, more: str = "") -> Mismatch:
        self._spelt += 1
        meant = nearest(name, self._there) if self._spelt <= SPELT else None
        hint = f"write {quote(meant)}" if meant else "add it in Platform > Locations, or take it out here"
        return Mismatch(place, f"{quote(name)} is not a location of the Management Node{more}", hint)


class Use(NamedTuple):
    """The first cell that has a name, and how many rows have it."""

    place: str
    rows: int


def twins(names: Collection[str]) -> Iterator[tuple[str, str]]:
    """Each name that differs from one before it only in case."""
    first: dict[str, str] = {}
    for name in sorted(names):
        if first.setdefault(name.casefold(), name) != name:
            yield first[name.casefold()], name


def name_mismatches(files: Sequence[File], rules: Rules, there: Collection[str]) -> Iterator[Mismatch]:
    """Names in `known`, in rows, as default, in `[[view]]` and in `[overflow]` that Pexip does not have; and those that
    `known`, if written, lacks.
    """
    files, _ = without_strays(files, rules)
    text = rules_text(files)
    spell = Speller(there)
    places = name_places(text, "locations", "known")
    here = key_place(text, "locations", "known")
    for name in dict.fromkeys(rules.known):
        if name not in there:
            yield spell.mismatch(_place(places.get(name, here)), name)
    for name in sorted(set(there).difference(rules.known)) if rules.known else ():
        message = f"{quote(name)} is a location of the Management Node, but not known here"
        yield Mismatch(_place(here), message, f"add {quote(name)} to known")
    if rules.default is not None and rules.default not in there:
        yield spell.mismatch(default_place(files), rules.default)
    yield from _of_views(rules, text, there, spell)
    for name, place in table_places(rules).items():
        if name not in there:
            yield spell.mismatch(_place(place), name)
    for name, use in used_names(files).items():
        if name not in there:
            yield spell.mismatch(use.place, name, f", in {count(use.rows, 'row')}" if use.rows > 1 else "")


def _of_views(rules: Rules, text: bytes, there: Collection[str], spell: Speller) -> Iterator[Mismatch]:
    """Names with which views answer, and those of nodes that they ask for in any case."""
    for name, place in answer_places(rules, text).items():
        if name not in there:
            yield spell.mismatch(_place(place), name)
    folded_there = set(map(folded, there))
    for name, place in asked_places(rules, text).items():
        if folded(name) not in folded_there:
            yield spell.mismatch(_place(place), name)


def used_names(files: Iterable[File]) -> Mapping[str, Use]:
    """Every name of the rows that can be read, in their order."""
    used: dict[str, Use] = {}
    memory = LineCache()
    for file in sorted(files, key=lambda file: file.path):
        if holds_rows(file.path) and file.content is not None:
            rows = read_rows(file.path, file.content, memory)
            for number, row in rows.rows():
                for position, name in enumerate(row.names):
                    if name in used:
                        used[name] = used[name]._replace(rows=used[name].rows + 1)
                    else:
                        used[name] = Use(f"{file.path}:{number}:{rows.cell(number, position).column}", 1)
    return used


def default_place(files: Iterable[File]) -> str:
    """Where the default stands."""
    return _place(key_place(rules_text(files), "answer", "default"))


def rules_uses(files: Iterable[File], rules: Rules) -> Mapping[str, Use]:
    """The names with which the rules answer: the default, what views and the table of overflow locations say, each with
    its first place.
    """
    used = {} if rules.default is None else {rules.default: Use(default_place(files), 1)}
    places = answer_places(rules, rules_text(files))
    places = table_places(rules) | places
    return {name: Use(_place(place), 1) for name, place in places.items()} | used


def rules_text(files: Iterable[File]) -> bytes:
    """The text of policy.toml, empty where there is none."""
    return next((file.content for file in files if file.path == RULES_PATH and file.content), b"")


def _place(place: tuple[int, int]) -> str:
    return f"{RULES_PATH}:{place[0]}:{place[1]}"
