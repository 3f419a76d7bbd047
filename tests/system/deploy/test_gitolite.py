"""The real Gitolite behind the real sshd on loopback, with our hook in one of its repositories."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.deployments import free_port, needs, search_path, started
from tests.support.program import closed_environment, run_program
from tests.support.repositories import BAD, Clone, git, run_git, said
from tests.support.service import running_service

pytestmark = [needs("gitolite", "gitolite3"), needs("sshd", "openssh-server")]

SSHD = """
ListenAddress 127.0.0.1
Port {port}
HostKey {home}/host_key
AuthorizedKeysFile {home}/.ssh/authorized_keys
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
SetEnv HOME={home}
"""
"""A server for this user, whose home is a folder of the test."""

ROWS = "".join(f"Sydney,10.61.{number}.0/24\n" for number in range(150))
LIMITS = '[limits]\nchanged-addresses = "50%"\n'


@dataclass(frozen=True)
class Server:
    """Gitolite, and how the user alice, who administers it, gets there."""

    home: Path
    port: int

    def git(self, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:  # pragma: no cover
        """What git says that goes there as alice."""
        known = shlex.quote(f"UserKnownHostsFile={self.home}/known_hosts")
        key = shlex.quote(str(self.home / "alice"))
        ssh = f"ssh -F none -p {self.port} -i {key} -o IdentitiesOnly=yes -o BatchMode=yes -o {known}"
        return run_git(*arguments, cwd=cwd, stdin=b"", GIT_SSH_COMMAND=ssh)

    def clone(self, name: str) -> Clone:  # pragma: no cover
        """A clone of one of its repositories."""
        path = self.home / f"clone-of-{name}"
        done = self.git("clone", "--quiet", f"127.0.0.1:{name}", str(path), cwd=self.home)
        assert done.returncode == 0, done.stderr
        git("checkout", "--quiet", "-B", "main", cwd=path)
        return Clone(path)


def run(*command: str | Path, home: Path) -> None:  # pragma: no cover
    environment = closed_environment(PATH=search_path(), HOME=str(home), USER="git")
    del environment["GIT_CONFIG_GLOBAL"]
    done = subprocess.run(command, cwd=home, env=environment, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:  # pragma: no cover
    """Gitolite with one repository, locations, in which our hook stands."""
    home, port = tmp_path, free_port()
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd of Debian wants it; its start script makes it
    for name in ("host_key", "alice"):
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", home / name, home=home)
    host = (home / "host_key.pub").read_text()
    (home / "known_hosts").write_text(f"[127.0.0.1]:{port} {host}")
    (home / "gitconfig").write_text("")
    run("gitolite", "setup", "-pk", home / "alice.pub", home=home)
    (home / "sshd_config").write_text(SSHD.format(home=home, port=port))
    sshd = next(Path(folder, "sshd") for folder in search_path().split(":") if Path(folder, "sshd").exists())
    with started(sshd, "-D", "-e", "-f", home / "sshd_config", port=port, cwd=home):
        server = Server(home, port)
        admin = server.clone("gitolite-admin")
        conf = (admin.path / "conf" / "gitolite.conf").read_text()
        admin.commit({"conf/gitolite.conf": f"{conf}\nrepo locations\n    RW+ = alice\n"})
        pushed = server.git("push", "origin", "HEAD:master", cwd=admin.path)
        assert pushed.returncode == 0, pushed.stderr
        yield server


def test_pushes_are_judged_and_their_pusher_is_known(server: Server) -> None:  # pragma: no cover
    repository = server.home / "repositories" / "locations.git"
    done = run_program("init", repository, "--branch", "main")
    assert done.returncode == 0, done.stderr
    work = server.clone("locations")

    def push(*options: str) -> subprocess.CompletedProcess[str]:
        return server.git("push", *options, "origin", "HEAD:main", cwd=work.path)

    begin = work.commit({"locations/apac.csv": ROWS, "policy.toml": LIMITS})
    taken = push()
    assert taken.returncode == 0, taken.stderr
    work.commit(BAD)
    refused = push()
    assert refused.returncode == 1
    assert "main is rejected: 1 of 1 commit has errors" in said(refused)
    work.git("reset", "--quiet", "--hard", begin)
    large = work.commit({"locations/apac.csv": ROWS.replace("Sydney", "Perth")})
    assert push().returncode == 1
    assert push("-o", "allow-large-change=all go to Perth").returncode == 0
    assert "alice" in git("notes", "--ref", "location-policy", "show", large, cwd=repository)
    with running_service(repository) as service:
        service.wait_for("in-sync", large)
