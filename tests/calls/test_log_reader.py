"""Decision logs that are read again: every version, every way in which they are kept, and what is none."""

from __future__ import annotations

import gzip
import json
import os
import random
import threading
import tracemalloc
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from location_policy.calls import log_reader
from location_policy.calls.log_reader import LoggedCalls
from location_policy.calls.recent import today
from location_policy.errors import UnusableCalls
from tests.calls.logs import random_lines
from tests.calls.situations import situation
from tests.support.maps import EDGE, snapshot_of

EPOCH = datetime.fromtimestamp(0, UTC)
SNAPSHOT = snapshot_of({"locations.csv": "Oslo,Perth,10.0.0.0/15\nLima,10.0.1.0/24\n", "policy.toml": EDGE})
LINES = random_lines(random.Random(19), SNAPSHOT, 2_000)
LINE = b"".join(line for line in LINES if b'"match"' in line).partition(b"\n")[0] + b"\n"


def read(content: bytes, tmp_path: Path, since: datetime = EPOCH) -> LoggedCalls:
    path = tmp_path / "decisions.log"
    path.write_bytes(content)
    logged = LoggedCalls(since)
    logged.read(path)
    return logged


def calls(logged: LoggedCalls) -> int:
    return sum(number for _, number, _ in logged.remembered())


def changed(**more: object) -> bytes:
    """A line with these fields."""
    return json.dumps(json.loads(LINE) | more, separators=(",", ":")).encode() + b"\n"


def test_every_line_is_counted_once_in_its_situation(tmp_path: Path) -> None:
    logged = read(b"".join(LINES), tmp_path)
    expected = Counter[tuple[Any, ...]]()
    for line in map(json.loads, LINES):
        asked = [line[name] or "" for name in ("protocol", "node_location", "call_direction", "remote_address")]
        subnet = (line["ms_subnet"] or "").removeprefix("::ffff:")
        answered = line["outcome"], line["location"], tuple(line["overflow"] or ()), line["view"]
        expected[(*asked, subnet, *answered)] += 1
    assert {
        (one.protocol, one.node_location, one.call_direction, one.remote_address, one.ms_subnet, *one[6:]): number
        for one, number, _ in logged.remembered()
    } == expected
    assert (logged.lines, logged.passed_over, logged.earlier) == (2_000, 0, 0)
    assert {last for *_, last in logged.remembered()} == {today().toordinal()}


def test_calls_are_known_from_the_first_on_or_from_the_moment_asked_for(tmp_path: Path) -> None:
    content = changed(time="2026-03-05T10:00:00Z") + changed(time="2026-03-03T10:00:00Z")
    days = {day: read(content, tmp_path, datetime(2026, 3, day, tzinfo=UTC)).first_day.day for day in (1, 3, 4, 9)}
    assert days == {1: 3, 3: 3, 4: 4, 9: 9}
    assert read(b"", tmp_path).first_day == EPOCH.date()


def test_bad_addresses_are_told_by_the_node_that_sent_them(tmp_path: Path) -> None:
    bad = [line for line in map(json.loads, LINES) if line["outcome"] == "bad-address"]
    assert bad
    expected = Counter((line["node_ip"], line["address"]) for line in bad)
    assert read(b"".join(LINES), tmp_path).bad_by_node == expected


def test_a_packed_log_is_read_also_where_several_are_joined(tmp_path: Path) -> None:
    content = gzip.compress(b"".join(LINES[:1_000])) + gzip.compress(b"".join(LINES[1_000:]))
    assert read(content, tmp_path).remembered() == read(b"".join(LINES), tmp_path).remembered()


@pytest.mark.parametrize("end", [-1, -9, -400])
def test_of_a_packed_log_that_is_cut_the_rest_is_told(tmp_path: Path, end: int) -> None:
    logged = read(gzip.compress(b"".join(LINES))[:end], tmp_path)
    assert 0 < calls(logged) <= 2_000
    assert logged.passed_over > 0


def test_a_pipe_is_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b"".join(LINES),))
    writer.start()
    logged = LoggedCalls(EPOCH)
    logged.read(pipe)
    writer.join()
    assert calls(logged) == 2_000


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"{}\n",
        b"[]\n",
        b"null\n",
        b"\xff\xfe\n",
        LINE[:100] + b"\n",
        LINE[100:],
        LINE[:100] + LINE,
        LINE[:-2] + b"\n",
        b"x" * 3_000_000 + b"\n",
        changed(time="yesterday"),
        changed(time=7),
        changed(time="0001-01-01T00:00:00+10:00"),
        changed(time="2026-99-01T00:00:00.000000Z"),
        changed(outcome=None),
        changed(location=["Oslo"]),
        changed(overflow="Oslo"),
        changed(overflow=[7]),
        changed(view={}),
    ],
)
def test_what_is_no_line_is_counted_and_passed_over(tmp_path: Path, line: bytes) -> None:
    logged = read(LINE + line + LINE, tmp_path)
    assert (logged.passed_over, calls(logged), logged.lines) == (1, 2, 3)


def test_a_line_that_is_being_written_is_no_reason_to_fail(tmp_path: Path) -> None:
    assert calls(read(LINE + LINE[:50], tmp_path)) == 1


def test_a_line_of_the_first_version_is_of_the_parameter_by_which_its_protocol_is_looked_up(tmp_path: Path) -> None:
    asked = {"time": "2026-03-01T12:30:00Z", "request_id": None, "node_ip": "192.0.2.1"}
    answered = {"outcome": "match", "subnet": "10.61.2.0/24", "source": "a.csv:1", "location": "Oslo", "overflow": []}
    more = {"commit": "c" * 40, "took_us": 83}
    lines = [
        json.dumps({**asked, "protocol": protocol, "address": "10.61.2.0", **answered, **more}).encode()
        for protocol in ("mssip", "webrtc")
    ]
    usual = {"node_location": "", "call_direction": "", "location": "Oslo", "overflow": ()}
    day = datetime(2026, 3, 1, tzinfo=UTC).toordinal()
    assert read(b"\n".join(lines), tmp_path).remembered() == [
        (situation(ms_subnet="10.61.2.0", remote_address="", **usual), 1, day),
        (situation(ms_subnet="", remote_address="10.61.2.0", protocol="webrtc", **usual), 1, day),
    ]


def test_lines_from_before_are_counted_apart_whatever_their_zone(tmp_path: Path) -> None:
    since = datetime(2026, 3, 1, 12, tzinfo=UTC)
    times = ["11:59:59.999999Z", "12:00:00.000000Z", "12:59:00+01:00", "13:00:00+01:00"]
    logged = read(b"".join(2 * changed(time=f"2026-03-01T{time}") for time in times), tmp_path, since)
    assert (calls(logged), logged.earlier) == (4, 4)


def test_the_last_day_is_that_of_the_newest_line(tmp_path: Path) -> None:
    days = [datetime(2026, 3, 1, tzinfo=UTC) + timedelta(days=number) for number in (0, 3, 1, 3, 2)]
    logged = read(b"".join(changed(time=f"{day:%Y-%m-%d}T00:00:00.123456Z") for day in days), tmp_path)
    assert [(number, last) for _, number, last in logged.remembered()] == [(5, days[1].toordinal())]


def test_what_is_told_apart_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_reader, "MOST", 20)
    logged = read(b"".join(LINES), tmp_path)
    assert calls(logged) == 2_000
    assert len(logged.remembered()) <= 60
    assert any(one.is_merged for one, _, _ in logged.remembered())


def test_long_values_take_no_more_room_than_what_is_kept_of_them() -> None:
    logged = LoggedCalls(EPOCH)
    names = ("protocol", "node_location", "proxy_node_location", "call_direction")
    lines = (changed(**dict.fromkeys(names, f"{number:\u00e9<250}")).rstrip() for number in range(2_000))
    tracemalloc.start()
    try:
        logged.take(lines)
        taken = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert len(logged.remembered()) == 2_000
    assert taken < 5_000_000


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnusableCalls, match="cannot be read: Is a directory"):
        LoggedCalls(EPOCH).read(tmp_path)


def test_a_subnet_that_was_sent_in_place_of_an_address_is_none_that_was_merged(tmp_path: Path) -> None:
    line = changed(ms_subnet="10.61.2.0/24", remote_address=None, address=None, outcome="no-opinion")
    assert [one.is_merged for one, _, _ in read(line, tmp_path).remembered()] == [False]
