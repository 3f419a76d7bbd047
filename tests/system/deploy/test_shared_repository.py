"""The repository as deploy/systemd has it: the service's user owns it, others push to it by their group."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from location_policy.gate.push_log import read_log
from tests.support.repositories import IDENTITY
from tests.support.service import started_service, wait_until
from tests.support.unprivileged import NOBODY, environment_of_nobody, open_folder, program_of_nobody

PUSHERS, ANA = 60_999, 60_001
"""The group of those who push, and one of them: numbers do, names are not needed."""

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become other users")


@dataclass(frozen=True)
class Host:
    """A folder like /srv/location-policy, and one for what users need."""

    shared: Path
    scratch: Path

    @property
    def repository(self) -> Path:
        """The one that is shared."""
        return self.shared / "locations.git"

    def run(self, user: int, *command: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """The outcome of a command of this user, who lets others read nothing of what he makes."""
        environment = environment_of_nobody(**IDENTITY, GIT_CONFIG_GLOBAL=str(self.scratch / "gitconfig"))
        environment["PATH"] = f"{self.scratch}:{environment['PATH']}"
        return subprocess.run(
            command,
            cwd=cwd or self.scratch,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            user=user,
            group=user,
            extra_groups=[PUSHERS],
            umask=0o077,
        )

    def must(self, user: int, *command: str | Path, cwd: Path | None = None) -> None:
        """Run it; an assertion where it failed."""
        done = self.run(user, *command, cwd=cwd)
        assert done.returncode == 0, done.stderr


@pytest.fixture
def host() -> Iterator[Host]:
    with open_folder() as folder:
        host = Host(folder / "srv", folder / "scratch")
        for path, owner, group in ((host.shared, NOBODY, PUSHERS), (host.scratch, 0, 0)):
            path.mkdir()
            os.chown(path, owner, group)
        host.shared.chmod(0o2750)
        (host.scratch / "gitconfig").write_text(f"[safe]\n\tdirectory = {host.repository}\n")
        program = host.scratch / "location-policy"
        program.write_text(f'#!/bin/sh\nexec {" ".join(program_of_nobody())} "$@"\n')
        program.chmod(0o755)
        (host.scratch / "ana").mkdir()
        os.chown(host.scratch / "ana", ANA, ANA)
        host.must(NOBODY, "location-policy", "init", "--shared", host.repository)
        yield host


def clone(host: Host) -> Path:
    path = host.scratch / "ana" / "map"
    host.must(ANA, "git", "clone", "--quiet", host.repository, path)
    return path


def commit(host: Host, path: Path, row: str) -> None:
    with (path / "locations" / "apac.csv").open("a") as file:
        file.write(f"{row}\n")
    host.must(ANA, "git", "commit", "--quiet", "--all", "--message", "Change", cwd=path)


def test_what_another_user_pushes_is_judged_and_served(host: Host) -> None:
    path = clone(host)
    with started_service("--repo", host.repository, cwd=host.shared, user=NOBODY, groups=[PUSHERS]) as service:
        service.wait_for("in-sync")
        commit(host, path, "Sydney,10.99.0.0/24")
        host.must(ANA, "git", "push", "--quiet", cwd=path)
        new = host.run(ANA, "git", "rev-parse", "HEAD", cwd=path).stdout.strip()
        service.wait_for("in-sync", new)
        assert service.status()["source"]["state_directory_problem"] is None
        commit(host, path, "Sydney,10.99.1.0/8")
        refused = host.run(ANA, "git", "push", cwd=path)
        assert refused.returncode == 1
        assert "has host bits set" in refused.stderr
        wait_until(lambda: 'refused push by="uid 60001" branch=main ' in service.log.read_text(), service.log.read_text)
        assert service.status()["active"]["pusher"] == "uid 60001"
        assert service.stop() == 0
    host.must(NOBODY, "git", "--git-dir", host.repository, "gc", "--quiet")  # its owner's git still works in it
    assert host.run(ANA, "git", "fetch", "--quiet", cwd=path).returncode == 0


def test_every_member_leaves_a_trace_whoever_began_it(host: Host) -> None:
    path = clone(host)
    commit(host, path, "Sydney,10.99.1.0/8")
    host.run(ANA, "chmod", "-R", "go+rX", ".", cwd=path)
    for user in (ANA, NOBODY, ANA):
        as_user = ("git", "-c", f"safe.directory={path}", "push", host.repository, "HEAD:main")
        assert host.run(user, *as_user, cwd=path).returncode == 1
    assert [(one.by, one.times) for one in read_log(host.repository).pushes] == [("nobody", 1), ("uid 60001", 2)]


def test_who_may_push_cannot_say_what_the_owner_runs(host: Host) -> None:
    repository = host.repository
    path = clone(host)
    commit(host, path, "Sydney,10.99.0.0/24")
    host.must(ANA, "git", "push", "--quiet", "origin", "HEAD:main", "HEAD:side", cwd=path)
    host.must(ANA, "git", "push", "--quiet", "origin", "--delete", "side", cwd=path)
    host.must(ANA, "git", "--git-dir", repository, "gc", "--quiet")
    host.must(ANA, "git", "--git-dir", repository, "pack-refs")  # there is no such file yet that would be the owner's
    commands: tuple[list[str | Path], ...] = (
        ["git", "--git-dir", repository, "config", "core.hooksPath", "/tmp"],
        ["cp", "/bin/true", repository / "hooks" / "pre-receive"],
        ["touch", repository / "hooks" / "update"],
        ["mv", repository / "hooks", repository / "old"],
        ["mv", repository / "config", repository / "old"],
        ["rm", "--force", repository / "config"],
        ["cp", "/dev/null", repository / "HEAD"],
    )
    for command in commands:
        assert host.run(ANA, *command).returncode != 0, command
    commit(host, path, "Sydney,10.99.2.0/24")
    host.must(ANA, "git", "push", "--quiet", cwd=path)


def test_hooks_of_a_repository_that_a_member_leads_to_are_not_run(host: Host) -> None:
    with started_service("--repo", host.repository, cwd=host.shared, user=NOBODY, groups=[PUSHERS]) as service:
        service.wait_for("in-sync")
        host.must(ANA, "git", "init", "--quiet", "--bare", host.scratch / "ana" / "evil.git")
        host.must(ANA, "sh", "-c", f"umask 022; echo {host.scratch}/ana/evil.git >{host.repository}/commondir")
        refs = service.ask("/locations.git/info/refs?service=git-receive-pack")
        assert (refs.status, b"leads git to the hooks of another" in refs.body) == (500, True)


def test_without_the_word_of_root_git_refuses_the_repository_of_another(host: Host) -> None:
    (host.scratch / "gitconfig").write_text("")
    done = host.run(ANA, "git", "clone", "--quiet", host.repository, host.scratch / "ana" / "map")
    assert done.returncode == 128
    assert "dubious ownership" in done.stderr
