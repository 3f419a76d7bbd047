"""`location-policy revert`: undo, in one command, through the gate."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from shlex import quote

from ...config.commit import Commit
from ...edits.landing import Proposal, check_writable, land, propose, served_tip
from ...edits.revert import go_back, revert_doubt, take_back
from ...errors import BranchMoved, LocationPolicyError, NothingChanges, NotWritable
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


def revert(asked: RevertOptions, repo: str | None) -> int:
    """Print what the reverting commit does, then make it; the exit status."""
    if repo and is_url(repo):
        message = f"{repo} is a remote repository, in which nothing can be made from here"
        raise NotWritable(message, f"in a clone of it: {instead(repo, 'revert')}")
    author = _author(asked.author)
    with open_repository(asked_place(repo).repository) as repository:
        commit = _named(repository, asked)
        _check_writable(repository, asked, commit)
        try:
            return _make(repository, asked, commit, author, asked.override(commit, repo))
        except NothingChanges as nothing:
            print(nothing.message)
            return 0


def _make(repository: Repository, asked: RevertOptions, commit: Commit, author: Author, override: str) -> int:
    """Raises NothingChanges also where another user has made the same meanwhile."""
    tip = served_tip(repository)
    made = _draft(repository, asked, commit, tip, author)
    options = [f"{OPTION}={asked.reason}"] * bool(asked.reason)
    proposal, verdict = propose(repository, tip, made.tree, made.message(asked.message), author, options)
    try:
        return _carry_out(repository, proposal, verdict, override, is_dry=asked.is_dry)
    except BranchMoved:
        _draft(repository, asked, commit, served_tip(repository), author)
        raise


def _named(repository: Repository, asked: RevertOptions) -> Commit:
    """The commit that is meant; it is told where it was not named by its id."""
    revision = asked.to or asked.commit or ""
    commit = repository.find_commit(revision)
    if not commit.id.startswith(revision.lower()):
        print(f"{escape(revision)} is {tell_commit(commit)}")
    return commit


def _check_writable(repository: Repository, asked: RevertOptions, commit: Commit) -> None:
    """Raises NotWritable, which names in a clone what git is to take back there, and NotConfirmed for a revert."""
    is_clone = repository.hooks_folder() is None
    if is_clone and asked.commit and not asked.is_again and (doubt := revert_doubt(repository, commit)):
        raise doubt
    named = commit.id[:10]
    how = f"git revert {named}" if asked.commit else f"git restore --source={named} --staged --worktree :/, git commit"
    if is_clone:
        (*_, origin) = ("what it was cloned from", *repository.config("remote.origin.url"))
        message = f"{named} is taken back by git here: this is a working copy, and what is served is {origin}"
        raise NotWritable(message, f"{how}, then git push")
    check_writable(repository, os.geteuid(), how)


def _draft(repository: Repository, asked: RevertOptions, commit: Commit, tip: Commit, author: Author) -> CommitDraft:
    if asked.to:
        return go_back(repository, tip, commit, is_again=asked.is_again)
    return take_back(repository, tip, commit, author, is_again=asked.is_again)


def _carry_out(repository: Repository, proposal: Proposal, verdict: Verdict, override: str, *, is_dry: bool) -> int:
    for line in verdict_lines(verdict, override):
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
