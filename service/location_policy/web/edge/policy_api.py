"""The policy API, in front of the framework's router: a node follows no redirect and waits at most five seconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from time import perf_counter_ns

from starlette.types import ASGIApp, Receive, Scope, Send

from ...access.basic_auth import CHALLENGE
from ...config.policy_toml import Rules
from ...lookup import answers, decision
from ...lookup.answers import Answer
from ...lookup.decision import Question
from ...lookup.query_string import parse_query
from ...lookup.snapshot import Snapshot
from ...rollout.state import ActiveState, StateName

Witness = Callable[[Question, Answer, str | None, int], None]
"""Is told of each answer: the question, the answer, the commit in force, and how many nanoseconds it took.

It must neither raise nor wait: the node is answered after it."""

PREFIX = "/policy/"
LOCATION = "/policy/v1/participant/location"
PLAIN_TARGET = LOCATION.encode() + b"?"
"""How the target of a plain request begins."""
COMMIT_HEADER = b"x-location-policy-commit"
STATE_HEADER = b"x-location-policy-state"
IN_ORDER: StateName = "in-sync"
"""The state that no header tells."""
RETRY_AFTER = b"5"
"""Seconds after which a node, or who asks in its place, may find the first snapshot loaded."""
NO_RULES = Rules()
"""By which a request is understood while no snapshot brings its own."""
NO_QUESTION = decision.understand(NO_RULES, parse_query(b""))
"""What a client has asked who may not."""
REFUSAL = "location_policy.refusal"
"""The key of a scope under which stands how a request is to be refused."""


def is_policy(path: str) -> bool:
    """Whether this path is the policy API's."""
    return f"/{path.lstrip('/')}/".startswith(PREFIX)


class PolicyApi:
    """Answers everything below `/policy/`; the rest goes to `app`."""

    def __init__(self, active: ActiveState, app: ASGIApp, witnesses: Sequence[Witness] = ()) -> None:
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
        state = self._active.state
        snapshot = state.snapshot
        if REFUSAL in scope:
            question, answer = NO_QUESTION, scope[REFUSAL]
        else:
            parameters = parse_query(scope["query_string"])
            answering = snapshot.answering(parameters) if snapshot else None
            question = decision.understand(answering.rules if answering else NO_RULES, parameters)
            answer = _answer(answering, scope["method"], path.rstrip("/"), question)
        body = answer.content
        commit = snapshot.commit.id if snapshot and snapshot.commit else None
        self._tell(question, answer, commit, perf_counter_ns() - began)
        headers = [(b"content-type", b"application/json"), *extra_headers(answer), *_told(commit, state.name)]
        await send_whole(send, answer.status, headers, body, with_body=scope["method"] != "HEAD")

    def at_once(self, target: bytes) -> bytes | None:
        """Our headers and the body of what is answered with 200 to a GET of this target; None: it goes through ASGI."""
        state = self._active.state
        snapshot = state.snapshot
        if snapshot is None or b"#" in target:
            return None
        began = perf_counter_ns()
        parameters = parse_query(target[len(PLAIN_TARGET) :])
        answering = snapshot.answering(parameters)
        question = decision.understand(answering.rules, parameters)
        answer = decision.answer_question(answering, question)
        if answer.status != 200:
            return None
        commit = snapshot.commit.id if snapshot.commit else None
        self._tell(question, answer, commit, perf_counter_ns() - began)
        return b"%bcontent-length: %d\r\n\r\n%b" % (_lines(commit, state.name), len(answer.content), answer.content)

    def _tell(self, question: Question, answer: Answer, commit: str | None, took: int) -> None:
        for witness in self._witnesses:
            witness(question, answer, commit, took)


@lru_cache(maxsize=8)
def _lines(commit: str | None, state: StateName) -> bytes:
    """The headers that all answers with 200 from this commit, in this state, share."""
    lines = (b"%b: %b\r\n" % header for header in _told(commit, state))
    return b"content-type: application/json\r\n" + b"".join(lines)


def _told(commit: str | None, state: StateName) -> list[tuple[bytes, bytes]]:
    """What headers say of the commit that answers, and of a state in which it is not the newest, or may not be."""
    told = [(COMMIT_HEADER, commit.encode())] if commit else []
    return told if state == IN_ORDER else [*told, (STATE_HEADER, state.encode())]


def _answer(snapshot: Snapshot | None, method: str, path: str, question: Question) -> Answer:
    if path != LOCATION:
        return answers.not_provided(path)
    if method not in ("GET", "HEAD"):
        return answers.not_allowed(method)
    return decision.answer_question(snapshot, question) if snapshot else answers.not_ready()


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
