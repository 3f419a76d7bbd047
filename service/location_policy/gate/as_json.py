"""A verdict for programs: what the API tells of a change."""

from __future__ import annotations

from ..plan.as_json import Fields
from ..repository.signing_policy import why
from .excerpt import Excerpt
from .verdict import OlderCommits, SignatureCheck


def verdict_fields(found: Excerpt) -> Fields:
    """All of it; at most 200 problems and as many warnings are listed, `errors` and `worse` count them.

    `old_warnings` counts those that were there before.
    """
    return {
        "accepted": found.accepted,
        "gained": found.gained,
        "dropped": found.dropped,
        "problems": [problem.fields() for problem in found.problems],
        "errors": found.errors,
        "warnings": [problem.fields() for problem in found.warnings],
        "worse": found.worse,
        "old_warnings": found.old_warnings,
        "counts": dict(found.counts),
        "is_cut": found.is_cut,
        "plan": found.plan,
        "returns_to": found.returns_to,
        "nearly": found.nearly,
        "limits": [{**one._asdict(), "loosens": one.loosens} for one in found.excess],
        "reason": found.reason,
        "owners": list(found.missing),
        "touched": list(found.unasked),
        "more_owners": found.more_owners,
        "signatures": found.signatures and _signature_fields(found.signatures),
        "older": found.older and _older_fields(found.older),
        "skipped": list(found.skipped),
    }


def _signature_fields(found: SignatureCheck) -> Fields:
    return {
        "problem": found.problem,
        "number": found.number,
        "unsigned": [
            {"commit": one.commit.id, "why": why(one.signature), "key": one.signature.key} for one in found.unsigned
        ],
        "signers": [{"name": one.name, "key": one.key} for one in found.signers],
    }


def _older_fields(older: OlderCommits) -> Fields:
    return {"looked_at": older.looked_at, "invalid": older.invalid, "left": older.left, "is_cut": older.is_cut}
