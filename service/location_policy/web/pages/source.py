"""A file of the configuration as it was committed, and who wrote one of its lines."""

from __future__ import annotations

from collections.abc import Sequence

from ...config.commit import Commit
from ...config.csv_lines import split_lines
from ...history.commit_text import commit_fields
from ...text import fitting, quote, shorten
from ..edge.faults import Fault
from ..site.site import Site
from .resources import Facts, Query

AROUND = 100
"""Lines before and after the one that is asked for."""
SHORT = 100
"""Characters of each line where lines as long as a text of ours have no room."""


def source(site: Site, query: Query) -> Facts:
    """The lines around one; a long line ends in `…`."""
    commit, lines = _lines(site, query)
    first = max(1, (query["line"] or 1) - AROUND)
    texts = [shorten(text.decode(errors="replace")) for text in lines[first - 1 : first + 2 * AROUND]]
    if len(fitting(texts)) < len(texts):
        texts = [shorten(text, SHORT) for text in texts]
    return {
        "path": query["path"],
        "commit": commit_fields(commit),
        "line": query["line"],
        "lines": [{"number": number, "text": text} for number, text in enumerate(texts, first)],
        "total": len(lines),
    }


def written(site: Site, query: Query) -> Facts:
    """Who wrote a line: git goes back through the history of its file, which takes seconds in a long one."""
    commit, lines = _lines(site, query)
    path, line = query["path"], query["line"]
    if line > len(lines):
        raise Fault(404, f"{quote(path)} has no line {line:,} at commit {commit.id[:10]}, but {len(lines):,}")
    writer = site.queries.writer(commit, path, line)
    return {"path": path, "line": line, "commit": commit_fields(commit), "written": commit_fields(writer)}


def _lines(site: Site, query: Query) -> tuple[Commit, Sequence[bytes]]:
    """The commit that is meant, and the lines of a file in it."""
    commit, content = site.queries.content(query["at"] or site.active.commit or site.queries.tip(), query["path"])
    lines = split_lines(content)
    return commit, lines[:-1] if content.endswith(b"\n") else lines
