"""Decision logs of random requests, answered by a map."""

from __future__ import annotations

import random
from urllib.parse import urlencode

from location_policy.calls.decision_line import make_line
from location_policy.lookup import decision
from location_policy.lookup.query_string import parse_query
from location_policy.lookup.snapshot import Snapshot
from tests.support.maps import COMMIT


def random_lines(chosen: random.Random, snapshot: Snapshot, number: int) -> list[bytes]:
    """A line for each of so many requests."""
    return [_line(_query(chosen), snapshot) for _ in range(number)]


def _query(chosen: random.Random) -> bytes:
    address = f"10.{chosen.randrange(3)}.{chosen.randrange(4)}.{chosen.randrange(8)}"
    far = f"2001:db8:0:{chosen.randrange(1, 5)}00::1"
    asked = {
        "protocol": chosen.choice(("mssip", "mssip", "mssip", "MSSIP", "webrtc", "sip", "")),
        "ms-subnet": chosen.choice((address, address, f"::ffff:{address}", far, "x", "")),
        "remote_address": address,
        "location": chosen.choice(("London", "dmz", "")),
        "call_direction": chosen.choice(("dial_in", "dial_out")),
        "node_ip": chosen.choice(("192.0.2.1", "192.0.2.2")),
        "request_id": str(chosen.random()),
    }
    return urlencode(asked).encode()


def _line(query: bytes, snapshot: Snapshot) -> bytes:
    parameters = parse_query(query)
    answering = snapshot.answering(parameters)
    question = decision.understand(answering.rules, parameters)
    return make_line(question, decision.answer_question(answering, question), COMMIT.id, 83_000, with_names=False)
