"""The file of pexsubnet: subnets as netaddr reads them, and the columns of what is told."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from location_policy.integrations.imports.pexsubnet import OldRow, old_subnet, read_old_rows
from location_policy.integrations.imports.spreadsheet import read_sheet

READ = {
    "10.61.2.0/24": "10.61.2.0/24",
    "10.61.3.0/23": "10.61.2.0/23",
    " 10.61.2.0/ 24": "10.61.2.0/24",
    "10.61.2.0/024": "10.61.2.0/24",
    "10.61.2.0/+8": "10.0.0.0/8",
    "010.061.+2.0/24": "10.61.2.0/24",
    "10.61/16": "10.61.0.0/16",
    "10": "10.0.0.0/32",
    "10.61.2.7": "10.61.2.7/32",
    "10.61.2.0/255.255.254.0": "10.61.2.0/23",
    "10.61.2.0/0.0.1.255": "10.61.2.0/23",
    "10.61.2.0/0.0.0.0": "0.0.0.0/0",
    "2001:db8::1/32": "2001:db8::/32",
    "::1": "::1/128",
    "::ffff:10.61.2.0/120": "10.61.2.0/24",
    "::ffff:10.61.2.0": "10.61.2.0/32",
    "::ffff:10.61.2.0/24": "::/24",
}
"""Texts that netaddr 0.7.18 takes; an IPv4-mapped one is IPv6 to it, which makes no difference to what it matches."""

NOT_READ = (
    "",
    "/24",
    "10.61.2.0/",
    "10.61.2.0/33",
    "10.61.2.0/-1",
    "10.61.2.0/255.0.255.0",
    "10.61.2.0/::ffff:255.0.0.0/8",
    "10.61.300.0/24",
    "10.61.2.0.0/24",
    "10..2.0/24",
    "0x0a.61.2.0/24",
    "::ffff:10.61.2.0/255.255.255.0",
    "fe80::1%eth0/64",
    "Sydney",
)


@pytest.mark.parametrize("text", READ)
def test_a_subnet_is_read_as_netaddr_reads_it(text: str) -> None:
    assert str(old_subnet(text)) == READ[text]


@pytest.mark.parametrize("text", NOT_READ)
def test_what_netaddr_does_not_read_is_no_subnet(text: str) -> None:
    assert old_subnet(text) is None


@given(st.ip_addresses(v=4), st.integers(0, 32))
def test_a_subnet_with_host_bits_is_the_network_that_holds_them(address: object, length: int) -> None:
    assert str(old_subnet(f"{address}/{length}")) == str(ip_network(f"{address}/{length}", strict=False))


def problems_of(text: str) -> list[str]:
    _, problems = read_old_rows(read_sheet("old.csv", text.encode()))
    return [str(problem) for problem in problems]


def row_of(text: str) -> OldRow:
    (row,), _ = read_old_rows(read_sheet("old.csv", text.encode()))
    return row


def test_what_is_told_of_a_cell_stands_where_the_cell_does() -> None:
    text = f"Sydney, {'x' * 251}, =a,10.61.2.0/24\n"
    assert [one.split(": ")[0] for one in problems_of(text)] == ["old.csv:1:9", "old.csv:1:262"]


def test_a_blank_first_line_is_the_one_that_is_passed_over() -> None:
    rows, problems = read_old_rows(read_sheet("old.csv", b"\n1,Sydney,Perth,Hobart,10.61.2.0/24\n"))
    assert [(row.line, row.is_tried) for row in rows] == [(2, True)]
    assert problems == ()


def test_a_heading_in_any_words_is_passed_over_where_the_rows_have_an_id() -> None:
    rows, problems = read_old_rows(read_sheet("old.csv", b"no,a,b,c,CIDR block\n1,Sydney,Perth,Hobart,10.61.2.0/24\n"))
    assert [row.line for row in rows] == [2]
    assert problems == ()


def test_a_file_that_says_nothing_has_no_rows() -> None:
    assert read_old_rows(read_sheet("old.csv", b"# nothing\n\n")) == ((), ())


def test_a_row_keeps_what_was_sent_beside_what_it_is() -> None:
    row = row_of("1,Sydney , ,Sydney,10.61.2.0/24,more\n")
    assert (row.sent, row.row and row.row.names) == (("Sydney ", " ", "Sydney"), ("Sydney",))


def test_a_first_line_that_names_the_separator_is_no_row_and_the_next_is_the_first() -> None:
    rows, problems = read_old_rows(read_sheet("old.csv", b"sep=;\nSydney;;;10.0.0.0/8\n"))
    assert [(row.place, row.row and row.row.names, row.is_tried) for row in rows] == [("old.csv:2", ("Sydney",), True)]
    assert [problem.code for problem in problems] == ["wrong-separator"]
    rows, problems = read_old_rows(read_sheet("old.csv", b"sep=,\nid,loc,pover,sover,snet\n7,Sydney,,,10.0.0.0/8\n"))
    assert [(row.place, row.is_tried) for row in rows] == [("old.csv:3", True)]
    assert not problems
