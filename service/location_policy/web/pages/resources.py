"""What can be asked here, once for people (a page) and once for programs (JSON): a table, from which routes are made.

A resource gives facts: plain values, as JSON has them. The page writes them down as HTML, the API sends them as they
are, and the description of the API is made from the same table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...text import quote
from ..edge.faults import Fault
from ..site.site import Site

Facts = dict[str, Any]
Query = Mapping[str, Any]
"""The parameters of a request by name, each with a value."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One thing that a request may say.

    With `choices` it is one of them, with `bounds` a whole number between them, otherwise text. `default` counts where
    nothing is said.
    """

    name: str
    description: str
    example: str
    default: str | int | None = None
    choices: tuple[str, ...] = ()
    bounds: tuple[int, int] | None = None
    is_required: bool = False
    longest: int = 1_000
    """Characters that a text may have: it is repeated in links."""

    def parse(self, text: str | None) -> str | int | None:
        """The value that a text stands for; raises Fault."""
        if not text:
            if self.is_required:
                raise Fault(400, f"{self.name} is not given", f"say for example {self.name}={self.example}")
            return self.default
        if self.choices and text not in self.choices:
            raise Fault(400, f"{self.name} cannot be {quote(text)}", f"it is one of: {', '.join(self.choices)}")
        if self.bounds is None and len(text) > self.longest:
            raise Fault(400, f"{self.name} is too long: {self.longest:,} characters are taken")
        if self.bounds is None:
            return text
        low, high = self.bounds
        if not (text.isascii() and text.isdecimal() and len(text) < 10 and low <= int(text) <= high):
            raise Fault(400, f"{self.name} cannot be {quote(text)}", f"it is a whole number from {low:,} to {high:,}")
        return int(text)

    def schema(self) -> Facts:
        """The values that it takes, as JSON Schema."""
        if self.bounds:
            schema: Facts = {"type": "integer", "minimum": self.bounds[0], "maximum": self.bounds[1]}
        else:
            schema = {"type": "string"} | ({"enum": list(self.choices)} if self.choices else {})
            schema |= {"minLength": 1} if self.is_required else {}
        return schema | ({} if self.default is None else {"default": self.default})


@dataclass(frozen=True, slots=True)
class Resource:
    """Something that can be asked: `path` for people, `/api/v1/<name>` for programs.

    `template` is how the page looks, `form` how to ask again where something was wrong with the question. `is_slow`:
    the repository may have to be asked.
    """

    name: str
    path: str
    summary: str
    template: str
    facts: Callable[[Site, Query], Facts]
    schema: Facts
    parameters: tuple[Parameter, ...] = ()
    form: str | None = None
    is_slow: bool = False

    @property
    def api_path(self) -> str:
        """Where programs ask."""
        return f"/api/v1/{self.name}" + (self.path[self.path.index("/{") :] if "{" in self.path else "")

    def query(self, given: Mapping[str, str]) -> Query:
        """What a request says, by every parameter; raises Fault at the first that cannot be."""
        return {one.name: one.parse(given.get(one.name)) for one in self.parameters}

    def said(self, query: Query) -> Query:
        """The same for links: what goes without saying is None."""
        return {one.name: None if query[one.name] == one.default else query[one.name] for one in self.parameters}
