"""`location-policy revert`: undo, in one command, through the gate."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from shlex import quote
from typing import Literal, Protocol

from ...config.commit import Commit
from ...edits.landing import Proposal, check_writable, land, propose, served_tip
from ...edits.revert import go_back, revert_doubt, take_back
from ...errors import BranchMoved, LocationPolicyError, NothingChanges, NotWritable
from ...gate.as_json import verdict_fields
from ...gate.excerpt import excerpt
from ...gate.messages import tell_commit, verdict_lines
from ...gate.overrides import OPTION
from ...gate.verdict import Verdict
from ...repository.new_commits import Author, CommitDraft, operator
from ...repository.remote.url import is_url
from ...repository.repository import Repository, open_repository
from ...runtime.users import user_name
from ...text import escape
from ..terminal.default_paths import asked_place
from ..terminal.exit_status import NO
from ..terminal.remote import instead

LOGGED = "location-policy revert"
"""What the log of the branch says."""


@dataclass(frozen=True, slots=True)
class RevertOptions:
    """What was asked for: `commit` taken back, or all since `to`; `is_again` though it is a revert, or taken back."""

    commit: str | None
    to: str | None
    author: str | None
    message: str | None
    reason: str | None
    is_dry: bool
    is_again: bool = False

    def override(self, commit: Commit, repo: str | None) -> str:
        """What to type where a large change is meant: the same, and a reason."""
        what = ["--to"] * bool(self.to) + [commit.id[:10]] + ["--again"] * self.is_again
        given = {"--repo": repo, "--author": self.author, "--message": self.message}
        what += [f"{name} {quote(value)}" for name, value in given.items() if value]
        return f'location-policy revert {" ".join(what)} --{OPTION} "reason"'


Result = Literal["made", "refused", "dry-run", "unchanged"]
"""How it ended."""


class Teller(Protocol):
    """Tells, in some form, what is found and done."""

    def named(self, revision: str, commit: Commit) -> None:
        """The commit that a name means."""

    def judged(self, verdict: Verdict, override: str) -> None:
        """What the reverting commit does, before it is made."""

    def ended(self, result: Result, why: str, branch: str, made: Commit | None) -> None:
        """How it ended."""


class Lines:
    """For people."""

    def named(self, revision: str, commit: Commit) -> None:
        """Told where it was not named by its id."""
        if not commit.id.startswith(revision.lower()):
            print(f"{escape(revision)} is {tell_commit(commit)}")

    def judged(self, verdict: Verdict, override: str) -> None:
        """The lines that a pusher of it would see; they are there before anything is done."""
        for line in verdict_lines(verdict, override):
            print(line)
        sys.stdout.flush()

    def ended(self, result: Result, why: str, branch: str, made: Commit | None) -> None:
        """The verdict has told of a refusal."""
        if made:
            print(f"{escape(branch)} is now at {tell_commit(made)}")
        elif result != "refused":
            print(why)


class Object:
    """For programs: one object, when it has ended; `verdict` is null where nothing was judged."""

    def __init__(self) -> None:
        self._fields: dict[str, object] = {"verdict": None}

    def named(self, revision: str, commit: Commit) -> None:  # noqa: ARG002  as a Teller is told
        """The commit that is taken back, or gone back to."""
        self._fields["commit"] = commit.id

    def judged(self, verdict: Verdict, override: str) -> None:  # noqa: ARG002  as above
        """As the API tells it."""
        self._fields["verdict"] = next((verdict_fields(excerpt(move)) for move in verdict.moves), None)

    def ended(self, result: Result, why: str, branch: str, made: Commit | None) -> None:
        """Print it."""
        found = {"result": result, "message": why, "branch": branch, "made": made and made.id}
        print(json.dumps(found | self._fields))


def revert(asked: RevertOptions, repo: str | None, teller: Teller) -> int:
    """Tell what the reverting commit does, then make it; the exit status."""
    if repo and is_url(repo):
        message = f"{repo} is a remote repository, in which nothing can be made from here"
        raise NotWritable(message, f"in a clone of it: {instead(repo, 'revert')}")
    author = _author(asked.author)
    with open_repository(asked_place(repo).repository) as repository:
        revision = asked.to or asked.commit or ""
        commit = repository.find_commit(revision)
        teller.named(revision, commit)
        _check_writable(repository, asked, commit)
        try:
            return _make(repository, asked, commit, author, asked.override(commit, repo), teller)
        except NothingChanges as nothing:
            teller.ended("unchanged", nothing.message, _branch(repository), None)
            return 0


def _branch(repository: Repository) -> str:
    return repository.served_ref(repository.settings()).removeprefix("refs/heads/")


def _make(
    repository: Repository, asked: RevertOptions, commit: Commit, author: Author, override: str, teller: Teller
) -> int:
    """Raises NothingChanges also where another user has made the same meanwhile."""
    tip = served_tip(repository)
    made = _draft(repository, asked, commit, tip, author)
    options = [f"{OPTION}={asked.reason}"] * bool(asked.reason)
    proposal, verdict = propose(repository, tip, made.tree, made.message(asked.message), author, options)
    teller.judged(verdict, override)
    try:
        return _carry_out(repository, proposal, verdict, teller, is_dry=asked.is_dry)
    except BranchMoved:
        _draft(repository, asked, commit, served_tip(repository), author)
        raise


def _check_writable(repository: Repository, asked: RevertOptions, commit: Commit) -> None:
    """Raises NotWritable, which names in a clone what git is to take back there, and NotConfirmed for a revert."""
    is_clone = repository.hooks_folder() is None
    if is_clone and asked.commit and not asked.is_again and (doubt := revert_doubt(repository, commit)):
        raise doubt
    named = commit.id[:10]
    how = f"git revert {named}" if asked.commit else f"git restore --source={named} --staged --worktree :/, git commit"
    if is_clone:
        (*_, origin) = ("what it was cloned from", *repository.config("remote.origin.url"))
        message = f"{named} is reverted by git here: this is a working copy, and what is served is {origin}"
        raise NotWritable(message, f"{how}, then git push")
    check_writable(repository, os.geteuid(), how)


def _draft(repository: Repository, asked: RevertOptions, commit: Commit, tip: Commit, author: Author) -> CommitDraft:
    if asked.to:
        return go_back(repository, tip, commit, is_again=asked.is_again)
    return take_back(repository, tip, commit, author, is_again=asked.is_again)


def _carry_out(repository: Repository, proposal: Proposal, verdict: Verdict, teller: Teller, *, is_dry: bool) -> int:
    branch = proposal.update.ref.removeprefix("refs/heads/")
    if not verdict.accepted:
        teller.ended("refused", "", branch, None)
        return NO
    if is_dry:
        teller.ended("dry-run", "dry run: nothing changed", branch, None)
        return 0
    if not_noted := land(repository, proposal, LOGGED):
        raise not_noted
    teller.ended("made", "", branch, repository.commit(proposal.update.new))
    return 0


def _author(text: str | None) -> Author:
    if text is None:
        return operator(user_name(os.getuid()))
    try:
        return Author.parse(text)
    except ValueError as error:
        raise LocationPolicyError(str(error), "write it so: Alice <alice@example.com>") from None
