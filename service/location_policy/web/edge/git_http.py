"""git over HTTP: clone, fetch and push of the one repository (gitprotocol-http, the "smart" form only).

Four requests are known, by their bytes; no other reaches git. What a request may bring is bounded here, as it is when
unpacked, and so is the time in which nothing comes. Who leaves ends what was asked.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from starlette.types import Message, Receive, Scope, Send

from ...access.proxies import Proxies
from ...access.roles import Role
from ...errors import RepositoryError
from ...repository.http_backend import Call, HttpBackend, Service, Talk
from ...runtime.turns import Busy
from .asker import asker
from .policy_api import RETRY_AFTER, send_whole
from .request_body import Refused, drop_body, read_body, too_large

PLACE = "/locations.git"
"""Where it is; the name of the repository on disk does not count."""
REFS = f"{PLACE}/info/refs"
FETCH = f"{PLACE}/git-upload-pack"
PUSH = f"{PLACE}/git-receive-pack"

LARGEST_FETCH = 10 * 1024 * 1024
"""Bytes of a request to fetch: what git takes by itself (http.maxRequestBuffer)."""
DROPPED = 1024 * 1024 * 1024
"""Bytes of a push that is too large that are read and thrown away: only who has sent all hears why it is refused."""
COMMANDS = 4096
"""Bytes of a push that are no pack, as far as its size tells that it is too large."""
DEADLINE = 1800.0
"""Seconds that one request may take."""

_SMALLER = "  hint: git log --stat tells which file is large; the limit is receive.maxInputSize of the repository"
_PROTOCOL = re.compile(rb"[\w=.:-]{1,100}")
_TEXT = (b"content-type", b"text/plain; charset=utf-8")
"""git shows its user no other kind of error."""


@dataclass(frozen=True, slots=True)
class GitCall:
    """One of the requests that git makes, and the role that it needs."""

    role: Role
    service: Service
    path: str
    query: str = ""

    @property
    def content_type(self) -> str:
        """That of its body; no page of a browser can send it unasked."""
        return "" if self.query else f"application/x-{self.service}-request"


ASKED: Mapping[tuple[str, bytes, bytes], GitCall] = {
    ("GET", REFS.encode(), b"service=git-upload-pack"): GitCall(
        "viewer", "git-upload-pack", "info/refs", "service=git-upload-pack"
    ),
    ("GET", REFS.encode(), b"service=git-receive-pack"): GitCall(
        "editor", "git-receive-pack", "info/refs", "service=git-receive-pack"
    ),
    ("POST", FETCH.encode(), b""): GitCall("viewer", "git-upload-pack", "git-upload-pack"),
    ("POST", PUSH.encode(), b""): GitCall("editor", "git-receive-pack", "git-receive-pack"),
}
"""By method, path as it was sent, and query: nothing is decoded, so nothing can be hidden."""


def is_git(path: str) -> bool:
    """Is this the path of the repository, or of something in it?"""
    return f"{path}/".startswith(f"{PLACE}/")


def asked(scope: Scope) -> GitCall | None:
    """Which of the known requests this is."""
    return ASKED.get((scope["method"], scope.get("raw_path", b""), scope.get("query_string", b"")))


async def tell(send: Send, status: int, reason: str, *more: tuple[bytes, bytes], with_body: bool = True) -> None:
    """A refusal, as git shows it to its user."""
    headers = [_TEXT, (b"cache-control", b"no-store"), *more]
    await send_whole(send, status, headers, f"{reason}\n".encode(), with_body=with_body)


Backend = HttpBackend | Callable[[], HttpBackend | None] | None


class GitHttp:
    """Hands the known requests on to git; with no `backend` the repository is not served so.

    A function in its place says what there is by now: git may not have answered when the service began.
    """

    def __init__(self, backend: Backend, proxies: Proxies) -> None:
        self._backend_now = backend if callable(backend) else lambda: backend
        self._proxies = proxies

    def is_served(self) -> bool:
        """Is there a repository to clone from here?"""
        return self._backend_now() is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request (ASGI 3), of a client that may make it."""
        answer = _Answer(send, with_body=scope["method"] != "HEAD")
        try:
            await self._serve(scope, receive, answer)
        except Refused as refusal:
            await answer.refuse(refusal.status, str(refusal))
        except TimeoutError:
            await answer.refuse(408, f"this took over {DEADLINE / 60:.0f} minutes")
        except RepositoryError as error:
            await answer.refuse(500, error.message)
        except (Busy, asyncio.CancelledError):  # the service ends: an answer is due all the same
            await answer.refuse(503, "too many ask at once, or the service ends; try again")

    async def _serve(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        found, headers = asked(scope), dict(scope["headers"])
        backend = self._backend_now()
        if backend is None:
            raise Refused(404, "git over HTTP is not served here")
        if found is None:
            raise Refused(404, f"this is no request of git; type: git clone http://…{PLACE}")
        if backend.copy_of is not None and found.service == "git-receive-pack":
            raise Refused(403, f"this is a copy, to which nothing is pushed; push to {backend.copy_of}")
        largest = backend.largest if found.path == "git-receive-pack" else 0
        limit = 0 if found.query else 2 * largest or LARGEST_FETCH
        _check(found, headers, DROPPED if largest else limit)
        heard = _Heard(headers.get(b"content-encoding", b""), limit, largest)
        async with asyncio.timeout(DEADLINE), backend.run(self._call(found, headers, scope)) as talk:
            await _exchange(talk, heard, receive, answer)

    def _call(self, found: GitCall, headers: Mapping[bytes, bytes], scope: Scope) -> Call:
        peer = scope["client"][0] if scope["client"] else None
        forwarded = (value for name, value in scope["headers"] if name == b"x-forwarded-for")
        protocol = headers.get(b"git-protocol", b"")
        return Call(
            scope["method"],
            found.path,
            found.service,
            found.query,
            found.content_type,
            protocol.decode() if _PROTOCOL.fullmatch(protocol) else "",
            scope.get("user"),
            self._proxies.client(peer, forwarded),
            asker(scope),
        )


def _check(found: GitCall, headers: Mapping[bytes, bytes], limit: int) -> None:
    """Raises Refused for what git does not send.

    A page in a browser would act with the rights of its user: with a remembered password, or on this machine
    without one, also under another name for it. A browser names the origin of every POST, which git never does.
    """
    if b"origin" in headers or b"sec-fetch-site" in headers:
        raise Refused(403, "this is for git, not for a browser")
    if headers.get(b"content-type", b"").decode("latin-1") != found.content_type and not found.query:
        raise Refused(415, f"the Content-Type is not {found.content_type}")
    if int(headers.get(b"content-length", b"0")) > limit:
        raise too_large(limit)


@dataclass(slots=True)
class _Heard:
    """The body of a request: how it is packed, the bytes that are handed on, those that a pack may have (0: no push).

    What has come of it is counted.
    """

    encoding: bytes
    limit: int
    largest: int
    count: int = 0
    is_banded: bool = False
    """Does the client take what is said to its user beside the answer (gitprotocol-capabilities, "side-band-64k")?"""
    is_whole: bool = False

    async def listen(self, receive: Receive) -> Message:
        """The next piece, as it comes: git packs no push."""
        message = await receive()
        body = message.get("body", b"")
        self.is_banded = self.is_banded or (self.count == 0 and b"side-band-64k" in body)
        self.is_whole = not message.get("more_body", False)
        self.count += len(body)
        return message

    def note(self) -> bytes:
        """What is said beside git's own answer to a push that is too large, in git's form; else nothing."""
        if not 0 < self.largest < self.count - COMMANDS or not self.is_banded:
            return b""
        text = f"the push is too large: this repository takes {self.largest:,} bytes at once\n{_SMALLER}\n"
        return b"%04x\x02%b" % (len(text) + 5, text.encode())


async def _exchange(talk: Talk, heard: _Heard, receive: Receive, answer: _Answer) -> None:
    """Hear and answer, both at once; raises Refused."""
    is_read = asyncio.Event()
    hearing = asyncio.ensure_future(_hear(talk, heard, receive, is_read))
    answering = asyncio.ensure_future(_say(talk, heard, answer, is_read))
    try:
        done, _ = await asyncio.wait((hearing, answering), return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in (hearing, answering):
            task.cancel()
        await asyncio.gather(hearing, answering, return_exceptions=True)


async def _hear(talk: Talk, heard: _Heard, receive: Receive, is_read: asyncio.Event) -> None:
    """Hand the body on, as far as it is not too large; then wait until the client leaves."""
    listen = partial(heard.listen, receive)
    try:
        async for piece in read_body(listen, heard.encoding, heard.limit):
            await talk.write(piece)
    except Refused as refusal:
        if refusal.status != 413 or not heard.largest:
            raise
        if not heard.is_whole:
            await drop_body(listen, DROPPED)
    talk.close_input()
    is_read.set()
    while (await receive())["type"] != "http.disconnect":
        pass


async def _say(talk: Talk, heard: _Heard, answer: _Answer, is_read: asyncio.Event) -> None:
    """Hand the answer on: its beginning with its first bytes, so that what is refused meanwhile still can be."""
    head = await talk.head()
    piece = await talk.read()
    await is_read.wait()  # a client that still sends would not hear it
    await answer.begin(head.status, head.headers)
    if note := heard.note():
        await answer.go_on(note)
    while piece:
        await answer.go_on(piece)
        piece = await talk.read()
    await talk.finish()
    await answer.end()


class _Answer:
    """What is sent, and how far it has come."""

    def __init__(self, send: Send, *, with_body: bool) -> None:
        self._send = send
        self._with_body = with_body
        self._is_begun = False

    async def begin(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self._is_begun = True
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def go_on(self, piece: bytes) -> None:
        await self._send({"type": "http.response.body", "body": piece, "more_body": True})

    async def end(self) -> None:
        await self._send({"type": "http.response.body", "body": b""})

    async def refuse(self, status: int, reason: str) -> None:
        """Say why not; where git has begun to answer, its answer is cut short, which its reader sees."""
        if self._is_begun:
            await self.end()
            return
        more = [(b"retry-after", RETRY_AFTER)] if status == 503 else []
        await tell(self._send, status, reason, *more, with_body=self._with_body)
