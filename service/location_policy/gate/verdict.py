"""The record of a verdict on a push, facts alone: what each move of the branch gains and does, and what is against it.

`judgement` makes these records and `messages` makes lines of them. Whether a push is taken follows from the facts, so
no record can say one thing and hold another. They hold maps and plans: `excerpt` makes of them what can travel.

The small ones are tuples: making a frozen class takes 0.7 ms, for which every push would wait.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from ..config.commit import Commit, Signer
from ..plan.affected_owners import AffectedOwner
from ..problems import NO_PROBLEMS, Problems
from ..repository.signatures import Signature
from .effect import Effect
from .ref_updates import Update, WrongName

if TYPE_CHECKING:
    from .pin import Pin

Forbidden = Literal["deletion", "rewind"]
"""What may not be done to the served branch, even where every commit is valid."""
Extra = Literal["plan", "warnings"]
"""What is left out where time is short."""


class Dropped(NamedTuple):
    """The commits that a rewind takes from the branch: how many, and the newest few, newest first."""

    number: int
    newest: tuple[Commit, ...]


class InvalidCommit(NamedTuple):
    """A commit that cannot be served, and its errors: the first of those that no earlier commit of the push has."""

    commit: Commit
    errors: Problems


class OlderCommits(NamedTuple):
    """The commits below the tip of a new branch, or of a fetch: `looked_at`, of these `invalid`, and `left` for want of
    time.

    `is_cut`: there may be still older ones, which are not looked at.
    """

    looked_at: int
    invalid: int
    left: int
    is_cut: bool


class UnsignedCommit(NamedTuple):
    """A commit that is not signed by who may sign, and what git says of its signature."""

    commit: Commit
    signature: Signature


class SignatureCheck(NamedTuple):
    """What is found of the signatures that are asked for; `problem`, with a `hint`: why nothing can be.

    `number` commits are not signed by who may sign, of which `unsigned` are the first few; `signers` are those who have
    signed the others, each key once. `takes_ssh`: keys of SSH are listed, else those of OpenPGP.
    """

    problem: str | None = None
    hint: str | None = None
    number: int = 0
    unsigned: tuple[UnsignedCommit, ...] = ()
    signers: tuple[Signer, ...] = ()
    takes_ssh: bool = False

    @property
    def accepted(self) -> bool:
        """Is every commit signed that must be?"""
        return self.problem is None and not self.number


@dataclass(frozen=True, slots=True)
class Move:
    """The verdict on one move of the served branch; of one that is `forbidden` no more is known.

    `gained` are ids, oldest first, the tip last; of a new branch it is the tip alone. `effect` is None where the tip is
    not valid, or its plan was `skipped`. `warnings` of the tip, `reason` and `unapproved` are found out where every
    commit is valid: `warnings` are those that were not there before, `old_warnings` the others; `reason` is why it may
    exceed its limits, None where none is given; `unapproved` are the owners who have not given their word, and with
    `needs_approval` it is not taken without. `signatures` is None where none are asked for, `older` for a push
    of a branch that is not new, a fetch of one that is, and what is refused.
    """

    update: Update
    forbidden: Forbidden | None = None
    gained: tuple[str, ...] = ()
    dropped: Dropped | None = None
    invalid: tuple[InvalidCommit, ...] = ()
    effect: Effect | None = None
    warnings: Problems = NO_PROBLEMS
    old_warnings: Problems = NO_PROBLEMS
    reason: str | None = None
    unapproved: tuple[AffectedOwner, ...] = ()
    needs_approval: bool = False
    signatures: SignatureCheck | None = None
    older: OlderCommits | None = None
    skipped: tuple[Extra, ...] = ()

    @property
    def branch(self) -> str:
        """The name of the branch; it comes from outside."""
        return self.update.ref.removeprefix("refs/heads/")

    @property
    def is_too_large(self) -> bool:
        """Does it exceed a limit, and the pusher gives no reason?"""
        return bool(self.effect and self.effect.excess) and self.reason is None

    @property
    def overrides(self) -> bool:
        """Does it exceed a limit, and its pusher says why?"""
        return bool(self.effect and self.effect.excess) and self.reason is not None

    @property
    def lacks_approval(self) -> bool:
        """Is the word of an owner missing without whom it is not taken?"""
        return self.needs_approval and bool(self.unapproved)

    @property
    def accepted(self) -> bool:
        """May the branch move so?"""
        is_signed = self.signatures is None or self.signatures.accepted
        return is_signed and not (self.forbidden or self.invalid or self.is_too_large or self.lacks_approval)


class Unjudged(NamedTuple):
    """An update for which a push is refused without a look at commits.

    The ref has a wrong name, or it is about dry runs: the repository does not take them, the branch that is meant is
    not the `served` one, or there is no ref to delete.
    """

    why: WrongName | Literal["no-dry-runs", "not-served", "not-there"]
    update: Update
    directory: Path
    """That of the repository."""
    served: str
    """The served ref."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict on a push of these `updates`: on each move of the served branch, up to the first that is refused.

    `unjudged` is the update at which it ends, if it ends without a look. A push that names no ref is refused. `pin`
    holds another commit in force, so that what is taken waits.
    """

    updates: tuple[Update, ...]
    moves: tuple[Move, ...] = ()
    unjudged: Unjudged | None = None
    pin: Pin | None = None

    @property
    def accepted(self) -> bool:
        """May all of it be made?"""
        return bool(self.updates) and self.unjudged is None and all(move.accepted for move in self.moves)

    @property
    def dry_runs(self) -> tuple[Update, ...]:
        """The updates that only ask."""
        return tuple(update for update in self.updates if update.is_dry_run)
