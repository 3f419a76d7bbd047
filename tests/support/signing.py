"""Keys of SSH and GPG, made for the tests, and commits that are signed with them."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.repositories import Clone, Files, git

needs_ssh = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")
needs_gpg = pytest.mark.skipif(shutil.which("gpg") is None, reason="gpg is not installed")

Environment = dict[str, str]


@dataclass(frozen=True)
class SshKey:
    """A key of SSH without a passphrase, and whose it is."""

    name: str
    path: Path

    @property
    def public(self) -> str:
        """Type and key, as a file of signers has them."""
        return " ".join(self.path.with_suffix(".pub").read_text().split()[:2])

    @property
    def fingerprint(self) -> str:
        """As git tells it."""
        done = subprocess.run(["ssh-keygen", "-l", "-f", self.path], capture_output=True, text=True, check=True)
        return done.stdout.split()[1]

    def line(self, options: str = 'namespaces="git"') -> str:
        """Its line in a file of signers."""
        return f"{self.name} {options} {self.public}\n"

    @property
    def signs(self) -> Environment:
        """What makes git sign with it."""
        return settings({"gpg.format": "ssh", "user.signingKey": f"{self.path}.pub"})


@dataclass(frozen=True)
class GpgKey:
    """A key of GPG in a home of its own."""

    name: str
    home: Path

    def run(self, *arguments: str | Path, stdin: bytes = b"") -> bytes:
        """What gpg prints."""
        command = ["gpg", "--homedir", str(self.home), "--batch", "--quiet", "--yes", *arguments]
        return subprocess.run(command, input=stdin, capture_output=True, check=True).stdout

    @property
    def fingerprint(self) -> str:
        """As git tells it."""
        lines = self.run("--list-keys", "--with-colons").decode().splitlines()
        return next(line.split(":")[9] for line in lines if line.startswith("fpr:"))

    @property
    def signs(self) -> Environment:
        """What makes git sign with it."""
        return {**settings({"gpg.format": "openpgp", "user.signingKey": self.name}), "GNUPGHOME": str(self.home)}


def settings(config: dict[str, str]) -> Environment:
    """An environment that adds these settings of git, and lets it sign every commit."""
    found = {"GIT_CONFIG_COUNT": str(len(config) + 1)}
    for number, (key, value) in enumerate({"commit.gpgSign": "true", **config}.items()):
        found |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return found


def make_ssh_key(folder: Path, name: str, *options: str) -> SshKey:
    """A new key."""
    path = folder / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path, *options], check=True)
    return SshKey(f"{name}@example.com", path)


@contextmanager
def gpg_key(name: str) -> Iterator[GpgKey]:
    """A new key in a new home, whose path is short: a socket's name has 108 bytes at the most."""
    with tempfile.TemporaryDirectory(prefix="gpg") as folder:
        key = GpgKey(f"{name}@example.com", Path(folder))
        try:
            key.run("--passphrase", "", "--quick-gen-key", f"{name.title()} <{key.name}>", "ed25519", "sign", "never")
            yield key
        finally:
            subprocess.run(["gpgconf", "--homedir", folder, "--kill", "gpg-agent"], check=True)


def commit_signed(clone: Clone, key: SshKey | GpgKey, files: Files, message: str = "Change the map") -> str:
    """The id of a new commit that is signed with this key."""
    return clone.commit(files, message, **key.signs)


def force_signed(repository: Path, key: SshKey | GpgKey, ref: str = "refs/heads/main") -> str:
    """Sign what a ref points at anew, round the hook."""
    old = git("rev-parse", ref, cwd=repository)
    parents = [f"-p{parent}" for parent in git("rev-parse", f"{ref}^@", cwd=repository).split()]
    commit = git("commit-tree", "-S", f"{old}^{{tree}}", *parents, "-m", "Signed", cwd=repository, **key.signs)
    git("update-ref", ref, commit, cwd=repository)
    return commit


def require(repository: Path, scope: str, **files: Path | str) -> None:
    """Put the rule into a repository's config."""
    for key, value in {"requireSignatures": scope, **files}.items():
        git("config", f"location-policy.{key}", str(value), cwd=repository)
