"""A change that is asked for on a page: shown first, and made once it is confirmed by who has seen the same tip.

It goes the way of a push: one gate, limits, owners. Until it is confirmed no ref names it.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from ..config.commit import Commit
from ..config.location_map import Gate, LocationMap
from ..errors import BranchMoved, InvalidConfiguration, LocationPolicyError, NothingChanges, NotNoted, NotWritable
from ..gate.effect import Effect, asks_owners, effect_of, find_base
from ..gate.messages import take_fresh
from ..gate.overrides import OPTION
from ..plan.approvals import APPROVAL, unapproved
from ..plan.as_json import Fields, plan_excerpt
from ..plan.limits import Excess
from ..problems import Problem, errors_in
from ..repository.new_commits import Author
from ..repository.repository import Repository, open_repository
from ..repository.signing_policy import signature_rule
from .intent import Intent
from .landing import Proposal, check_writable, land, land_aside, propose, served_tip

REVIEW = "upload"
"""The folder of branches on which changes wait for a review."""
LOGGED = "location-policy page"
"""What the log of the branch says."""
CAME = 20
"""Commits that have come meanwhile and are named."""
SHOWN_PROBLEMS = 200
"""Problems of a change that are told; errors beyond are counted."""
_SAFE = re.compile(r"[^\w-]+")
_CRUD = re.compile(r"[<>\x00-\x1f\x7f]")
"""What git leaves out of a name, or does not take."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is wanted, by whom; `message` and `reason` as they were typed, None where nothing was."""

    intent: Intent
    author: Author
    message: str | None = None
    reason: str | None = None
    for_review: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change would do to the branch as it is at `tip`; `plan` tells it, and is None where it is not valid.

    `problems`, the first of `errors`, keep it from being served, `warnings` were not there before; `excess` are limits,
    `missing` are owners who have not given their word and must, `touched` those who need not; `refusal` is what a
    pusher would be told of all that. It has no map in it, and is as small for a large one.
    """

    tip: Commit
    branch: str
    message: str
    default: str
    """What the message is unless somebody says otherwise."""
    proposal: Proposal
    problems: tuple[Problem, ...]
    errors: int
    warnings: tuple[Problem, ...]
    plan: Fields | None
    excess: tuple[Excess, ...]
    missing: tuple[str, ...]
    touched: tuple[str, ...]
    for_review: bool

    @property
    def may_land(self) -> bool:
        """Would it be taken? On its way to a review it has to be valid, and the rest is for who merges it."""
        return self.proposal.verdict.accepted or (self.for_review and self.plan is not None)

    @property
    def refusal(self) -> tuple[str, ...]:
        """What a pusher would be told, from the verdict on."""
        return () if self.proposal.verdict.accepted else self.proposal.verdict.lines


class Attempt(NamedTuple):
    """What became of it: a `commit` that was made, or a preview; `is_stale` where the branch is not where it was seen.

    `came` are the newest of the `others` that have come since; none where the branch was set back, or nobody can tell.
    """

    preview: Preview
    commit: str | None = None
    branch: str | None = None
    is_stale: bool = False
    came: tuple[Commit, ...] = ()
    others: int = 0
    warning: str | None = None
    """What could not be done besides, though the commit stands."""


def page_author(user: str | None, address: str) -> Author:
    """Who makes a commit on a page: named as git names in its log who pushes over HTTP (git-http-backend)."""
    name = _CRUD.sub("", user or "").strip(" .,:;\"'\\") or "anonymous"
    return Author(name, f"{name.replace(' ', '-')}@http.{address}")


def check_open(repository: Repository) -> None:
    """Raises NotWritable where no change can be made from a page, and says why."""
    check_writable(repository, os.geteuid())
    rule = signature_rule(repository.settings(), repository.directory)
    if rule.problem or rule.scope != "off":
        message = "commits must be signed here, and the service has no key of yours to sign with"
        raise NotWritable(message, "change the map in a clone: git commit -S, then git push")


def preview(repository: Repository, asked: Asked) -> Preview:
    """What the change would do now; raises LocationPolicyError where there is none."""
    tip = served_tip(repository)
    draft = asked.intent.draft(repository, tip, asked.author)
    if draft.tree == tip.tree:
        raise NothingChanges("nothing changes by this: it is so already")
    default = cleaned(draft.message())
    message = cleaned(asked.message or "") or default
    options = [f"{OPTION}={asked.reason}"] * bool(asked.reason)
    gate = Gate()
    proposal = propose(repository, tip, draft.tree, message, asked.author, options, gate=gate)
    branch = repository.served_ref(repository.settings()).removeprefix("refs/heads/")
    problems, effect = _effect(repository, gate, tip, proposal)
    shown = tip, branch, message, default, proposal
    told = problems[:SHOWN_PROBLEMS]
    if effect is None:
        return Preview(*shown, told, len(problems), (), None, (), (), (), asked.for_review)
    owners = _unapproved(repository, proposal, effect)
    missing, touched = (owners, ()) if asks_owners(effect.base.location_map) else ((), owners)
    return Preview(*shown, (), 0, told, plan_excerpt(effect.plan), effect.excess, missing, touched, asked.for_review)


def preview_at(place: Path, asked: Asked) -> Preview:
    """The same for the repository at a place: for another process. No ref is moved by it."""
    with open_repository(place) as repository:
        return preview(repository, asked)


def attempt(
    repository: Repository, asked: Asked, seen: str, look: Callable[[Repository, Asked], Preview] = preview
) -> Attempt:
    """Make the change for somebody who has seen what it does to the tip `seen`; otherwise show it anew.

    `look` is how it is seen what it does now: nothing is made where that raises.
    """
    found = look(repository, asked)
    if found.tip.id != seen:
        return _stale(repository, found, seen)
    if not found.may_land:
        return Attempt(found)
    try:
        branch = _land(repository, found)
    except BranchMoved:
        return _stale(repository, look(repository, asked), seen)
    except NotNoted as error:
        return Attempt(found, found.proposal.update.new, found.branch, warning=error.message)
    return Attempt(found, found.proposal.update.new, branch)


def _land(repository: Repository, found: Preview) -> str:
    """The branch on which it is now."""
    if found.for_review:
        return land_aside(repository, found.proposal, review_branch(found.proposal.author.name), LOGGED)
    land(repository, found.proposal, LOGGED, found.excess)
    return found.branch


def review_branch(user: str) -> str:
    """The name of a new branch for what this user wants reviewed (git-check-ref-format), in UTC."""
    safe = _SAFE.sub("-", user)[:60].strip("-") or "somebody"
    return f"{REVIEW}/{safe}/{datetime.now(UTC):%Y%m%dT%H%M%SZ}"


def _stale(repository: Repository, found: Preview, seen: str) -> Attempt:
    """What has come since a tip, newest first, as far as it is known."""
    try:
        ids = repository.gained(repository.find_served(seen).id, found.tip.id)
    except LocationPolicyError:
        ids = []
    came = tuple(repository.commit(commit_id) for commit_id in ids[: -CAME - 1 : -1])
    return Attempt(found, is_stale=True, came=came, others=len(ids))


def _effect(
    repository: Repository, gate: Gate, tip: Commit, proposal: Proposal
) -> tuple[tuple[Problem, ...], Effect | None]:
    """What is wrong with it, or else what is worse than before and what it does; the verdict says the same in lines."""
    commit = repository.commit(proposal.update.new)
    base = find_base(repository, gate, tip.id)
    told: Counter[tuple[str, str, str]] = Counter()
    with suppress(InvalidConfiguration):
        take_fresh(_load(repository, gate, base.commit).warnings if base.commit else (), told)
    try:
        new = _load(repository, gate, commit)
    except InvalidConfiguration as error:
        return errors_in(error.problems), None
    return tuple(take_fresh(new.warnings, told)), effect_of(repository, gate, base, commit, new)


def _load(repository: Repository, gate: Gate, commit: Commit) -> LocationMap:
    return gate.load_map(repository.files(repository.entries(commit), gate.knows))


def _unapproved(repository: Repository, proposal: Proposal, effect: Effect) -> tuple[str, ...]:
    """The owners of address space that it touches who have not given their word, where anybody wants to know."""
    if effect.base.location_map.rules.severity("owner-approval") == "off":
        return ()
    trailers = repository.trailers(proposal.update.new, APPROVAL)
    return tuple(one.owner for one in unapproved(effect.touched, proposal.author.name, trailers))


def cleaned(message: str) -> str:
    """A message as git keeps it: lines end in LF, and nothing hangs over."""
    lines = message.replace("\r\n", "\n").replace("\0", "").split("\n")
    text = "\n".join(line.rstrip() for line in lines).strip()
    return f"{text}\n" if text else ""
