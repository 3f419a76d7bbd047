"""Request to answer, from a snapshot; pure.

Nodes send the parameters in any order, with values that may be empty or written in several ways; what is tolerated here
is what releases of Pexip Infinity were seen to send, and what their local policy makes of it.
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import parse_qsl

from . import answers
from .addresses import parse_address
from .answers import Answer
from .rules import Rules, parameter_name
from .snapshot import Snapshot

Parameters = list[tuple[str, str]]
"""Names (in the spelling of `parameter_name`) and cleaned values, in the order of the query."""

_BLANK = " \t"


class Question(NamedTuple):
    """What counts in a request: the protocol in lower case, and the address with the name of its parameter.

    Each is empty where the request has none. The rest of `parameters` is for the log.
    """

    protocol: str
    parameter: str
    address: str
    parameters: Parameters


def parse_query(query: bytes) -> Parameters:
    """The parameters of a query string that have a value."""
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=False, errors="replace")
    return [(parameter_name(name), cleaned) for name, value in pairs if (cleaned := clean(value))]


def clean(value: str) -> str:
    """A value without the space and tab around it, without brackets, and the first item of what looks like a list."""
    text = value.strip(_BLANK)
    if not (text.startswith("[") and text.endswith("]")):
        return text
    item = text[1:-1].partition(",")[0].strip(_BLANK)
    quoted = len(item) > 1 and item[0] == item[-1] and item[0] in "\"'"
    return item[1:-1].strip(_BLANK) if quoted else item


def understand(rules: Rules, parameters: Parameters) -> Question:
    """The question that the parameters ask under these rules."""
    protocol = first(parameters, "protocol").lower()
    for parameter in rules.match.get(protocol, ()):
        if value := first(parameters, parameter):
            return Question(protocol, parameter, value, parameters)
    return Question(protocol, "", "", parameters)


def answer(snapshot: Snapshot, parameters: Parameters) -> Answer:
    """What a conference node is told."""
    return answer_question(snapshot, understand(snapshot.rules, parameters))


def answer_question(snapshot: Snapshot, question: Question) -> Answer:
    """What a conference node is told, from a question under this snapshot's rules."""
    commit = snapshot.commit.id if snapshot.commit else None
    if not question.address:
        return answers.no_opinion(commit)
    try:
        address = parse_address(question.address)
    except ValueError:
        return answers.bad_address(question.address, question.parameter, commit)
    rules = snapshot.rules
    if match := snapshot.match(address):
        return answers.matched(match, rules.overflow, question.protocol, commit)
    return answers.defaulted(rules.default, question.protocol, commit) if rules.default else answers.no_match(commit)


def first(parameters: Parameters, name: str) -> str:
    """The first value of this name, empty where there is none."""
    for key, value in parameters:
        if key == name:
            return value
    return ""
