"""Whose fault it is that a fetch has failed: that of the remote and the way to it, of a full disk, or of the copy.

`git ls-remote` has answered before anything is fetched, without the copy; so what fails then, and does not say that it
comes from afar, is taken to lie in the copy.
"""

from __future__ import annotations

import re

from ...errors import RepositoryError

_FULL = re.compile(r"no space left on device|disk quota exceeded|file too large|died of signal 25", re.IGNORECASE)
_REMOTE = re.compile(
    r"no byte came|no end after|it tells more than|"
    r"unable to access|unable to connect|unable to look up|could not resolve|connection|timed out|hung up|early EOF|"
    r"RPC failed|disconnect|remote end|curl|expected flush|bad line length|bad band|protocol error|protocol:|"
    r"couldn't find remote ref|not our ref|unadvertised object|remote error|remote: |upload-pack|"
    r"authentication failed|could not read (username|password)|permission denied \(|host key|"
    r"could not read from remote|repository '.*' not found|does not appear to be a git repository|"
    r"not valid: is this a git|fsck error|in packed object|transport '.*' not allowed|SSL|certificate|"
    r"HTTP \d|returned error: |ended with the service",
    re.IGNORECASE,
)


class CopyDamaged(RepositoryError):
    """The copy is not as it was made."""


def is_disk_full(stderr: str) -> bool:
    """Does git say that nothing can be written any more? 25 is SIGXFSZ, of a file that may not grow (setrlimit(2))."""
    return _FULL.search(stderr) is not None


def is_local_fault(stderr: str) -> bool:
    """Does what git says mean the copy: its config, refs, objects, index or locks, which a new one does not have?"""
    return not is_disk_full(stderr) and _REMOTE.search(stderr) is None
