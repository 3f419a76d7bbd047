"""A forge by HTTPS, real nginx and git http-backend: what opens it, and what is told when it stays shut."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from location_policy.repository.remote.credentials import RemoteAccess
from location_policy.rollout.remote_doctor import examine_remote
from tests.forge.looks import failing, looking
from tests.forge.servers import TOKEN, USER, HttpsForge, https, https_forge
from tests.support.deployments import free_port
from tests.support.peer import PeerHandler, running_peer
from tests.support.repositories import GOOD, git, make_repository

pytestmark = https


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[tuple[str, list[str]]]:
    """Another server, to which the forge sends: its URL, and the proofs that it was shown."""
    proofs: list[str] = []

    class Other(PeerHandler, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            proofs.append(self.headers.get("Authorization", ""))
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="other"')
            self.send_header("Content-Length", "0")
            self.end_headers()

    with running_peer(Other) as url:
        yield url, proofs


@pytest.fixture(scope="module")
def forge(tmp_path_factory: pytest.TempPathFactory, elsewhere: tuple[str, list[str]]) -> Iterator[HttpsForge]:
    root = tmp_path_factory.mktemp("root")
    make_repository(root / "locations.git", GOOD)
    with https_forge(tmp_path_factory.mktemp("forge") / "nginx", root, elsewhere=elsewhere[0]) as forge:
        yield forge


@pytest.fixture
def access(forge: HttpsForge, tmp_path: Path) -> RemoteAccess:
    """What opens the forge."""
    return RemoteAccess(credentials=credentials(tmp_path, forge.url), ca=forge.ca)


def credentials(folder: Path, url: str, token: str = TOKEN) -> Path:
    """A file with a line for this URL."""
    file = folder / "git-credentials"
    file.write_text(f"{url.replace('://', f'://{USER}:{token}@')}\n")
    file.chmod(0o600)
    return file


def test_a_token_and_a_ca_of_ones_own_open_it(forge: HttpsForge, access: RemoteAccess, tmp_path: Path) -> None:
    mirror = looking(forge.repository(), tmp_path, access)
    assert git("symbolic-ref", "HEAD", cwd=mirror.directory) == "refs/heads/main"
    assert mirror.looks.ok == 1


def test_a_new_token_counts_from_the_next_look_on(forge: HttpsForge, access: RemoteAccess, tmp_path: Path) -> None:
    credentials(tmp_path, forge.url, "old-token")
    told = failing(forge.repository(), tmp_path, access)
    assert told.kind == "credentials"
    assert "old-token" not in f"{told}"
    assert access.credentials
    assert "old-token" in access.credentials.read_text()  # git itself would take it out
    credentials(tmp_path, forge.url)
    looking(forge.repository(), tmp_path, access)


def test_the_user_in_the_url_says_which_line_counts(forge: HttpsForge, access: RemoteAccess, tmp_path: Path) -> None:
    assert access.credentials
    right = access.credentials.read_text()
    access.credentials.write_text(right.replace(f"{USER}:{TOKEN}", "other:wrong") + right)
    looking(forge.repository().replace("://", f"://{USER}@"), tmp_path, access)


@pytest.mark.parametrize(
    ("path", "kind", "said"),
    [
        ("none.git", "not-found", "the remote has no such repository, or does not show it to who asks"),
        ("forbidden/x.git", "right", "the remote knows who asks, and does not let that user read"),
        ("busy/x.git", "rate-limit", "the remote is asked too often"),
        ("down/x.git", "server", "error: 503"),
        ("html/x.git", "server", "answers with text/html, not as git does"),
        ("round/x.git", "not-found", "the remote sends to another place"),
    ],
)
def test_what_the_server_answers_is_told(
    path: str, kind: str, said: str, forge: HttpsForge, access: RemoteAccess, tmp_path: Path
) -> None:
    told = failing(forge.repository(path), tmp_path, access)
    assert told.kind == kind
    assert told.message.startswith(f"{forge.repository(path)}: ")
    assert said in told.message
    assert told.hint


def test_without_credentials_the_option_is_named(forge: HttpsForge, tmp_path: Path) -> None:
    told = failing(forge.repository(), tmp_path, RemoteAccess(ca=forge.ca))
    assert told.kind == "credentials"
    assert "--git-credentials" in told.hint


def test_a_port_without_a_server_and_a_name_without_an_address_are_told(tmp_path: Path) -> None:
    told = failing(f"https://127.0.0.1:{free_port()}/x.git", tmp_path, RemoteAccess())
    assert (told.kind, "nothing answers there" in told.message) == ("refused", True)
    told = failing("https://no-such-host.invalid/x.git", tmp_path, RemoteAccess())
    assert (told.kind, "is not known" in told.message) == ("name", True)


def test_certificates_that_are_not_trusted_are_told_apart(
    forge: HttpsForge, access: RemoteAccess, tmp_path: Path
) -> None:
    stranger = failing(forge.repository(), tmp_path, replace(access, ca=None))
    assert (stranger.kind, "--git-ca" in stranger.hint) == ("tls-ca", True)
    access.credentials.write_text("") if access.credentials else None
    open_to_all = RemoteAccess(ca=forge.ca)
    misnamed = failing(f"{forge.misnamed}/x.git", tmp_path, open_to_all)
    assert (misnamed.kind, "name the remote as" in misnamed.hint) == ("tls-name", True)
    expired = failing(f"{forge.expired}/x.git", tmp_path, open_to_all)
    assert (expired.kind, "or has expired" in expired.message, "-dates" in expired.hint) == ("tls-ca", True, True)
    command = expired.hint.partition("see its dates: ")[2]
    dates = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True, timeout=20)
    assert "notAfter=" in dates.stdout
    plain = failing(forge.repository().replace("https", "http"), tmp_path, open_to_all)
    assert plain.kind == "server"


def test_a_file_of_a_ca_that_is_none_is_told(forge: HttpsForge, access: RemoteAccess, tmp_path: Path) -> None:
    none = tmp_path / "ca.pem"
    told = failing(forge.repository(), tmp_path, replace(access, ca=none))
    assert told.message == f"{none} cannot be read: No such file or directory"
    none.write_text("no certificate\n")
    assert failing(forge.repository(), tmp_path, replace(access, ca=none)).kind == "tls-ca"


def test_credentials_do_not_follow_to_another_host(
    forge: HttpsForge, access: RemoteAccess, tmp_path: Path, elsewhere: tuple[str, list[str]]
) -> None:
    _, proofs = elsewhere
    told = failing(forge.repository("elsewhere/x.git"), tmp_path, access)
    assert told.kind == "credentials"
    proofs_of_file = list(proofs)
    failing(
        forge.repository("elsewhere/x.git").replace("://", f"://{USER}:{TOKEN}@"), tmp_path, RemoteAccess(ca=forge.ca)
    )
    assert proofs_of_file
    assert len(proofs) > len(proofs_of_file)
    assert set(proofs) == {""}


def test_the_hint_writes_a_line_that_opens_it(forge: HttpsForge, access: RemoteAccess, tmp_path: Path) -> None:
    assert access.credentials
    access.credentials.unlink()
    access.credentials.touch(0o600)
    told = failing(forge.repository(), tmp_path, access)
    assert told.message == f"{access.credentials} has no line for {forge.url}"
    command = told.hint.removeprefix("let git write it: ").replace("USER", USER)
    subprocess.run(["bash", "-c", command], input=f"{TOKEN}\n", text=True, check=True, timeout=20)
    looking(forge.repository(), tmp_path, access)
    assert TOKEN not in git("config", "--list", cwd=looking(forge.repository(), tmp_path, access).directory)


def topics(url: str, access: RemoteAccess, branch: str | None = None) -> list[str]:
    """What doctor looks at, until something is to mend."""
    findings = list(examine_remote(url, branch, access))
    assert all(finding.mend is None for finding in findings[:-1])
    assert findings[-1].mend or findings[-1].topic == "branch"
    return [finding.topic for finding in findings]


def test_doctor_says_at_which_step_it_stays_shut(forge: HttpsForge, access: RemoteAccess, tmp_path: Path) -> None:
    steps = ["name", "route", "tls", "proof", "right", "branch"]
    assert topics(forge.repository(), access) == steps
    assert topics(forge.repository(), access, branch="none") == steps
    assert topics(forge.repository("none.git"), access) == steps[:5]
    assert topics(forge.repository(), RemoteAccess(ca=forge.ca)) == steps[:4]
    assert topics(forge.repository(), replace(access, ca=None)) == steps[:3]
    assert topics("https://127.0.0.1:9/x.git", RemoteAccess()) == steps[:2]
    assert topics("https://no-such-host.invalid/x.git", RemoteAccess()) == steps[:1]
    none = RemoteAccess(credentials=tmp_path / "none")
    assert topics(forge.repository(), replace(none, ca=forge.ca)) == steps[:4]
    untrusted = examine_remote(forge.repository(), None, none)
    assert [finding.topic for finding in untrusted if finding.mend] == ["tls", "proof"]
