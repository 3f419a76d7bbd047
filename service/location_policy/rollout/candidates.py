"""The candidates for a start, in the order in which they are tried: one list for `serve` and `doctor`.

HEAD; the commits that were served, by the state directory and by our ref, the newer first; the content on disk; the
newest ancestors of HEAD. What was served before needs no signature, since it was judged when it came: so says the state
directory. What our ref alone says is judged again, for who may write refs may write that one too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from ..errors import RepositoryError
from ..repository.repository import Repository
from ..repository.revisions import LOOK_BACK
from ..repository.signing_policy import SignatureRule
from .last_good import Identity, LastGood
from .persistence import LAST_GOOD
from .same_history import Served


@dataclass(frozen=True, slots=True)
class Candidate:
    """A commit that can be put in force, if its signatures and its files let it."""

    commit_id: str
    was_served: bool = False
    """Errors that are a matter of severity are warnings, then."""
    gains: Sequence[str] = ()
    """The commits that the branch gains by it, oldest first; the rule says which of them must be signed."""
    follows: Served | None = None
    """What was served last, whose history it must be of."""
    stored: LastGood | None = None
    """Its content on disk, where the repository is not asked for it."""


def start_candidates(
    repository: Repository,
    rule: SignatureRule,
    head: str | None,
    here: Identity,
    stored: LastGood | None,
    noted: Sequence[str],
) -> Iterator[Candidate]:
    """All there are when the service starts, the best first; HEAD is the first where there is one.

    `here` is the repository as it is now; `stored` the content on disk, of this one or of another at its place; `noted`
    the commits that the journal has as put in force before this process, oldest first.
    """
    is_ours = stored is None or not stored.identity.is_another(here)
    named = repository.tip(LAST_GOOD) if is_ours else None
    served = _newest_first(repository, stored.commit.id if stored else None, named, noted)
    follows = None
    if stored and served[0] == stored.commit.id:
        follows = Served(served[0], stored.identity.id, stored.roots)
    elif served:
        follows = Served(served[0], here.id, ())
    known = {*noted, *([stored.commit.id] if stored else [])}
    judged = [commit_id for commit_id in served if commit_id in known]
    if head in judged:
        yield Candidate(head, was_served=True)
    elif head:
        gains = _gained(repository, rule, judged, head)
        yield Candidate(head, was_served=head in served, gains=gains, follows=None if head in served else follows)
    for commit_id in served:
        if is_ours:
            gains = () if commit_id in known else _gained(repository, rule, judged, commit_id)
            yield Candidate(commit_id, was_served=True, gains=gains)
        if stored and commit_id == stored.commit.id:
            yield Candidate(commit_id, was_served=True, stored=stored)
    ancestors = repository.ancestors(head, LOOK_BACK, first_parent=True)[1:] if head else []
    for commit_id in ancestors:
        yield Candidate(commit_id, gains=(commit_id,), follows=follows)


def next_candidate(repository: Repository, rule: SignatureRule, head: str, in_force: Served) -> Candidate:
    """HEAD, when it has moved on from what is in force."""
    return Candidate(head, gains=_gained(repository, rule, [in_force.commit_id], head), follows=in_force)


def candidate_after_pin(
    repository: Repository, rule: SignatureRule, head: str, in_force: Served, noted: Sequence[str]
) -> Candidate:
    """HEAD, when what is in force was held by hand: what was put in force before it was judged when it came."""
    if head in noted:
        return Candidate(head, was_served=True, follows=in_force)
    newest = dict.fromkeys((*reversed(noted), in_force.commit_id))
    judged = [one for one in islice(newest, LOOK_BACK) if rule.scope == "all" and _is_behind(repository, one, head)]
    return Candidate(head, gains=_gained(repository, rule, judged, head), follows=in_force)


def _is_behind(repository: Repository, commit_id: str, head: str) -> bool:
    return repository.has_commit(commit_id) and repository.is_ancestor(commit_id, head)


def _newest_first(repository: Repository, stored: str | None, named: str | None, noted: Sequence[str]) -> list[str]:
    """What the state directory and our ref name; they differ where one of them could not be written for a while.

    The newer is the descendant. Where neither is, it is what was put in force last, by the journal; a commit of which
    that says nothing was put in force while the state directory could not be written.
    """
    served = [commit_id for commit_id in (stored, named) if commit_id]
    if stored is None or named is None or stored == named:
        return served[:1]
    try:
        if repository.is_ancestor(named, stored):
            return served
        is_named_newer = repository.is_ancestor(stored, named)
    except RepositoryError:  # one of them is here no more
        is_named_newer = False
    last = next((commit_id for commit_id in reversed(noted) if commit_id in served), None)
    is_named_last = last == named or (last == stored and named not in noted)
    return served[::-1] if is_named_newer or is_named_last else served


def _gained(repository: Repository, rule: SignatureRule, last: Sequence[str], head: str) -> Sequence[str]:
    """The commits that the branch gains since the first of `last` that is here; HEAD alone where that is not asked."""
    base = next((one for one in last if rule.scope == "all" and repository.has_commit(one)), None)
    return (repository.gained(base, head) if base else []) or [head]
