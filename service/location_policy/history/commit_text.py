"""Commits, answers and moments, in words and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from ..config.commit import Commit
from ..errors import NoAddress
from ..lookup.query_string import clean
from ..net.addresses import Address, parse_address
from ..net.ranges import Names
from ..plan.as_json import Fields
from ..problems import escape

SHORT = 10
"""Characters of a commit id that are shown."""


def asked_address(text: str) -> Address:
    """The address that somebody has typed; raises NoAddress."""
    cleaned = clean(text)
    if not cleaned:
        raise NoAddress("no address is given", "name one, such as 10.61.2.7")
    try:
        return parse_address(cleaned)
    except ValueError as error:
        hint = f"name one address of it: {cleaned.partition('/')[0]}" if "/" in cleaned else None
        raise NoAddress(str(error), hint) from None


def commit_text(commit: Commit) -> str:
    """A commit in one line."""
    return f"{commit.id[:SHORT]} {time_text(commit.committed_at)} {escape(commit.author)}: {escape(commit.subject)}"


def commit_fields(commit: Commit) -> Fields:
    """A commit as `/status` tells it."""
    return {
        "commit": commit.id,
        "subject": commit.subject,
        "author": commit.author,
        "committed_at": time_text(commit.committed_at),
        "signer": commit.signer and commit.signer.name,
        "signing_key": commit.signer and commit.signer.key,
    }


def signer_lines(commit: Commit) -> Iterator[str]:
    """Who has signed a commit, where that is known."""
    if commit.signer:
        yield f"signed by {escape(commit.signer.name)}, key {escape(commit.signer.key)}"


def time_text(moment: datetime) -> str:
    """RFC 3339, in UTC, in whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def answer_text(names: Names | None) -> str:
    """A location and its overflow locations."""
    if names is None:
        return "no answer"
    overflow = f", overflow {', '.join(names[1:])}" if names[1:] else ""
    return escape(names[0] + overflow)
