"""What holds for all tests: where they write, how hypothesis runs, and keys."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.service_manager import Manager
from tests.support.signing import GpgKey, SshKey, gpg_key, make_ssh_key

MEMORY, ENOUGH = Path("/dev/shm"), 1 << 30
"""A file system in memory, and the bytes that must be free there."""


def write_into_memory() -> None:
    """Let temporary files lie in memory where there is room: thousands of repositories are made, and none is kept.

    Not where programs on it may not be run, as hooks are; and a user who sets TMPDIR knows better.
    """
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK):
        return
    found = os.statvfs(MEMORY)
    if found.f_bavail * found.f_frsize >= ENOUGH and not found.f_flag & os.ST_NOEXEC:
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None  # it is asked for anew


write_into_memory()

# The same examples each time, and no clock, which a busy machine would trip over.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.register_profile("quick", deadline=None, derandomize=True, max_examples=10)
settings.load_profile("steady")


@pytest.fixture(scope="session")
def alice(tmp_path_factory: pytest.TempPathFactory) -> SshKey:
    """Who may sign."""
    return make_ssh_key(tmp_path_factory.mktemp("keys"), "alice")


@pytest.fixture(scope="session")
def eve(tmp_path_factory: pytest.TempPathFactory) -> SshKey:
    """Who may not."""
    return make_ssh_key(tmp_path_factory.mktemp("keys"), "eve")


@pytest.fixture(scope="session")
def signers(alice: SshKey, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of signers with alice in it."""
    path = tmp_path_factory.mktemp("signers") / "allowed_signers"
    path.write_text(f"# who may sign\n{alice.line()}")
    return path


@pytest.fixture(scope="session")
def bob() -> Iterator[GpgKey]:
    """Who signs with GPG."""
    with gpg_key("bob") as key:
        yield key


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    """What listens as the service manager does."""
    manager = Manager(str(tmp_path / "notify"))
    yield manager
    manager.socket.close()
