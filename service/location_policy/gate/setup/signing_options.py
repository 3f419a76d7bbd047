"""The options of signatures: the files of those who may sign, and what must be signed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class SigningOptions:
    """What is asked for of a repository: the files of those who may sign, and what must be signed."""

    allowed_signers: Path | None = None
    gpg_keyring: Path | None = None
    require: Literal["off", "tip", "all"] | None = None

    def config(self, section: str) -> dict[str, str]:
        """The settings of git that say so; those of which nothing is said are left out."""
        files = {"allowedSigners": self.allowed_signers, "gpgKeyring": self.gpg_keyring}
        wanted = {name: str(path.absolute()) for name, path in files.items() if path}
        wanted |= {"requireSignatures": self.require} if self.require else {}
        return {f"{section}.{name}": value for name, value in wanted.items()}
