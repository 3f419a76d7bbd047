"""Accept or refuse a push (githooks, "pre-receive").

What moves the served branch is judged, and so is a dry run, which only asks. Other branches are their owners' business,
but for the refs that the program writes itself. Nothing is written but a note on what is overridden.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from ..errors import RepositoryError
from ..repository.config import is_true
from ..repository.repository import Repository
from .judgement import Judge
from .messages import refusal_reasons
from .overrides import joined, record
from .push_log import Push
from .ref_updates import DRY_RUN, PIN, Update, stands_for, wrong_name
from .verdict import Move, Unjudged, Verdict

if TYPE_CHECKING:
    from .pin import Pin


def judge(
    updates: Sequence[Update],
    repository: Repository,
    options: Sequence[str] = (),
    is_late: Callable[[], bool] = lambda: False,
    pusher: str = "",
    begin: Callable[[Mapping[str, str]], None] | None = None,
) -> Verdict:
    """Whether these updates may be made, and what they do to the served branch.

    `options` are those that the pusher has given; once `is_late`, what could be left out is. The hook's `begin` is told
    our section of the git config, before anything that takes long, and its memory is spared. Without an update the push
    is refused: git always names one, so something has read standard input before, and nothing is known.
    Raises RepositoryError.
    """
    if not updates:
        return Verdict(())
    settings = repository.settings()
    if begin:
        begin(settings)
    served = repository.served_ref(settings)
    aliases = _aliases(updates, repository, served) if any(update.ref != served for update in updates) else {}
    judging = partial(
        Judge,
        repository,
        options,
        is_late,
        settings,
        branch=stands_for(served, aliases),
        pusher=pusher,
        allows_rewind=is_true(settings.get("allownonfastforward")),
        spares_memory=begin is not None,
    )
    return _judge_updates(updates, repository, served, aliases, judging)


def _judge_updates(
    updates: Sequence[Update],
    repository: Repository,
    served: str,
    aliases: Mapping[str, str],
    judging: Callable[[], Judge],
) -> Verdict:
    """The verdict on all of them, up to the first that is not taken."""
    branch = stands_for(served, aliases)
    moves: dict[Update, Move] = {}
    for update in updates:
        if unjudged := _unjudged(update, repository, served, aliases):
            return Verdict(tuple(updates), tuple(moves.values()), unjudged)
        meant = _meant(update, repository, served) if update.is_dry_run else update
        if meant in moves or stands_for(meant.ref, aliases) != branch:
            continue
        moves[meant] = judging().judge(meant)
        if not moves[meant].accepted:
            break
    is_taken = moves and all(move.accepted for move in moves.values())
    return Verdict(tuple(updates), tuple(moves.values()), pin=_pin(repository) if is_taken else None)


def _pin(repository: Repository) -> Pin | None:
    """What is held in force by hand, while the push waits."""
    if repository.named(PIN) is None:
        return None
    from .pin import pin_in_force  # most pushes find none

    return pin_in_force(repository, datetime.now(UTC))


def note_overrides(verdict: Verdict, repository: Repository, by: str, at: datetime) -> None:
    """Keep a note on each tip that is taken though it exceeds the limits; raises RepositoryError.

    Before its branch moves, and before the pusher is told anything: git ends with a pusher who leaves, and runs no
    post-receive then, though the branch has moved.
    """
    for move in verdict.moves:
        if move.overrides and move.reason and move.effect and move.update in verdict.updates:  # no dry run
            record(repository, move.update.new, joined(move.effect.excess, move.reason, by, at))


def judged_push(verdict: Verdict, repository: Repository, by: str, at: datetime) -> Push | None:
    """The record of a push that was judged; None where it is no business of ours, on other branches."""
    if verdict.accepted and not verdict.moves:
        return None
    if len(verdict.dry_runs) == len(verdict.updates):
        return Push(at, "dry-run", by, "", "")
    if verdict.accepted:
        return Push(at, "accepted", by, "", "")
    update = verdict.unjudged.update if verdict.unjudged else verdict.moves[-1].update
    commit = None
    with suppress(RepositoryError):  # it goes, or is none
        commit = repository.commit(update.new)
    told = (commit.author, commit.subject) if commit else ("", "")
    return Push(at, "refused", by, update.ref, update.new, *told, tuple(refusal_reasons(verdict)))


def failed_push(updates: Sequence[Update], by: str, reason: str, at: datetime) -> Push | None:
    """The record of a push that could not be judged, for this reason; None where it names no ref."""
    return Push(at, "failed", by, updates[0].ref, updates[0].new, reasons=(reason,)) if updates else None


def _aliases(updates: Sequence[Update], repository: Repository, served: str) -> Mapping[str, str]:
    """The refs that stand for another one; before the served one is born also those that would let it be born."""
    is_born = repository.tip(served) is not None
    return repository.symbolic_refs(() if is_born else (served, *(one.ref for one in updates if one.creates)))


def _unjudged(update: Update, repository: Repository, served: str, aliases: Mapping[str, str]) -> Unjudged | None:
    """Why the push is refused without a look at what this update moves, if it is."""
    why = wrong_name(update.ref, served)
    if why == "reserved" or (why and not update.deletes):  # the others may be cleared away
        return Unjudged(why, update, repository.directory, served)
    if not update.is_dry_run:
        return None
    if not repository.handles(DRY_RUN):
        return Unjudged("no-dry-runs", update, repository.directory, served)
    if stands_for(update.asked_ref, aliases) != stands_for(served, aliases):
        return Unjudged("not-served", update, repository.directory, served)
    return Unjudged("not-there", update, repository.directory, served) if update.deletes else None


def _meant(update: Update, repository: Repository, served: str) -> Update:
    """The update that a dry run asks about."""
    return Update(repository.tip(served) or "0" * len(update.new), update.new, served)
