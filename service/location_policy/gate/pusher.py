"""Who pushes, as the server that git runs on knows them: what a forge says, else the user that git runs as."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping

NAMES = ("GL_USERNAME", "GITEA_PUSHER_NAME", "GL_USER", "REMOTE_USER")
"""Variables with the pusher's name, the first that is set counts: GitLab, Gitea and Forgejo, Gitolite, a web server."""


def pusher(environment: Mapping[str, str]) -> str:
    """The pusher's name."""
    return next((environment[name] for name in NAMES if environment.get(name)), None) or user_name(os.getuid())


def user_name(number: int) -> str:
    """The name of a user of this machine."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:  # a container runs as a number
        return f"uid {number}"
