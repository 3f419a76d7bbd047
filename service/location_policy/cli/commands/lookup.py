"""`location-policy lookup`: the answer for an address, and where it comes from."""

from __future__ import annotations

import json
from pathlib import Path

from ...errors import InvalidConfiguration, NoAddress
from ...lookup import decision
from ...lookup.answers import Answer
from ...lookup.query_string import Pairs, clean
from ...lookup.snapshot import Snapshot, build_snapshot
from ...net.addresses import parse_address
from ...text import escape
from ..terminal.exit_status import NO, NOT_ASKED, tell
from .check import load


def lookup(address: str, folder: Path, repository: Path | None, revision: str | None, protocol: str, form: str) -> int:
    """Print the answer that a call of this protocol from this address gets; the exit status."""
    if not clean(address):
        raise NoAddress("no address is given", "name one, such as 10.61.2.7")
    try:
        snapshot = build_snapshot(*load(folder, repository, revision))
    except InvalidConfiguration as error:
        tell(error)
        return NOT_ASKED
    fields = snapshot.rules.match.get(protocol.lower(), ("",))
    answer = decision.answer(snapshot, Pairs([("protocol", protocol.lower()), (fields[0], clean(address))]))
    print(json.dumps(answer.body) if form == "json" else _words(answer, snapshot, address, protocol))
    if answer.outcome == "bad-address":
        return NOT_ASKED
    return 0 if answer.outcome in ("match", "default") else NO


def _words(answer: Answer, snapshot: Snapshot, address: str, protocol: str) -> str:
    match answer.outcome:
        case "bad-address":
            return str(answer.body["message"])
        case "no-opinion":
            return f"no opinion: [match] in policy.toml does not name {protocol}"
        case "no-match":
            return f"no answer: no row covers {address}"
        case "default":
            return f"{snapshot.rules.default}\n  the default: no row covers {address}"
    found = snapshot.match(parse_address(clean(address)))
    assert found is not None  # the answer is a match
    overflow = f", overflow {', '.join(found.names[1:])}" if found.names[1:] else ""
    return f"{escape(found.names[0] + overflow)}\n  {escape(found.path)}:{found.line}: {found.network}"
