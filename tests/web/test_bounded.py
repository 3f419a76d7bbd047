"""No answer is unbounded: under any push and any request, no body of ours is over a megabyte but a map's own CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlencode

import pytest
from starlette.types import ASGIApp

from location_policy.calls.history import CallHistory
from location_policy.calls.recent import today
from location_policy.fleet.fleet import Fleet
from location_policy.fleet.report import Behind, Late, Refusal, Report
from location_policy.web.app import make_app
from location_policy.web.forms.action_table import ACTIONS
from location_policy.web.forms.actions import COMMON
from location_policy.web.forms.fields import FORM, JSON, LARGEST
from location_policy.web.pages.resource_table import RESOURCES
from location_policy.web.site import change_service, repository_queries
from tests.calls.situations import situation
from tests.support.app import ask, served
from tests.support.maps import many_rows
from tests.support.repositories import Files, force_commit, make_repository

MOST = 1_000_000
"""Bytes of a body."""
LINE = 30_000
"""Characters of an address that the server takes (`--max-header-bytes`)."""


def name(number: int, mark: str = "n") -> str:
    """One of many names, as long as one may be, of letters that get longer when they are written down."""
    return f"{mark}{number:05}{'😀😀&' * 81}"


def rows(number: int, mark: str = "n") -> str:
    """Rows that have nothing in common."""
    names = (",".join(name(at, kind) for kind in (mark, "b", "c")) for at in range(number))
    return "".join(f"{three},10.{at >> 8}.{at & 255}.0/24\n" for at, three in enumerate(names))


def nested() -> str:
    """Rows each of which holds the next, with more overflow locations than anybody has."""
    overflow = ",".join(name(at, "o") for at in range(20))
    return "".join(f"{name(length)},{overflow},2001:db8::/{length}\n" for length in range(32, 129))


FIRST: Files = {
    "locations.csv": rows(600),
    "locations/nested.csv": nested(),
    "locations/line.csv": f"# {'<&é' * 16_000}\n" * 40 + "Oslo,192.0.2.0/24\n",
    "policy.toml": '[answer]\noverflow = "list"\n[checks]\nname-near-miss = "off"\n',
    "owners.csv": "".join(f"10.{at >> 8}.{at & 255}.0/24,{name(at, 'o')}\n" for at in range(400)),
    **{f"locations/{'<&é' * 50}/{at:04}.csv": f"Oslo,172.16.{at >> 8}.{at & 255}/32\n" for at in range(400)},
}
"""Many files, names and owners, and long lines."""
SECOND: Files = {
    **FIRST,
    "locations.csv": rows(600, "m"),
    "policy.toml": "".join(f'match."{name(at)}" = "ms-subnet"\n' for at in range(400)) + str(FIRST["policy.toml"]),
}
"""Every address of it gets another answer, and every rule is new."""
WRONG: Files = {
    "locations.csv": f"{'<&é' * 100};x\n" * 11_000,
    f"locations/{'<&é' * 60}.csv": rows(400).replace(".0/24", ".1/24"),
    "policy.toml": "".join(f'"{name(at)}" = 1\n' for at in range(400)),
}
"""Nothing of it can be served."""
VIEW = f"{'v' * 59}{{:05}}"


def viewed(mark: str) -> Files:
    """As many views as there may be, with names and conditions as long as they may be, and rows that are all others."""
    views, found = "", {"locations.csv": rows(30)}
    for at in range(100):
        values = ", ".join(f'"{name(at * 10 + number, "e")}"' for number in range(10))
        view = VIEW.format(at)
        views += f'[[view]]\nname = "{view}"\nlocation = [{values}]\ndefault = "{name(at, "d")}"\n'
        found[f"views/{view}/locations.csv"] = rows(10, mark)
    return {**found, "policy.toml": str(FIRST["policy.toml"]) + views}


MESSAGE = f"{'<&é' * 100_000}\n\n{'<&é' * 200_000}"


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is found out about large maps in other processes is found out in this one: it is the same, and sooner."""
    for module in (change_service, repository_queries):
        monkeypatch.setattr(module, "find_apart", lambda work, *_: work.function(*work.arguments))


class Site(NamedTuple):
    """An application, and the commits of its repository, oldest first; the first is in force unless all are valid."""

    app: ASGIApp
    commits: Sequence[str]


def site(place: Path, *commits: Files) -> Site:
    repository = make_repository(place, commits[0])
    ids = [force_commit(repository, files, message=MESSAGE) for files in commits]
    fleet = Fleet()
    for number in range(300):
        behind = Behind(9, 0, {}, [Late(TEXT[:64], ids[0], "unreachable")] * 5)
        refusal = Refusal(ids[0], TEXT[:300])
        fleet.followers.note(Report(TEXT[:64], "9" * 32, "late", None, refusal, behind, (f"{number:016x}",)), TEXT)
    return Site(make_app(*served(repository), fleet=fleet, calls=long_calls()), ids)


def long_calls() -> CallHistory:
    """What is remembered of calls with long values, all of them different."""
    history = CallHistory(None, 30)
    long = {"protocol": TEXT, "location": TEXT, "overflow": (TEXT, TEXT), "view": TEXT, "remote_address": TEXT}
    for number in range(300):
        more = long | {"outcome": ("match", "bad-address", "no-match")[number % 3]}
        found = situation(node_location=f"{number}{TEXT}", ms_subnet=f"10.{number % 256}.{number}.0", **more)
        history.take(today().toordinal(), {found: 20})
    return history


@pytest.fixture(scope="module")
def valid(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A large change is in force."""
    return site(tmp_path_factory.mktemp("valid") / "locations.git", FIRST, SECOND)


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """What is newest cannot be served."""
    return site(tmp_path_factory.mktemp("refused") / "locations.git", FIRST, WRONG)


@pytest.fixture(scope="module")
def of_views(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A change of all rows of a hundred views is in force."""
    return site(tmp_path_factory.mktemp("views") / "locations.git", viewed("n"), viewed("m"))


QUERIES: Mapping[str, Sequence[str]] = {
    "status": ["", "limit={text}"],
    "fleet": [""],
    "calls": ["", "at_least=1", "days={text}"],
    "map": [
        "",
        "limit=1000",
        "limit=1000&sort=location&page=2",
        "q={text}",
        "location={text}",
        "q=2001:db8::",
        "view={view}",
    ],
    "picture": ["", "root=10.0.0.0/8", "root=10.0.0.0/18", "root=2001:db8::/32", "root={text}", "view={view}"],
    "lookup": ["address=2001:db8::", "address={text}", "ms-subnet=10.0.0.1&local_alias={text}", "address={name}"],
    "origin": ["address=2001:db8::", "address=10.0.0.1"],
    "history": ["", "page={text}"],
    "recent": [""],
    "compare": ["old={old}&new={new}", "old={new}&new={old}", "old={text}&new={new}"],
    "source": ["", "line=2"],
    "written": ["line=2"],
    "commit": [""],
}
"""What is asked of each resource."""
PARTS: Mapping[str, Sequence[str]] = {
    "{path:path}": ["locations.csv", "locations/line.csv", "owners.csv", "{text}"],
    "{id}": ["{old}", "{new}", "{text}"],
}
"""What stands in the path of some."""
FORMS = [
    "",
    "path=locations/nested.csv&line=1",
    "path=locations/line.csv&line=1",
    "commit={text}&subnet={text}",
    "view={view}",
]
TEXT = '<"é' * (LINE // 4)


def targets(found: Site) -> Iterator[tuple[str, str]]:
    """The path and the query of every route, each with texts that could make its answer long."""
    for path in (
        "/status",
        "/metrics",
        "/openapi.json",
        "/healthz",
        "/readyz",
        "/static/x/y",
        "/{text}",
        "/api/{text}",
    ):
        yield _written(path, "", found)
    for policy in ("ms-subnet=2001:db8::", "ms-subnet={text}", "protocol={text}"):
        yield _written("/policy/v1/participant/location", f"protocol=mssip&{policy}", found)
    yield _written("/policy/{text}", "", found)
    for resource in RESOURCES:
        for path in (resource.path, resource.api_path):
            base, brace, part = path.partition("{")
            for rest in PARTS[brace + part] if brace else [""]:
                for query in QUERIES[resource.name]:
                    yield _written(base + rest, query, found)
    for action in ACTIONS:
        for query in FORMS:
            yield _written(action.path, query, found)


def _written(path: str, query: str, found: Site) -> tuple[str, str]:
    old, new = found.commits[0], found.commits[-1]
    text = TEXT[: len(TEXT) // max(1, query.count("{text}"))]
    asked = [one.replace("{text}", text).replace("{old}", old).replace("{new}", new) for one in (path, query)]
    asked[1] = asked[1].replace("{view}", VIEW.format(99)).replace("{name}", quote(name(0)))
    return asked[0], asked[1]


def is_page(path: str) -> bool:
    """Is it one of those that a browser gets in another form?"""
    return not path.startswith(("/api/", "/policy/", "/status", "/metrics", "/openapi", "/healthz", "/readyz"))


@pytest.mark.parametrize("which", ["valid", "refused", "of_views"])
def test_no_route_gives_a_body_that_is_larger(which: str, request: pytest.FixtureRequest) -> None:
    found: Site = request.getfixturevalue(which)
    sizes = {}
    for path, query in targets(found):
        answer = ask(found.app, "GET", path, query, accept="text/html" if is_page(path) else "*/*")
        sizes[answer.status, path[:80], query[:80]] = len(answer.body)
    assert {what: size for what, size in sizes.items() if size > MOST} == {}
    # 503: with ten thousand problems some page may take longer than pages may, where the machine has much else to do
    assert {200, 400, 404} <= {status for status, *_ in sizes} <= {200, 400, 404, 422, 503}


# --- changes ---

LONG_FIELDS = {field.name: "<" * (LARGEST // 5) for field in COMMON if field.kind != "flag"}
UPLOADS: Mapping[str, str] = {
    "a large change": rows(600, "z"),
    "wrong lines": "x\n" * 100_000,
    "long wrong lines": str(WRONG["locations.csv"]),
    "errors in rows": str(next(content for path, content in WRONG.items() if path.startswith("locations/"))),
    "warnings": "Oslo,10.0.0.0/8\n" + many_rows(12_000, "Oslo"),
    "one long line": "<" * 1_000_000,
}


def form(files: Mapping[str, str], fields: Mapping[str, str]) -> bytes:
    """A form with a file, as a browser sends it."""
    parts = [(f'name="{field}"', text) for field, text in fields.items()]
    parts += [(f'name="{field}"; filename="{"<" * 90}.csv"', text) for field, text in files.items()]
    texts = (f"--x\r\nContent-Disposition: form-data; {head}\r\n\r\n{text}\r\n" for head, text in parts)
    return f"{''.join(texts)}--x--\r\n".encode()


@pytest.mark.parametrize(
    ("what", "path"),
    [(what, path) for what in UPLOADS for path in ("/upload", "/api/v1/upload")]
    + [("a change of 40,000 rows", "/upload")],
)
def test_no_upload_gives_a_body_that_is_larger(what: str, path: str, valid: Site) -> None:
    content = UPLOADS.get(what) or many_rows(40_000)
    body = form({"file": content}, {**LONG_FIELDS, "path": "locations.csv"})
    accept = "text/html" if is_page(path) else "*/*"
    answer = ask(valid.app, "POST", path, body=body, accept=accept, content_type="multipart/form-data; boundary=x")
    assert answer.status in (200, 422), answer.body[:1000]
    assert len(answer.body) <= MOST


@pytest.mark.parametrize("path", ["/edit", "/api/v1/edit", "/revert", "/api/v1/revert", "/upload", "/api/v1/upload"])
def test_no_change_gives_a_body_that_is_larger(path: str, valid: Site) -> None:
    (action,) = (one for one in ACTIONS if path.endswith(one.name))
    fields = {one.name: "<" * (LARGEST // 20) for one in (*action.fields, *COMMON) if one.kind in ("text", "lines")}
    right = {"commit": valid.commits[0], "to": "1", "line": "1", "path": "locations/nested.csv"}
    texts = [fields, fields | right, right, right | {"location": name(0), "subnet": "10.0.0.0/8", "seen": ""}]
    for given in texts:
        for kind, body in ((FORM, urlencode(given)), (JSON, json.dumps(given))):
            if len(body) > LARGEST and kind == FORM:
                continue
            accept = "text/html" if is_page(path) else "*/*"
            answer = ask(valid.app, "POST", path, body=body.encode(), accept=accept, content_type=kind)
            assert answer.status < 500, answer.body[:1000]
            assert len(answer.body) <= MOST
