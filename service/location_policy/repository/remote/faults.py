"""Whose fault it is that a fetch has failed: that of the remote and the way to it, of a full disk, or of the copy.

`git ls-remote` has answered before anything is fetched, without the copy; so what fails then, and does not say that it
comes from afar, is taken to lie in the copy.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ...errors import RepositoryError, UnknownRevision
from ...runtime.writable import unwritable
from ..git import GitFailed, is_disk_full
from .credentials import RemoteAccess
from .diagnosis import diagnose
from .failures import RemoteError
from .fetch import RemoteFailed

_REMOTE = re.compile(
    r"no byte came|no end after|it tells more than|"
    r"unable to access|unable to connect|unable to look up|could not resolve|connection|timed out|hung up|early EOF|"
    r"RPC failed|disconnect|remote end|curl|expected flush|bad line length|bad band|protocol error|protocol:|"
    r"couldn't find remote ref|not our ref|unadvertised object|remote error|remote: |upload-pack|"
    r"authentication failed|could not read (username|password)|permission denied \(|host key|"
    r"could not read from remote|repository '.*' not found|does not appear to be a git repository|"
    r"not valid: is this a git|fsck error|in packed object|transport '.*' not allowed|SSL|certificate|"
    r"HTTP \d|returned error: |out of memory|memory exhausted|ended with the service",
    re.IGNORECASE,
)
_LACKING = re.compile(r"not our ref ([0-9a-f]{40,64})")


class CopyDamaged(RepositoryError):
    """The copy is not as it was made."""


def is_local_fault(stderr: str) -> bool:
    """Does what git says mean the copy: its config, refs, objects, index or locks, which a new one does not have?"""
    return not is_disk_full(stderr) and _REMOTE.search(stderr) is None


@dataclass(frozen=True, slots=True)
class Faults:
    """Tells, of the copy of one remote, what has failed; `told` is what git has said, or who else has met it."""

    url: str
    copy: Path
    access: RemoteAccess

    def of_disk(self, error: RepositoryError, told: str) -> RepositoryError | None:
        """That nothing can be kept, and why, where it is that."""
        folder, again = self.copy.parent, "it is fetched again by itself"
        if is_disk_full(told):
            message = f"nothing of {self.url} can be kept in {folder}: the disk is full"
            return RepositoryError(message, f"make room there: {again}")
        if isinstance(error, (RemoteError, UnknownRevision)) or not self.is_local(told):
            return None
        if problem := unwritable(folder) or unwritable(self.copy):
            message = f"nothing of {self.url} can be kept: {folder} {problem.why}"
            return RemoteError("disk", message, f"{problem.mend}; {again}")
        return None

    def explained(self, error: RepositoryError, *, is_of_service: bool) -> RepositoryError:
        """What has failed, in a sentence where it is the remote, or the way to it."""
        if not isinstance(error, RemoteFailed):
            return error
        if is_of_service and (lacking := _LACKING.search(error.stderr)):
            message = f"{self.url} tells that commit {lacking[1][:10]} is active, and does not have it"
            return RemoteError("upstream", message, "see the log of that service: is it one, or several?")
        return diagnose(self.url, error.stderr, self.access) or error

    def kind(self, error: RepositoryError, told: str) -> str:
        """One word for what has failed."""
        if isinstance(error, RemoteError):
            return error.kind
        if isinstance(error, UnknownRevision):
            return "branch"
        if is_disk_full(told):
            return "disk"
        return "local" if self.is_local(told) else "remote"

    def is_damage(self, error: RepositoryError) -> bool:
        """Has the copy been damaged, so that a new one mends it?"""
        return not isinstance(error, GitFailed) or self.is_local(error.stderr)

    def is_local(self, told: str) -> bool:
        """Does what was told mean the copy? The names of the copy and of the remote can have any word in them."""
        for name in (str(self.copy.parent.absolute()), str(self.copy.parent), self.url):
            told = told.replace(name, "")
        return is_local_fault(told)
