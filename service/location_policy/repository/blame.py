"""Which commit has written a line (git-blame, "The porcelain format")."""

from __future__ import annotations

from typing import NamedTuple

from .git import Git


class Written(NamedTuple):
    """The commit that has written a line, and whether history begins with it."""

    commit_id: str
    is_boundary: bool


def blame_line(git: Git, commit_id: str, path: str, line: int) -> Written:
    """Who has written a line of a file as it is in this commit; raises GitFailed where there is no such line.

    White space counts: it parts names.
    """
    options = ("--porcelain", "--encoding=none", "--no-textconv", "-L", f"{line},{line}")
    head, *rest = git.run("blame", *options, commit_id, "--", path).split(b"\n")
    return Written(head.split(b" ")[0].decode(), b"boundary" in rest)
