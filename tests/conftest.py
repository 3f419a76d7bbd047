"""What holds for all tests: where they write, how hypothesis runs, what git is handed, and keys."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from itertools import pairwise, takewhile
from pathlib import Path

import pytest
from hypothesis import settings

from location_policy.repository.git import PlainGit, PythonGit
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


TAKES_REVISIONS = {"blame", "cat-file", "commit-tree", "log", "ls-tree", "merge-base", "read-tree", "rev-list"}
"""Commands of git that guess what a name means (gitrevisions), of those that the program runs."""
_WITH_VALUE = {"-L", "-m"}
"""Options of theirs whose value is the next word, and no revision."""
_EXACT = re.compile(r"-.*|blob|\^?(?:[0-9a-f]{40}|[0-9a-f]{64})(?::.+)?", re.DOTALL)
"""An option, a kind of object, or a full id: to be left out with `^`, or with a path below it."""


def guesses(*arguments: str) -> list[str]:
    """The words of a command line of git at which it would have to guess."""
    words = [*takewhile(lambda word: word != "--", arguments)]
    if words[0] not in TAKES_REVISIONS or "--walk-reflogs" in words:  # a log is that of a ref, and has no id
        return []
    return [word for before, word in pairwise(words) if before not in _WITH_VALUE and not _EXACT.fullmatch(word)]


@pytest.fixture(scope="session", autouse=True)
def _exact_names() -> Iterator[None]:
    """No test passes in which the program, in the test's own process, lets git guess what a name means."""
    with pytest.MonkeyPatch.context() as patch:
        for one in (PlainGit, PythonGit):
            patch.setattr(one, "run", _watched(one.run))
        yield


def _watched(run: Callable[..., bytes]) -> Callable[..., bytes]:
    def watched(git: PlainGit | PythonGit, *arguments: str, **options: object) -> bytes:
        if sys._getframe(1).f_globals["__name__"].startswith("location_policy."):
            assert not guesses(*arguments), arguments
        return run(git, *arguments, **options)

    return watched


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
