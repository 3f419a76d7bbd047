"""Notes on commits (git-notes): read all at once, added one at a time."""

from __future__ import annotations

import os
import time
from contextlib import suppress

from .git import Git, GitFailed
from .new_commits import IDENTITY

ATTEMPTS = 40
"""Times that a note is tried to be added while others move the ref too, some three seconds in all."""


def list_notes(git: Git, ref: str) -> dict[str, str]:
    """The blobs of the notes that a ref has, by the commits that they are on."""
    pairs = (line.split(" ") for line in git.run("notes", f"--ref={ref}", "list").decode().splitlines())
    return {commit_id: blob for blob, commit_id in pairs}


def append_note(git: Git, ref: str, commit_id: str, text: str) -> None:
    """Add a paragraph to the note on a commit; raises GitFailed.

    `git notes` does not see that another has moved the ref meanwhile, and would undo what that one has noted. So it
    works on a ref aside, and ours is moved from where it was read or not at all.
    """
    attempts = 1
    while not _append(git, ref, commit_id, text, may_fail=attempts < ATTEMPTS):
        attempts += 1
        time.sleep(0.01 + os.urandom(1)[0] / 2_560)


def _append(git: Git, ref: str, commit_id: str, text: str, *, may_fail: bool) -> bool:
    aside = f"refs/notes/aside/{os.urandom(16).hex()}"
    old = git.run("for-each-ref", "--format=%(objectname)", ref).decode().strip()
    try:
        if old:
            git.run("update-ref", aside, old)
        git.run("notes", f"--ref={aside}", "append", "-m", text, commit_id, environment=IDENTITY)
        new = git.run("rev-parse", "--verify", "--quiet", aside).decode().strip()
        git.run("update-ref", "-m", "location-policy", ref, new, old or "0" * len(new), environment=IDENTITY)
    except GitFailed:
        if may_fail:
            return False
        raise
    finally:
        with suppress(GitFailed):  # what was noted stays noted
            git.run("update-ref", "-d", aside)
    return True
