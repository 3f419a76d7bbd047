"""Which commits are behind which (gitrevisions), by their full ids."""

from __future__ import annotations

from .git import Git, found

LOOK_BACK = 100
"""First-parent commits among which the newest valid one is looked for, and tips among which the one is that a roll-back
goes back to.
"""


class Revisions:
    """The history of one repository."""

    def __init__(self, git: Git) -> None:
        self._git = git

    def branches_at(self, commit_id: str, folder: str) -> list[str]:
        """The short names of the branches below a folder whose newest commit this is."""
        pattern = f"refs/heads/{folder}/"
        text = self._git.run("for-each-ref", "--format=%(refname)", f"--points-at={commit_id}", pattern)
        return [name.removeprefix("refs/heads/") for name in text.decode(errors="surrogateescape").split("\n")[:-1]]

    def parents(self, commit_id: str) -> list[str]:
        """The ids of a commit's parents, the first that which it was made on."""
        return self._revisions("--no-walk", "--parents", commit_id)[1:]

    def changing(self, old: str, new: str, path: str) -> list[str]:
        """The commits of `old..new` that have changed a file, newest first."""
        return self._git.run("rev-list", new, f"^{old}", "--", f":(literal){path}").decode().split()

    def gained(self, old: str, new: str) -> list[str]:
        """The commits that a ref gains by moving from `old` to `new`, oldest first."""
        return self._revisions("--topo-order", "--reverse", new, f"^{old}")

    def count_gained(self, old: str, new: str) -> int:
        """How many commits a ref gains by moving from `old` to `new`."""
        return int(self._git.run("rev-list", "--count", new, f"^{old}", "--"))

    def saying(self, old: str, new: str, *texts: str) -> list[str]:
        """The commits of `old..new` whose message has one of these texts, children before their parents."""
        wanted = [f"--grep={text}" for text in texts]
        return self._revisions("--topo-order", "--fixed-strings", *wanted, new, f"^{old}")

    def is_ancestor(self, old: str, new: str) -> bool:
        """Is moving a ref from `old` to `new` a fast-forward?

        `gained` cannot tell: rev-list stops early where the dates of commits lie, and names commits that are in both.
        """
        return found(self._git, "merge-base", "--is-ancestor", old, new) is not None

    def merge_base(self, one: str, other: str) -> str | None:
        """The commit at which two histories have parted; None where they have nothing in common."""
        bases = found(self._git, "merge-base", one, other)
        return None if bases is None else bases.decode().split("\n")[0]

    def ancestors(self, commit_id: str, limit: int, *, first_parent: bool = False) -> list[str]:
        """At most `limit` commits behind a commit, newest first, itself the first."""
        return self._revisions(f"--max-count={limit}", *["--first-parent"] * first_parent, commit_id)

    def roots(self, commit_id: str) -> list[str]:
        """The commits behind a commit that have no parent."""
        return self._revisions("--max-parents=0", commit_id)

    def first_parents(self, commit_id: str) -> list[str]:
        """Every commit behind a commit along first parents, newest first, itself the first."""
        return self._revisions("--first-parent", commit_id)

    def _revisions(self, *arguments: str) -> list[str]:
        return self._git.run("rev-list", *arguments, "--").decode().split()

    def is_shallow(self) -> bool:
        """Does its history end before the first commit?"""
        return self._git.run("rev-parse", "--is-shallow-repository").strip() == b"true"
