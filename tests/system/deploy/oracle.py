"""Answers of replicas, held against the journal of the service that they follow.

An answer must be from a commit that was in force there before the answer was given, and the answers of one replica
must go through the commits in the order in which they were in force there: backwards only where that went back.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from location_policy.rollout.journal import Event
from tests.system.deploy.load import ANSWERED, Call


def wrong_answers(calls: Iterable[Call], journal: Iterable[Event]) -> list[str]:
    """What is wrong with these calls, a sentence for each; the clock of the journal is that of the calls."""
    in_force = [(event.at.timestamp(), event.commit) for event in journal if event.kind == "active"]
    by_server = defaultdict(list)
    for call in calls:
        if call.outcome == ANSWERED:
            by_server[call.server].append(call)
    return [wrong for server in by_server.values() for wrong in _wrong(sorted(server), in_force)]


def _wrong(calls: Sequence[Call], in_force: Sequence[tuple[float, str]]) -> Iterator[str]:
    """Of one replica; calls may overlap, and one is after another only if it began when that had ended."""
    ended: list[tuple[float, int]] = []
    floor = 0
    for call in calls:
        while ended and ended[0][0] <= call.began:
            floor = max(floor, heapq.heappop(ended)[1])
        places = [at for at, (since, commit) in enumerate(in_force) if commit == call.commit and since <= call.ended]
        place = next((at for at in places if at >= floor), None)
        if place is None:
            how = "went back to" if places else "answered, before it was active, from"
            yield f"{call.server} {how} {call.commit or 'no commit'} at {call.ended:.3f}"
        else:
            heapq.heappush(ended, (call.ended, place))
