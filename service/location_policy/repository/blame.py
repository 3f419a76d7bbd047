"""Which commit has written a line (git-blame, "The porcelain format")."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from .git import Git

_HEADER = re.compile(rb"([0-9a-f]{40,64}) \d+ (\d+)(?: \d+)?")


class Written(NamedTuple):
    """The commit that has written a line, and whether history begins with it."""

    commit_id: str
    is_boundary: bool


def blame_lines(git: Git, commit_id: str, path: str, lines: Iterable[int]) -> dict[int, Written]:
    """Who has written each of these lines of a file, 1-based, as it is in this commit; raises GitFailed where there is
    no such line.

    White space counts: it parts names.
    """
    options = ["--porcelain", "--encoding=none", "--no-textconv", *(f"-L{line},{line}" for line in sorted(set(lines)))]
    text = git.run("blame", *options, commit_id, "--", path)
    boundaries, writers = set[bytes](), dict[int, bytes]()
    for told in text.split(b"\n"):
        if header := _HEADER.match(told):
            writer = header[1]
            writers[int(header[2])] = writer
        elif told == b"boundary":
            boundaries.add(writer)
    return {line: Written(writer.decode(), writer in boundaries) for line, writer in writers.items()}
