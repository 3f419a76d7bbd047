"""Secrets in every place where they can be given, looked for in every place where they must not be.

That is what other users see (`ps`), what processes get that have no use for it, and what the service writes or answers.
"""

from __future__ import annotations

import os
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.forge.connect_proxy import running_proxy
from tests.forge.servers import HttpsForge, SshForge, https, https_forge, make_key, ssh, ssh_forge
from tests.support.program import run_program
from tests.support.repositories import GOOD, force_commit, make_repository
from tests.support.service import Service, started_service, wait_until

MANY = 95
"""Secrets in a file besides those that count."""
PAGES = ("/", "/status", "/history", "/metrics", "/about", "/locations.csv", "/nowhere", "/readyz", "/upload")
TALKING = (b"ls-remote", b"fetch")
"""Commands of git that have a use for what a remote is asked with, and whose children get it with them."""


@dataclass
class Witness:
    """What the processes below this one were started with: command lines, and variables, by whether they talk."""

    commands: set[bytes] = field(default_factory=set)
    talking: set[bytes] = field(default_factory=set)
    others: set[bytes] = field(default_factory=set)

    def look(self, pid: int, *, talks: bool = False) -> None:
        """Look at the children of a process, and theirs."""
        for child in _children(pid):
            with suppress(OSError):
                command = Path(f"/proc/{child}/cmdline").read_bytes()
                variables = Path(f"/proc/{child}/environ").read_bytes()
                if not command or command == Path(f"/proc/{pid}/cmdline").read_bytes():
                    continue  # between fork and exec
                is_talking = talks or any(word in command.split(b"\0") for word in TALKING)
                self.commands.add(command)
                (self.talking if is_talking else self.others).add(variables)
                self.look(child, talks=is_talking)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return found


@contextmanager
def watched(pid: int) -> Iterator[Witness]:
    """What is seen, as often as can be, of the processes below one."""
    witness, ended = Witness(), threading.Event()

    def look() -> None:
        while not ended.wait(0.005):
            witness.look(pid)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield witness
    finally:
        ended.set()
        thread.join()


def secrets(number: int) -> list[str]:
    """Secrets that are found nowhere by chance."""
    return [f"plugh/{os.urandom(8).hex()}" for _ in range(number)]


def forms_of(secret: str) -> list[bytes]:
    """How a secret may be written: as it is, as in a URL, and as in a header."""
    pairs = [b64encode(f"{user}:{secret}".encode()) for user in ("deploy", "proxy-user")]
    return [secret.encode(), quote(secret, safe="").encode(), *pairs]


def found_in(content: bytes, planted: list[str]) -> list[str]:
    return [secret for secret in planted if any(form in content for form in forms_of(secret))]


@dataclass
class Case:
    """How a service is started, and what it must not tell; `is_open`: whether that opens the forge."""

    repository: Path
    arguments: list[str | Path]
    planted: list[str]
    variables: dict[str, Any] = field(default_factory=dict)
    is_open: bool = True
    files: tuple[Path, ...] = ()
    """Those that have the secrets."""


def looked_for(case: Case, folder: Path) -> None:
    """Let a service follow the repository, and look for what was planted."""
    url = next((one for one in map(str, case.arguments) if "://" in one), case.variables.get("LOCATION_POLICY_REPO"))
    with (
        started_service("--fetch-interval", "0.1", *case.arguments, cwd=folder, **case.variables) as service,
        watched(service.process.pid) as witness,
    ):
        _let_it_work(service, case)
        wait_until(lambda: bool(witness.talking))
        told = b"".join(service.ask(page).body for page in PAGES)
    doctor = run_program("doctor", "--repo", url or "", *case.arguments[2:], cwd=folder, environment=case.variables)
    told += service.log.read_bytes() + doctor.stdout.encode() + doctor.stderr.encode()
    files = [path for path in folder.rglob("*") if path.is_file() and path not in case.files]
    assert any("mirror-" in f"{path}" for path in files)
    told += b"".join(path.read_bytes() for path in files)
    assert found_in(told, case.planted) == []
    assert found_in(b"".join(witness.commands), case.planted) == []
    assert found_in(b"".join(witness.others), case.planted) == []
    if case.files:
        assert found_in(b"".join(witness.talking), case.planted) == []


def _let_it_work(service: Service, case: Case) -> None:
    if case.is_open:
        service.wait_for("in-sync")
        service.wait_for("in-sync", force_commit(case.repository, {"locations.csv": "Perth,10.61.2.0/24\n"}))
    else:
        wait_until(lambda: service.status()["failure"] is not None)


@pytest.fixture(scope="module")
def forges(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[HttpsForge, str]]:
    """A forge, and a proxy that is the way to it."""
    root = tmp_path_factory.mktemp("root")
    make_repository(root / "locations.git", GOOD)
    token, password = secrets(2)
    folder = tmp_path_factory.mktemp("forge")
    with https_forge(folder / "nginx", root, token=token) as forge, running_proxy(f"proxy-user:{password}") as proxy:
        (folder / "token").write_text(token)
        (folder / "password").write_text(password)
        yield forge, proxy.url


@pytest.fixture
def right(forges: tuple[HttpsForge, str]) -> tuple[str, str]:
    """The token of the forge and the password of the proxy."""
    folder = forges[0].folder.parent
    return (folder / "token").read_text(), (folder / "password").read_text()


def written(file: Path, logins: dict[str, str]) -> Path:
    """A file of credentials: `user:secret` by URL."""
    lines = [url.replace("://", f"://{login.replace('/', '%2F')}@") for url, login in logins.items()]
    file.write_text("".join(f"{line}\n" for line in lines))
    file.chmod(0o600)
    return file


@pytest.mark.parametrize("is_right", [True, False])
@https[0]
@https[1]
def test_nothing_of_a_file_of_credentials_is_told(
    is_right: bool, forges: tuple[HttpsForge, str], right: tuple[str, str], tmp_path: Path
) -> None:
    forge, proxy = forges
    token, password = right if is_right else secrets(2)
    others = secrets(MANY)
    logins = {f"https://{number}.example": f"deploy:{secret}" for number, secret in enumerate(others)}
    file = written(
        tmp_path / "git-credentials", {**logins, forge.url: f"deploy:{token}", proxy: f"proxy-user:{right[1]}"}
    )
    options: list[str | Path] = ["--git-credentials", file, "--git-ca", forge.ca, "--git-proxy", proxy]
    planted = [token, password, right[1], *others]
    arguments: list[str | Path] = ["--repo", forge.repository(), *options]
    looked_for(
        Case(forge.root / "locations.git", arguments, planted, is_open=is_right, files=(file,)),
        tmp_path,
    )


@pytest.mark.parametrize("is_right", [True, False])
@https[0]
@https[1]
def test_of_the_environment_only_a_git_that_talks_gets_secrets(
    is_right: bool, forges: tuple[HttpsForge, str], right: tuple[str, str], tmp_path: Path
) -> None:
    forge, proxy = forges
    token, password = right if is_right else secrets(2)
    variables = {
        "LOCATION_POLICY_REPO": forge.repository().replace("://", f"://deploy:{quote(token, safe='')}@"),
        "https_proxy": proxy.replace("://", f"://proxy-user:{quote(password, safe='')}@"),
        "LOCATION_POLICY_GIT_CA": str(forge.ca),
    }
    looked_for(Case(forge.root / "locations.git", [], [token, password], variables, is_open=is_right), tmp_path)


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshForge]:
    with ssh_forge(tmp_path_factory.mktemp("forge") / "sshd") as forge:
        make_repository(forge.folder / "locations.git", GOOD)
        yield forge


@pytest.mark.parametrize("is_right", [True, False])
@ssh[0]
@ssh[1]
def test_nothing_of_a_key_is_told(is_right: bool, sshd: SshForge, tmp_path: Path) -> None:
    repository = sshd.folder / "locations.git"
    key = make_key(tmp_path / "deploy-key")
    key.with_suffix(".pub").unlink()  # ssh would offer what it says
    if is_right:
        key.write_bytes(sshd.key.read_bytes())
    options: list[str | Path] = ["--git-ssh-key", key, "--git-known-hosts", sshd.known_hosts]
    arguments: list[str | Path] = ["--repo", sshd.repository(repository), *options]
    lines = [line for line in key.read_text().splitlines() if "-----" not in line][1:]  # the first is of every key
    looked_for(Case(repository, arguments, lines, is_open=is_right, files=(key,)), tmp_path)
