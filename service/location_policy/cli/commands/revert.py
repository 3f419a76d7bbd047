"""`location-policy revert`: undo, in one command, through the gate."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

from ...edits.landing import Proposal, check_writable, land, propose, served_tip
from ...edits.revert import go_back, take_back
from ...errors import LocationPolicyError, NotWritable
from ...gate.messages import tell_commit, verdict_lines
from ...gate.overrides import OPTION
from ...gate.verdict import Verdict
from ...repository.mirror import is_url
from ...repository.new_commits import Author, operator
from ...repository.repository import Repository, open_repository
from ...runtime.users import user_name
from ...text import escape
from ..terminal.default_paths import asked_place
from ..terminal.exit_status import NO

OVERRIDE = f'location-policy revert --{OPTION} "reason"'
"""What to type where a large change is meant."""
LOGGED = "location-policy revert"
"""What the log of the branch says."""


@dataclass(frozen=True, slots=True)
class RevertOptions:
    """What was asked for: `commit` taken back, or all since `to`."""

    commit: str | None
    to: str | None
    author: str | None
    message: str | None
    reason: str | None
    is_dry: bool


def revert(asked: RevertOptions, repo: str | None) -> int:
    """Print what the reverting commit does, then make it; the exit status."""
    if repo and is_url(repo):
        message = f"{repo} is a remote repository, in which nothing can be made from here"
        raise NotWritable(message, "in a clone of it: git revert, then git push")
    author = _author(asked.author)
    with open_repository(asked_place(repo).repository) as repository:
        check_writable(repository, os.geteuid())
        tip = served_tip(repository)
        commit = repository.find_commit(asked.to or asked.commit or "")
        made = go_back(repository, tip, commit) if asked.to else take_back(repository, tip, commit, author)
        if made.tree == tip.tree:
            print(f"nothing to do: it is so already, at {tell_commit(tip)}")
            return 0
        options = [f"{OPTION}={asked.reason}"] * bool(asked.reason)
        message = made.message(asked.message)
        proposal, verdict = propose(repository, tip, made.tree, message, author, options)
        return _carry_out(repository, proposal, verdict, is_dry=asked.is_dry)


def _carry_out(repository: Repository, proposal: Proposal, verdict: Verdict, *, is_dry: bool) -> int:
    for line in verdict_lines(verdict, OVERRIDE):
        print(line)
    if not verdict.accepted:
        return NO
    if is_dry:
        print("dry run: nothing changed")
        return 0
    sys.stdout.flush()  # the plan is there before anything is done
    if not_noted := land(repository, proposal, LOGGED):
        raise not_noted
    name = escape(proposal.update.ref.removeprefix("refs/heads/"))
    print(f"{name} is now at {tell_commit(repository.commit(proposal.update.new))}")
    return 0


def _author(text: str | None) -> Author:
    if text is None:
        return operator(user_name(os.getuid()))
    try:
        return Author.parse(text)
    except ValueError as error:
        raise LocationPolicyError(str(error), "write it so: Alice <alice@example.com>") from None
