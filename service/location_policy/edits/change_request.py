"""A change that is asked for on a page: shown first, and made once it is confirmed by who has seen the same tip.

It goes the way of a push: one gate, limits, owners. Until it is confirmed no ref names it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from ..config.commit import Commit
from ..errors import BranchMoved, LocationPolicyError, NothingChanges, NotWritable
from ..gate.excerpt import Excerpt, excerpt
from ..gate.messages import verdict_lines
from ..gate.overrides import OPTION
from ..repository.new_commits import Author
from ..repository.remote.mirror import Mirror
from ..repository.remote.review_link import review_link
from ..repository.repository import Repository, open_repository
from ..repository.signing_policy import signature_rule
from ..text import shorten
from .first_map import tip_or_nothing
from .intent import Intent
from .landing import Proposal, check_writable, land, land_aside, numbered, propose
from .warned_rows import WarnedRow, warned_rows

REVIEW = "upload"
"""The folder of branches on which changes wait for a review."""
REMOTE_REVIEW = "location-policy"
"""The same in a remote repository, where it says whence they come."""
LONGEST_MESSAGE = 20_000
"""Characters of a message that was not typed: it may have the message of another commit in it."""
LOGGED = "location-policy page"
"""What the log of the branch says."""
CAME = 20
"""Commits that have come meanwhile and are named."""
_SAFE = re.compile(r"[^\w-]+")
_STEERING = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b\]|\x9d)[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
)
"""Escape sequences (ECMA-48: CSI, OSC), and every other control character but tab and LF."""
_CRUD = re.compile(r"[<>\x00-\x1f\x7f]")
"""What git leaves out of a name, or does not take."""


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """What is wanted, by whom; `message` and `reason` as they were typed, None where nothing was."""

    intent: Intent
    author: Author
    message: str | None = None
    reason: str | None = None
    for_review: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change would do to the branch as it is at `tip`, and the verdict on a push of it.

    `refusal` is what a pusher would be told where it is not taken. It has no map in it, and is as small for a large
    one.
    """

    tip: Commit
    branch: str
    message: str
    default: str
    """What the message is unless the editor writes another."""
    proposal: Proposal
    verdict: Excerpt
    refusal: tuple[str, ...]
    for_review: bool
    warned: tuple[WarnedRow, ...]
    """The row of each warning of the verdict."""

    @property
    def may_land(self) -> bool:
        """Would it be taken? On its way to a review it has to be valid, and the rest is for who merges it."""
        return self.verdict.accepted or (self.for_review and self.verdict.plan is not None)


class Attempt(NamedTuple):
    """What became of it: a `commit` that was made, or a preview; `is_stale` where the branch is not where it was seen.

    `came` are the newest of the `others` that have come since; none where the branch was set back, or cannot be read.
    """

    preview: Preview
    commit: str | None = None
    branch: str | None = None
    is_stale: bool = False
    came: tuple[Commit, ...] = ()
    others: int = 0
    warning: str | None = None
    """What could not be done besides, though the commit stands."""
    remote: str | None = None
    """The URL of the remote repository that has the branch, None where it is here."""
    link: str | None = None
    """The page there on which it is reviewed, if it is known."""


def page_author(user: str | None, address: str) -> Author:
    """Who makes a commit on a page: named as git names in its log who pushes over HTTP (git-http-backend)."""
    name = _CRUD.sub("", user or "").strip(" .,:;\"'\\") or "anonymous"
    return Author(name, f"{name.replace(' ', '-')}@http.{address}")


def check_open(repository: Repository, *, goes_to_remote: bool = False) -> None:
    """Raises NotWritable where no change can be made from a page, and says why."""
    check_writable(repository, os.geteuid(), goes_to_remote=goes_to_remote)
    rule = signature_rule(repository.settings(), repository.directory)
    if rule.problem or rule.scope != "off":
        message = "commits must be signed here, and the service has no key of yours to sign with"
        raise NotWritable(message, "change the map in a clone: git commit -S, then git push")


def preview(repository: Repository, asked: ChangeRequest) -> Preview:
    """What the change would do now; raises LocationPolicyError where there is none."""
    tip = tip_or_nothing(repository)
    draft = asked.intent.draft(repository, tip, asked.author)
    if draft.tree == tip.tree:
        raise NothingChanges("the served branch already has this")
    default = cleaned(shorten(draft.message(), LONGEST_MESSAGE))
    message = cleaned(asked.message or "") or default
    options = [f"{OPTION}={asked.reason}"] * bool(asked.reason)
    proposal, verdict = propose(repository, tip, draft.tree, message, asked.author, options)
    (move,) = verdict.moves
    refusal = () if verdict.accepted else tuple(verdict_lines(verdict, override=""))
    found = excerpt(move)
    rows = warned_rows(repository, draft.tree, found.warnings, draft.uploaded)
    return Preview(tip, move.branch, message, default, proposal, found, refusal, asked.for_review, rows)


def preview_at(place: Path, asked: ChangeRequest) -> Preview:
    """The same for the repository at a place: for another process. No ref is moved by it."""
    with open_repository(place) as repository:
        return preview(repository, asked)


def attempt(
    repository: Repository,
    asked: ChangeRequest,
    seen: str,
    look: Callable[[Repository, ChangeRequest], Preview] = preview,
    remote: Mirror | None = None,
) -> Attempt:
    """Make the change for an editor who has seen what it does to the tip `seen`; otherwise show it anew.

    `look` is how it is seen what it does now: nothing is made where that raises. With a `remote` it is pushed there for
    a review; raises NotPushed.
    """
    found = look(repository, asked)
    if found.tip.id != seen:
        return _stale(repository, found, seen)
    if not found.may_land:
        return Attempt(found)
    if remote:
        return _push(remote, found)
    try:
        return _land(repository, found)
    except BranchMoved:
        return _stale(repository, look(repository, asked), seen)


def _land(repository: Repository, found: Preview) -> Attempt:
    made = found.proposal.update.new
    if found.for_review:
        branch = land_aside(repository, found.proposal, review_branch(found.proposal.author.name), LOGGED)
        return Attempt(found, made, branch)
    not_noted = land(repository, found.proposal, LOGGED)
    return Attempt(found, made, found.branch, warning=not_noted.message if not_noted else None)


def _push(remote: Mirror, found: Preview) -> Attempt:
    made = found.proposal.update.new
    branch, said = remote.push(made, numbered(review_branch(found.proposal.author.name, REMOTE_REVIEW)))
    link = review_link(remote.url, said, branch, found.branch)
    return Attempt(found, made, branch, remote=remote.url, link=link)


def review_branch(user: str, folder: str = REVIEW) -> str:
    """The name of a new branch for what this user wants reviewed (git-check-ref-format), in UTC."""
    safe = _SAFE.sub("-", user)[:60].strip("-") or "somebody"
    return f"{folder}/{safe}/{datetime.now(UTC):%Y%m%dT%H%M%SZ}"


def _stale(repository: Repository, found: Preview, seen: str) -> Attempt:
    """What has come since a tip, newest first, as far as it is known."""
    try:
        ids = repository.gained(repository.find_served(seen).id, found.tip.id)
    except LocationPolicyError:
        ids = []
    came = tuple(repository.commit(commit_id) for commit_id in ids[: -CAME - 1 : -1])
    return Attempt(found, is_stale=True, came=came, others=len(ids))


def cleaned(message: str) -> str:
    """A message as git keeps it: lines end in LF, and nothing hangs over. What would steer a terminal is taken out."""
    lines = _STEERING.sub("", message.replace("\r\n", "\n")).split("\n")
    text = "\n".join(line.rstrip() for line in lines).strip()
    return f"{text}\n" if text else ""
