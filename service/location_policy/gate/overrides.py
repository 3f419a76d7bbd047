"""A limit that a push has overridden: who, why, how much. It is kept as a note on the commit that was pushed.

The note is read by people (`git log --notes=location-policy`) and by the program: a paragraph of `Key: value` lines for
each push, the newest last. Values come from outside; each is one line, and nothing in it steers a terminal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import starmap

from ..plan.limits import Excess
from ..repository.repository import Repository
from ..text import escape, moment_text, shorten, shows

OPTION = "allow-large-change"
"""The push option that overrides the limits: `git push -o allow-large-change="reason"`."""
TRAILER = "Allow-Large-Change"
"""The trailer of the tip's message that does the same, for merges that are made in a forge's page."""
NOTES = "refs/notes/location-policy"
"""The notes of the program."""
REASON_LIMIT = 500
"""Characters of a reason that are kept."""

PUSHED_BY, PUSHED_AT = "Pushed-By", "Pushed-At"
"""Who has pushed, as the server knows them, and when."""
AUTHOR, FETCHED_AT = "Author", "Fetched-At"
"""The same of a fetch, by which it is not known who has pushed: whom the commit names as its author."""

_KEYS = {
    "reason": TRAILER,
    "rule": "Rule",
    "limit": "Limit",
    "measured": "Measured",
    "by": PUSHED_BY,
    "at": PUSHED_AT,
}
_FETCHED_KEYS = _KEYS | {"by": AUTHOR, "at": FETCHED_AT}
_SEPARATOR = ", "
_LINE = re.compile(r"([A-Z][A-Za-z-]*): (.+)")


@dataclass(frozen=True, slots=True)
class Override:
    """What was overridden: the keys of `[limits]`, their values and what was measured, several joined by `, `."""

    rule: str
    limit: str
    measured: str
    reason: str
    by: str
    """Who pushed, as the server knows them; of a fetch the author of the commit."""
    at: datetime
    is_fetched: bool = False

    @property
    def who(self) -> str:
        """By whom, as it is told."""
        return f"{self.by} (fetched)" if self.is_fetched else self.by

    @property
    def excess(self) -> tuple[Excess, ...]:
        """The limits, each by itself."""
        return parted(self.rule, self.limit, self.measured)


def asked_reason(repository: Repository, commit_id: str, options: Sequence[str]) -> str | None:
    """Why this commit may exceed the limits, by its pusher or by its message; one in which nothing shows is none."""
    pushed = [option.partition("=")[2] for option in options if option.partition("=")[0] == OPTION]
    reasons = (reason.strip() for reason in (*pushed[::-1], *repository.trailers(commit_id, TRAILER)[::-1]))
    return next((reason for reason in reasons if shows(reason)), None)


def joined(excess: Sequence[Excess], reason: str, by: str, at: datetime, *, is_fetched: bool = False) -> Override:
    """The override of these limits."""
    rules, limits, measured = (_SEPARATOR.join(column) for column in zip(*excess, strict=True))
    return Override(rules, limits, measured, reason, by, at, is_fetched)


def parted(rule: str, limit: str, measured: str) -> tuple[Excess, ...]:
    """The limits of an override, each by itself; where a person has written something else, as one."""
    columns = [text.split(_SEPARATOR) for text in (rule, limit, measured)]
    if len(set(map(len, columns))) > 1:
        return (Excess(rule, limit, measured),)
    return tuple(starmap(Excess, zip(*columns, strict=True)))


def limit_text(one: Excess) -> str:
    """A limit that was overridden: what it allowed, and what was measured, or what holds now."""
    return f"{one.rule} {one.limit}{' -> ' if one.loosens else ', measured '}{one.measured}"


def override_of(repository: Repository, commit_id: str) -> Override | None:
    """The override by which a commit was pushed, the newest if there are several; None for a push within limits."""
    blob = repository.notes(NOTES).get(commit_id)
    return parse_note(repository.note(blob)) if blob else None


def overrides(repository: Repository, commit_ids: Iterable[str]) -> dict[str, Override]:
    """The overrides of these commits by their ids: no other note is read, and every push leaves one."""
    noted = repository.notes(NOTES)
    found = {one: parse_note(repository.note(noted[one])) for one in commit_ids if one in noted}
    return {commit_id: override for commit_id, override in found.items() if override}


def record(repository: Repository, commit_id: str, override: Override) -> None:
    """Keep an override; raises RepositoryError."""
    repository.append_notes(NOTES, [commit_id], write_note(override))


def is_recorded(repository: Repository, commit_id: str, override: Override) -> bool:
    """Is the newest override of this commit the same, but for who has pushed, and when?"""
    found = override_of(repository, commit_id)
    return found is not None and write_note(replace(found, by="", at=override.at)) == write_note(
        replace(override, by="")
    )


def told_reason(text: str) -> str:
    """A reason, or another value from outside, as it is told and kept: one line, and not a long one."""
    return shorten(escape(text.strip()), REASON_LIMIT)


def write_note(override: Override) -> str:
    """The paragraph of an override."""
    values = {name: getattr(override, name) for name in _KEYS} | {"at": moment_text(override.at)}
    keys = _FETCHED_KEYS if override.is_fetched else _KEYS
    return "\n".join(f"{key}: {told_reason(values[name])}" for name, key in keys.items())


def parse_note(text: str) -> Override | None:
    """The last override that a note tells, among any other text."""
    found = [override for paragraph in text.split("\n\n") if (override := _parse_paragraph(paragraph))]
    return found[-1] if found else None


def _parse_paragraph(paragraph: str) -> Override | None:
    lines = (_LINE.fullmatch(line) for line in paragraph.split("\n"))
    values = {line[1]: told_reason(line[2]) for line in lines if line}
    is_fetched = FETCHED_AT in values
    keys = _FETCHED_KEYS if is_fetched else _KEYS
    try:
        at = datetime.fromisoformat(values.pop(keys["at"])).astimezone(UTC)
        found = {name: values[key] for name, key in keys.items() if name != "at"}
        return Override(**found, at=at, is_fetched=is_fetched)
    except (KeyError, ValueError, OverflowError):
        return None
