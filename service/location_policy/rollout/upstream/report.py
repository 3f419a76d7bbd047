"""What a follower tells the service that it follows: who it is, and what it answers from, as headers of a request."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from ... import __version__
from ...text import escape, shorten
from ..state import ActiveState

LONGEST_NAME = 64
"""Characters of a name."""
LONGEST_PROBLEM = 299
"""Characters of the sentence that says why a commit is refused, before the sign that it goes on."""
LONGEST_SUMMARY = 2048
"""Bytes of what is told of those behind."""
MOST_IDS = 100
"""Services behind that are named."""

_READABLE = " !#$&'()*+,-./:;<=>?@[]^_`{|}~"
"""Characters that a percent-encoded text keeps, besides letters and digits (RFC 9110, 5.5)."""


@dataclass(frozen=True, slots=True)
class Follower:
    """This service as a follower: its name, its id, and what it has in force.

    `behind` gives compact JSON in ASCII of those that follow it, None where there are none: it is sent again when it
    changes, so what changes by itself has no place in it. `ids_behind` gives the ids of them. Both are for any thread.
    """

    name: str
    own_id: str
    active: ActiveState
    behind: Callable[[], str | None] = lambda: None
    ids_behind: Callable[[], Sequence[str]] = tuple

    def headers(self) -> Mapping[str, str]:
        """All it says of itself, in ASCII."""
        state = self.active.state
        told = {
            "X-Location-Policy-Name": _ascii(self.name)[:LONGEST_NAME],
            "X-Location-Policy-Version": __version__,
            "X-Location-Policy-State": state.name,
            "Via": ", ".join(f"1.1 location-policy-{one}" for one in (self.own_id, *self.ids_behind()[:MOST_IDS])),
        }
        if state.snapshot and state.snapshot.commit:
            told["X-Location-Policy-Commit"] = state.snapshot.commit.id
        if (why := state.rejection) and why.commit:
            told["X-Location-Policy-Problems"] = (
                f"{why.commit} {quote(shorten(why.first_line, LONGEST_PROBLEM), safe=_READABLE)}"
            )
        if (behind := self.behind()) and behind.isascii() and behind.isprintable() and len(behind) <= LONGEST_SUMMARY:
            told["X-Location-Policy-Behind"] = behind
        return told


def _ascii(name: str) -> str:
    """A name of a host may have any characters, and a header may not."""
    return escape(name).encode("ascii", "backslashreplace").decode()
