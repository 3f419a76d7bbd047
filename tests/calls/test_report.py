"""The report on calls, held to a slow and obvious count of the same lines."""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from location_policy.calls.log_reader import LoggedCalls
from location_policy.calls.recent import today
from location_policy.calls.report import Report, callers, make_report
from location_policy.calls.report_text import report_csv, report_fields, report_lines
from location_policy.calls.situation import merged
from location_policy.lookup.snapshot import Snapshot
from tests.calls.logs import random_lines
from tests.calls.situations import situation
from tests.support.maps import EDGE, network, snapshot_of

NOW = today().toordinal()
ROWS = ["10.0.0.0/15", "10.0.1.0/24", "10.0.1.4/30", "10.2.1.0/25", "192.0.2.0/24"]
NAMES = ["Oslo,Perth", "Lima", "Cairo", "Oslo", "Delhi"]
CSV = "".join(f"{names},{row}\n" for names, row in zip(NAMES, ROWS, strict=True))
NOBODY = '[[view]]\nname = "nobody"\nproxy_node_location = "nowhere"\nanswer = "Kyoto"\n'
WITH_ROWS = '[[view]]\nname = "edge"\nlocation = "DMZ"\n'
DMZ_AND_LONDON = (("DMZ", 12), ("London", 20))
SNAPSHOT = snapshot_of({"locations.csv": CSV, "policy.toml": EDGE + NOBODY})


def report_of(lines: list[bytes], snapshot: Snapshot | None, at_least: int = 10) -> Report:
    logged = LoggedCalls(datetime.fromtimestamp(0, UTC))
    logged.take(line.rstrip() for line in lines)
    return make_report(logged.remembered(), today(), snapshot, at_least)


def row_of(address: str) -> str | None:
    """The row that holds an address, by looking at each."""
    given = ip_address(address.removeprefix("::ffff:"))
    holding = [row for row in map(ip_network, ROWS) if given in row]
    return str(max(holding, key=lambda row: row.prefixlen)) if holding else None


@pytest.mark.parametrize("seed", range(5))
def test_a_report_is_what_a_slow_count_of_the_lines_is(seed: int) -> None:
    lines = random_lines(random.Random(seed), SNAPSHOT, 1_500)
    report, parsed = report_of(lines, SNAPSHOT), [json.loads(line) for line in lines]
    assert report.calls == 1_500
    assert report.by_protocol == Counter(line["protocol"] or "" for line in parsed)
    assert report.by_outcome == Counter(line["outcome"] for line in parsed)
    assert report.by_node == Counter(line["node_location"] or "" for line in parsed)
    assert report.by_view == Counter(line["view"] or "" for line in parsed)
    assert report.by_answer == Counter((line["location"], *line["overflow"]) for line in parsed if line["location"])
    top = [line for line in parsed if line["protocol"] == "mssip" and line["ms_subnet"] and not line["view"]]
    good = [line["ms_subnet"] for line in top if line["outcome"] != "bad-address"]
    used = {row_of(address) for address in good}
    assert report.unused is not None
    assert [str(one.network) for one in report.unused] == [row for row in ROWS if row not in used]
    assert report.unmet == ["nobody"]
    rowless = [address for address in good if row_of(address) is None]
    assert {str(one.network): one.calls for one in report.callers} == slow_callers(rowless, 10)
    assert sum(one.calls for one in report.callers) + report.scattered == len(rowless)
    assert {one.view for one in report.callers} == {None}
    assert {one.last for one in report.callers} <= {NOW}


def slow_callers(addresses: list[str], at_least: int) -> dict[str, int]:
    """The longest networks that hold so many calls beside those of longer ones, by trying every length."""
    found: dict[str, int] = {}
    for version, longest, shortest in ((4, 24, 16), (6, 56, 32)):
        every = [ip_address(text.removeprefix("::ffff:")) for text in addresses]
        left = [one for one in every if one.version == version]
        for length in range(longest, shortest - 1, -1):
            calls = Counter(ip_network(f"{one}/{length}", strict=False) for one in left)
            told = {one for one, number in calls.items() if number >= at_least}
            found |= {str(one): calls[one] for one in told}
            left = [one for one in left if ip_network(f"{one}/{length}", strict=False) not in told]
    return found


def test_what_history_knows_gives_the_same_report_as_the_log() -> None:
    lines = random_lines(random.Random(7), SNAPSHOT, 500)
    one, other = report_of(lines, None), report_of(lines, SNAPSHOT)
    assert [(caller.network, caller.calls) for caller in one.callers] == [
        (caller.network, caller.calls) for caller in other.callers
    ]
    assert (one.unused, one.unmet) == (None, None)


def test_a_network_for_which_a_row_is_written_by_now_lacks_none() -> None:
    gone = situation(ms_subnet="10.61.2.0", outcome="no-match", location=None, overflow=())
    found = [(gone, 12, NOW)]
    assert [str(one.network) for one in make_report(found, today()).callers] == ["10.61.2.0/24"]
    assert make_report(found, today()).callers[0].row == ",10.61.2.0/24"
    covered = snapshot_of({"locations.csv": "Oslo,10.61.0.0/16\n"})
    report = make_report(found, today(), covered)
    assert (report.callers, report.unused) == ([], [])


def test_a_network_lacks_a_row_in_the_map_that_its_calls_are_looked_up_in() -> None:
    found = [(situation(ms_subnet="10.61.2.0", node_location=node), calls, NOW) for node, calls in DMZ_AND_LONDON]
    rows = {"locations.csv": "Oslo,10.61.2.0/24\n", "views/edge/locations.csv": "Oslo,10.0.0.0/16\n"}
    report = make_report(found, today(), snapshot_of({**rows, "policy.toml": WITH_ROWS}))
    assert [(str(one.network), one.calls, one.view) for one in report.callers] == [("10.61.2.0/24", 12, "edge")]
    assert "  12  last " in (line := next(line for line in report_lines(report) if ",10.61.2.0/24" in line))
    assert line.endswith("   ,10.61.2.0/24   in views/edge/")
    assert report_fields(report)["without_row"][0]["view"] == "edge"
    assert f'without-row,10.61.2.0/24,",10.61.2.0/24",12,{today()},edge' in list(report_csv(report))


def test_of_merged_addresses_every_row_may_have_been_needed() -> None:
    found = [(merged(situation(ms_subnet="10.2.1.200")), 5, NOW)]
    report = make_report(found, today(), SNAPSHOT)
    assert report.merged == 5
    assert "10.2.1.0/25" not in [str(one.network) for one in report.unused or ()]
    assert [str(one.network) for one in make_report(found, today(), SNAPSHOT, at_least=1).callers] == ["10.2.1.0/24"]


def test_a_location_that_the_map_does_not_name_is_told() -> None:
    found = [(situation(location="Kyiv"), 3, NOW), (situation(location="Oslo"), 1, NOW)]
    report = make_report(found, today(), SNAPSHOT)
    assert report.strange == {"Kyiv": 3}


def test_networks_are_told_with_the_most_calls_first_and_what_is_scattered_is_counted() -> None:
    rowless: dict[Any, tuple[int, int]] = {
        network("10.0.0.1/32"): (6, 3),
        network("10.0.1.1/32"): (4, 5),
        network("10.1.0.0/24"): (20, 1),
        network("10.2.0.1/32"): (9, 1),
        network("0.0.0.0/0"): (50, 1),
        network("2001:db8::1/128"): (10, 2),
    }
    found, scattered = callers(rowless, 10)
    assert [(str(one.network), one.calls, one.last) for one in found] == [
        ("10.1.0.0/24", 20, 1),
        ("10.0.0.0/23", 10, 5),
        ("2001:db8::/56", 10, 2),
    ]
    assert scattered == 59
