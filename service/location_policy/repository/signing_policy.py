"""Who may sign, and what must be signed: the rule in a repository's git config, for hook and service alike.

    [location-policy]
        requireSignatures = tip                                  # or all; without it nothing must be signed
        allowedSigners = /etc/location-policy/allowed_signers    # keys of SSH (ssh-keygen, "ALLOWED SIGNERS")
        revokedSigners = /etc/location-policy/revoked_keys       # of those, if any (ssh-keygen, "KEY REVOCATION LISTS")
        gpgKeyring = /etc/location-policy/keyring.asc            # public keys of OpenPGP, as gpg --export writes them

What is misspelt, missing or cannot be read lets nothing pass. A commit does not prove who has made it: its author
is a line of text. What counts is whose key has signed.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from os.path import realpath
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from ..config.commit import Commit, Signer
from ..errors import NotSigned
from ..spelling import nearest
from .config import SECTION
from .repository import Repository
from .signatures import GOOD, NONE, Keys, Signature, keyring_bytes

Scope = Literal["off", "tip", "all"]
"""What must be signed: nothing, what a push ends in, every commit that the branch gains."""

REQUIRE = "requireSignatures"
FILES = {"allowedSigners": "ssh-keygen", "revokedSigners": "ssh-keygen", "gpgKeyring": "gpg"}
"""The settings that name a file, and the program that needs it."""

_NO = ("false", "no", "off", "0", "")
_OTHERS = ("branch", "allownonfastforward", "id", "follower", "judgeseconds", "pusher")
"""Settings of our section that have nothing to do with signatures."""

NO_KEYS = Keys()

_WHY = {
    "N": "it is not signed",
    "U": "its key is not listed, or not for this date",
    "E": "its key is not listed",
    "B": "its signature is not good, or its key is revoked",
    "X": "its signature has expired",
    "Y": "its key has expired",
    "R": "its key is revoked",
}


class SignatureRule(NamedTuple):
    """What must be signed, with which keys; `problem`: why it cannot be judged."""

    scope: Scope = "off"
    keys: Keys = NO_KEYS
    problem: NotSigned | None = None

    def judged(self, commit_ids: Sequence[str]) -> Sequence[str]:
        """Those of the commits that a branch gains, oldest first, that must be signed."""
        return {"off": [], "tip": commit_ids[-1:], "all": commit_ids}[self.scope]

    def read(self, repository: Repository, commit_ids: Sequence[str]) -> Mapping[str, Signature]:
        """The signatures of these commits; raises NotSigned where they cannot be judged."""
        if self.problem:
            raise self.problem
        found = repository.signatures(commit_ids, self.keys)
        return {commit_id: found.get(commit_id, NONE) for commit_id in commit_ids}

    def require(self, repository: Repository, commit_ids: Sequence[str]) -> None:
        """Raises NotSigned unless these commits, gained by a branch, oldest first, may be taken."""
        judged = self.judged(commit_ids)
        if judged and (unsigned := not_good(self.read(repository, judged))):
            raise NotSigned(unsigned_text(*next(iter(unsigned.items())), len(unsigned)))

    def with_signers(self, repository: Repository, commits: Iterable[Commit]) -> list[Commit]:
        """The same commits, and who has signed them; no signer where that cannot be judged."""
        commits = list(commits)
        if self.problem or self.keys == NO_KEYS:
            return commits
        found = self.read(repository, [commit.id for commit in commits])
        return [replace(commit, signer=_signer(found[commit.id])) for commit in commits]

    def stamp(self) -> object:
        """Something that differs once a commit may be judged otherwise: its rule, the files, the programs."""
        files = [path and _identity(path) for path in self.keys]
        return self.scope, self.keys, self.problem and self.problem.message, files


def signature_rule(settings: Mapping[str, str], directory: Path) -> SignatureRule:
    """The rule in our section of the git config of the repository in this directory."""
    names = {name.lower(): name for name in (REQUIRE, *FILES)}
    misspelt = _misspelt(settings, names)
    if not misspelt and not names.keys() & settings.keys():
        return SignatureRule()
    required = settings.get(REQUIRE.lower(), "tip" if REQUIRE in misspelt.values() else "").lower()
    scope: Scope = "off" if required in _NO else "all" if required == "all" else "tip"
    paths = {name: Path(settings[name.lower()]) for name in FILES if settings.get(name.lower())}
    keys = Keys(*(paths.get(name) for name in FILES))
    problem = _wrong_name(misspelt) or _wrong_scope(required) or _no_keys(scope, keys)
    problem = problem or next(filter(None, (_unusable(name, path, directory) for name, path in paths.items())), None)
    return SignatureRule(scope, keys, problem)


def not_good(found: Mapping[str, Signature]) -> dict[str, Signature]:
    """The commits without a good signature by a listed key."""
    return {commit_id: signature for commit_id, signature in found.items() if signature.letter != GOOD}


def why(signature: Signature) -> str:
    """Why a commit with this signature is not taken."""
    return _WHY.get(signature.letter, "its signature cannot be judged")


def unsigned_text(commit_id: str, signature: Signature, number: int) -> str:
    """That so many commits are not taken, this one the first of them, and why it is not."""
    reason = ": ".join(filter(None, (why(signature), signature.key)))
    more = f"; and {number - 1:,} more" if number > 1 else ""
    return f"{commit_id[:10]} is not signed by an allowed signer: {reason}{more}"


def _signer(signature: Signature) -> Signer | None:
    return Signer(signature.signer, signature.key) if signature.letter == GOOD else None


def _misspelt(settings: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    """Settings that are none but nearly one of ours, and which: the administrator who wrote them thinks they hold."""
    others = settings.keys() - names.keys() - set(_OTHERS)
    return {key: names[meant] for key in others if (meant := nearest(key, names.keys()))}


def _wrong_name(misspelt: Mapping[str, str]) -> NotSigned | None:
    for key, meant in misspelt.items():
        hint = f"git config --unset {SECTION}.{key}; is {SECTION}.{meant} meant?"
        return NotSigned(f"{SECTION}.{key} is not a setting", hint)
    return None


def _wrong_scope(required: str) -> NotSigned | None:
    if required in (*_NO, *get_args(Scope)):
        return None
    return NotSigned(f"{SECTION}.{REQUIRE} is {required!r}, not tip or all", f"git config {SECTION}.{REQUIRE} tip")


def _no_keys(scope: Scope, keys: Keys) -> NotSigned | None:
    if scope == "off" or keys.signers or keys.keyring:
        return None
    hint = f"git config {SECTION}.allowedSigners /etc/location-policy/allowed_signers"
    return NotSigned(f"{SECTION}.{REQUIRE} is {scope}, but no signers are listed", hint)


def _unusable(name: str, path: Path, directory: Path) -> NotSigned | None:
    """Why a file cannot be used: users who may change the repository must not be able to change it too."""
    setting, program = f"{SECTION}.{name}", FILES[name]
    if not path.is_absolute():
        return NotSigned(f"{setting} is {path}, not an absolute path", f"git config {setting} /etc/location-policy/…")
    place = Path(realpath(directory))
    if Path(realpath(path)).is_relative_to(place.parent if place.name == ".git" else place):
        return NotSigned(f"{setting} names a file inside the repository that it judges", "keep it elsewhere")
    try:
        content = path.read_bytes()
    except OSError as error:
        return NotSigned(f"{path} cannot be read: {error.strerror}", f"{setting} names it")
    if program == "gpg" and not keyring_bytes(content):
        return NotSigned(f"{path} has no public key of OpenPGP", f"gpg --armor --export NAME >{path}")
    if shutil.which(program) is None:
        return NotSigned(f"{program} cannot be run", f"install it, since {setting} needs it")
    return None


def _identity(path: Path) -> object:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
