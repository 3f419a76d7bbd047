"""One change of which people are told: facts, and what each says in a few words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args
from uuid import uuid4

from ...config.commit import Commit
from ...problems import NO_PROBLEMS, Problems
from ...text import count, escape, moment_text, precise_moment_text, shorten

Kind = Literal["active", "refused", "unreachable", "reachable", "pinned", "unpinned", "certificate"]
KINDS: tuple[Kind, ...] = get_args(Kind)

SHORT = 10
"""Characters of a commit id that are shown."""
SHOWN_PROBLEMS = 5
"""Problems that a card shows, and a webhook has."""
LONGEST = 200
"""Characters of one value on a card."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Which service tells: its machine, the repository as it may be shown, and the branch that it serves."""

    host: str
    repository: str
    branch: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """A change, and when it was seen; its `id` stays the same, as often as it is sent.

    `commit_id` is of what it is about, and `commit` tells more of it where that is known. `subnets` and `took`, the
    seconds from when the commit was first seen, are of what is active. `message`, `hint` and `problems` say why a
    commit was refused, or the repository cannot be read; `serving` is the id of the commit that is answered from
    all the same. `by`, `reason` and `until` are of a pin, `ends` of a certificate.
    """

    kind: Kind
    at: datetime
    sender: Sender
    commit_id: str | None = None
    commit: Commit | None = None
    subnets: int | None = None
    took: float | None = None
    message: str = ""
    hint: str | None = None
    problems: Problems = NO_PROBLEMS
    serving: str | None = None
    by: str = ""
    reason: str = ""
    until: datetime | None = None
    ends: datetime | None = None
    id: str = field(default_factory=lambda: f"msg_{uuid4().hex}")

    def outcome(self) -> str:
        """What became of a commit, as its status on a forge says it."""
        if self.kind == "refused":
            return f"rejected: {self.problems.counted('problem') if self.problems.total else self.message}"
        return "active" if self.took is None else f"active in {self.took:.1f} s"

    def title(self) -> str:
        """It in a line."""
        commit = f"Commit {(self.commit_id or 'unknown')[:SHORT]}"
        match self.kind:
            case "active" | "refused":
                return f"{commit} {self.outcome()}"
            case "unreachable":
                return "Repository unreachable"
            case "reachable":
                return "Repository reachable again"
            case "pinned":
                return f"{commit} pinned until {moment_text(self.until) if self.until else 'unknown'}"
            case "unpinned":
                return f"{commit} no longer pinned"
            case "certificate":
                return f"Certificate ends on {moment_text(self.ends) if self.ends else 'unknown'}"

    def lines(self) -> Iterator[tuple[str, str]]:
        """What is known besides: names and values, which show what they are and are never long."""
        return ((name, escape(shorten(value, LONGEST))) for name, value in self._lines() if value)

    def _lines(self) -> Iterator[tuple[str, str | None]]:
        if self.commit:
            yield "Change", self.commit.subject
            yield "Author", self.commit.author
            yield "Pushed by", self.commit.other_pusher
        if self.subnets is not None:
            yield "Subnets", f"{self.subnets:,}"
        yield from (("Problem", str(one).partition("\n")[0]) for one in self.problems[:SHOWN_PROBLEMS])
        if self.problems.total > SHOWN_PROBLEMS:
            yield "More", count(self.problems.total - SHOWN_PROBLEMS, "problem") + " or more" * self.problems.is_cut
        elif not self.problems.total:
            yield "Reason", self.message or self.reason
            yield "Hint", self.hint
        yield "By", self.by
        if self.serving:
            yield "Answers come from", f"commit {self.serving[:SHORT]}"
        yield "Repository", self.sender.repository
        yield "Branch", self.sender.branch
        yield "Server", self.sender.host

    def fields(self) -> dict[str, Any]:
        """It as JSON has it, in the envelope of Standard Webhooks; what is not known is null."""
        return {
            "type": self.kind,
            "timestamp": precise_moment_text(self.at),
            "data": {
                "title": shorten(self.title()),
                "server": self.sender.host,
                "repository": self.sender.repository,
                "branch": self.sender.branch,
                "commit": self.commit_id,
                "subject": self.commit and shorten(self.commit.subject),
                "author": self.commit and shorten(self.commit.author),
                "pusher": self.commit and self.commit.pusher and shorten(self.commit.pusher),
                "subnets": self.subnets,
                "took": None if self.took is None else round(self.took, 3),
                "message": shorten(self.message) or None,
                "hint": self.hint,
                "problems": [one.fields() for one in self.problems[:SHOWN_PROBLEMS]],
                "total": self.problems.total,
                "active": self.serving,
                "by": self.by or None,
                "reason": self.reason or None,
                "until": self.until and moment_text(self.until),
                "ends": self.ends and moment_text(self.ends),
            },
        }
