"""A forge of ours: the comments of pull requests as GitHub, Gitea and GitLab have them, and what a token may not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Literal
from urllib.parse import parse_qs, urlsplit

from tests.support.peer import PeerHandler, running_peer

TOKEN = "a-token-that-nobody-may-see"
ME, OTHER = 7, 1
"""Whose the token is, and another."""
APP = {"id": 41898282, "login": "github-actions[bot]", "type": "Bot"}
"""As whom a job writes on GitHub."""


@dataclass
class Forge:
    """Its comments by id, who may write, and what it was asked; `heeds_pages` is not true of Gitea.

    `authors` are those of comments that are not of `OTHER`. `tells`: how it tells whose the token is, if it does.
    """

    kind: Literal["github", "gitlab"]
    comments: dict[int, str] = field(default_factory=dict)
    authors: dict[int, int] = field(default_factory=dict)
    tells: Literal["user", "graphql", "nothing"] = "user"
    me: int = ME
    may_write: bool = True
    heeds_pages: bool = True
    answers: list[tuple[int, bytes]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def environment(self, **more: str) -> dict[str, str]:
        """That of a job about pull request 7."""
        if self.kind == "gitlab":
            place = {"GITLAB_CI": "true", "CI_API_V4_URL": self.url, "CI_MERGE_REQUEST_PROJECT_ID": "42"}
            return {**place, "CI_MERGE_REQUEST_IID": "7", "COMMENT_TOKEN": TOKEN, **more}
        place = {"GITHUB_ACTIONS": "true", "GITHUB_API_URL": self.url, "GITHUB_REPOSITORY": "example/map"}
        graphql = {"GITHUB_GRAPHQL_URL": f"{self.url}/graphql"} if self.tells == "graphql" else {}
        return {**place, **graphql, "GITHUB_REF": "refs/pull/7/merge", "GITHUB_TOKEN": TOKEN, **more}

    def comment(self, one: int) -> dict[str, object]:
        """A comment as it tells it."""
        author = self.authors.get(one, OTHER)
        is_app = author == self.me and self.tells == "graphql"
        account = APP if is_app else {"id": author, "login": f"user-{author}", "type": "User"}
        return {"id": one, "body": self.comments[one], "author" if self.kind == "gitlab" else "user": account}

    @property
    def place(self) -> str:
        """The path of the comments of pull request 7."""
        if self.kind == "gitlab":
            return "/api/projects/42/merge_requests/7/notes"
        return "/api/repos/example/map/issues/7/comments"

    @property
    def one(self) -> str:
        """The path of one of them, without its id."""
        return self.place if self.kind == "gitlab" else "/api/repos/example/map/issues/comments"


class _Handler(PeerHandler, BaseHTTPRequestHandler):
    forge: Forge

    def do_GET(self) -> None:
        page = self._begin()
        if page is None:
            return
        if self.path == "/api/user":
            self._say(*((200, {"id": self.forge.me}) if self.forge.tells == "user" else (403, {"message": "no"})))
            return
        number = int(page.get("page", ["1"])[0]) if self.forge.heeds_pages else 1
        size = int(page["per_page"][0])
        comments = [self.forge.comment(one) for one in self.forge.comments]
        self._say(200, comments[(number - 1) * size : number * size])

    def do_POST(self) -> None:
        self._write(self.forge.place, 201)

    def do_PATCH(self) -> None:
        self._write(f"{self.forge.one}/", 200)

    def do_PUT(self) -> None:
        self.do_PATCH()

    def _write(self, place: str, status: int) -> None:
        if self._begin() is None:
            return
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/api/graphql":
            self._say(200, {"data": {"viewer": {"login": APP["login"]}}} if "viewer" in asked["query"] else {})
            return
        text = asked["body"]
        if not self.forge.may_write:
            self._say(403, {"message": "Resource not accessible by integration"})
            return
        one = 100 + len(self.forge.comments) if status == 201 else int(self.path.removeprefix(place))
        self.forge.comments[one] = text
        self.forge.authors.setdefault(one, self.forge.me)
        self._say(status, {"id": one, "body": text})

    def _begin(self) -> dict[str, list[str]] | None:
        """The query; None where the question is answered already."""
        self.forge.asked.append(f"{self.command} {self.path}")
        if self.forge.answers:
            status, body = self.forge.answers.pop(0)
            self.say(status, body)
            return None
        header, value = ("PRIVATE-TOKEN", TOKEN) if self.forge.kind == "gitlab" else ("Authorization", f"token {TOKEN}")
        if self.headers[header] != value:
            self._say(401, {"message": "Bad credentials"})
            return None
        url = urlsplit(self.path)
        assert url.path.startswith((self.forge.place, self.forge.one, "/api/user", "/api/graphql"))
        return parse_qs(url.query)

    def _say(self, status: int, answer: object) -> None:
        self.say(status, json.dumps(answer).encode())


@contextmanager
def running_forge(forge: Forge) -> Iterator[Forge]:
    """The forge, on a free port of this machine."""
    with running_peer(_Handler, forge=forge) as url:
        forge.url = f"{url}/api"
        yield forge
