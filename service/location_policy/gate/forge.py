"""The environment in which a forge runs a hook, and what that server wants of it.

GitLab shows on its pages only lines with its prefix (docs.gitlab.com, "Git server hooks"); a terminal shows every line,
so there the prefix would only be in the way. GitHub Enterprise Server gives all hooks of a push five seconds together
(docs.github.com, "Enforcing policy with pre-receive hooks"), after which it refuses the push. Gitea and Forgejo make a
pull request of a push to `refs/for/` (docs.gitea.com, "AGit setup"), so there it is no dry run of ours.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

GITLAB_PREFIX = "GL-HOOK-ERR: "
TERMINALS = ("http", "ssh")
"""Values of GL_PROTOCOL for a push by git; all else is done on a page."""

GITHUB_SECONDS = 3.0
"""What we take of the five: other hooks want their share, and a slow disk too."""
EXTRA_SHARE = 0.5
"""Of the time, after which no extra is begun: an extra costs less than what is done before it, which must be done."""


@dataclass(frozen=True, slots=True)
class HookEnvironment:
    """How the pusher is told, until when what could be left out may be begun, and what becomes of `refs/for/`."""

    prefix: str = ""
    extras_until: float = math.inf
    makes_pull_requests: bool = False

    def is_late(self) -> bool:
        """Is there no time left for what could be left out?"""
        return time.monotonic() >= self.extras_until

    def refusal(self, lines: Sequence[str]) -> Iterator[str]:
        """The lines of a refusal, so that the server shows them."""
        for text in lines:
            yield from (f"{self.prefix}{line}" if line else line for line in text.split("\n"))


def hook_environment_of(environment: Mapping[str, str]) -> HookEnvironment:
    """The environment of the server that runs the hook; its clock begins now."""
    if "GITHUB_USER_LOGIN" in environment:
        return HookEnvironment(extras_until=time.monotonic() + GITHUB_SECONDS * EXTRA_SHARE)
    if "GITEA_PUSHER_NAME" in environment:
        return HookEnvironment(makes_pull_requests=True)
    is_gitlab = "GL_ID" in environment and "GL_USER" not in environment  # the second is Gitolite's
    if is_gitlab and environment.get("GL_PROTOCOL") not in TERMINALS:
        return HookEnvironment(GITLAB_PREFIX)
    return HookEnvironment()
