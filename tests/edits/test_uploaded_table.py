"""A table that an editor uploads: its forms, and what is told at its own lines."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from location_policy.config.row import Row
from location_policy.config.row_file import LineCache, read_rows
from location_policy.edits.uploaded_table import Upload, read_upload
from location_policy.errors import UnusableUpload
from location_policy.lookup.csv_export import csv_parts
from location_policy.lookup.snapshot import build_snapshot
from tests.support.maps import ANY_NAME, files_of, map_of, network

PLAIN = "Sydney,Melbourne,Singapore,10.61.2.0/24\nOslo,,,10.61.3.0/24\n"
ROWS = [
    (1, Row(("Sydney", "Melbourne", "Singapore"), network("10.61.2.0/24"))),
    (2, Row(("Oslo",), network("10.61.3.0/24"))),
]
IDS = "7,Sydney,Melbourne,Singapore,10.61.2.0/24\n9,Oslo,,,10.61.3.0/24\n"


def upload(content: str | bytes) -> Upload:
    return read_upload("sites.csv", content.encode() if isinstance(content, str) else content, LineCache())


def told(content: str | bytes, policy: str = "", others: str = "", expected: str = "") -> list[str]:
    there = [read_rows("locations/apac.csv", others.encode(), LineCache())] * bool(others)
    errors = upload(content).errors(there, files_of({"policy.toml": policy, "expectations.csv": expected}))
    return [str(problem).partition("\n")[0] for problem in errors]


@pytest.mark.parametrize(
    ("content", "forms"),
    [
        (PLAIN, ()),
        (PLAIN.replace(",,,", ","), ()),
        (PLAIN.replace("\n", "\r\n"), ()),
        (b"\xef\xbb\xbf" + PLAIN.encode(), ()),
        (PLAIN.replace(",", ";"), ("Delimiter: semicolon",)),
        (PLAIN.replace(",", "\t"), ("Delimiter: tab",)),
        (PLAIN.replace(",", "\t").encode("utf-16"), ("Encoding: UTF-16", "Delimiter: tab")),
        (PLAIN.replace(",", "|"), ("Delimiter: bar",)),
        (IDS, ("First column: ids, skipped",)),
        (IDS.replace(",", ";"), ("Delimiter: semicolon", "First column: ids, skipped")),
        (IDS.replace("7,", '"7" ,'), ("First column: ids, skipped",)),
        ('"Sydney";Melbourne;Singapore;10.61.2.0/24\nOslo;10.61.3.0/24', ("Delimiter: semicolon",)),
    ],
)
def test_the_same_rows_are_read_from_every_form(content: str | bytes, forms: tuple[str, ...]) -> None:
    found = upload(content)
    assert list(found.file.rows()) == ROWS
    assert found.forms == forms
    assert not found.errors((), ())


@pytest.mark.parametrize(
    ("first", "separator"),
    [("sep=;", ";"), ("SEP=;\r", ";"), ('"sep=;"', ";"), ("sep=,", ","), ("sep=\t", "\t"), ("sep=|||", "|")],
)
def test_a_first_line_that_names_the_separator_is_no_row(first: str, separator: str) -> None:
    found = upload(f"{first}\n# a, b\n{PLAIN.replace(',', separator)}")
    assert [(number - 2, row) for number, row in found.file.rows()] == ROWS
    assert not found.errors((), ())


@pytest.mark.parametrize("separator", [";", "\t", "|", ","])
def test_a_cell_that_goes_over_several_lines_is_told_with_them_whatever_parts_the_cells(separator: str) -> None:
    text = PLAIN.replace(",", separator) + f'"Perth\nCBD"{separator}{separator}{separator}10.61.4.0/24\n'
    first = told(text)[0]
    assert first == (
        "sites.csv:3:1: error: a cell goes over several lines, 3 to 4, and a row is one line [unbalanced-quote]"
    )


def test_the_rows_of_a_table_of_a_page_have_bars_around_them_and_lines_between() -> None:
    one, other = PLAIN.replace(",", "|").splitlines()
    found = upload(f"|{one}|\n|---|:-:|---|---|\n| {other} |\n")
    assert [row for _, row in found.file.rows()] == [row for _, row in ROWS]
    assert not found.errors((), ())


@pytest.mark.parametrize("blank", [";;;", ";;;;", ' ; "";;', ";"])
def test_rows_of_empty_cells_are_blank_lines(blank: str) -> None:
    for separator in ",;\t|":
        empty = blank.replace(";", separator)
        found = upload(f"{empty}\n{empty}\n{PLAIN.replace(',', separator)}{empty}\n")
        assert [(number - 2, row) for number, row in found.file.rows()] == ROWS
        assert not found.errors((), ())


def test_what_parts_the_cells_is_told_by_the_subnets_of_the_first_lines() -> None:
    found = upload("Sydney, NSW;;;10.200.0.0/16\nOslo;Perth, WA;;2001:db8::/32\n")
    assert [row.names for _, row in found.file.rows()] == [("Sydney, NSW",), ("Oslo", "Perth, WA")]
    assert not found.errors((), ())
    found = upload("A;B,10.0.0.0/8\nC;D,11.0.0.0/255.0.0.0\n")
    assert found.forms == ()


@pytest.mark.parametrize(
    "heading", ["location,pover,sover,snet", "Location,Overflow 1,Overflow 2,IP subnet", "location,subnet,,"]
)
def test_a_row_of_column_names_is_passed_over_at_the_top_only(heading: str) -> None:
    found = upload(f"{heading}\n{PLAIN}")
    assert [row for _, row in found.file.rows()] == [row for _, row in ROWS]
    assert found.forms == ("Column names: line 1, skipped",)
    assert told(f"{PLAIN}{heading}\n") == [f"sites.csv:3:1: error: {heading} is a row of column names [heading-row]"]


def test_the_table_of_pexsubnet_is_read_with_its_ids_and_their_heading() -> None:
    found = upload(f"id,loc,pover,sover,snet\n{IDS}")
    assert [(number - 1, row) for number, row in found.file.rows()] == ROWS
    assert found.forms == ("Column names: line 1, skipped", "First column: ids, skipped")


def test_three_overflow_locations_are_not_taken_for_an_id_and_its_row() -> None:
    found = upload("location,a,b,c,subnet\nSydney,A,B,C,10.0.0.0/8\n")
    assert [row.names for _, row in found.file.rows()] == [("Sydney", "A", "B", "C")]
    assert [row.names for _, row in upload("1,2,3,4,10.0.0.0/8\n").file.rows()] == [("1", "2", "3", "4")]
    found = read_upload("sites.csv", b"1,A,B,C,10.0.0.0/8\n", LineCache(), {"1"})
    assert [row.names for _, row in found.file.rows()] == [("1", "A", "B", "C")]


def test_a_row_without_an_id_among_others_that_have_one_keeps_its_location() -> None:
    found = upload(f"{IDS}Perth,10.0.0.0/8\n7,Lima,11.0.0.0/8\n7\n")
    assert [row.names for _, row in found.file.rows()][2:] == [("Perth",), ("Lima",)]


def test_a_name_with_a_comma_is_one_name_whatever_parts_the_cells() -> None:
    found = upload("Lima;Oslo;11.0.0.0/8\n# a;b\nPerth, WA;Oslo;10.0.0.0/8\n")
    assert [row.names for _, row in found.file.rows()] == [("Lima", "Oslo"), ("Perth, WA", "Oslo")]
    assert found.has_comments


@pytest.mark.parametrize(
    ("content", "errors"),
    [
        ("Oslo,10.0.0.1/8\n", ["sites.csv:1:6: error: 10.0.0.1/8 has host bits set [host-bits]"]),
        ("Oslo;10.0.0.1/8\n", ["sites.csv:1:6: error: 10.0.0.1/8 has host bits set [host-bits]"]),
        ("7,Oslo,,,10.0.0.1/8\n", ["sites.csv:1:10: error: 10.0.0.1/8 has host bits set [host-bits]"]),
        (
            "\nOslo,10.0.0.0/8\nB,10.0.0.0/8",
            ["sites.csv:3:3: error: 10.0.0.0/8 is in sites.csv:2 already [duplicate-subnet]"],
        ),
        (
            b"Oslo,10.0.0.0/8\n\xe9,11.0.0.0/8\n",
            ["sites.csv:2:1: error: byte 0xE9 is not UTF-8; in Windows-1252 it is \xe9 [not-utf8]"],
        ),
        ("# nothing\n", ["sites.csv:1:1: error: the file has no row [no-rows]"]),
        ("Oslo\n", ["sites.csv:1:1: error: Oslo is not a row, which has a location and a subnet [too-few-columns]"]),
        (b"\xff\xfeO", ["sites.csv:1:1: error: the file is neither UTF-8 nor whole UTF-16 [not-utf8]"]),
    ],
)
def test_what_is_wrong_is_told_at_the_line_of_the_upload(content: str | bytes, errors: list[str]) -> None:
    assert told(content) == errors


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("# nothing\n", "sites.csv:1:1: error: the file has no row [no-rows]"),
        ("Oslo\n", "sites.csv:1:1: error: Oslo is not a row, which has a location and a subnet [too-few-columns]"),
    ],
)
def test_a_file_without_a_row_is_at_fault_and_not_what_it_would_break(content: str, error: str) -> None:
    assert told(content, others="A,12.0.0.1/8\n", expected="10.1.0.0/16,Perth,\n") == [error]


def test_the_rules_of_the_map_hold_for_it() -> None:
    policy = '[locations]\nknown = ["Oslo"]\n[checks]\ncatch-all = "error"\nredundant-subnet = "error"\n'
    assert told("Oslo,10.0.0.0/8\nPerth,11.0.0.0/8\n", policy) == [
        "sites.csv:2:1: error: Perth is not a known location [unknown-location]"
    ]
    assert told("Oslo,0.0.0.0/0\nOslo,11.0.0.0/8\n", policy) == [
        (
            "sites.csv:1:6: error: 0.0.0.0/0 takes every IPv4 address that no other row takes,"
            " and leaves Pexip nothing to choose [catch-all]"
        )
    ]
    assert told("Oslo,10.0.0.0/8\nOslo,10.1.0.0/16\n", policy) == [
        "sites.csv:2:6: error: 10.1.0.0/16 gives the answer that 10.0.0.0/8 in sites.csv:1 gives [redundant-subnet]"
    ]


def test_a_row_of_another_file_is_named_and_what_is_wrong_there_comes_last() -> None:
    assert told("Oslo,10.0.0.0/8\nA,11.0.0.1/8\n", others="A,12.0.0.1/8\nB,10.0.0.0/8\n") == [
        "sites.csv:1:6: error: 10.0.0.0/8 is in locations/apac.csv:2 already [duplicate-subnet]",
        "sites.csv:2:3: error: 11.0.0.1/8 has host bits set [host-bits]",
        "locations/apac.csv:1:3: error: 12.0.0.1/8 has host bits set [host-bits]",
    ]


def test_an_expectation_that_it_would_break_names_its_line() -> None:
    expected = "10.1.0.0/16,Perth,\n10.2.0.0/16\n"
    assert told("Oslo,10.0.0.0/8\n", expected=expected) == [
        (
            "expectations.csv:1:1: error: 10.1.0.0 gets Oslo from sites.csv:1 (10.0.0.0/8), but all of 10.1.0.0/16"
            " should get Perth [broken-expectation]"
        )
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "sites.csv is empty"),
        (b" \r\n\n", "sites.csv is empty"),
        (b"PK\x03\x04\x14\0", "sites.csv is a ZIP archive or an Excel workbook (.xlsx), not a CSV file"),
        (b"\xd0\xcf\x11\xe0\xa1", "sites.csv is an Excel workbook (.xls), not a CSV file"),
        (b"\x1f\x8b\x08", "sites.csv is a gzip archive, not a CSV file"),
        (b"%PDF-1.7", "sites.csv is a PDF, not a CSV file"),
    ],
)
def test_another_kind_of_file_is_said_to_be_one(content: bytes, message: str) -> None:
    with pytest.raises(UnusableUpload) as raised:
        upload(content)
    assert raised.value.message == message
    assert raised.value.hint


@pytest.mark.parametrize(
    ("name", "what"), [("~$apac.csv", "a lock file of Excel"), ("._apac.csv", "a file of macOS (AppleDouble)")]
)
def test_what_a_program_left_beside_a_table_is_said_to_be_that(name: str, what: str) -> None:
    with pytest.raises(UnusableUpload, match=re.escape(what)):
        read_upload(name, b"\x05Alice" + bytes(60), LineCache())


NAME = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1).map(str.strip).filter(bool)


@given(st.lists(st.lists(NAME, min_size=1, max_size=5, unique=True), min_size=1, max_size=9), st.booleans())
def test_a_download_is_read_as_the_rows_that_it_was_made_of(names: list[list[str]], is_utf16: bool) -> None:
    policy = f'[answer]\noverflow = "list"\n{ANY_NAME}'
    quoted = [",".join('"' + name.replace('"', '""') + '"' for name in row) for row in names]
    location_map = map_of("".join(f"{row},10.0.{at}.0/24\n" for at, row in enumerate(quoted)), policy)
    content = b"".join(csv_parts(build_snapshot(location_map, None)))
    there = {name for file in location_map.files for row in file.names for name in row}
    found = read_upload("sites.csv", content.decode().encode("utf-16") if is_utf16 else content, LineCache(), there)
    assert [row for _, row in found.file.rows()] == [row for *_, row in location_map.rows()]


@given(st.binary(max_size=200))
def test_whatever_comes_is_rows_or_told(content: bytes) -> None:
    try:
        found = upload(content)
    except UnusableUpload:
        return
    assert found.file.size or found.errors((), ())


def test_the_table_of_another_program_is_told_as_such_and_not_row_by_row() -> None:
    with pytest.raises(UnusableUpload) as raised:
        upload("Prefix,Status,Site\n" + "10.61.2.0/24,Active,Sydney\n" * 500)
    assert raised.value.message == "sites.csv is a table of prefixes with a site, columns Prefix and Site, not of rows"
    assert "location-policy import" in (raised.value.hint or "")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"10.61.2.0/24,Sydney\n10.65.0.0/20,Perth\n", "prefixes with a site, columns 1 and 2"),
        (b"1.0.0.0,1.0.0.255,AU\n", "ranges of addresses with a country, columns 1, 2 and 3"),
        (b"apnic|AU|ipv4|1.0.4.0|1024|20110412|allocated\n", "delegations of a registry by country"),
    ],
)
def test_a_table_without_headings_is_told_as_what_it_is(content: bytes, what: str) -> None:
    with pytest.raises(UnusableUpload) as raised:
        read_upload("t.csv", content, LineCache())
    assert raised.value.message == f"t.csv is a table of {what}, not of rows"
