"""One commit: its id, author, subject and moment, as everything that is made from it names it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple


class Signer(NamedTuple):
    """Whose key has signed a commit, and which: its fingerprint."""

    name: str
    key: str


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit: what it is called by and who made it; `committed_at` is in UTC.

    Any name may stand as its author. `signer` is known where it was asked for and a listed key has signed, `pusher`
    where it was asked for and noted.
    """

    id: str
    tree: str
    subject: str
    author: str
    committed_at: datetime
    signer: Signer | None = None
    pusher: str | None = None

    @property
    def other_pusher(self) -> str | None:
        """Who has pushed it, where that is another than its author, as far as their names tell."""
        return self.pusher if self.pusher and is_other(self.author, self.pusher) else None


def is_other(author: str, pusher: str) -> bool:
    """Is the pusher another than the author? `alice` is not another than `Alice`."""
    return author.strip().casefold() != pusher.strip().casefold()
