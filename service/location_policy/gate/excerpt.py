"""What a verdict says of one move of the served branch, without a map in it: small for a large map too, to be pickled.

Lists are cut to their first entries, and what is cut is counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..plan.as_json import Fields, plan_excerpt
from ..plan.limits import Excess
from ..problems import Problems, joined
from ..text import fitting
from .verdict import Extra, Move, OlderCommits, SignatureCheck

SHOWN_OWNERS = 200
"""Owners that are named; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What a verdict says. `plan` is as `plan_excerpt` gives it, and None where the tip is not valid, or for want of
    time.

    `problems`, the first of `errors`, keep it from being served; one that stands in several commits is told once. Of
    the `warnings` of the tip, only those that were not there before: the first of `worse`; the others are counted by
    `old_warnings`. `counts` says how many there
    are of each code, and with `is_cut` there are at least so many. `excess` are the limits that it exceeds and `reason`
    is why it may, None where none is given. `missing` are owners who have not given their word and must, `unasked`
    those who need not; of either `more_owners` are not listed. `gained` and `dropped` count commits; `returns_to` and
    `nearly` are ids, and mean what they mean in an `Effect`. The rest is as in a `Move`.
    """

    accepted: bool
    gained: int
    dropped: int
    problems: Problems
    errors: int
    warnings: Problems
    worse: int
    old_warnings: int
    counts: Mapping[str, int]
    is_cut: bool
    plan: Fields | None
    returns_to: str | None
    nearly: str | None
    excess: tuple[Excess, ...]
    reason: str | None
    missing: tuple[str, ...]
    unasked: tuple[str, ...]
    more_owners: int
    signatures: SignatureCheck | None
    older: OlderCommits | None
    skipped: tuple[Extra, ...]


def excerpt(move: Move) -> Excerpt:
    """What is told of a move."""
    errors = joined(one.errors for one in move.invalid)
    both = joined((errors, move.warnings))
    effect, owners = move.effect, [one.owner for one in move.unapproved]
    shown = tuple(fitting(owners, SHOWN_OWNERS))
    return Excerpt(
        accepted=move.accepted,
        gained=len(move.gained),
        dropped=move.dropped.number if move.dropped else 0,
        problems=errors.first(),
        errors=errors.total,
        warnings=move.warnings.first(),
        worse=move.warnings.total,
        old_warnings=move.old_warnings.total,
        counts=both.by_code(),
        is_cut=both.is_cut,
        plan=plan_excerpt(effect.plan) if effect else None,
        returns_to=effect.returns_to.id if effect and effect.returns_to else None,
        nearly=effect.nearly.id if effect and effect.nearly else None,
        excess=effect.excess if effect else (),
        reason=move.reason,
        missing=shown if move.needs_approval else (),
        unasked=() if move.needs_approval else shown,
        more_owners=len(owners) - len(shown),
        signatures=move.signatures,
        older=move.older,
        skipped=move.skipped,
    )
