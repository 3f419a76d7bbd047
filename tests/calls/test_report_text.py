"""The report on calls as text, JSON and CSV."""

from __future__ import annotations

from collections import Counter
from datetime import date

from location_policy.calls.report import Report, make_report
from location_policy.calls.report_text import report_csv, report_fields, report_lines
from tests.calls.situations import situation
from tests.support.maps import snapshot_of

SINCE = date(2026, 11, 1)
DAY = date(2026, 11, 28).toordinal()
ROWLESS = {"outcome": "no-match", "location": None, "overflow": ()}
FOUND = [
    (situation(), 300, DAY),
    (situation(ms_subnet="10.9.1.0", **ROWLESS), 12, DAY),
    (situation(ms_subnet="=1+1\n", node_location="Oslo", **ROWLESS | {"outcome": "bad-address"}), 2, DAY),
]
MAP = "Sydney,Melbourne,Singapore,10.61.2.0/24\nOslo,192.0.2.0/24\n"


def report() -> Report:
    return make_report(FOUND, SINCE, snapshot_of({"locations.csv": MAP}))


def test_as_text_it_is_told_what_calls_have_in_common_and_what_to_paste() -> None:
    assert list(report_lines(report())) == [
        "314 calls since 2026-11-01",
        "",
        "by location, and overflow:",
        "  300  Sydney (Melbourne, Singapore)",
        "",
        "by protocol:",
        "  314  mssip",
        "",
        "by location of the node:",
        "  312  London",
        "    2  Oslo",
        "",
        "by outcome:",
        "  300  match",
        "   12  no-match",
        "    2  bad-address",
        "",
        "networks that call without a row, with the row to be written, of which the location is left open:",
        "   12  last 2026-11-28   ,10.9.1.0/24",
        "",
        "addresses that are none, by node:",
        "    2  Oslo sent =1+1\\n",
        "",
        "1 of 2 rows that no call since 2026-11-01 needed:",
        "  locations.csv:2: 192.0.2.0/24 Oslo",
    ]


def test_of_many_the_first_are_shown_and_the_rest_counted() -> None:
    many = Report(SINCE, by_protocol=Counter({str(number): 1 for number in range(30)}))
    lines = list(report_lines(many, 20))
    assert lines[-1] == "  and 10 more: --all tells them"
    assert len(list(report_lines(many, None))) == len(lines) + 9


def test_as_json_every_list_is_bounded_and_says_how_many_more_there_are() -> None:
    fields = report_fields(report(), 1)
    assert fields["by_outcome"] == [{"outcome": "match", "calls": 300}]
    assert fields["more_by_outcome"] == 2
    assert fields["without_row"] == [
        {"subnet": "10.9.1.0/24", "calls": 12, "last": "2026-11-28", "row": ",10.9.1.0/24", "view": None}
    ]
    assert report_fields(report(), None)["more_by_outcome"] == 0


def test_as_csv_no_cell_is_a_formula_and_none_breaks_a_line() -> None:
    assert list(report_csv(report())) == [
        "kind,value,detail,calls,last,view",
        "location,Sydney,Melbourne; Singapore,300,,",
        "protocol,mssip,,314,,",
        "node-location,London,,312,,",
        "node-location,Oslo,,2,,",
        "outcome,match,,300,,",
        "outcome,no-match,,12,,",
        "outcome,bad-address,,2,,",
        "view,,,314,,",
        'without-row,10.9.1.0/24,",10.9.1.0/24",12,2026-11-28,',
        "bad-address,'=1+1\\n,Oslo,2,,",
        "unused-row,192.0.2.0/24,locations.csv:2,0,,",
    ]
