"""Who pushes, as the server that git runs on knows them: what a forge says, else the user that git runs as."""

from __future__ import annotations

import os
from collections.abc import Mapping

from ..runtime.users import user_name

NAMES = ("GL_USERNAME", "GITEA_PUSHER_NAME", "GL_USER", "REMOTE_USER")
"""Variables with the pusher's name, the first that is set counts: GitLab, Gitea and Forgejo, Gitolite, a web server."""


def pusher(environment: Mapping[str, str]) -> str:
    """The pusher's name."""
    return next((environment[name] for name in NAMES if environment.get(name)), None) or user_name(os.getuid())
