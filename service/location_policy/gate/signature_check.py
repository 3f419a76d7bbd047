"""What a pusher is told about signatures: who has signed, or what to type so that somebody has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ..errors import NotSigned
from ..problems import count, escape
from ..repository.repository import Repository
from ..repository.signatures import Signature
from ..repository.signing_policy import SignatureRule, not_good, why
from .messages import tell_commit

SHOWN = 10
"""Commits and signers that are named; the rest is counted."""


class SignedPush(NamedTuple):
    """Whether the commits that a branch gains are signed as they must be, and what their pusher is told."""

    accepted: bool
    lines: tuple[str, ...] = ()


def judge_signatures(
    rule: SignatureRule, repository: Repository, name: str, commit_ids: Sequence[str], base: str
) -> SignedPush:
    """The commits that the branch `name` gains on top of `base`, oldest first."""
    judged = rule.judged(commit_ids)
    if not judged:
        return SignedPush(accepted=True)
    try:
        found = rule.read(repository, judged)
    except NotSigned as error:
        hints = (f"  hint: {escape(hint)}" for hint in [error.hint] if hint)
        return SignedPush(False, (f"{name} is refused: signatures cannot be judged", escape(error.message), *hints))
    if unsigned := not_good(found):
        head = f"{name} is refused: {count(len(unsigned), 'commit')} not signed by who may sign"
        tip_only = list(unsigned) == [commit_ids[-1]]
        commits = _tell_commits(repository, unsigned)
        return SignedPush(False, (head, "", *commits, "", *_how_to_sign(rule, tip_only, base)))
    return SignedPush(True, tuple(_tell_signers(found)))


def _tell_commits(repository: Repository, unsigned: Mapping[str, Signature]) -> Iterator[str]:
    for commit_id, signature in list(unsigned.items())[:SHOWN]:
        yield f"commit {tell_commit(repository.commit(commit_id))}"
        yield f"  {why(signature)}"
        if signature.key:
            yield f"  {escape(signature.key)}"
    if len(unsigned) > SHOWN:
        yield f"… and {len(unsigned) - SHOWN:,} more"


def _tell_signers(found: Mapping[str, Signature]) -> Iterator[str]:
    signers = dict.fromkeys((signature.signer, signature.key) for signature in found.values())
    for signer, key in list(signers)[:SHOWN]:
        yield f"signed by {escape(signer)}"
        yield f"  {escape(key)}"
    if len(signers) > SHOWN:
        yield f"… and {len(signers) - SHOWN:,} more"


def _how_to_sign(rule: SignatureRule, tip_only: bool, base: str) -> Iterator[str]:
    yield "to mend it: sign with a key that is listed"
    if rule.keys.signers:
        yield "  git config gpg.format ssh"
        yield "  git config user.signingKey ~/.ssh/id_ed25519.pub"
    else:
        yield "  git config gpg.format openpgp"
        yield "  git config user.signingKey you@example.com"
    if tip_only:
        yield "  git commit -S --amend --no-edit"
    else:
        yield f"  git rebase --force-rebase --rebase-merges -S {base}"
    yield "and push again; who keeps the list can add a key to it"
