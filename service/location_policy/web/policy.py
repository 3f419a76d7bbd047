"""The policy API, in front of the framework's router: a node follows no redirect and waits at most five seconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter_ns

from starlette.types import ASGIApp, Receive, Scope, Send

from .. import answers, policy
from ..active import Active
from ..answers import Answer
from ..basic_auth import CHALLENGE
from ..policy import Question
from ..rules import Rules
from ..snapshot import Snapshot

Witness = Callable[[Question, Answer, str | None, int], None]
"""Is told of each answer: the question, the answer, the commit in force, and how many nanoseconds it took.

It must neither raise nor wait: the node is answered after it."""

PREFIX = "/policy/"
LOCATION = "/policy/v1/participant/location"
COMMIT_HEADER = b"x-location-policy-commit"
RETRY_AFTER = b"5"
"""Seconds after which a node, or who asks in its place, may find the first snapshot loaded."""
NO_RULES = Rules()
"""By which a request is understood while no snapshot brings its own."""
NO_QUESTION = policy.understand(NO_RULES, policy.parse_query(b""))
"""What somebody has asked who may not."""
REFUSAL = "location_policy.refusal"
"""The key of a scope under which stands how a request is to be refused."""


def is_policy(path: str) -> bool:
    """Whether this path is the policy API's."""
    return f"/{path.lstrip('/')}/".startswith(PREFIX)


class PolicyApi:
    """Answers everything below `/policy/`; the rest goes to `app`."""

    def __init__(self, active: Active, app: ASGIApp, witnesses: Sequence[Witness] = ()) -> None:
        self._active = active
        self._app = app
        self._witnesses = witnesses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request (ASGI 3)."""
        began = perf_counter_ns()
        path = "/" + scope["path"].lstrip("/") if scope["type"] == "http" else ""
        if not f"{path}/".startswith(PREFIX):
            await self._app(scope, receive, send)
            return
        snapshot = self._active.state.snapshot
        if REFUSAL in scope:
            question, answer = NO_QUESTION, scope[REFUSAL]
        else:
            parameters = policy.parse_query(scope["query_string"])
            question = policy.understand(snapshot.rules if snapshot else NO_RULES, parameters)
            answer = _answer(snapshot, scope["method"], path.rstrip("/"), question)
        body = answer.encoded()
        commit = snapshot.commit.id if snapshot and snapshot.commit else None
        took = perf_counter_ns() - began
        for witness in self._witnesses:
            witness(question, answer, commit, took)
        headers = [(b"content-type", b"application/json"), *extra_headers(answer)]
        if commit:
            headers.append((COMMIT_HEADER, commit.encode()))
        await send_whole(send, answer.status, headers, body, with_body=scope["method"] != "HEAD")


def _answer(snapshot: Snapshot | None, method: str, path: str, question: Question) -> Answer:
    if path != LOCATION:
        return answers.not_provided(path)
    if method not in ("GET", "HEAD"):
        return answers.not_allowed(method)
    return policy.answer_question(snapshot, question) if snapshot else answers.not_ready()


def extra_headers(answer: Answer) -> list[tuple[bytes, bytes]]:
    """Those that an answer of this kind has besides its type."""
    return list(_EXTRA_HEADERS.get(answer.outcome, ()))


_EXTRA_HEADERS = {
    "not-ready": [(b"retry-after", RETRY_AFTER)],
    "not-allowed": [(b"allow", b"GET, HEAD")],
    "unauthorized": [(b"www-authenticate", CHALLENGE)],
    "busy": [(b"retry-after", RETRY_AFTER)],
}


async def send_whole(
    send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes, *, with_body: bool
) -> None:
    """One answer with its length; without its body when only the headers were asked for."""
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body if with_body else b""})
