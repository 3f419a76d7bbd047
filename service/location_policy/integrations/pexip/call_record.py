"""A finished call, from Pexip's own record of it: the resource `participant` of the history API.

Names, aliases and ids of participants and conferences are left where they are: a Call has none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

DIRECTIONS = {"in": "dial_in", "out": "dial_out"}
"""What the record says, and what a request to a policy server says of the same call."""


class Call(NamedTuple):
    """One participant's call; what the record does not have is empty.

    `began` is when it reached Pexip. `protocol` is in lower case, `direction` as a request has it. `signalling`,
    `proxy` and `media` are addresses of nodes, `media` empty where there was none; `location` is the name of a system
    location, by what was seen that of the signalling node.
    """

    began: datetime | None
    protocol: str
    direction: str
    address: str
    signalling: str
    proxy: str
    media: str
    location: str


def read_call(record: Mapping[str, object]) -> Call:
    """The call of a record; what is of another kind than it should be counts as not there."""

    def text(field: str) -> str:
        value = record.get(field)
        return value if isinstance(value, str) else ""

    direction = text("call_direction")
    return Call(
        _moment(text("start_time")),
        text("protocol").lower(),
        DIRECTIONS.get(direction, direction),
        text("remote_address"),
        text("signalling_node") or text("signaling_node"),
        text("proxy_node"),
        "" if record.get("has_media") is False else text("media_node") or _streaming_node(record),
        text("system_location"),
    )


def _streaming_node(record: Mapping[str, object]) -> str:
    """The node of the first media stream."""
    match record.get("media_streams"):
        case [{"node": str(node)}, *_]:
            return node
    return ""


def _moment(text: str) -> datetime | None:
    """The record's times are UTC, and do not say so."""
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
