"""The answer that a node would get, the view that takes the call, the row that answers and the rows that it beats; who
wrote it, and since when.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import cast
from urllib.parse import urlencode

from ...config.policy_toml import sent_name
from ...config.views.view import PARAMETERS, View
from ...errors import NoAddress
from ...history.as_json import answered_fields
from ...history.blame import blame_fields
from ...history.commit_text import commit_fields
from ...lookup import decision
from ...lookup.as_json import leading_fields, row_fields, subnet_fields
from ...lookup.asked import is_host, parse_asked, require_name
from ...lookup.leading_rows import all_location_names, leading_rows
from ...lookup.passed_views import passed_views
from ...lookup.query_string import Parameters, asked_address, parse_query
from ...lookup.snapshot import Snapshot
from ...lookup.subnet_answers import SubnetAnswers
from ...net.addresses import Address, Network, format_address, parse_address
from ...net.split import LISTED
from ...rollout.journal import by_commit
from ...text import ROOM, fitting
from ..edge.faults import Fault
from ..edge.policy_api import LOCATION
from ..site.site import Site
from .resources import Facts, Query

LARGEST = 20_000
"""Rows of a subnet that are looked through for a page, in a fifth of a second of the processor."""
OFFERED = 500
"""Values of a condition that can be chosen; others can be typed."""
REQUEST = (
    "ms-subnet",
    "remote_address",
    "node_ip",
    "proxy_node_address",
    "call_direction",
    "trigger",
    "vendor",
    "encryption",
    "registered",
    "location",
    "proxy_node_location",
    "local_alias",
    "remote_alias",
    "service_name",
    "version_id",
)
"""What else a conference node says in a request, in its words."""


def lookup(site: Site, query: Query) -> Facts:
    """The answer to one question; none where nothing was asked. Of a subnet its parts, of a location the rows that lead
    to it.
    """
    snapshot = site.snapshot(query["at"])
    told = _facts(site, snapshot)
    call = _call(query)
    answering = snapshot.answering(call)
    if query["address"] and (wider := _wider(snapshot, answering, query["address"], query["protocol"])):
        return told | wider | (_taken(snapshot, answering, call) if wider.get("subnet") else {})
    asked = _asked(answering.rules.match, query)
    if not asked:
        return told
    told |= _taken(snapshot, answering, call)
    told["request"] = f"{LOCATION}?{urlencode(asked)}"
    question = decision.understand(answering.rules, parse_query(urlencode(asked).encode()))
    answer = decision.answer_question(answering, question)
    told["answer"] = {"http_status": answer.status, "outcome": answer.outcome, "body": answer.body}
    if answer.outcome in ("match", "default", "no-match"):
        address = parse_address(question.address)
        told["address"] = format_address(address)
        holding = answering.holding(address)
        told["rows"] = fitting(row_fields(answering.match_at(position)) for position in holding)
        told["more"] = len(holding) - len(told["rows"])
    elif answer.outcome == "answer":  # whatever the address
        with suppress(NoAddress):
            told["address"] = format_address(asked_address(query["address"] or ""))
    return told


def _facts(site: Site, snapshot: Snapshot) -> Facts:
    """What is told where nothing was asked."""
    return {
        "commit": commit_fields(snapshot.commit) if snapshot.commit else None,
        "is_active": snapshot is site.active.state.snapshot,
        "address": None,
        "request": None,
        "answer": None,
        "view": None,
        "passed": [],
        "more_passed": 0,
        "conditions": condition_fields(snapshot.rules.views),
        "rows": [],
        "more": 0,
        "subnet": None,
        "location": None,
    }


def condition_fields(views: Sequence[View]) -> dict[str, list[str]]:
    """The parameters that views ask for, each with the values that it may have there, as far as there is room."""
    found: dict[str, list[str]] = {}
    for parameter in PARAMETERS:
        values = [value for view in views for value in view.conditions.get(parameter, ())]
        if values:
            found[parameter] = fitting(dict.fromkeys(values), OFFERED, ROOM // len(PARAMETERS))
    return found


def _call(query: Query) -> Parameters:
    """What a call has by which a view may take it."""
    return parse_query(urlencode({name: query[name] for name in PARAMETERS if query[name]}).encode())


def _taken(snapshot: Snapshot, answering: Snapshot, call: Parameters) -> Facts:
    """The view that takes a call, and why those before it do not: the first of these."""
    passed = list(passed_views(snapshot.rules.views, call))
    shown = fitting([{**one._asdict(), "text": one.text} for one in passed[:LISTED]])
    return {"view": answering.view, "passed": shown, "more_passed": len(passed) - len(shown)}


def _wider(snapshot: Snapshot, answering: Snapshot, text: str, protocol: str) -> Facts | None:
    """The answers of a subnet, or the rows that lead to a location; None for an address, also one written wrongly, and
    for the host of a stream.
    """
    try:
        asked = parse_asked(text)
    except NoAddress:
        return None
    if isinstance(asked, Network):
        if (rows := len(answering.inside(asked))) > LARGEST:
            hint = f"look up a part of it, or at a shell: location-policy lookup {asked}"
            raise Fault(400, f"{asked} has {rows:,} rows, more than a page looks through", hint)
        has_opinion = protocol.lower() in answering.rules.match or answering.rules.answer is not None
        found = SubnetAnswers(answering, asked) if has_opinion else None
        return {"subnet": subnet_fields(answering, asked, found) | {"has_opinion": has_opinion}}
    if isinstance(asked, str) and not is_host(asked, protocol, all_location_names(snapshot)):
        return {"location": _leading(snapshot, asked)}
    return None


def _leading(snapshot: Snapshot, name: str) -> Facts:
    """The rows that lead to a location in the map at the top, and in each view that has some."""
    require_name(name, all_location_names(snapshot))
    found = [(one, leading_rows(one, name)) for one in snapshot.views]
    views = [(one.view, leading_fields(one, name, rows)) for one, rows in found if any(rows)]
    shown = dict(fitting(views))
    told = leading_fields(snapshot, name, leading_rows(snapshot, name))
    return {**told, "views": shown, "more_views": len(views) - len(shown)}


def _asked(match: Mapping[str, tuple[str, ...]], query: Query) -> list[tuple[str, str]]:
    """The request that a node would send; `match` is that of the view which takes the call."""
    protocol = query["protocol"]
    if query["address"]:
        usual = "ms-subnet" if protocol.lower() == "mssip" else "remote-address"
        parameter = sent_name(match.get(protocol.lower(), (usual,))[0])
        views = [(name, query[name]) for name in PARAMETERS if query[name] and name != "protocol"]
        return [("protocol", protocol), (parameter, query["address"]), *views]
    named = [(name, query[name]) for name in REQUEST if query[name]]
    return [("protocol", protocol), *named] if named else []


def origin(site: Site, query: Query) -> Facts:
    """Who wrote the row that answers an address, and every change of the answer among the last commits."""
    address: Address = asked_address(query["address"])
    revision = query["at"] or site.active.commit or site.queries.tip()
    events = by_commit(site.queries.events())
    call = _call(query)
    answers = site.queries.answers(revision, address, query["number"], call)
    changes = [answer for answer in reversed(answers) if answer.is_change]
    shown = fitting(answered_fields(answer, events) for answer in changes)
    found = blame_fields(site.queries.blame(revision, address, call))
    found["beaten"] = fitting(cast("list[Facts]", found["beaten"]))
    return {**found, "changes": shown, "more": len(changes) - len(shown), "looked_at": len(answers)}
