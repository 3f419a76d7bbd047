"""What can be changed here, once for people (a form) and once for programs: from a table, as what can be asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ...edits.intent import Intent
from ..edge.faults import Fault
from ..pages.resources import Facts, Parameter, Query
from ..site.site import Site
from .fields import FORM, JSON, LARGEST, Body, Given, parse_fields

YES = ("1", "true", "yes", "on")
NO = ("", "0", "false", "no", "off")
NO_SHOWN = ", ".join(NO[1:])

Kind = Literal["text", "lines", "flag", "many", "file"]


@dataclass(frozen=True, slots=True)
class Field(Parameter):
    """One thing that a form says: a line of text, several lines, yes or nothing, or many lines of which each counts.

    A file is none of the values: its action keeps it, and another field says where.
    """

    kind: Kind = "text"
    longest: int = LARGEST

    def read(self, values: list[str]) -> object:
        """What these values stand for; raises Fault."""
        if self.kind == "flag":
            return self._is_set(values)
        if self.kind == "file":
            return None
        if self.kind != "lines" and any("\n" in value or "\r" in value for value in values):
            raise Fault(400, f"{self.name} is more than one line")
        if self.kind == "many":
            return tuple(values)
        return self.parse(values[0] if values else None)

    def _is_set(self, values: list[str]) -> bool:
        """Yes only where it is said plainly: who says no in another way may not have it done."""
        said = {value.lower() for value in values}
        if said - {*YES, *NO}:
            raise Fault(
                400, f"{self.name} is neither yes nor no", f"yes is one of {', '.join(YES)}, no one of {NO_SHOWN}"
            )
        return bool(said) and said <= set(YES)

    def schema(self) -> Facts:
        """As JSON Schema."""
        if self.kind == "flag":
            return {"type": "boolean", "default": False}
        return {"type": "array", "items": {"type": "string"}} if self.kind == "many" else Parameter.schema(self)

    def hidden(self, value: object) -> list[tuple[str, str]]:
        """The same for a form that carries it on: names and values."""
        if self.kind == "many":
            return [(self.name, one) for one in value] if isinstance(value, tuple) else []
        return [] if value in (None, False, "") else [(self.name, "1" if value is True else str(value))]


COMMON = (
    Field("tip", "The id of the commit on which the change was seen; to confirm it is needed.", ""),
    Field("message", "What the commit is to say; without it what the change is.", "", kind="lines"),
    Field("proposed", "The message that was proposed: one that is still the same counts as none.", "", kind="lines"),
    Field("reason", "Why it may exceed the change limits.", ""),
    Field("confirm", "Make it; without it what it would do is told and nothing is made.", "", kind="flag"),
)
"""What every form says besides its own."""


@dataclass(frozen=True, slots=True)
class Form:
    """Something that can be asked for: a form at `path`, and `/api/v1/<name>` for programs."""

    name: str
    title: str
    summary: str
    fields: tuple[Field, ...]

    @property
    def path(self) -> str:
        """Where people ask."""
        return f"/{self.name}"

    @property
    def api_path(self) -> str:
        """Where programs ask."""
        return f"/api/v1/{self.name}"


@dataclass(frozen=True, slots=True)
class Action(Form):
    """Something of the map that can be changed.

    `fields` carry the intent; `form` is the template in which they are typed, and `facts` is what that needs besides.
    A body of these `kinds` is read up to `largest` bytes; `parse` gives what it says. With `is_classic` the form tells
    programs what the API does, where it is no browser that sends it.
    """

    intent: Callable[[Query], Intent]
    form: str
    facts: Callable[[Site, Query], Facts]
    largest: int = LARGEST
    kinds: tuple[str, ...] = (FORM, JSON)
    parse: Callable[[Site, Body], Given] = lambda _, body: parse_fields(body)
    is_classic: bool = False
    origin: str = "/"
    """Where who gives it up goes back to."""

    def query(self, given: Given) -> Query:
        """What was typed, by every field; raises Fault at the first that cannot be."""
        return {one.name: one.read(given.get(one.name, [])) for one in (*self.fields, *COMMON)}

    def typed(self, given: Given) -> Query:
        """The same where it may be wrong, for the form in which it is mended."""
        kinds = {"flag": bool, "many": tuple}
        fields = (*self.fields, *COMMON)
        return {
            one.name: kinds.get(one.kind, lambda found: found[0] if found else None)(given.get(one.name, []))
            for one in fields
        }

    def hidden(self, query: Query) -> list[tuple[str, str]]:
        """The intent, for a form that carries it on."""
        return [pair for one in self.fields for pair in one.hidden(query[one.name])]
