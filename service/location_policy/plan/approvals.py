"""Who has given their word for a change: its pusher, and whom its message names as `Approved-by:`.

A trailer is text of the committer: it says who is answerable, and proves nothing. Names and emails are compared
without regard to case.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from .affected_owners import AffectedOwner

APPROVAL = "Approved-by"
"""The trailer of the tip's message that names who has approved it: a name, an email, or `Name <email>`."""


def unapproved(touched: Sequence[AffectedOwner], pusher: str, trailers: Iterable[str]) -> tuple[AffectedOwner, ...]:
    """The owners who have not given their word."""
    given = {pusher.casefold(), *(form for trailer in trailers for form in _forms(trailer))}
    return tuple(one for one in touched if given.isdisjoint(_forms(one.owner)))


def _forms(text: str) -> Iterator[str]:
    """A text, and of `Name <email>` the name and the email too."""
    folded = " ".join(text.casefold().split())
    yield folded
    name, bracket, email = folded.removesuffix(">").partition("<")
    if bracket:
        yield from filter(None, (name.strip(), email.strip()))
