"""A file of the configuration as it was committed, and who wrote one of its lines."""

from __future__ import annotations

from ..cells import split_lines
from ..commit_text import commit_fields
from .resources import Facts, Query
from .site import Site

AROUND = 100
"""Lines before and after the one that is asked for."""


def source(site: Site, query: Query) -> Facts:
    """The lines around one."""
    snapshot = site.active.state.snapshot
    active = snapshot.commit.id if snapshot and snapshot.commit else None
    commit, content = site.archive.content(query["at"] or active or site.archive.tip(), query["path"])
    lines = split_lines(content)
    if content.endswith(b"\n"):
        lines = lines[:-1]
    line = query["line"]
    is_there = line is not None and line <= len(lines)
    first = max(1, (line or 1) - AROUND)
    shown = lines[first - 1 : first + 2 * AROUND]
    return {
        "path": query["path"],
        "commit": commit_fields(commit),
        "line": line,
        "lines": [
            {"number": number, "text": text.decode(errors="replace")} for number, text in enumerate(shown, first)
        ],
        "total": len(lines),
        "written": commit_fields(site.archive.writer(commit, query["path"], line)) if is_there else None,
    }
