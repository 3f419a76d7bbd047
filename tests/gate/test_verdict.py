"""Whether a push is taken follows from what was found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from location_policy.gate.effect import Base, Effect
from location_policy.gate.ref_updates import Update
from location_policy.gate.verdict import InvalidCommit, Move, SignatureCheck, Unjudged, Verdict
from location_policy.plan.affected_owners import AffectedOwner
from location_policy.plan.limits import Excess
from location_policy.plan.plan import EMPTY, make_plan
from location_policy.problems import Problem, Problems
from tests.support.maps import COMMIT

UPDATE = Update("1" * 40, "2" * 40, "refs/heads/main")
EFFECT = Effect(Base(None, EMPTY), make_plan(None, EMPTY))
GOOD = Move(UPDATE, gained=("2" * 40,), effect=EFFECT)
PROBLEM = Problem("locations.csv", 1, 1, "host-bits", "10.0.0.1/8 has host bits set")
LARGE = replace(GOOD, effect=replace(EFFECT, excess=(Excess("removed-subnets", "10%", "20%"),)))
OWNERS = (AffectedOwner("bob", ()),)


@pytest.mark.parametrize(
    ("move", "accepted"),
    [
        (GOOD, True),
        (Move(UPDATE, forbidden="deletion"), False),
        (Move(UPDATE, forbidden="rewind"), False),
        (replace(GOOD, invalid=(InvalidCommit(COMMIT, Problems((PROBLEM,))),)), False),
        (replace(GOOD, warnings=Problems((PROBLEM,))), True),
        (LARGE, False),
        (replace(LARGE, reason="we move out"), True),
        (replace(GOOD, unapproved=OWNERS), True),
        (replace(GOOD, needs_approval=True), True),
        (replace(GOOD, unapproved=OWNERS, needs_approval=True), False),
        (replace(GOOD, signatures=SignatureCheck()), True),
        (replace(GOOD, signatures=SignatureCheck(problem="gpg cannot be run")), False),
        (replace(GOOD, signatures=SignatureCheck(number=1)), False),
        (replace(GOOD, effect=None, skipped=("plan", "warnings")), True),
    ],
)
def test_a_move_is_accepted_where_nothing_is_against_it(move: Move, *, accepted: bool) -> None:
    assert move.accepted == accepted
    assert Verdict((UPDATE,), (GOOD, move)).accepted == accepted


def test_a_push_that_moves_no_served_branch_is_accepted_and_one_that_names_no_ref_is_not() -> None:
    assert Verdict((UPDATE,)).accepted
    assert not Verdict(()).accepted


def test_a_push_that_ends_without_a_look_is_refused() -> None:
    assert not Verdict((UPDATE,), (GOOD,), Unjudged("reserved", UPDATE, Path(), "refs/heads/main")).accepted
