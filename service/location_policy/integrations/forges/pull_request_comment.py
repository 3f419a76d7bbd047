"""The comment on a pull request that says what it changes: found and written anew, or made; never a second one.

GitHub, GitLab, Gitea and Forgejo tell a job by its environment where it runs. What is asked of them is in their
documentation: "REST API endpoints for issue comments" (GitHub; Gitea and Forgejo have the same paths), "Notes API"
(GitLab). Pages are asked for until one brings nothing new, since not each of them heeds the page's number.
"""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, cast
from urllib.parse import quote, urlsplit

from ...errors import NoAnswer
from ...plan.as_markdown import MARKER
from ..http_client import PORTS, Origin, Question, Reply, ask

LONGEST = 65_536
"""Characters that a comment may have, by the shortest limit of the forges, GitHub's."""
SECONDS = 30.0
"""That one question may take."""
PAGES = 50
"""Pages of comments that are looked through, of a hundred each."""

_PULL_REQUEST = re.compile(r"refs/pull/([0-9]+)/")
_MAY_NOT = (401, 403, 404)
"""What a token gets that may only read; 404 where it may not even know of the place."""

Outcome = Literal["made", "updated", "not allowed"]


@dataclass(frozen=True, slots=True)
class Review:
    """Where the comments of one pull request are: `comments` lists and takes them, `comment` is one, by its id.

    `token` is a header, with a value that is kept out of sight.
    """

    origin: Origin
    comments: str
    comment: str
    update: str
    token: tuple[str, str]

    def __repr__(self) -> str:
        return f"Review({self.origin}{self.comments})"


def review_of(environment: Mapping[str, str]) -> Review | None:
    """The pull request that this job is about, None where it has no token; raises NoAnswer where it is about none."""
    if environment.get("GITLAB_CI"):
        return _gitlab(environment)
    if environment.get("GITHUB_ACTIONS"):
        return _github(environment)
    hint = "run it in a job of GitHub Actions, GitLab CI, Gitea Actions or Forgejo Actions"
    raise NoAnswer("there is no pull request to comment on here", hint)


def put_comment(review: Review, text: str, context: ssl.SSLContext) -> Outcome:
    """Let the pull request have one comment of ours that says this; raises NoAnswer."""
    marked = text if text.startswith(MARKER) else f"{MARKER}\n{text}"
    body = json.dumps({"body": marked}).encode()
    known = _our_comment(review, context)
    path = review.comments if known is None else review.comment.format(known)
    reply = _ask(review, Question(path, review.token, "POST" if known is None else review.update, body), context)
    if reply.status in _MAY_NOT:
        return "not allowed"
    _check(review, reply)
    return "made" if known is None else "updated"


def _github(environment: Mapping[str, str]) -> Review | None:
    number = _PULL_REQUEST.match(environment.get("GITHUB_REF", ""))
    if number is None:
        raise NoAnswer(f"this job is about {environment.get('GITHUB_REF', 'no ref')}, not about a pull request")
    origin, base = _place(environment, "GITHUB_API_URL")
    issues = f"{base}/repos/{environment.get('GITHUB_REPOSITORY', '')}/issues"
    token = environment.get("GITHUB_TOKEN")
    if not token:
        return None
    comments = f"{issues}/{number[1]}/comments"
    return Review(origin, comments, f"{issues}/comments/{{}}", "PATCH", ("Authorization", f"token {token}"))


def _gitlab(environment: Mapping[str, str]) -> Review | None:
    number = environment.get("CI_MERGE_REQUEST_IID")
    if not number:
        raise NoAnswer("this job is not about a merge request")
    origin, base = _place(environment, "CI_API_V4_URL")
    project = quote(environment.get("CI_MERGE_REQUEST_PROJECT_ID", ""), safe="")
    token = environment.get("COMMENT_TOKEN")
    if not token:
        return None
    notes = f"{base}/projects/{project}/merge_requests/{number}/notes"
    return Review(origin, notes, f"{notes}/{{}}", "PUT", ("PRIVATE-TOKEN", token))


def _place(environment: Mapping[str, str], name: str) -> tuple[Origin, str]:
    url = urlsplit(environment.get(name, ""))
    if url.scheme not in PORTS or not url.hostname:
        raise NoAnswer(f"{name} is not the URL of a forge's API")
    return Origin(url.scheme, url.hostname, url.port or PORTS[url.scheme]), url.path.rstrip("/")


def _our_comment(review: Review, context: ssl.SSLContext) -> int | None:
    """The id of the comment that we have made before."""
    return next((one for one, text in _comments(review, context) if text.startswith(MARKER)), None)


def _comments(review: Review, context: ssl.SSLContext) -> Iterator[tuple[int, str]]:
    seen: set[int] = set()
    for page in range(1, PAGES + 1):
        reply = _ask(review, Question(f"{review.comments}?per_page=100&page={page}", review.token), context)
        if reply.status in _MAY_NOT:
            return
        fresh = {one: text for one, text in _parse(review, reply) if one not in seen}
        yield from fresh.items()
        if not fresh:
            return
        seen |= fresh.keys()


def _parse(review: Review, reply: Reply) -> list[tuple[int, str]]:
    _check(review, reply)
    try:
        comments = cast("list[dict[str, object]]", json.loads(reply.body))
        return [(int(cast("int", one["id"])), str(one.get("body") or "")) for one in comments]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise NoAnswer(f"the answer of {review.origin} is not a list of comments") from None


def _check(review: Review, reply: Reply) -> None:
    if not 200 <= reply.status < 300:
        raise NoAnswer(f"{review.origin} answers with status {reply.status}", "try again")


def _ask(review: Review, question: Question, context: ssl.SSLContext) -> Reply:
    return ask(review.origin, question, context, SECONDS)
