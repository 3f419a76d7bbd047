"""What is answered at once is answered as on the long way, byte for byte; and what is not goes that way."""

from __future__ import annotations

import asyncio
import itertools
from base64 import b64encode
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import pytest
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from location_policy.access.credentials import Credentials, Roles
from location_policy.lookup.answers import Answer
from location_policy.lookup.decision import Question
from location_policy.lookup.snapshot import Snapshot
from location_policy.rollout.state import ActiveState
from location_policy.server.fast_path import FastPath
from location_policy.server.limits import CLOSE, LimitedProtocol
from location_policy.web.edge.guard import ALL_ROLES, Access, Guard
from location_policy.web.edge.policy_api import LOCATION, PolicyApi
from tests.fuzz.strategies import QUERIES
from tests.lookup.test_query_string import NEAR_QUERIES
from tests.support.access import PASSWORD, write_users
from tests.support.maps import snapshot_of
from tests.support.repositories import GOOD

TARGET = LOCATION.encode() + b"?protocol=mssip&ms-subnet=10.61.2.0"
EVERYONE = Access(anonymous=ALL_ROLES)
GET = b"GET " + TARGET + b" HTTP/1.1\r\nHost: x\r\n"
HEAD = b"HEAD " + TARGET + b" HTTP/1.1\r\nHost: x\r\n"
NODE, STRANGER, VIEWER, EDITOR = (
    b"Authorization: Basic " + b64encode(f"{user}:{PASSWORD}".encode()) + b"\r\n"
    for user in ("node", "x", "viewer", "editor")
)
SNAPSHOTS = [
    None,
    snapshot_of(),
    snapshot_of(commit=None),
    snapshot_of({**GOOD, "policy.toml": 'answer.overflow = "list"\nanswer.default = "Zürich"\n'}),
    snapshot_of({**GOOD, "policy.toml": 'match.webrtc = ["ms-subnet", "remote_address"]\nmatch.mssip = false\n'}),
]

Witnessed = list[tuple[str, str, str, Answer, str | None]]


class Kept(asyncio.Transport):
    """A connection that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.is_closed = False

    def write(self, content: bytes | bytearray | memoryview) -> None:
        self.written += content

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True

    abort = close

    def write_eof(self) -> None:
        pass

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


class Connection:
    """A connection to an application, and what its witnesses were told."""

    def __init__(self, kind: type[LimitedProtocol], snapshot: Snapshot | None, access: Access = EVERYONE) -> None:
        self.witnessed: Witnessed = []
        active = ActiveState()
        active.change(snapshot=snapshot)
        api = PolicyApi(active, nothing, [self.witness])
        self.app: Any = Guard(api, access, api)
        self.transport = Kept()
        self.open(kind)

    def open(self, kind: type[LimitedProtocol]) -> None:
        config = uvicorn.Config(self.app, log_config=None, lifespan="off", ws="none", proxy_headers=False)
        config.load()
        self.state = ServerState()
        self.state.default_headers = [(b"date", b"Sun, 01 Mar 2026 12:30:00 GMT")]
        self.begin(kind, config)

    def begin(self, kind: type[LimitedProtocol], config: uvicorn.Config) -> None:
        """A connection of this server."""
        loop = asyncio.get_running_loop()
        self.protocol = kind(config=config, server_state=self.state, app_state={}, _loop=loop)
        self.protocol.connection_made(self.transport)

    def witness(self, question: Question, answer: Answer, commit: str | None, _took: int) -> None:
        self.witnessed.append((question.protocol, question.parameter, question.address, answer, commit))

    def at_once(self, sent: bytes) -> bytes:
        """What is written while these bytes are read."""
        self.protocol.data_received(sent)
        return self.transport.written

    async def whole(self, *sent: bytes) -> bytes:
        """What is written when all that these bytes ask for is answered."""
        for part in sent:
            self.protocol.data_received(part)
            while self.state.tasks:
                await asyncio.wait(self.state.tasks)
                await asyncio.sleep(0)
        return self.transport.written

    def end(self) -> None:
        self.protocol.connection_lost(None)


async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """The rest of the application: says who has asked for what, with which body."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    told = repr((scope.get("user"), scope["method"], scope["path"], scope["query_string"], body)).encode()
    await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"%d" % len(told))]})
    await send({"type": "http.response.body", "body": told})


@pytest.fixture(scope="module")
def access(tmp_path_factory: pytest.TempPathFactory) -> Access:
    """Three users are known: a node, one who may only look, and one who may change."""
    folder: Path = tmp_path_factory.mktemp("access")
    credentials = Credentials(write_users(folder / "htpasswd", "node", "viewer", "editor"))
    (folder / "roles").write_text("node: node\nviewer: viewer\neditor: editor\n")

    async def meet() -> None:
        for header in (NODE, VIEWER, EDITOR):
            value = header.partition(b": ")[2].strip()
            assert (await credentials.user_of(value, "192.0.2.1"))[0]

    asyncio.run(meet())
    return Access(credentials, Roles(folder / "roles"))


def both_ways(sent: bytes | list[bytes], snapshot: Snapshot | None, access: Access) -> list[tuple[bytes, Witnessed]]:
    """What is written and witnessed on either way."""

    async def ask(kind: type[LimitedProtocol]) -> tuple[bytes, Witnessed]:
        connection = Connection(kind, snapshot, access)
        try:
            return await connection.whole(*([sent] if isinstance(sent, bytes) else sent)), connection.witnessed
        finally:
            connection.end()

    return [asyncio.run(ask(kind)) for kind in (FastPath, LimitedProtocol)]


_QUERIES = (QUERIES | NEAR_QUERIES).map(lambda query: query.replace(b" ", b"+").replace(b"\n", b"%0A"))
_TARGETS = st.builds(b"%b%b".__mod__, st.tuples(st.sampled_from([TARGET, LOCATION.encode() + b"?", b"/x?"]), _QUERIES))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(_TARGETS, st.sampled_from([b"", NODE, NODE + VIEWER, VIEWER, VIEWER + NODE])), max_size=3),
    st.sampled_from(SNAPSHOTS),
    st.booleans(),
)
def test_whatever_is_asked_the_short_way_answers_as_the_long_one(
    access: Access, asked: list[tuple[bytes, bytes]], snapshot: Snapshot | None, is_open: bool
) -> None:
    sent = b"".join(b"GET %b HTTP/1.1\r\nHost: x\r\n%b\r\n" % one for one in asked)
    short, long = both_ways(sent, snapshot, EVERYONE if is_open else access)
    assert short == long


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(_TARGETS | st.binary(max_size=9), max_size=3),
    st.sampled_from([b"", NODE, VIEWER]),
    st.sampled_from([b"\r\n", b"\r\n\r\n", b"x\r\n\r\n"]),
    st.booleans(),
)
def test_whatever_is_asked_again_with_the_same_headers_is_answered_as_on_the_long_way(
    access: Access, targets: list[bytes], header: bytes, end: bytes, is_open: bool
) -> None:
    sent = [b"GET %b HTTP/1.1\r\nHost: x\r\n%b%b" % (one, header, end) for one in (TARGET, *targets, TARGET)]
    short, long = both_ways(sent, SNAPSHOTS[1], EVERYONE if is_open else access)
    assert short == long


@pytest.mark.parametrize("character", range(256))
def test_a_target_that_no_parser_takes_is_not_taken_for_one(character: int) -> None:
    sent = [GET + b"\r\n", GET.replace(b"mssip", b"mssip" + bytes([character])) + b"\r\n", GET + b"\r\n"]
    short, long = both_ways(sent, SNAPSHOTS[1], EVERYONE)
    assert short == long


def asked_once(sent: bytes, snapshot: Snapshot | None = SNAPSHOTS[1], access: Access | None = None) -> bytes:
    """What is answered while these bytes are read, by the short way."""

    async def ask() -> bytes:
        connection = Connection(FastPath, snapshot, access or EVERYONE)
        try:
            return connection.at_once(sent)
        finally:
            connection.end()

    return asyncio.run(ask())


@pytest.mark.parametrize(
    "sent",
    [
        GET + b"\r\n",
        GET + b"Connection: keep-alive\r\n\r\n",
        GET.replace(b"10.61.2.0", b"10.99.0.0") + b"\r\n",
        GET.replace(b"mssip", b"sip") + b"\r\n",
        GET.replace(b"protocol", b"%70rotocol") + b"\r\n",
    ],
)
def test_a_plain_request_is_answered_while_it_is_read(sent: bytes) -> None:
    assert asked_once(sent).startswith(b"HTTP/1.1 200 OK\r\ndate: Sun, 01 Mar 2026 12:30:00 GMT\r\ncontent-type: ")


@pytest.mark.parametrize(
    "sent",
    [
        HEAD + b"\r\n",
        GET.replace(b"GET", b"POST") + b"\r\n",
        GET.replace(b"/1.1", b"/1.0") + b"\r\n",
        GET.replace(b"/location?", b"/location/?") + b"\r\n",
        GET.replace(b"/location?", b"/avatar?") + b"\r\n",
        GET.replace(b"10.61.2.0", b"10.61.2.0#x") + b"\r\n",
        GET.replace(b"10.61.2.0", b"10.61") + b"\r\n",
        GET + b"Connection: close\r\n\r\n",
        GET + b"Content-Length: 0\r\n\r\n",
        GET + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        GET + b"Expect: 100-continue\r\n\r\n",
        GET + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
    ],
)
def test_what_is_more_than_a_plain_request_goes_the_long_way(sent: bytes) -> None:
    assert asked_once(sent) == b""
    short, long = both_ways(sent, SNAPSHOTS[1], EVERYONE)
    assert short == long
    assert short[0].startswith(b"HTTP/1.1 ")


def test_before_a_first_snapshot_every_request_goes_the_long_way() -> None:
    assert asked_once(GET + b"\r\n", None) == b""


def test_only_a_node_that_is_remembered_is_answered_at_once(access: Access) -> None:
    assert asked_once(GET + NODE + b"\r\n", access=access).startswith(b"HTTP/1.1 200 ")
    for header in (b"", STRANGER, VIEWER, VIEWER + NODE):
        assert asked_once(GET + header + b"\r\n", access=access) == b""
    assert asked_once(GET + NODE + b"\r\n", access=Access()) == b""


def test_answers_come_in_the_order_of_the_requests_whichever_way_each_goes() -> None:
    other = GET.replace(b"10.61.2.0", b"10.61.3.0")
    sent = b"\r\n".join([GET, HEAD, other, GET, HEAD, b""])
    short, long = both_ways(sent, SNAPSHOTS[1], EVERYONE)
    assert short == long
    assert short[0].count(b"HTTP/1.1 200 OK") == 5


def test_nothing_is_answered_at_once_behind_an_answer_that_is_not_complete_or_not_read() -> None:
    async def ask() -> None:
        connection = Connection(FastPath, SNAPSHOTS[1])
        assert connection.at_once(HEAD + b"\r\n" + GET + b"\r\n") == b""
        connection.end()
        connection = Connection(FastPath, SNAPSHOTS[1])
        connection.protocol.pause_writing()
        assert connection.at_once(GET + b"\r\n") == b""
        connection.end()

    asyncio.run(ask())


@pytest.mark.parametrize("kind", [FastPath, LimitedProtocol])
@pytest.mark.parametrize("is_new", [False, True])
def test_once_the_end_is_announced_an_answer_is_the_last_one_and_is_written_whole(
    kind: type[LimitedProtocol], is_new: bool
) -> None:
    async def ask() -> None:
        connection = Connection(kind, SNAPSHOTS[1])
        before = await connection.whole(GET + b"\r\n")
        assert not connection.transport.is_closed
        connection.state.default_headers = [*connection.state.default_headers, CLOSE]
        if is_new:
            connection.begin(kind, connection.protocol.config)
        else:
            connection.protocol.announce_end()
        connection.transport.written = b""
        assert (await connection.whole(GET + b"\r\n")) == before.replace(b"GMT\r\n", b"GMT\r\nconnection: close\r\n")
        assert connection.transport.is_closed
        connection.end()

    asyncio.run(ask())


def test_what_was_asked_before_the_end_is_announced_is_told_of_it_and_a_refusal_is_once() -> None:
    async def ask() -> None:
        connection = Connection(FastPath, SNAPSHOTS[1])
        connection.protocol.data_received(HEAD + b"\r\n")
        connection.state.default_headers = [*connection.state.default_headers, CLOSE]
        connection.protocol.announce_end()
        await asyncio.wait(connection.state.tasks)
        assert connection.transport.written.count(b"connection: close\r\n") == 1
        connection.end()
        refused = Connection(FastPath, SNAPSHOTS[1])
        refused.state.default_headers = [*refused.state.default_headers, CLOSE]
        assert refused.at_once(b"nonsense\r\n\r\n").count(b"connection: close\r\n") == 1
        refused.end()

    asyncio.run(ask())


def test_an_answer_is_counted_and_its_connection_is_idle_and_ends_with_the_server() -> None:
    async def ask() -> None:
        connection = Connection(FastPath, SNAPSHOTS[1])
        connection.at_once(GET + b"\r\n" + GET + b"\r\n")
        assert connection.state.total_requests == 2
        assert connection.protocol.timeout_keep_alive_task is not None
        assert connection.protocol._deadline is None
        connection.protocol.shutdown()
        assert connection.transport.is_closed
        connection.end()

    asyncio.run(ask())


@pytest.mark.parametrize(
    "sent",
    [
        [HEAD],
        [GET + b"Connection: close\r\n"],
        [b"GET " + b"x" * 40_000 + b" HTTP/1.1\r\nHost: x\r\n"],
        [GET.replace(b"GET", b"PUT")],
        [GET[:20], GET[20:]],
        [b"\r\n" + GET],
        [GET + b"\r\n" + HEAD],
        [HEAD + b"\r\n" + GET],
        [b"\r", b"\n", GET],
    ],
)
def test_after_a_plain_request_any_other_is_read_as_ever(sent: list[bytes]) -> None:
    parts = [GET + b"\r\n", *sent[:-1], sent[-1] + b"\r\n", GET + b"\r\n", GET + b"\r\n"]
    short, long = both_ways(parts, SNAPSHOTS[1], EVERYONE)
    assert short == long


async def answered_in_turn(access: Access, *sent: bytes) -> list[bytes]:
    """What is written after each of these pieces, which come on one connection by the short way."""
    connection = Connection(FastPath, SNAPSHOTS[1], access)
    found = []
    for part in sent:
        before = len(connection.transport.written)
        found.append((await connection.whole(part))[before:])
    connection.end()
    return found


def test_a_head_in_two_pieces_lends_its_credentials_to_no_other_request(access: Access) -> None:
    whole = GET + b"\r\n"
    begun = b"GET " + TARGET + b" HTTP/1.1\r\n" + NODE + b"X-Note: "
    nothing_yet, lent, asked, again = asyncio.run(answered_in_turn(access, begun, whole, whole, whole))
    assert nothing_yet == b""
    assert lent.startswith(b"HTTP/1.1 200 ")
    assert asked.startswith(b"HTTP/1.1 401 ")
    assert again.startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("kind", [FastPath, LimitedProtocol])
@pytest.mark.parametrize("more", [b"", b"Trailer: authorization\r\n"])
def test_a_field_behind_a_body_is_no_header(access: Access, kind: type[LimitedProtocol], more: bytes) -> None:
    async def ask() -> bytes:
        connection = Connection(kind, SNAPSHOTS[1], access)
        return await connection.whole(GET + more + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + NODE + b"\r\n")

    assert asyncio.run(ask()).startswith(b"HTTP/1.1 401 ")


_USERS = st.sampled_from([b"", NODE, VIEWER, EDITOR, NODE + VIEWER, b"Authorization: Basic x\r\n"])
_PLAIN = _TARGETS.map(lambda target: b"GET %b HTTP/1.1\r\n" % quote(target, "/?&=%+").encode())
_FIRST_LINES = _PLAIN | st.sampled_from(
    [b"GET " + TARGET + b" HTTP/1.1\r\n", b"HEAD " + TARGET + b" HTTP/1.1\r\n", b"GET / HTTP/1.1\r\n"]
)
_NOTES = st.sampled_from([b"", b"X: "]) | _PLAIN.map(b"X: ".__add__)
"""A header whose value is the beginning of a request, so that a piece that begins there looks like a whole one."""
_BODIES = st.binary(max_size=9) | st.just(GET + b"\r\n")


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """One request of some user: of policy, of a page, or a form with its body."""
    line, user, note = draw(_FIRST_LINES), draw(_USERS), draw(_NOTES)
    note += b"\r\n" if note and not note.endswith(b"\r\n") else b""
    head = b"".join(draw(st.permutations([user, note, b"Host: x\r\n"])))
    if draw(st.booleans()):
        return line + head + b"\r\n"
    body = draw(_BODIES)
    form = b"POST /edit HTTP/1.1\r\n" + head
    if draw(st.booleans()):
        return form + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
    return form + b"Transfer-Encoding: chunked\r\n\r\n" + chunk + b"0\r\n" + draw(_USERS) + b"\r\n"


@st.composite
def pieces(draw: st.DrawFn) -> tuple[list[bytes], list[bytes]]:
    """Requests of several users, and the same bytes as they come: cut anywhere, and where a request could begin."""
    asked = draw(st.lists(requests(), min_size=1, max_size=6))
    stream = b"".join(asked)
    starts = [at for at in range(1, len(stream)) if stream.startswith((b"GET ", b"HEAD ", b"POST "), at)]
    places = st.integers(1, len(stream) - 1) | st.sampled_from(starts or [1])
    cuts = [0, *sorted(draw(st.sets(places, max_size=8))), len(stream)]
    return asked, [stream[start:end] for start, end in itertools.pairwise(cuts)]


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(pieces(), st.sampled_from([0, 1, 9]))
def test_however_requests_of_several_users_are_cut_each_is_answered_as_on_a_connection_of_its_own(
    access: Access, asked: tuple[list[bytes], list[bytes]], turns: int
) -> None:
    async def by_turns() -> tuple[bytes, Witnessed]:
        connection = Connection(FastPath, SNAPSHOTS[1], access)
        for part in asked[1]:
            connection.at_once(part)
            for _ in range(turns):
                await asyncio.sleep(0)
        return await connection.whole(b""), connection.witnessed

    async def apart() -> tuple[bytes, Witnessed]:
        written, witnessed = b"", []
        for request in asked[0]:
            connection = Connection(LimitedProtocol, SNAPSHOTS[1], access)
            written += await connection.whole(request)
            witnessed += connection.witnessed
            connection.end()
        return written, witnessed

    assert asyncio.run(by_turns()) == asyncio.run(apart())


def test_a_connection_is_idle_from_its_last_answer_on() -> None:
    async def ask() -> None:
        connection = Connection(FastPath, SNAPSHOTS[1])
        connection.at_once(GET + b"\r\n")
        connection.at_once(GET + b"\r\n")
        connection.protocol.timeout_keep_alive_handler()
        assert not connection.transport.is_closed
        assert connection.protocol.timeout_keep_alive_task is not None
        connection.protocol._idle_since -= 1000
        connection.protocol.timeout_keep_alive_handler()
        assert connection.transport.is_closed
        connection.end()

    asyncio.run(ask())


def test_the_time_of_an_answer_is_the_server_s() -> None:
    async def ask() -> None:
        connection = Connection(FastPath, SNAPSHOTS[1])
        connection.at_once(GET + b"\r\n")
        connection.state.default_headers = [(b"date", b"later")]
        assert b"\r\ndate: later\r\n" in connection.at_once(GET + b"\r\n")
        connection.end()

    asyncio.run(ask())


def test_an_application_that_cannot_is_asked_the_long_way() -> None:
    def fail(_target: bytes, _headers: object, _peer: object) -> bytes | None:
        raise ZeroDivisionError

    async def ask() -> None:
        connection = Connection(FastPath, SNAPSHOTS[1])
        connection.app.at_once = fail
        connection.open(FastPath)
        assert (await connection.whole(GET + b"\r\n")).startswith(b"HTTP/1.1 200 OK")
        connection.app = nothing
        connection.open(FastPath)
        assert cast("FastPath", connection.protocol)._at_once is None
        connection.end()

    asyncio.run(ask())
