"""The status of a commit on a forge: whether the service has put it in force, or refused it.

What is asked is in the forges' documentation: "REST API endpoints for commit statuses" (GitHub; Gitea and Forgejo have
the same below `/api/v1`), "Set commit pipeline status" (GitLab).
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple
from urllib.parse import quote, unquote, urlsplit

from ...errors import LocationPolicyError, NoAnswer
from ...text import shorten
from ..http_client import PORTS, Origin, Question, ask
from ..notify.delivery import NotDelivered, read_reply
from ..notify.event import Event, Kind
from ..server_url import is_this_machine
from .token_header import token_header

Forge = Literal["github", "gitlab", "gitea", "forgejo"]

CONTEXT = "location-policy"
"""The name of the status: a later one of the same name takes its place."""
TOLD: tuple[Kind, ...] = ("active", "refused")
"""The changes that are of one commit of the branch."""
LONGEST = 139
"""Characters of a description, and one more, by the shortest limit of the forges, GitHub's."""
SECONDS = 10.0
"""That a forge has for its answer."""

_MAY_NOT = (401, 403, 404)
"""What a token gets that may not set one; 404 where it may not even know of the place."""
_SAME = b"Cannot transition status"
"""What GitLab says of a status that is so already."""


class Statuses(NamedTuple):
    """Where the statuses of a repository's commits are set: `path` is that of one without its id."""

    origin: Origin
    path: str


def statuses_of(forge: Forge, page: str) -> Statuses:
    """That of the repository with this page on the web; raises NoAnswer.

    Gitea may be below a path, GitLab may not: its groups are folders too.
    """
    url = urlsplit(page)
    owner, _, name = unquote(url.path).strip("/").rpartition("/")
    if url.scheme not in PORTS or not url.hostname or not owner:
        raise NoAnswer(f"{page} is not the page of a repository on a forge", "write --repo https://HOST/OWNER/NAME.git")
    if url.scheme == "http" and not is_this_machine(url.hostname):
        raise NoAnswer("over http everybody on the way reads the token", f"write https://{url.netloc}{url.path}")
    origin = Origin(url.scheme, url.hostname, url.port or PORTS[url.scheme])
    if forge == "gitlab":
        return Statuses(origin, f"/api/v4/projects/{quote(f'{owner}/{name}', safe='')}/statuses/")
    if forge == "github":
        is_theirs = origin.host == "github.com" or origin.host.endswith(".ghe.com")
        if is_theirs:
            origin = origin._replace(host=f"api.{origin.host}")
        return Statuses(origin, quote(f"{'' if is_theirs else '/api/v3'}/repos/{owner}/{name}/statuses/"))
    above, _, owner = f"/{owner}".rpartition("/")
    return Statuses(origin, quote(f"{above}/api/v1/repos/{owner}/{name}/statuses/"))


@dataclass(frozen=True, slots=True)
class CommitStatus:
    """Sets the status of commits; `token` reads what it is set with, and may raise LocationPolicyError."""

    forge: Forge
    statuses: Statuses
    token: Callable[[], str] = field(repr=False)
    context: ssl.SSLContext

    @property
    def shown(self) -> str:
        """Where they are set."""
        return self.statuses.origin.host

    def send(self, event: Event) -> NotDelivered | None:
        """Set the status that a change gives its commit; None once it is set."""
        is_gitlab = self.forge == "gitlab"
        name, failure = ("name", "failed") if is_gitlab else ("context", "failure")
        state = "success" if event.kind == "active" else failure
        fields = {"state": state, name: CONTEXT, "description": shorten(event.outcome(), LONGEST)}
        path = f"{self.statuses.path}{event.commit_id}"
        try:
            header = token_header(self.token(), is_gitlab=is_gitlab)
            question = Question(path, header, "POST", json.dumps(fields).encode())
            reply = ask(self.statuses.origin, question, self.context, SECONDS)
        except LocationPolicyError as error:
            return NotDelivered(error.message)
        if reply.status == 400 and _SAME in reply.body:
            return None
        if reply.status in _MAY_NOT:
            return NotDelivered(f"status {reply.status}: the token may not set the status of commits", is_final=True)
        return read_reply(reply)
