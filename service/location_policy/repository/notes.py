"""Notes on commits (git-notes): read all at once, added to the commits of one push at a time."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
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


def append_notes(git: Git, ref: str, commit_ids: Sequence[str], text: str, most: int | None = None) -> None:
    """Add a paragraph to the note on the last of these commits, and let it be the note on the others that have none.

    Raises GitFailed. `git notes` does not see that another has moved the ref meanwhile, and would undo what that one
    has noted. So it works on a ref aside, and ours is moved from where it was read or not at all.
    """
    attempts = 1
    while not _append(git, ref, commit_ids, text, may_fail=attempts < (most or ATTEMPTS)):
        attempts += 1
        time.sleep(0.01 + os.urandom(1)[0] / 2_560)


def _append(git: Git, ref: str, commit_ids: Sequence[str], text: str, *, may_fail: bool) -> bool:
    aside = f"{ASIDE}/{os.urandom(16).hex()}"
    old = read_ref(git, ref)
    try:
        if old:
            git.run("update-ref", aside, old)
        _write(git, aside, old, commit_ids, text)
        moved = f"update {ref} {aside} {old or '0' * len(commit_ids[0])}\ndelete {aside}\n"
        git.run("update-ref", "-m", "location-policy", "--stdin", stdin=moved.encode(), environment=IDENTITY)
    except GitFailed:
        with suppress(GitFailed):  # it may not be there
            git.run("update-ref", "-d", aside)
        if may_fail:
            return False
        raise
    return True


def _write(git: Git, aside: str, old: str | None, commit_ids: Sequence[str], text: str) -> None:
    *others, last = commit_ids
    noted = list_notes(git, old) if old and others else {}
    fresh = [commit_id for commit_id in others if commit_id not in noted]
    for commit_id in (last, *fresh[:1]):
        git.run("notes", f"--ref={aside}", "append", "-m", text, commit_id, environment=IDENTITY)
    if copies := "".join(f"{fresh[0]} {commit_id}\n" for commit_id in fresh[1:]):
        git.run("notes", f"--ref={aside}", "copy", "--stdin", stdin=copies.encode(), environment=IDENTITY)
