"""Who has signed commits (git-log, "%G?"), by the keys of our files and by no others.

One git judges many commits. It starts ssh-keygen or gpg for each signature; a commit that has none costs nothing. The
keyring is read from a home of gpg's own that is made for the moment: with that of a person, gpg wants to own it, writes
into it, and asks whom it trusts. Certificates of X.509 are not taken.
"""

from __future__ import annotations

import re
import tempfile
from binascii import Error, a2b_base64
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from os import devnull
from pathlib import Path
from typing import NamedTuple

from .git import Git, GitFailed, config_variables

GOOD = "G"
"""git's letter for a signature that is good, by a key that is listed; every other letter is no."""
BATCH = 100
"""Commits that one git judges, at some 15 ms each."""

_FORMAT = "%H %G? %GF %GK %GS"
_ARMOUR = rb"^-----BEGIN PGP PUBLIC KEY BLOCK-----\n(?:[^\n]+\n)*\n((?:[^=\n-][^\n]*\n)+)"
_GPG_CONF = "trust-model always\nlock-never\nno-auto-check-trustdb\nno-auto-key-retrieve\n"
"""A key is trusted because it is in the keyring."""
_NOWHERE = "/nonexistent"
_DIED = 128
"""The status of git where it cannot go on (git, usage.c)."""


class Keys(NamedTuple):
    """The files of the keys that count: those of SSH, those of them that were revoked, those of OpenPGP."""

    signers: Path | None = None
    revoked: Path | None = None
    keyring: Path | None = None


class Signature(NamedTuple):
    """What git says of a signature: its letter, the key as far as it is known, and whose key it is."""

    letter: str
    key: str
    signer: str


NONE = Signature("N", "", "")


def read_signatures(git: Git, commit_ids: Sequence[str], keys: Keys) -> dict[str, Signature]:
    """The signature of each of these commits."""
    found: dict[str, Signature] = {}
    with _gpg_home(keys.keyring) as home:
        environment = _environment(keys, home)
        for start in range(0, len(commit_ids), BATCH):
            found |= _read_batch(git, commit_ids[start : start + BATCH], environment)
    return found


def _read_batch(git: Git, commit_ids: Sequence[str], environment: Mapping[str, str]) -> dict[str, Signature]:
    """The same of some; where git dies, of what begins as no signature does, halves are judged, and that one is bad."""
    ids = "".join(f"{commit_id}\n" for commit_id in commit_ids)
    # not rev-list: that of git 2.39 does not read where the signers are; not %GT: without a signature it dies
    arguments = ("--no-walk=unsorted", "--no-show-signature", "--encoding=UTF-8", f"--format={_FORMAT}")
    try:
        lines = git.run("log", *arguments, "--stdin", stdin=ids.encode(), environment=environment)
    except GitFailed as error:
        if error.status != _DIED:
            raise
        if len(commit_ids) == 1:
            return {commit_ids[0]: Signature("B", "", "")}
        middle = len(commit_ids) // 2
        halves = commit_ids[:middle], commit_ids[middle:]
        return _read_batch(git, halves[0], environment) | _read_batch(git, halves[1], environment)
    return dict(map(_parse, lines.decode(errors="replace").split("\n")[:-1]))


def keyring_bytes(content: bytes) -> bytes:
    """Public keys as gpg reads them from a file, without their armour; empty where there is none."""
    try:
        blocks = b"".join(a2b_base64(block) for block in re.findall(_ARMOUR, content.replace(b"\r", b""), re.MULTILINE))
    except Error:
        return b""
    return blocks or (content if content[:1] >= b"\x80" else b"")


def _parse(line: str) -> tuple[str, Signature]:
    commit_id, letter, fingerprint, key, signer = line.split(" ", 4)
    return commit_id, Signature(letter, fingerprint or key, signer)


@contextmanager
def _gpg_home(keyring: Path | None) -> Iterator[str]:
    if keyring is None:
        yield _NOWHERE
        return
    with tempfile.TemporaryDirectory(prefix="location-policy-") as folder:
        Path(folder, "pubring.gpg").write_bytes(keyring_bytes(keyring.read_bytes()))
        Path(folder, "gpg.conf").write_text(_GPG_CONF)
        yield folder


def _environment(keys: Keys, home: str) -> Mapping[str, str]:
    """That of git: what the repository's config says of these things does not count."""
    config = {
        "gpg.ssh.allowedSignersFile": str(keys.signers or devnull),
        "gpg.ssh.program": "ssh-keygen",
        "gpg.openpgp.program": "gpg",
        "gpg.x509.program": "false",
        **({"gpg.ssh.revocationFile": str(keys.revoked)} if keys.revoked else {}),
    }
    return {"GNUPGHOME": home, **config_variables(config)}
