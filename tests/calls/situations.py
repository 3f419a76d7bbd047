"""Situations, and requests that make them."""

from __future__ import annotations

import random
from urllib.parse import urlencode

import orjson

from location_policy.calls.aggregate import Aggregate, aggregate_fields
from location_policy.calls.history import CallHistory
from location_policy.calls.situation import Situation
from location_policy.lookup import decision
from location_policy.lookup.query_string import parse_query
from location_policy.lookup.snapshot import Snapshot


def written(told: Aggregate) -> bytes:
    """A file of calls."""
    return orjson.dumps(aggregate_fields(told)) + b"\n"


def situation(**more: object) -> Situation:
    """That of a Skype call that was answered, but for these fields."""
    usual = {
        "protocol": "mssip",
        "node_location": "London",
        "proxy_node_location": "",
        "call_direction": "dial_in",
        "remote_address": "10.44.151.5",
        "ms_subnet": "10.61.2.0",
        "outcome": "match",
        "location": "Sydney",
        "overflow": ("Melbourne", "Singapore"),
        "view": None,
    }
    return Situation(**(usual | more))  # type: ignore[arg-type]  # of each field what it takes


def ask(history: CallHistory, snapshot: Snapshot, **parameters: str) -> None:
    """Let a request be answered, and counted."""
    asked = parse_query(urlencode(parameters).encode())
    answering = snapshot.answering(asked)
    question = decision.understand(answering.rules, asked)
    history.count(question, decision.answer_question(answering, question), None, 1)


def random_situations(chosen: random.Random, number: int) -> list[Situation]:
    """This many, of which some may be equal."""
    return [
        situation(
            protocol=chosen.choice(("mssip", "webrtc", "sip", "")),
            node_location=chosen.choice(("London", "Oslo", "")),
            remote_address=chosen.choice((f"10.0.{chosen.randrange(4)}.{chosen.randrange(256)}", "2001:db8::1", "")),
            ms_subnet=chosen.choice((f"10.61.{chosen.randrange(4)}.0", "", "x")),
            **chosen.choice(
                (
                    {},
                    {"outcome": "no-match", "location": None, "overflow": ()},
                    {"outcome": "answer", "view": "edge", "location": "DMZ", "overflow": ("Oslo",)},
                    {"outcome": "bad-address", "location": None, "overflow": ()},
                )
            ),
        )
        for _ in range(number)
    ]
