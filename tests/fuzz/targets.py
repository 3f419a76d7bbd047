"""What is thrown at: each takes a hostile value and asserts what must hold for any value.

Nothing here knows who makes the values: hypothesis does in the test suite, the same or atheris in `tests/fuzz/run.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

from starlette.types import ASGIApp, Message, Scope

from location_policy.config.files import File
from location_policy.config.formatting import row_text
from location_policy.config.row import parse_line
from location_policy.config.validate import load_map
from location_policy.errors import InvalidConfiguration, LocationPolicyError, RepositoryError
from location_policy.gate.messages import verdict_lines
from location_policy.gate.pre_receive import judge
from location_policy.gate.ref_updates import Update, parse_updates
from location_policy.integrations.imports.foreign_tables import read_tables
from location_policy.lookup import decision as policy
from location_policy.lookup.query_string import clean, parse_pairs, parse_query
from location_policy.lookup.snapshot import build_snapshot
from location_policy.problems import Problem
from location_policy.repository.repository import open_pushed_repository
from location_policy.rollout.state import ActiveState
from location_policy.web.app import make_app
from tests.support.app import SETTINGS
from tests.support.maps import snapshot_of
from tests.support.program import closed_environment
from tests.support.repositories import GOOD, IDENTITY, git, make_repository

DEADLINE = 30.0
"""Seconds after which one value has made us hang; a node waits no longer for an answer."""

RULES = '[match]\nmssip = ["ms-subnet", "remote_address"]\nwebrtc = "remote_address"\n'


class Entry(NamedTuple):
    """One line of a tree object, as unchecked bytes; a name with `/` makes no folder."""

    mode: bytes
    name: bytes
    content: bytes


@contextmanager
def _in_time() -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < DEADLINE


def configuration(files: Mapping[str, bytes]) -> None:
    """The gate takes the files, or raises with problems that can be printed; what it takes can be served."""
    with _in_time():
        try:
            loaded = load_map([File(path, "file", len(content), "", content) for path, content in files.items()])
        except InvalidConfiguration as error:
            _hold_printable(error.problems)
            return
        snapshot = build_snapshot(loaded, None)
        _hold_printable(loaded.warnings)
        for _, _, row in loaded.rows():
            found = snapshot.match(row.network.first)
            assert found is not None
            assert found.network.length >= row.network.length


def tables(table: bytes, sites: bytes) -> None:
    """A table from elsewhere is read, or refused with problems that can be printed; its rows are read back."""
    with _in_time():
        try:
            brought = read_tables([("old.csv", table)], ("sites.csv", sites))
        except LocationPolicyError:
            return
        _hold_printable(brought.problems)
        for row in brought.rows["old.csv"]:
            assert parse_line(row_text(row).encode()) == row


def _hold_printable(problems: Sequence[Problem]) -> None:
    for problem in problems:
        assert all(line.isprintable() for line in str(problem).split("\n", 1))
        assert min(problem.line, problem.column) > 0


def query(text: bytes) -> None:
    """Every query has an answer that is JSON, whole, and one of the statuses of the contract."""
    with _in_time():
        parameters, pairs = parse_query(text), parse_pairs(text)
        assert all(value == clean(value) or value.startswith("[") for _, value in pairs)
        assert all(parameters.first(name) == pairs.first(name) for name, _ in pairs)
        answer = policy.answer(_snapshot(), parameters)
        assert answer == policy.answer(_snapshot(), pairs)
    body = json.loads(answer.content)
    assert body["status"]
    assert answer.status == (400 if answer.outcome == "bad-address" else 200)
    assert (body["status"] == "success") == ("result" in body)


def request(method: str, path: str, text: bytes, *, is_ready: bool = True) -> None:
    """The application answers every request below `/policy/` with JSON, and none with 5xx but 503 when not ready."""
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(errors="surrogatepass"),
        "query_string": text,
        "root_path": "",
        "headers": [],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8080),
    }
    with _in_time():
        start, *rest = asyncio.run(_exchange(_app(is_ready=is_ready), scope))
    body = b"".join(message.get("body", b"") for message in rest)
    assert start["status"] < 500 or (start["status"] == 503 and not is_ready)
    if f"/{path.lstrip('/')}/".startswith("/policy/"):
        headers = dict(start["headers"])
        assert headers[b"content-type"] == b"application/json"
        assert method == "HEAD" or int(headers[b"content-length"]) == len(body)
        assert method == "HEAD" or json.loads(body)["status"]


def updates(text: bytes) -> None:
    """Standard input of the hook is updates, or it is not: then the error is one that the hook tells."""
    with _in_time(), contextlib.suppress(ValueError):
        for update in parse_updates(text):
            assert isinstance(update.creates, bool)
            assert b"\n" not in update.ref.encode(errors="surrogateescape")


def push(tree: Sequence[Entry], commit: bytes | None = None) -> None:
    """The hook takes a push, refuses it, or says that the repository cannot be read; it never falls over.

    `commit` is a commit object in which `TREE` and `PARENT` stand for ids; without it the commit is a good one.
    """
    repository, old = _repository()
    tree_id = _write(repository, "tree", b"".join(_tree_lines(repository, tree)))
    text = commit or b"tree TREE\nparent PARENT\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nPush\n"
    new = _write(repository, "commit", text.replace(b"TREE", tree_id.encode()).replace(b"PARENT", old.encode()))
    with _in_time(), open_pushed_repository(repository) as opened:
        for before in (old, "0" * 40):
            with contextlib.suppress(RepositoryError):
                verdict = judge([Update(before, new, "refs/heads/main")], opened)
                lines = tuple(verdict_lines(verdict))
                assert verdict.accepted or lines
                assert all(part.isprintable() for line in lines for part in line.split("\n"))


def _tree_lines(repository: Path, tree: Sequence[Entry]) -> Iterator[bytes]:
    for entry in tree:
        blob = bytes.fromhex(_write(repository, "blob", entry.content))
        yield b"%b %b\0%b" % (entry.mode, entry.name, blob)


def _write(repository: Path, kind: str, content: bytes) -> str:
    """The id of an object that git has not looked at."""
    command = ["git", "hash-object", "-w", "--literally", "-t", kind, "--stdin"]
    environment = closed_environment(**IDENTITY)
    done = subprocess.run(command, cwd=repository, env=environment, input=content, capture_output=True, check=True)
    return done.stdout.decode().strip()


@cache
def _repository() -> tuple[Path, str]:
    folder = tempfile.TemporaryDirectory(prefix="fuzz.")
    _FOLDERS.append(folder)
    repository = make_repository(Path(folder.name, "map.git"), GOOD)
    return repository, git("rev-parse", "main", cwd=repository)


_FOLDERS: list[tempfile.TemporaryDirectory[str]] = []
"""Kept until the process ends."""

_snapshot = cache(lambda: snapshot_of({**GOOD, "policy.toml": RULES}))


@cache
def _app(*, is_ready: bool) -> ASGIApp:
    active = ActiveState()
    active.change(snapshot=_snapshot() if is_ready else None)
    return make_app(active, SETTINGS)


async def _exchange(app: ASGIApp, scope: Scope) -> list[Message]:
    sent: list[Message] = []

    async def receive() -> Message:  # pragma: no cover  called only where something is wrong
        raise AssertionError("no answer depends on the body of a request")

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent
