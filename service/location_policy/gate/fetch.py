"""What was fetched, judged as a push of it is, by the same judgement; and why it is not taken. Nothing is written.

No pusher is known: a reason, and the word of owners, can only come with the message of the tip. The way out is what a
forge lets its users do: no commit is amended there, and no push option is given. A branch that was forced on its forge
is followed to where it is now, if that passes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from ..config.files import OWNERS_PATH, RULES_PATH
from ..errors import InvalidConfiguration
from ..plan.approvals import APPROVAL
from ..plan.limits import Excess
from ..problems import Problem, Problems
from ..repository.repository import Repository, open_repository
from ..repository.signing_policy import unsigned_text
from ..text import count, quote
from .excerpt import Excerpt, excerpt
from .judgement import Judge
from .messages import excess_text
from .overrides import TRAILER
from .ref_updates import Update
from .verdict import SignatureCheck

COUNTING = 3.0
"""Seconds after which commits before the tip are looked at no more: nothing depends on it, and the tip waits for it."""
_WITH_LINE = "end the message of a merge, or of an empty commit, with the line"
HOW_TO_OVERRIDE = f"{_WITH_LINE} {TRAILER}: reason"


def judge_fetch(repository: Repository, update: Update, *, spares_memory: bool = False) -> Excerpt:
    """Whether a branch may move so, in a repository that has fetched the commits; raises RepositoryError."""
    until = time.monotonic() + COUNTING
    settings = repository.settings()
    judge = Judge(
        repository,
        (),
        lambda: time.monotonic() > until,
        settings,
        branch=update.ref,
        pusher="",
        allows_rewind=True,
        is_fetch=True,
        spares_memory=spares_memory,
    )
    return excerpt(judge.judge(update))


def judge_fetch_at(directory: Path, update: Update) -> Excerpt:
    """The same for the repository in a directory: for another process."""
    with open_repository(directory) as repository:
        return judge_fetch(repository, update, spares_memory=True)


def fetch_refusal(found: Excerpt) -> tuple[str, Problems]:
    """The sentence, and the first problems; of a verdict that does not accept."""
    if found.errors:
        sentences, problems = [InvalidConfiguration(found.problems).message], found.problems
    else:
        excess = found.excess if found.reason is None else ()
        sentences = [*_too_large(excess), *_unapproved(found)]
        problems = Problems([*map(_over_limit, excess), *map(_not_approved, found.missing)]).first()
    return "; ".join([*sentences, *_unsigned(found.signatures)]), problems


def _too_large(excess: tuple[Excess, ...]) -> Iterator[str]:
    if excess:
        over = "; ".join(map(excess_text, excess))
        yield f"change limit exceeded: {over}; if all of it is meant, {HOW_TO_OVERRIDE}"


def _unapproved(found: Excerpt) -> Iterator[str]:
    if found.missing:
        number = count(len(found.missing) + found.more_owners, "owner")
        yield f"approval required from {number}: when they agree, {_how_to_approve(found.missing[0])}"


def _unsigned(found: SignatureCheck | None) -> Iterator[str]:
    if found and found.problem is not None:
        yield "; ".join(filter(None, (found.problem, found.hint)))
    elif found and found.unsigned:
        first = found.unsigned[0]
        yield unsigned_text(first.commit.id, first.signature, found.number)


def _over_limit(one: Excess) -> Problem:
    """Its code is the whole key of the limit, or of what is loosened."""
    code = one.rule if one.loosens else f"limits.{one.rule}"
    return Problem(RULES_PATH, 1, 1, code, excess_text(one).removeprefix(f"{code}: "), HOW_TO_OVERRIDE)


def _not_approved(owner: str) -> Problem:
    return Problem(OWNERS_PATH, 1, 1, "owner-approval", f"not approved by {quote(owner)}", _how_to_approve(owner))


def _how_to_approve(owner: str) -> str:
    return f"{_WITH_LINE} {APPROVAL}: {quote(owner)}"
