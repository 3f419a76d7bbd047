"""Who has signed commits, for those who look at a repository."""

from __future__ import annotations

import sys

from ...repository.repository import Repository
from ...repository.signing_policy import SignatureRule, signature_rule
from ...text import escape


def signers_of(repository: Repository) -> SignatureRule:
    """What tells who has signed; where nothing can, standard error says so."""
    rule = signature_rule(repository.settings(), repository.directory)
    if rule.problem:
        print(f"location-policy: who has signed is not known: {escape(rule.problem.message)}", file=sys.stderr)
    return rule
