"""What a remote answers when it is asked for its tip: a service like this one says what it has in force, others do not.

It comes from outside: what is no commit, no name of a branch or no id is not taken, and keys that are not known are
passed over.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any

from ...integrations.http_client import Reply
from ...repository.remote.failures import RemoteError
from ...repository.remote.upstream import ServiceTip
from ...text import escape, shorten

LARGEST = 64 * 1024
"""Bytes of an answer."""
LONGEST_REST = 60.0
"""Seconds that a service may ask for."""
SHOWN = 300
"""Characters that are repeated of what it says."""

LONGEST_VERSION = 64
"""Characters of its version."""

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_SERVICE = re.compile(r"[0-9a-f]{16}")
_BRANCH = re.compile(
    r"(?!.*(?://|\.\.|@\{|\.lock(?:/|$)|[/.]$|/\.))[^\s/.\-~^:?*\[\\\x00-\x20\x7f][^\s~^:?*\[\\\x00-\x20\x7f]{0,199}"
)
"""Names that git takes for a branch, and no others (git-check-ref-format)."""


class NoService(Exception):
    """What has answered is no service like this one, so far as one answer tells: `answer` is what it was."""

    def __init__(self, answer: str) -> None:
        super().__init__(answer)
        self.answer = answer


class NotTold(RemoteError):
    """No tip is told; `is_service`: by one that is a service, as its answer shows.

    It is not to be asked for so many seconds.
    """

    def __init__(
        self, message: str, hint: str | None = None, *, is_service: bool = False, retry_after: float = 0.0
    ) -> None:
        super().__init__("upstream", message, hint)
        self.is_service = is_service
        self.retry_after = retry_after


def read_tip(url: str, reply: Reply) -> ServiceTip | None:
    """What it has in force; None: what it had before. Raises NoService, and NotTold."""
    if reply.status == 304:
        return None
    said = escape(shorten(reply.body.decode(errors="replace").strip().partition("\n")[0], SHOWN))
    if reply.status == 409:
        message, hint = f"{url} lets no service follow itself: {said}", "see --repo of each"
        raise NotTold(message, hint, is_service=True)
    if reply.status >= 500 or reply.status == 429:
        rest = 0.0
        with suppress(ValueError):
            rest = min(max(0.0, float(reply.retry_after)), LONGEST_REST)
        message = f"{url} does not say which commit is active: {reply.status} {said}".rstrip()
        is_ours = reply.status == 503 and rest > 0 and _kind(reply) in ("text/plain", "application/json")
        raise NotTold(message, is_service=is_ours, retry_after=rest)
    if reply.status != 200:
        raise NoService(str(reply.status))
    found = _parsed(reply)
    if found["commit"] is None:
        raise NotTold(f"{url} has no active commit yet", is_service=True)
    branch, commit_id, service = (found.get(key) for key in ("branch", "commit", "service"))
    if not isinstance(commit_id, str) or not _COMMIT.fullmatch(commit_id):
        raise NotTold(f"{url} tells of a commit whose id is none", is_service=True)
    if not isinstance(branch, str) or not _BRANCH.fullmatch(branch):
        raise NotTold(f"{url} tells of a branch whose name git does not take", is_service=True)
    service = service if isinstance(service, str) and _SERVICE.fullmatch(service) else ""
    return ServiceTip(branch, commit_id, service, escape(shorten(str(found.get("version", "")), LONGEST_VERSION)))


def _parsed(reply: Reply) -> dict[str, Any]:
    """Raises NoService for all but a JSON object that has the key of a commit."""
    if _kind(reply) != "application/json":
        raise NoService(f"200 with {escape(shorten(_kind(reply), SHOWN)) or 'no type'}")
    with suppress(ValueError, RecursionError):
        found = json.loads(reply.body)
        if isinstance(found, dict) and "commit" in found:
            return found
    raise NoService("200 with JSON of another kind")


def _kind(reply: Reply) -> str:
    return reply.content_type.partition(";")[0].strip().lower()
