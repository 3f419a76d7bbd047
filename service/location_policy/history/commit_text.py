"""Commits and answers, in words and as JSON."""

from __future__ import annotations

from collections.abc import Iterator

from ..config.commit import Commit
from ..net.ranges import Names
from ..plan.as_json import Fields
from ..text import escape, moment_text, shorten

SHORT = 10
"""Characters of a commit id that are shown."""


def commit_text(commit: Commit) -> str:
    """A commit in one line, with who has pushed it where that is not its author."""
    who = f"{commit.author}, pushed by {commit.other_pusher}" if commit.other_pusher else commit.author
    return f"{commit.id[:SHORT]} {moment_text(commit.committed_at)} {escape(who)}: {escape(commit.subject)}"


def commit_fields(commit: Commit) -> Fields:
    """A commit as `/status` tells it."""
    return {
        "commit": commit.id,
        "subject": shorten(commit.subject),
        "author": shorten(commit.author),
        "committed_at": moment_text(commit.committed_at),
        "signer": commit.signer and commit.signer.name,
        "signing_key": commit.signer and commit.signer.key,
        "pusher": commit.pusher and shorten(commit.pusher),
    }


def signer_lines(commit: Commit) -> Iterator[str]:
    """Who has signed a commit, where that is known."""
    if commit.signer:
        yield f"signed by {escape(commit.signer.name)}, key {escape(commit.signer.key)}"


def answer_text(names: Names | None) -> str:
    """A location and its overflow locations."""
    if names is None:
        return "no answer"
    overflow = f", overflow {', '.join(names[1:])}" if names[1:] else ""
    return escape(names[0] + overflow)
