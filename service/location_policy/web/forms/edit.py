"""The form in which one row is changed: the row as it was seen, and what can be chosen."""

from __future__ import annotations

from ...config.csv_lines import cells_of, split_lines
from ...config.files import view_of
from ...config.location_names import is_name
from ...config.policy_toml import PAIR
from ...lookup.snapshot import Snapshot
from ...text import ROOM, fitting, quote
from ..edge.faults import Fault
from ..pages.resources import Facts, Query
from ..site.site import Site

OFFERED = 500
"""Files, and locations, that can be chosen; others can be named in the address of the form, or typed."""
LONGEST_ROW = 20_000
"""Characters of a row that is changed on a page: the form has it three times."""
LONGEST_SUBNET = 64
"""Characters of what was typed as a subnet that each link to the form of another map takes there."""
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
    subnet = typed["subnet"] or ""
    return {
        "title": "Add a subnet" if not typed["seen"] else "Remove a subnet" if typed["remove"] else "Change a subnet",
        "unknown": _unknown(snapshot, typed),
        "query": typed,
        "kept_subnet": subnet if len(subnet) <= LONGEST_SUBNET else None,
        "overflow": [*overflow, *[""] * (wanted - len(overflow))],
        "locations": fitting(sorted(dict.fromkeys(known)), OFFERED, ROOM // 2),
        **path_fields(own_snapshot(snapshot, query), typed["path"]),
        **view_fields(snapshot, query),
    }


def _unknown(snapshot: Snapshot | None, typed: Facts) -> list[str]:
    """The names that were typed and are not known, and those that are to be."""
    names = [text.strip() for text in (typed["location"] or "", *(typed["overflow"] or ()))]
    known = snapshot.rules.known if snapshot else ()
    new = [name for name in names if known and name not in known and is_name(name)]
    return [*dict.fromkeys((*typed["known"], *filter(None, new)))]


def view_fields(snapshot: Snapshot | None, query: Query) -> Facts:
    """The views that have rows, to choose from, and the one whose rows are meant, None for the map at the top."""
    views = snapshot.views if snapshot else ()
    return {"view": _view(query) or None, "views": [one.view for one in views if one.rules.answer is None]}


def own_snapshot(snapshot: Snapshot | None, query: Query) -> Snapshot | None:
    """What is in force of the rows that are meant; None where there is no such view."""
    return snapshot and snapshot.of_view(_view(query))


def _view(query: Query) -> str:
    return query["view"] or view_of(query["path"] or "")


def path_fields(snapshot: Snapshot | None, chosen: str | None) -> Facts:
    """The files to choose from, with the chosen one, and how many more there are."""
    paths = snapshot.paths if snapshot else ()
    offered = fitting(paths, OFFERED, ROOM // 2)
    more = len(paths) - len(offered)
    if chosen in paths and chosen not in offered:
        offered, more = [*offered, chosen], more - 1
    return {"paths": offered, "more_paths": more}


def _row(site: Site, query: Query) -> Facts:
    """A line of a file as it was seen; raises Fault where it is no row."""
    commit, content = site.queries.content(query["at"] or site.queries.tip(), query["path"])
    lines, line = split_lines(content), query["line"]
    text = lines[line - 1].removesuffix(b"\r").decode(errors="replace") if line <= len(lines) else ""
    if len(text) > LONGEST_ROW:
        raise Fault(422, f"line {line} is too long to be changed here", "change it in a clone, and push it")
    cells = [cell.text for cell in cells_of(text) if cell.text]
    if len(cells) < 2 or text.lstrip(" \t").startswith("#"):
        raise Fault(404, f"{quote(query['path'])} has no row at line {line} of commit {commit.id[:10]}")
    location, *overflow, subnet = cells
    return {"seen": text, "location": location, "overflow": tuple(overflow), "subnet": subnet}
