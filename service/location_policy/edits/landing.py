"""A commit made here and put on the served branch: judged as a push of it is, and only where no other came first.

Taking back a commit and taking in a file from a web page end here. The commit is made first, on top of the tip that was
seen, and judged; the branch then moves from that tip or not at all, so a push in between loses nothing. Hooks of a site
are not run: what they do at a push has to be done by hand.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from shlex import quote

from ..config.commit import Commit
from ..errors import BranchMoved, NotWritable, RepositoryError
from ..gate.overrides import joined, record
from ..gate.pre_receive import judge
from ..gate.ref_updates import Update
from ..gate.verdict import Verdict
from ..plan.limits import Excess
from ..repository.new_commits import Author
from ..repository.remote.copy_path import is_mirror
from ..repository.repository import Repository
from ..runtime.users import user_name


@dataclass(frozen=True, slots=True)
class Proposal:
    """A commit that no ref names yet, the limits that it exceeds, and why it may, None where no reason is given."""

    update: Update
    author: Author
    excess: tuple[Excess, ...]
    reason: str | None


def served_tip(repository: Repository) -> Commit:
    """The commit that the served branch is at; raises UnknownRevision where it has none."""
    return repository.served_commit()


def check_writable(repository: Repository, user: int, how: str = "git commit", *, goes_to_remote: bool = False) -> None:
    """Raises NotWritable where `user` makes no commit: in a working copy, a mirror, or what belongs to another user.

    `how` is what makes it in a clone. In a mirror a commit may be made that `goes_to_remote`.
    """
    if repository.hooks_folder() is None:
        message = f"{repository.directory} belongs to a working copy, which would no longer be at its branch"
        raise NotWritable(message, f"change it there: {how}, then git push")
    if is_mirror(repository.directory) and not goes_to_remote:
        remote = next(iter(repository.config("remote.origin.url")), None)
        message = f"the map comes from {remote or 'a remote repository'}, and is changed there"
        hint = f"git clone {quote(remote)}, in it {how}" if remote else f"in a clone of it: {how}"
        raise NotWritable(message, f"{hint}, then git push")
    check_own(repository, user)


def check_own(repository: Repository, user: int) -> None:
    """Raises NotWritable where the repository belongs to another user, or may not be written."""
    owner = repository.directory.stat().st_uid
    if owner != user and not _is_shared(repository):
        name = user_name(owner)
        message = f"{repository.directory} belongs to {name}, who could not use what another user makes in it"
        raise NotWritable(message, f"run it as that user: sudo -u {name} location-policy …")
    if not os.access(repository.directory, os.W_OK):  # pragma: no cover  root may; tested as another user
        raise NotWritable(f"{repository.directory} may not be written", "mount it for writing, or correct its rights")


def propose(
    repository: Repository,
    tip: Commit,
    tree: str,
    message: str,
    author: Author,
    options: Sequence[str] = (),
) -> tuple[Proposal, Verdict]:
    """A commit with this tree on top of the tip, and the verdict on a push of it; `options` are those that a pusher
    could give. A tip of zeros is none: the commit is the first.
    """
    made = repository.make_commit(tree, (tip.id,) if tip.id.strip("0") else (), message, author)
    update = Update(tip.id, made, repository.served_ref(repository.settings()))
    verdict = judge([update], repository, options, pusher=author.name)
    (move,) = verdict.moves
    return Proposal(update, author, move.effect.excess if move.effect else (), move.reason), verdict


def land(repository: Repository, proposal: Proposal, why: str) -> RepositoryError | None:
    """Put an accepted proposal on the branch, and note what it overrides; `why` goes to the log of the branch.

    What kept the override from being noted, while the commit stands: to be told, and nothing is to be made again.
    Raises BranchMoved where another commit came first, and RepositoryError where the branch cannot be moved.
    """
    old, new, ref = proposal.update.old, proposal.update.new, proposal.update.ref
    try:
        repository.move_ref(ref, new, old, why, proposal.author)
    except RepositoryError:
        now = repository.tip(ref)
        if now == old:
            raise
        name = ref.removeprefix("refs/heads/")
        message = f"{name} has moved meanwhile, to {now[:10] if now else 'nowhere'}, so nothing was changed"
        raise BranchMoved(message, "review the new commits, and try again") from None
    if not proposal.excess or proposal.reason is None:
        return None
    try:
        record(repository, new, joined(proposal.excess, proposal.reason, proposal.author.name, datetime.now(UTC)))
    except RepositoryError as error:
        message = f"{new[:10]} stands, but why it exceeds a limit is not noted: {error.message}"
        return RepositoryError(message, error.hint)
    return None


def land_aside(repository: Repository, proposal: Proposal, branch: str, why: str) -> str:
    """Put a proposal on a new branch beside the served one; the name that was free. Raises RepositoryError."""
    _check_free(repository, branch)
    new = proposal.update.new
    for name in numbered(branch):
        if repository.tip(f"refs/heads/{name}") is None:
            repository.move_ref(f"refs/heads/{name}", new, "0" * len(new), why, proposal.author)
            return name
    raise RepositoryError(f"there are too many branches {branch} already", "try again in a second")


def numbered(branch: str) -> Sequence[str]:
    """The names that a branch may have, as the first are taken already."""
    return (branch, *(f"{branch}-{number}" for number in range(2, 10)))


def _check_free(repository: Repository, branch: str) -> None:
    """Raises NotWritable where a branch has the name of a folder that this one is to be in."""
    *folders, _ = accumulate(branch.split("/"), "{}/{}".format)
    if taken := next((name for name in folders if repository.tip(f"refs/heads/{name}")), None):
        message = f"there is a branch {taken}, beside which git makes no branch {branch}"
        raise NotWritable(message, f"rename it in the repository: git branch --move {taken} {taken}-old")


def _is_shared(repository: Repository) -> bool:
    """May others than its owner write to it (git-config, "core.sharedRepository")?"""
    return (repository.config("core.sharedRepository") or ["false"])[-1] not in ("umask", "false", "0")
