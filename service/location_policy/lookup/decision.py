"""The decision on a request: its answer, from a snapshot; pure.

Nodes send the parameters in any order, with values that may be empty or written in several ways; what is tolerated here
is what releases of Pexip Infinity were seen to send, and what their local policy makes of it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ..config.policy_toml import Rules
from ..net.addresses import parse_address
from .answers import Answer
from .query_string import Parameters
from .snapshot import Snapshot

_HOST_NAME = re.compile(r"(?=.{1,253}\.?\Z)(?:[A-Za-z0-9_-]{1,63}\.)*[A-Za-z][A-Za-z0-9-]{0,62}\.?")
"""What a node that streams to another host has as `remote_address` (RFC 1123, 2.1: its last label is no number)."""


class Question(NamedTuple):
    """What counts in a request: the protocol in lower case, and the address with the name of its parameter.

    Each is empty where the request has none. The rest of `parameters` is for the log.
    """

    protocol: str
    parameter: str
    address: str
    parameters: Parameters


def understand(rules: Rules, parameters: Parameters) -> Question:
    """The question that the parameters ask under these rules, which are those of the view that takes the call."""
    protocol = parameters.first("protocol").lower()
    for parameter in rules.match.get(protocol, ()):
        if (value := parameters.first(parameter)) and not is_streamed_to(protocol, value):
            return Question(protocol, parameter, value, parameters)
    return Question(protocol, "", "", parameters)


def is_streamed_to(protocol: str, value: str) -> bool:
    """Is this the host that a stream goes to, in the place of an address?"""
    return protocol == "rtmp" and _HOST_NAME.fullmatch(value) is not None


def answer(snapshot: Snapshot, parameters: Parameters) -> Answer:
    """What a conference node is told."""
    answering = snapshot.answering(parameters)
    return answer_question(answering, understand(answering.rules, parameters))


def answer_question(snapshot: Snapshot, question: Question) -> Answer:
    """What a conference node is told, from a question under this snapshot's rules: that of the view that takes the
    call.
    """
    wording = snapshot.wording
    if snapshot.rules.answer is not None:
        return wording.answered(question.protocol)
    if not question.address:
        return wording.no_opinion(question.protocol)
    try:
        address = parse_address(question.address)
    except ValueError:
        return wording.bad_address(question.address, question.parameter)
    match = snapshot.match(address)
    return wording.matched(match, question.protocol) if match else wording.unmatched(question.protocol)
