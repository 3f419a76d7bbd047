"""Whose fault a failure is, by what git says."""

from __future__ import annotations

import pytest

from location_policy.repository.git import GitFailed, is_disk_full
from location_policy.repository.remote.faults import is_local_fault


@pytest.mark.parametrize(
    "said",
    [
        "error: cannot lock ref 'refs/remotes/origin/main': Unable to create '/s/refs/main.lock': File exists.",
        "fatal: bad config line 1 in file /s/config",
        "fatal: not a git repository: '/s/mirror-1.git'",
        "error: file ./objects/pack/pack-1.pack is far too short to be a packfile",
        "fatal: bad object refs/heads/main",
        "fatal: pack has 3 unresolved deltas\nfatal: fetch-pack: invalid index-pack output",
        "error: unable to write file ./objects/ab/1: Permission denied",
        "object 1234 is not here: the clone is partial, made with --filter",
    ],
)
def test_what_lies_in_the_copy(said: str) -> None:
    assert is_local_fault(said)


@pytest.mark.parametrize(
    "said",
    [
        "fatal: unable to access 'https://h/x/': Could not resolve host: h",
        "ssh: connect to host h port 22: Connection refused\nfatal: Could not read from remote repository.",
        "Host key verification failed.\nfatal: Could not read from remote repository.",
        "git@h: Permission denied (publickey).\nfatal: Could not read from remote repository.",
        "fatal: the remote end hung up unexpectedly\nfatal: early EOF\nfatal: fetch-pack: invalid index-pack output",
        "error: RPC failed; HTTP 504 curl 22 The requested URL returned error: 504",
        "error: 1234 bytes of body are still expected\nfetch-pack: unexpected disconnect while reading sideband packet",
        "fatal: remote error: access denied or repository not exported: /x",
        "error: object 12: zeroPaddedFilemode: contains zero-padded file modes\nfatal: fsck error in packed object",
        "no byte came for 30 s",
        "no end after 900 s",
        "fatal: Out of memory, calloc failed",
    ],
)
def test_what_does_not(said: str) -> None:
    assert not is_local_fault(said)


@pytest.mark.parametrize("said", ["fatal: write error: No space left on device", "error: index-pack died of signal 25"])
def test_a_full_disk_is_known(said: str) -> None:
    assert is_disk_full(said)
    assert GitFailed("mktag", 128, said).hint == "make room on the disk that the repository is on"
    assert not is_local_fault(said)
