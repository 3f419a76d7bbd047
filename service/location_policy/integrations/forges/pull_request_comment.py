"""The comment on a pull request that says what it changes: found and written anew, or made; never a second one.

GitHub, GitLab, Gitea and Forgejo tell a job by its environment where it runs. What is asked of them is in their
documentation: "REST API endpoints for issue comments" (GitHub; Gitea and Forgejo have the same paths), "Notes API"
(GitLab). Pages are asked for until one brings nothing new, since not each of them heeds the page's number.

Anyone may write the line by which the comment is known, and a token may be allowed to write over comments of others. So
one counts only if its author is the token's: `GET /user` tells who that is, but to an app of GitHub, such as its jobs,
only GraphQL does ("viewer").
"""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial, reduce
from operator import eq, getitem
from typing import Any, Literal, NamedTuple, cast
from urllib.parse import quote, urlsplit

from ...errors import NoAnswer
from ...plan.as_markdown import MARKER
from ..http_client import PORTS, Origin, Question, Reply, ask
from .pull_request_text import pull_request_of
from .token_header import token_header

LONGEST = 65_536
"""Characters that a comment may have, by the shortest limit of the forges, GitHub's."""
SECONDS = 30.0
"""That one question may take."""
PAGES = 50
"""Pages of comments that are looked through, of a hundred each."""

_PULL_REQUEST = re.compile(r"refs/pull/([0-9]+)/")
_MAY_NOT = (403, 404)
"""What a token gets that may only read; 404 where it may not even know of the place."""
_VIEWER = json.dumps({"query": "{ viewer { login } }"}).encode()

Outcome = Literal["made", "updated", "not allowed"]


@dataclass(frozen=True, slots=True)
class Review:
    """Where the comments of one pull request are: `comments` lists and takes them, `comment` is one, by its id.

    `user` tells whose the token is, `graphql` the same to an app of GitHub. `token` is a header, with a value that is
    kept out of sight; `how` says what lets it comment, None where it may be that of a fork, which only reads.
    """

    origin: Origin
    comments: str
    comment: str
    update: str
    user: str
    graphql: str | None
    token: tuple[str, str]
    how: str | None

    def __repr__(self) -> str:
        return f"Review({self.origin}{self.comments})"


class Author(NamedTuple):
    """Who has written a comment: an account by its id, or an app of GitHub by its name."""

    id: int | None
    app: str | None


class Comment(NamedTuple):
    """A comment, by its id."""

    id: int
    text: str
    author: Author


def review_of(environment: Mapping[str, str]) -> Review | None:
    """The pull request that this job is about, None where it has no token; raises NoAnswer where it is about none."""
    if environment.get("GITLAB_CI"):
        return _gitlab(environment)
    if environment.get("GITHUB_ACTIONS"):
        return _github(environment)
    hint = "run it in a job of GitHub Actions, GitLab CI, Gitea Actions or Forgejo Actions"
    raise NoAnswer("there is no pull request to comment on here", hint)


def put_comment(review: Review, text: str, context: ssl.SSLContext) -> Outcome:
    """Let the pull request have one comment of ours that says this.

    Raises NoAnswer, also where the forge refuses what it ought to allow.
    """
    marked = text if text.startswith(MARKER) else f"{MARKER}\n{text}"
    body = json.dumps({"body": marked}).encode()
    known = _our_comment(review, context)
    path = review.comments if known is None else review.comment.format(known)
    reply = _ask(review, Question(path, review.token, "POST" if known is None else review.update, body), context)
    if reply.status in _MAY_NOT:
        if review.how is None:
            return "not allowed"
        raise NoAnswer(f"{review.origin} does not let this job comment: status {reply.status}", review.how)
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
    return Review(
        origin,
        comments=f"{issues}/{number[1]}/comments",
        comment=f"{issues}/comments/{{}}",
        update="PATCH",
        user=f"{base}/user",
        graphql=_graphql(environment, origin),
        token=token_header(token, is_gitlab=False),
        how=None if _may_be_fork(environment) else "give the job the permission pull-requests: write",
    )


def _graphql(environment: Mapping[str, str], origin: Origin) -> str | None:
    """Its path, where it is with the rest: the token goes nowhere else."""
    if not environment.get("GITHUB_GRAPHQL_URL"):
        return None
    found, path = _place(environment, "GITHUB_GRAPHQL_URL")
    return path if found == origin else None


def _may_be_fork(environment: Mapping[str, str]) -> bool:
    """May the pull request come from another repository (docs.github.com, "pull_request" in "Webhook events")?"""
    try:
        return bool(pull_request_of(environment)["head"]["repo"]["full_name"] != environment["GITHUB_REPOSITORY"])
    except (KeyError, TypeError):
        return True


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
    return Review(
        origin,
        comments=notes,
        comment=f"{notes}/{{}}",
        update="PUT",
        user=f"{base}/user",
        graphql=None,
        token=token_header(token, is_gitlab=True),
        how="COMMENT_TOKEN wants the scope api and the role Reporter",
    )


def _place(environment: Mapping[str, str], name: str) -> tuple[Origin, str]:
    url = urlsplit(environment.get(name, ""))
    if url.scheme not in PORTS or not url.hostname:
        raise NoAnswer(f"{name} is not the URL of a forge's API")
    return Origin(url.scheme, url.hostname, url.port or PORTS[url.scheme]), url.path.rstrip("/")


def _our_comment(review: Review, context: ssl.SSLContext) -> int | None:
    """The id of the comment that we have made before."""
    marked = [one for one in _comments(review, context) if one.text.startswith(MARKER)]
    if not marked:
        return None
    is_ours = _ours(review, context)
    return next((one.id for one in marked if is_ours(one.author)), None)


def _ours(review: Review, context: ssl.SSLContext) -> Callable[[Author], bool]:
    """Is it the token's? Where nothing tells, it is as whom jobs of Gitea and Forgejo write, whose id is below zero."""
    reply = _ask(review, Question(review.user, review.token), context)
    if reply.status == 200:
        return partial(eq, Author(_told(review, reply, "id"), None))
    if review.graphql:
        reply = _ask(review, Question(review.graphql, review.token, "POST", _VIEWER), context)
        if reply.status == 200:
            login = _told(review, reply, "data", "viewer", "login")
            return {Author(None, login), Author(None, f"{login}[bot]")}.__contains__
    return lambda author: author.id is not None and author.id < 0


def _told(review: Review, reply: Reply, *keys: str) -> Any:  # noqa: ANN401  as JSON has it
    """A value in an answer; raises NoAnswer."""
    try:
        return reduce(getitem, keys, json.loads(reply.body))
    except (ValueError, KeyError, TypeError, RecursionError):
        raise NoAnswer(f"{review.origin} does not say whose the token is") from None


def _comments(review: Review, context: ssl.SSLContext) -> Iterator[Comment]:
    seen: set[int] = set()
    for page in range(1, PAGES + 1):
        reply = _ask(review, Question(f"{review.comments}?per_page=100&page={page}", review.token), context)
        if reply.status in _MAY_NOT:
            return
        fresh = [one for one in _parse(review, reply) if one.id not in seen]
        yield from fresh
        if not fresh:
            return
        seen |= {one.id for one in fresh}


def _parse(review: Review, reply: Reply) -> list[Comment]:
    _check(review, reply)
    try:
        comments = cast("list[dict[str, Any]]", json.loads(reply.body))
        return [Comment(int(one["id"]), str(one.get("body") or ""), _author(one)) for one in comments]
    except (ValueError, OverflowError, KeyError, TypeError, AttributeError, RecursionError):
        raise NoAnswer(f"the answer of {review.origin} is not a list of comments") from None


def _author(comment: dict[str, Any]) -> Author:
    """An account that is gone has left its comments without an author."""
    account = comment.get("user") or comment.get("author") or {}
    if account.get("type") == "Bot":
        return Author(None, str(account["login"]))
    return Author(None if account.get("id") is None else int(account["id"]), None)


def _check(review: Review, reply: Reply) -> None:
    if reply.status == 401:
        raise NoAnswer(f"{review.origin} does not know the token of this job", "it may have expired: make another")
    if not 200 <= reply.status < 300:
        raise NoAnswer(f"{review.origin} answers with status {reply.status}", "try again")


def _ask(review: Review, question: Question, context: ssl.SSLContext) -> Reply:
    return ask(review.origin, question, context, SECONDS)
