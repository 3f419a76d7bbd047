"""The commits of the served branch, what became of each, and what each does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest

from ...config.commit import Commit
from ...errors import InvalidConfiguration
from ...gate.overrides import Override
from ...history.as_json import override_fields, push_fields
from ...history.commit_text import commit_fields
from ...net.addresses import Network, parse_interface
from ...plan.as_json import Fields, Wanted
from ...problems import errors_in
from ...rollout.journal import Event
from ...text import fitting, moment_text, quote, shorten
from ..edge.faults import Fault
from ..site.site import Site
from .resources import Facts, Query

PAGE = 50
"""Commits of a page."""
RECENT = 5
"""Commits that Home tells."""
CHANGES = 50
"""Changed ranges of a page."""
SHOWN_PUSHES = 20
"""Pushes that were not taken, of those that a page shows."""
TIMES = 20
"""How often it is told when a commit was put in force or refused."""
LONGEST_MESSAGE = 20_000
"""Characters of a message that are shown."""
NONE: Facts = {"problems": [], "counts": {}, "is_cut": False}


def history(site: Site, query: Query) -> Facts:
    """One page of commits, newest first."""
    found = site.queries.commits((query["page"] - 1) * PAGE, PAGE)
    notes, events = site.queries.overrides(found.commits), site.queries.events()
    return {
        "branch": site.active.state.branch,
        "total": found.total,
        "page": query["page"],
        "pages": max(1, -(-found.total // PAGE)),
        "is_shallow": found.is_shallow,
        "commits": fitting(_told(site, commit, notes, events) for commit in found.commits),
        "refused_pushes": fitting(map(push_fields, reversed(site.queries.pushes_not_taken()))),
    }


def recent(site: Site, query: Query) -> Facts:
    """The last changes, what each does in a line, and what became of it."""
    found = site.queries.commits(0, RECENT)
    notes, events = site.queries.overrides(found.commits), site.queries.events()
    changes = ((one, _kept_change(site, None, one.id, query)) for one in found.commits)
    return {
        "commits": fitting(
            {
                **_told(site, one, notes, events),
                "is_first": at == found.total - 1 and not found.is_shallow,
                "impact": change["plan"]["summary"] if change["plan"] else None,
                "errors": change["errors"],
            }
            for at, (one, change) in enumerate(changes, found.start)
        )
    }


def commit(site: Site, query: Query) -> Facts:
    """One commit: its message, what became of it, and what it does to the map before it."""
    found = site.queries.signed(site.queries.find(query["id"]))
    told = _told(site, found, site.queries.overrides([found]), site.queries.events())
    told["message"] = shorten(site.queries.message(found), LONGEST_MESSAGE)
    told["reviews"] = fitting(site.queries.waiting_at(found), PAGE)
    is_new = not (told["is_active"] or told["was_active"] or told["refused"])
    told["is_loading"] = is_new and site.queries.is_newest(found)
    change = _kept_change(site, None, found.id, query)
    is_shallow = change["plan"] is not None and change["old"] is None and site.queries.is_cut_before(found)
    return {**told, **change, "is_shallow": is_shallow, **({"plan": None} if is_shallow else {})}


def compare(site: Site, query: Query) -> Facts:
    """What going from one commit to another does."""
    old, new = site.queries.find(query["old"]), site.queries.find(query["new"])
    return {**_kept_change(site, old.id, new.id, query), "old": commit_fields(old), "new": commit_fields(new)}


def _kept_change(site: Site, old: str | None, new: str, query: Query) -> Facts:
    wanted = _wanted(query)
    return site.plans.get((old, new, wanted), lambda: _change(site, old, new, wanted))


def _wanted(query: Query) -> Wanted:
    """The changes of one page of them, the first where nothing is asked; raises Fault."""
    if "kind" not in query:
        return Wanted(number=CHANGES)
    within = None
    if query["subnet"]:
        try:
            within = Network.holding(*parse_interface(query["subnet"]))
        except ValueError:
            raise Fault(400, f"{quote(query['subnet'])} is not a subnet", "write it as 10.61.0.0/16") from None
    return Wanted(query["kind"], query["location"], within, (query["page"] - 1) * CHANGES, CHANGES)


def _change(site: Site, old: str | None, new: str, wanted: Wanted) -> Facts:
    """The plan; a commit that is not valid has none, but problems."""
    try:
        change = site.queries.change(old, new, wanted)
    except InvalidConfiguration as error:
        told = errors_in(error.problems).fields()
        invalid = old if old and not site.queries.is_valid(old) else new
        return {"old": None, "plan": None, "invalid": invalid, "errors": told.pop("total"), **told}
    before = commit_fields(change.old) if change.old else None
    return {"old": before, "plan": change.plan, "invalid": None, "errors": 0, **NONE}


def _told(site: Site, one: Commit, notes: Mapping[str, Override], events: Sequence[Event]) -> Facts:
    """A commit, and what became of it."""
    state = site.active.state
    active = state.snapshot.commit.id if state.snapshot and state.snapshot.commit else None
    return {
        **commit_fields(one),
        "is_active": one.id == active,
        "is_head": bool(state.head and state.head.commit.id == one.id),
        "was_active": _periods(events, one.id),
        "refused": _refused(events, one.id),
        "pins": _pins(events, one.id),
        "override": override_fields(notes.get(one.id)),
    }


def _refused(events: Sequence[Event], commit_id: str) -> list[str]:
    """When a commit was refused; the last times."""
    times = [moment_text(event.at) for event in events if event.commit == commit_id and event.kind == "refused"]
    return times[-TIMES:]


def _pins(events: Sequence[Event], commit_id: str) -> list[Fields]:
    """When a commit was pinned and unpinned, by whom and why; the last times."""
    found = [event for event in events if event.commit == commit_id and event.kind in ("pinned", "unpinned")]
    return [
        {"event": one.kind, "at": moment_text(one.at), "by": one.by, "reason": one.reason} for one in found[-TIMES:]
    ]


def _periods(events: Sequence[Event], commit_id: str) -> list[Fields]:
    """From when to when a commit was in force, as far as it was written down, the last times; no end: until now."""
    active = [event for event in events if event.kind == "active"]
    pairs = zip_longest(active, (moment_text(event.at) for event in active[1:]))
    return [{"from": moment_text(event.at), "to": end} for event, end in pairs if event.commit == commit_id][-TIMES:]
