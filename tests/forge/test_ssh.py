"""A forge by ssh, real sshd: what opens it, and what is told when it stays shut."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from location_policy.repository.remote.credentials import RemoteAccess
from location_policy.rollout.remote_doctor import examine_remote
from tests.forge.looks import failing, looking
from tests.forge.servers import SshForge, make_key, ssh, ssh_forge
from tests.support.deployments import free_port
from tests.support.repositories import GOOD, make_repository

pytestmark = ssh


@pytest.fixture(scope="module")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshForge]:
    with ssh_forge(tmp_path_factory.mktemp("forge") / "sshd") as forge:
        make_repository(forge.folder / "locations.git", GOOD)
        yield forge


@pytest.fixture
def url(forge: SshForge) -> str:
    return forge.repository(forge.folder / "locations.git")


@pytest.fixture
def access(forge: SshForge) -> RemoteAccess:
    """What opens the forge."""
    return RemoteAccess(ssh_key=forge.key, known_hosts=forge.known_hosts)


def test_a_deploy_key_and_a_known_host_open_it(url: str, access: RemoteAccess, tmp_path: Path) -> None:
    assert looking(url, tmp_path, access).looks.ok == 1


def test_paths_with_what_ssh_reads_otherwise_are_taken_as_they_are(
    url: str, access: RemoteAccess, tmp_path: Path
) -> None:
    folder = tmp_path / "50%h of 'it'"
    folder.mkdir()
    assert access.ssh_key
    assert access.known_hosts
    key, known = folder / "a key", folder / "known hosts"
    key.write_bytes(access.ssh_key.read_bytes())
    key.chmod(0o600)
    known.write_bytes(access.known_hosts.read_bytes())
    looking(url, tmp_path, RemoteAccess(ssh_key=key, known_hosts=known))


@pytest.mark.parametrize("is_there", [True, False])
def test_an_unknown_host_key_is_told_with_the_line_that_makes_it_known(
    is_there: bool, url: str, access: RemoteAccess, forge: SshForge, tmp_path: Path
) -> None:
    known = tmp_path / "known_hosts"
    if is_there:
        known.touch()
    told = failing(url, tmp_path, replace(access, known_hosts=known))
    assert told.kind == "host-key-unknown"
    assert f"this line goes into {known}: " in told.hint
    line = told.hint.partition(f"{known}: ")[2]
    assert line == forge.known_hosts.read_text().strip()
    known.write_text(f"{line}\n")
    looking(url, tmp_path, replace(access, known_hosts=known))


def test_a_changed_host_key_is_told_with_both_doubts(
    url: str, access: RemoteAccess, forge: SshForge, tmp_path: Path
) -> None:
    known = tmp_path / "known_hosts"
    other = make_key(tmp_path / "other").with_suffix(".pub").read_text().split()
    known.write_text(f"[127.0.0.1]:{forge.port} {other[0]} {other[1]}\n")
    told = failing(url, tmp_path, replace(access, known_hosts=known))
    assert told.kind == "host-key-changed"
    assert "in place of the old one" in told.hint
    assert "SHA256:" in told.message


def test_keys_that_cannot_be_used_are_told_apart(url: str, access: RemoteAccess, tmp_path: Path) -> None:
    revoked = failing(url, tmp_path, replace(access, ssh_key=make_key(tmp_path / "revoked")))
    assert (revoked.kind, "does not take the key" in revoked.message) == ("ssh-key", True)
    locked = failing(url, tmp_path, replace(access, ssh_key=make_key(tmp_path / "locked", "passphrase")))
    assert (locked.kind, "has a passphrase" in locked.message) == ("ssh-key", True)
    wide = make_key(tmp_path / "wide")
    wide.chmod(0o644)
    told = failing(url, tmp_path, replace(access, ssh_key=wide))
    assert (told.kind, told.hint) == ("ssh-key", f"chmod 600 {wide}")
    public = failing(url, tmp_path, replace(access, ssh_key=wide.with_suffix(".pub")))
    assert public.hint == "name the file without .pub"
    absent = failing(url, tmp_path, replace(access, ssh_key=tmp_path / "none"))
    assert "cannot be read: No such file" in absent.message


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
def test_a_key_of_another_user_that_a_group_may_read_is_taken(url: str, access: RemoteAccess, tmp_path: Path) -> None:
    """As Kubernetes mounts a Secret with fsGroup."""
    assert access.ssh_key
    key = tmp_path / "key"
    key.write_bytes(access.ssh_key.read_bytes())
    key.chmod(0o440)
    os.chown(key, 65534, 65534)
    looking(url, tmp_path, replace(access, ssh_key=key))


def test_a_wrong_path_and_a_wrong_port_are_told_apart(url: str, access: RemoteAccess, tmp_path: Path) -> None:
    told = failing(url.replace("locations.git", "none.git"), tmp_path, access)
    assert (told.kind, "the remote has no such repository" in told.message) == ("not-found", True)
    port = free_port()
    told = failing(f"ssh://git@127.0.0.1:{port}/x.git", tmp_path, access)
    assert (told.kind, "nothing answers there" in told.message) == ("refused", True)


def test_doctor_says_at_which_step_it_stays_shut(url: str, access: RemoteAccess, tmp_path: Path) -> None:
    def topics(access: RemoteAccess) -> list[str]:
        return [finding.topic for finding in examine_remote(url, None, access)]

    steps = ["name", "route", "host key", "proof", "right", "branch"]
    (tmp_path / "known_hosts").touch()
    assert topics(access) == steps
    assert topics(replace(access, ssh_key=make_key(tmp_path / "other"))) == steps[:4]
    assert topics(replace(access, known_hosts=tmp_path / "known_hosts")) == steps[:3]
