"""Are the commits that a branch gains signed as they must be, and by whom?"""

from __future__ import annotations

from collections.abc import Sequence

from ..config.commit import Signer
from ..errors import NotSigned
from ..repository.repository import Repository
from ..repository.signing_policy import SignatureRule, not_good
from .verdict import SignatureCheck, UnsignedCommit

NAMED = 10
"""Commits that are named; the rest is counted."""


def check_signatures(rule: SignatureRule, repository: Repository, commit_ids: Sequence[str]) -> SignatureCheck:
    """What is found of those that must be signed of the commits that a branch gains, oldest first."""
    judged = rule.judged(commit_ids)
    try:
        found = rule.read(repository, judged)
    except NotSigned as error:
        return SignatureCheck(error.message, error.hint)
    bad = not_good(found)
    unsigned = (UnsignedCommit(repository.commit(one), bad[one]) for one in list(bad)[:NAMED])
    signers = dict.fromkeys(Signer(one.signer, one.key) for commit_id, one in found.items() if commit_id not in bad)
    return SignatureCheck(None, None, len(bad), tuple(unsigned), tuple(signers), rule.keys.signers is not None)
