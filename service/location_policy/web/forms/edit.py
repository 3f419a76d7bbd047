"""The form in which one row is changed: the row as it was seen, and what can be chosen."""

from __future__ import annotations

from ...config.csv_lines import cells_of, split_lines
from ...config.policy_toml import PAIR
from ...text import quote
from ..edge.faults import Fault
from ..pages.resources import Facts, Query
from ..site.site import Site

BLANKS = 2
"""Fields for further overflow locations, where there may be more than a pair."""


def edit_facts(site: Site, query: Query) -> Facts:
    """What was typed, or else the row that is named; files and locations to choose from."""
    snapshot = site.active.state.snapshot
    typed = dict(query)
    if query["path"] and isinstance(query["line"], int) and not (query["seen"] or query["subnet"]):
        typed |= _row(site, query)
    overflow = tuple(filter(None, typed["overflow"] or ()))
    is_pair = snapshot is None or snapshot.rules.overflow == "pair"
    wanted = max(PAIR, len(overflow)) if is_pair else len(overflow) + BLANKS
    known = (*snapshot.rules.known, *snapshot.locations) if snapshot else ()
    return {
        "query": typed,
        "overflow": [*overflow, *[""] * (wanted - len(overflow))],
        "locations": sorted(dict.fromkeys(known)),
        "paths": list(snapshot.paths) if snapshot else [],
    }


def _row(site: Site, query: Query) -> Facts:
    """A line of a file as it was seen; raises Fault where it is no row."""
    commit, content = site.queries.content(query["at"] or site.queries.tip(), query["path"])
    lines, line = split_lines(content), query["line"]
    text = lines[line - 1].removesuffix(b"\r").decode(errors="replace") if line <= len(lines) else ""
    cells = [cell.text for cell in cells_of(text) if cell.text]
    if len(cells) < 2 or text.lstrip(" \t").startswith("#"):
        raise Fault(404, f"{quote(query['path'])} has no row at line {line} of commit {commit.id[:10]}")
    location, *overflow, subnet = cells
    return {"seen": text, "location": location, "overflow": tuple(overflow), "subnet": subnet}
