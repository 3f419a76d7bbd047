"""The answer that a node would get, the row that gives it and the rows that it beats; who wrote it, and since when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast
from urllib.parse import urlencode

from ...errors import NoAddress
from ...history.as_json import answered_fields
from ...history.blame import blame_fields
from ...history.commit_text import commit_fields
from ...lookup import decision
from ...lookup.as_json import leading_fields, row_fields, subnet_fields
from ...lookup.asked import parse_asked, require_name
from ...lookup.leading_rows import leading_rows, location_names
from ...lookup.query_string import asked_address, parse_query
from ...lookup.snapshot import Snapshot
from ...lookup.subnet_answers import SubnetAnswers
from ...net.addresses import Address, Network, format_address, parse_address
from ...rollout.journal import by_commit
from ...text import fitting
from ..edge.faults import Fault
from ..edge.policy_api import LOCATION
from ..site.site import Site
from .resources import Facts, Query

LARGEST = 20_000
"""Rows of a subnet that are looked through for a page, in a fifth of a second of the processor."""
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
    if query["address"] and (wider := _wider(snapshot, query["address"], query["protocol"])):
        return _facts(site, snapshot) | wider
    asked = _asked(snapshot.rules.match, query)
    target = f"{LOCATION}?{urlencode(asked)}"
    told = _facts(site, snapshot)
    if not asked:
        return told
    told["request"] = target
    parameters = parse_query(urlencode(asked).encode())
    answering = snapshot.answering(parameters)
    question = decision.understand(answering.rules, parameters)
    answer = decision.answer_question(answering, question)
    told["answer"] = {"http_status": answer.status, "outcome": answer.outcome, "body": answer.body}
    if answer.outcome in ("match", "default", "no-match"):
        address = parse_address(question.address)
        told["address"] = format_address(address)
        holding = answering.holding(address)
        told["rows"] = fitting(row_fields(answering.match_at(position)) for position in holding)
        told["more"] = len(holding) - len(told["rows"])
    return told


def _facts(site: Site, snapshot: Snapshot) -> Facts:
    """What is told where nothing was asked."""
    return {
        "commit": commit_fields(snapshot.commit) if snapshot.commit else None,
        "is_active": snapshot is site.active.state.snapshot,
        "address": None,
        "request": None,
        "answer": None,
        "rows": [],
        "more": 0,
        "subnet": None,
        "location": None,
    }


def _wider(snapshot: Snapshot, text: str, protocol: str) -> Facts | None:
    """The answers of a subnet, or the rows that lead to a location; None for an address, also one written wrongly."""
    try:
        asked = parse_asked(text)
    except NoAddress:
        return None
    if isinstance(asked, Network):
        if (rows := len(snapshot.inside(asked))) > LARGEST:
            hint = f"ask for a part of it, or at a shell: location-policy lookup {asked}"
            raise Fault(400, f"{asked} has {rows:,} rows, more than a page looks through", hint)
        has_opinion = protocol.lower() in snapshot.rules.match
        found = SubnetAnswers(snapshot, asked) if has_opinion else None
        return {"subnet": subnet_fields(snapshot, asked, found) | {"has_opinion": has_opinion}}
    if isinstance(asked, str):
        require_name(asked, location_names(snapshot))
        return {"location": leading_fields(snapshot, asked, leading_rows(snapshot, asked))}
    return None


def _asked(match: Mapping[str, tuple[str, ...]], query: Query) -> list[tuple[str, str]]:
    """The request that a node would send."""
    protocol = query["protocol"]
    if query["address"]:
        parameter = match.get(protocol.lower(), ("ms-subnet",))[0]
        return [("protocol", protocol), (parameter, query["address"])]
    named = [(name, query[name]) for name in REQUEST if query[name]]
    return [("protocol", protocol), *named] if named else []


def origin(site: Site, query: Query) -> Facts:
    """Who wrote the row that answers an address, and every change of the answer among the last commits."""
    address: Address = asked_address(query["address"])
    revision = query["at"] or site.queries.tip()
    if query["at"] is None and (snapshot := site.active.state.snapshot) and snapshot.commit:
        revision = snapshot.commit.id
    events = by_commit(site.queries.events())
    answers = site.queries.answers(revision, address, query["number"])
    changes = [answer for answer in reversed(answers) if answer.is_change]
    shown = fitting(answered_fields(answer, events) for answer in changes)
    found = blame_fields(site.queries.blame(revision, address))
    found["beaten"] = fitting(cast("list[Facts]", found["beaten"]))
    return {**found, "changes": shown, "more": len(changes) - len(shown), "looked_at": len(answers)}
