"""Decision logs, asked for the one thing that Pexip's record of a call does not have: its `ms-subnet`.

A line and a record name no call that both know. What they share is the node, the protocol and the moment, and in
newer lines the caller's address. Where that leaves two lines that differ, neither is believed.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from .call_record import Call

LONGEST_CALL = timedelta(days=1)
"""How long before `since` a call that has ended after it may have begun; of a longer one no line is kept."""
APART = 10.0
"""Seconds at most between the moment at which a call reached Pexip and that at which its location was asked for."""


class _Line(NamedTuple):
    """When it was answered, in seconds; the subnet, None in an older line; and the addresses that the line has."""

    time: float
    subnet: str | None
    address: str
    remote_address: str | None


class LoggedSubnets:
    """The lines of decision logs, by node and protocol; `passed_over` counts those that are none.

    `since` is when the earliest call that will be asked for has ended.
    """

    def __init__(self, lines: Iterable[bytes], since: datetime) -> None:
        self.passed_over = 0
        self._lines: dict[tuple[str, str], list[_Line]] = {}
        first = (since - LONGEST_CALL).timestamp()
        for line in lines:
            found = _parse(line)
            if found is None:
                self.passed_over += 1
            elif found[1].time >= first:
                self._lines.setdefault(found[0], []).append(found[1])
        for of_node in self._lines.values():
            of_node.sort(key=_time)

    def of(self, call: Call) -> str | None:
        """The `ms-subnet` of a call, empty where its request had none; None where no line tells."""
        lines = self._lines.get((call.signalling, call.protocol))
        if lines is None or call.began is None:
            return None
        began = call.began.timestamp()
        near = lines[bisect_left(lines, began - APART, key=_time) : bisect_right(lines, began + APART, key=_time)]
        told = {_subnet(line, call) for line in near if line.remote_address in (None, call.address)}
        return told.pop() if len(told) == 1 else None


def _time(line: _Line) -> float:
    return line.time


def _subnet(line: _Line, call: Call) -> str | None:
    """Older lines have the address by which the call was answered, and do not say which parameter it is from; where
    they have none, nothing was looked for, or nothing found.
    """
    if line.subnet is not None:
        return line.subnet
    return "" if line.address and line.address == call.address else line.address or None


def _parse(line: bytes) -> tuple[tuple[str, str], _Line] | None:
    try:
        fields = json.loads(line)
        moment = datetime.fromisoformat(fields["time"])
        key = str(fields["node_ip"]), str(fields["protocol"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    subnet = str(fields["ms_subnet"] or "") if "ms_subnet" in fields else None
    remote = str(fields["remote_address"] or "") if "remote_address" in fields else None
    return key, _Line(seconds, subnet, str(fields.get("address") or ""), remote)
