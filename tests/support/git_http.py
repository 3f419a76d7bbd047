"""git over HTTP as its clients speak it: the real git with credentials, and single requests byte by byte."""

from __future__ import annotations

import http.client
import subprocess
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

from tests.support.access import PASSWORD, Pki
from tests.support.program import closed_environment
from tests.support.repositories import Clone, git, run_git
from tests.support.rollouts import read
from tests.support.service import Response, Service

REPOSITORY = "/locations.git"
FETCH = f"{REPOSITORY}/git-upload-pack"
PUSH = f"{REPOSITORY}/git-receive-pack"


def address_of(service: Service, user: str | None = None, password: str = PASSWORD) -> str:
    """What git is told to clone."""
    scheme, _, rest = service.url.partition("://")
    return f"{scheme}://{f'{quote(user)}:{quote(password)}@' if user else ''}{rest}{REPOSITORY}"


def trusting(pki: Pki) -> dict[str, str]:
    """A variable of git by which it trusts this CA."""
    return {"GIT_SSL_CAINFO": str(pki.ca_file)}


def clone_over_http(
    service: Service, path: Path, *arguments: str, user: str | None = None, **environment: str
) -> Clone:
    """A clone from a service, on branch main; an assertion where it fails."""
    git("clone", "--quiet", *arguments, address_of(service, user), path, cwd=path.parent, **environment)
    return Clone(path)


def push_over_http(clone: Clone, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The outcome of a push to where it was cloned from."""
    return run_git("push", *(arguments or ("origin", "HEAD:main")), cwd=clone.path, stdin=b"", **environment)


def packet(line: bytes) -> bytes:
    """A line of git's (gitprotocol-common, "pkt-line")."""
    return b"%04x%b" % (len(line) + 4, line)


def push_body(clone: Clone, old: str, new: str, ref: str = "refs/heads/main") -> bytes:
    """What git sends to move a ref (gitprotocol-pack, "Pushing data")."""
    pack = subprocess.run(
        ["git", "pack-objects", "--revs", "--stdout", "--quiet"],
        cwd=clone.path,
        env=closed_environment(),
        input=f"{new}\n^{old}\n".encode(),
        capture_output=True,
        check=True,
    ).stdout
    return packet(f"{old} {new} {ref}\0 report-status side-band-64k\n".encode()) + b"0000" + pack


def post(service: Service, path: str, body: bytes, **headers: str) -> Response:
    """The answer to one POST as git makes it, but for these headers, written with _ for -."""
    kind = {"Content-Type": f"application/x-{path.rpartition('/')[2]}-request"}
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    with closing(http.client.HTTPConnection("127.0.0.1", service.port, timeout=20)) as connection:
        with suppress(ConnectionError):  # it may be refused before its end
            connection.request("POST", path, body, {**kind, **more})
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Response(response.status, found, response.read())


def at_work_in(repository: Path) -> list[str]:
    """The names of the processes whose folder is this repository."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cwd").resolve(strict=True) == repository:
                found.append(read(process / "comm").strip())
    return found


def leftovers_in(repository: Path) -> list[str]:
    """Locks of git, and what was received of a push that was not taken."""
    found = (path for path in repository.rglob("*") if path.name != "calls.sqlite.lock")
    return [str(path) for path in found if path.name.endswith(".lock") or "incoming" in path.name]
