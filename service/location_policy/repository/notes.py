"""Notes on commits (git-notes): read all at once, added one at a time."""

from __future__ import annotations

import os
import time
from contextlib import suppress

from .git import Git, GitFailed
from .new_commits import IDENTITY
from .refs import read_ref

ASIDE = "refs/notes/location-policy-aside"
"""Where a note is written before it is ours, a ref below this one for each."""
ATTEMPTS = 40
"""Times that a note is tried to be added while others move the ref too, some three seconds in all."""


def list_notes(git: Git, commit_id: str) -> dict[str, str]:
    """The blobs of the notes that a commit of notes holds, by the commits that they are on.

    The path of a note is the id of its commit, cut into folders where there are many (git-notes, "DISCUSSION"). `git
    notes list` would read the same from the name of a ref, and guess where there is no such ref.
    """
    entries = git.run("ls-tree", "-r", "-z", commit_id).decode(errors="replace").split("\0")[:-1]
    found = (entry.partition("\t") for entry in entries)
    blobs = {path.replace("/", ""): entry.split(" ")[2] for entry, _, path in found}
    return {noted: blob for noted, blob in blobs.items() if len(noted) == len(commit_id)}


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
    aside = f"{ASIDE}/{os.urandom(16).hex()}"
    old = read_ref(git, ref)
    try:
        if old:
            git.run("update-ref", aside, old)
        git.run("notes", f"--ref={aside}", "append", "-m", text, commit_id, environment=IDENTITY)
        new = read_ref(git, aside) or ""
        git.run("update-ref", "-m", "location-policy", ref, new, old or "0" * len(new), environment=IDENTITY)
    except GitFailed:
        if may_fail:
            return False
        raise
    finally:
        with suppress(GitFailed):  # what was noted stays noted
            git.run("update-ref", "-d", aside)
    return True
