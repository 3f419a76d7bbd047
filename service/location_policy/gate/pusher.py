"""Who pushes, as the server that git runs on knows them: the user that git runs as, or a name that this server gives.

A client of ssh may set variables too (sshd_config, "AcceptEnv"), so one counts only where the repository's config names
it, as `init` lets it, or the hook of the server does:

    [location-policy]
        pusher = GL_USER

Without that REMOTE_USER counts (RFC 3875, 4.1.11) where it can only be of a web server: git runs as the owner of the
repository, and not below sshd, which always sets SSH_CONNECTION.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ..errors import RepositoryError
from ..repository.config import SECTION
from ..repository.repository import Repository
from ..runtime.users import user_name

NAMES = ("GL_USERNAME", "GITEA_PUSHER_NAME", "GL_USER", "REMOTE_USER")
"""Variables with the pusher's name: of GitLab, Gitea and Forgejo, Gitolite, a web server."""
SETTING = f"{SECTION}.pusher"


def pusher(environment: Mapping[str, str], repository: Repository, named: str | None = None) -> str:
    """The pusher's name; `named` is the variable that the server's hook names. Raises RepositoryError for no such."""
    variable = named or repository.settings().get("pusher") or _by_itself(environment, repository.directory)
    if variable not in (None, *NAMES):
        raise RepositoryError(
            f"{SETTING} is {variable}, not one of {', '.join(NAMES)}", f"git config {SETTING} GL_USER"
        )
    return (variable and environment.get(variable)) or user_name(os.getuid())


def _by_itself(environment: Mapping[str, str], directory: Path) -> str | None:
    is_owner = directory.stat().st_uid == os.getuid()
    return "REMOTE_USER" if is_owner and "SSH_CONNECTION" not in environment else None


def server_variable(hooks: Path) -> str | None:
    """The variable that the server sets whose own hooks stand in this folder, as far as they can be known."""
    if (hooks / "pre-receive.d" / "gitea").exists():  # that of Forgejo too
        return "GITEA_PUSHER_NAME"
    if "gitolite" in os.path.realpath(hooks / "update"):
        return "GL_USER"
    return None
