"""One line of a CSV file, held to the csv module and to its own long way."""

from __future__ import annotations

import csv
import io
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from location_policy.config.csv_lines import (
    CELLS_LIMIT,
    LINE_LIMIT,
    Finding,
    cells_of,
    filled_cells,
    plain_cells,
    quoted_cells,
)
from location_policy.config.row import Row, RowWithFindings, _examine, _plain_row, parse_line

names = st.sampled_from(
    ["Sydney", "Melbourne", "Zürich", "x" * 251, "=A", "#A", "", " ", "a\tb", 'a"b', '"a"', "<<<<<<< A"]
)
subnets = st.sampled_from(["10.61.2.0/24", "10.61.2.7/24", "2001:db8::/32", "10.61.2.0", "Subnet", "", '"10.0.0.0/8"'])
spaces = st.sampled_from(["", "", " ", "\t", "\r", "\u00a0", "\0"])
cells = st.tuples(spaces, names | subnets | st.text(max_size=8), spaces).map("".join)
lines = st.lists(cells, max_size=6).map(",".join) | st.text(max_size=30)


def findings(raw: bytes) -> tuple[Finding, ...]:
    line = parse_line(raw)
    assert isinstance(line, RowWithFindings)
    return line.findings


@given(lines)
@example("<<<<<<< A,10.61.2.0/24")
def test_the_short_way_and_the_long_way_give_the_same_row(text: str) -> None:
    row = _plain_row(text)
    assert row is None or row == _examine(text)


@pytest.mark.parametrize(
    "cell", ['"', '""', '"a,', '"a",', '"a""b,', "a,", ";", "\t", " ", "/", "0", "1.", "=", "\ufeff", "\\u200b"]
)
@pytest.mark.parametrize("end", ["", ",10.61.2.0/24", ",10.61.2.0/" + "0" * 9_000 + "x", ",10.61.2.0" + " /" * 9_000])
def test_no_line_takes_long(cell: str, end: str) -> None:
    text = cell * (50_000 // len(cell.encode())) + end
    started = time.process_time()
    parse_line(text[:65_000].encode())
    parse_line(f"Sydney,{text[-40_000:]}".encode())
    assert time.process_time() - started < 0.2


@pytest.mark.parametrize(
    "parts",
    [
        ("#", " ", '"x,10.61.2.0/24'),
        ("Sydney;", "-", "x"),
        ("", "-", "x"),
        ("Sydney,10.61.2.0", " ", "x"),
        ("Sydney", "\u0301" * 10_000 + "\u0316" * 10_000, ",10.61.2.0/24"),
        ("", "Sydney;10.61.2.0/24;", ""),
    ],
    ids=["error", "dashes", "ruler", "blanks", "marks", "semicolons"],
)
def test_no_line_of_three_parts_takes_long(parts: tuple[str, str, str]) -> None:
    before, unit, after = parts
    text = before + unit * (60_000 // len(unit.encode())) + after
    started = time.process_time()
    parse_line(text.encode())
    assert time.process_time() - started < 0.2


def test_the_rows_that_a_line_of_subnets_should_be_are_found_once() -> None:
    line = ("x," * 30 + "1.2.3.0/24," * 30 + "x").encode()
    started = time.process_time()
    for _ in range(100):
        parse_line(line)
    assert time.process_time() - started < 0.5


def test_a_line_may_be_as_long_as_the_limit_and_have_as_many_cells() -> None:
    assert parse_line(b"#" + b" " * (LINE_LIMIT - 1)) is None
    (finding,) = findings(b"#" + b" " * LINE_LIMIT)
    assert (finding.code, finding.column) == ("too-large", 1)
    row = b"Sydney,10.61.2.0/24" + b"," * (CELLS_LIMIT - 2)
    assert parse_line(row) == parse_line(b"Sydney,10.61.2.0/24")
    assert [finding.code for finding in findings(row + b",")] == ["too-large"]
    assert parse_line(b'"' + b"," * 200 + b'",10.61.2.0/24') is not None


@given(lines.filter(lambda text: not set(text) & set('"\r\n')))
def test_a_line_without_quotation_marks_is_parted_as_csv_does(text: str) -> None:
    split = next(csv.reader([text]), []) or [""]
    assert [cell.text for cell in cells_of(text)] == [cell.strip(" \t") for cell in split]


@given(lines.filter(lambda text: '"' not in text))
def test_a_line_without_quotation_marks_is_parted_in_either_way(text: str) -> None:
    assert plain_cells(text) == quoted_cells(text)


@given(
    st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])), min_size=1),
    st.booleans(),
)
def test_quoted_cells_read_as_csv_wrote_them(texts: list[str], all_of_them: bool) -> None:
    written = io.StringIO()
    writer = csv.writer(written, quoting=csv.QUOTE_ALL if all_of_them else csv.QUOTE_MINIMAL, lineterminator="")
    writer.writerow(texts)
    assert [cell.text for cell in cells_of(written.getvalue())] == [text.strip(" \t") for text in texts]


@given(lines)
def test_a_cell_begins_at_its_column(text: str) -> None:
    for cell in filled_cells(text.encode(errors="replace")):
        rest = text[cell.column - 1 :]
        assert rest.startswith(cell.text) or rest.lstrip('" \t').replace('""', '"').startswith(cell.text.lstrip('"'))
        assert not rest.startswith((" ", "\t"))


@given(st.binary().filter(lambda raw: b"\n" not in raw))
def test_a_finding_lies_in_its_line(raw: bytes) -> None:
    line = parse_line(raw)
    for finding in line.findings if isinstance(line, RowWithFindings) else ():
        assert 1 <= finding.column <= len(raw) + 1


@pytest.mark.parametrize("raw", [b'Perth"', b'"Perth""', b'"""Perth"""', b'"' * 1_000 + b"x", b'a"' * 1_000])
def test_a_line_of_one_cell_with_quotation_marks_is_no_row(raw: bytes) -> None:
    line = parse_line(raw)
    assert isinstance(line, RowWithFindings)
    assert (line.row, [finding.code for finding in line.findings][:1]) in [
        (None, ["too-few-columns"]),
        (None, ["unbalanced-quote"]),
    ]


def test_a_row_is_its_names_and_its_network() -> None:
    row = parse_line(b"Sydney,Melbourne,Singapore,10.61.2.0/24")
    assert isinstance(row, Row)
    assert (row.names, str(row.network)) == (("Sydney", "Melbourne", "Singapore"), "10.61.2.0/24")


@pytest.mark.parametrize("raw", [b"", b" \t", b"# Sydney", b"  # \xc3\xbc", b"#,10.61.2.0/24", b"\r", b'#"'])
def test_blank_lines_and_comments_mean_nothing(raw: bytes) -> None:
    assert parse_line(raw) is None


@pytest.mark.parametrize(
    "raw",
    [
        b"Sydney,Perth,10.61.2.0/24\r",
        b" Sydney\t,Perth , 10.61.2.0/24\t",
        b"Sydney,,Perth,,10.61.2.0/24",
        b"Sydney,Perth,10.61.2.0/24,, ,",
        b'"Sydney","Perth","10.61.2.0/24"',
        b' "Sydney" ,\t" Perth", "10.61.2.0/24" ,""',
    ],
)
def test_these_are_the_same_row(raw: bytes) -> None:
    assert parse_line(raw) == parse_line(b"Sydney,Perth,10.61.2.0/24")


def test_equal_names_are_one_object() -> None:
    first, second = parse_line(b"Sydney,Perth,10.0.0.0/8"), parse_line(b"Sydney,Perth,11.0.0.0/8")
    assert isinstance(first, Row)
    assert isinstance(second, Row)
    assert first.names is second.names


@pytest.mark.parametrize(
    ("raw", "column", "code"),
    [
        (b"Z\xc3\xbcrich,\xfc,10.61.2.0/24", 8, "not-utf8"),
        (b"Sydney,\x81,10.61.2.0/24", 8, "not-utf8"),
        (b"Z\xc3\xbcrich,\0,10.61.2.0/24", 8, "nul"),
        (b"<<<<<<< HEAD", 1, "conflict-marker"),
        (b"||||||| 1c2d3e4", 1, "conflict-marker"),
        (b"=======\r", 1, "conflict-marker"),
        (b">>>>>>> a,10.0.0.0/8", 1, "conflict-marker"),
        (b' "Sydney,10.61.2.0/24', 2, "unbalanced-quote"),
        (b'Sydney,"a"b,10.61.2.0/24', 8, "unbalanced-quote"),
        (b'"Sydney""', 1, "unbalanced-quote"),
        (b" Sydney;10.61.2.0/24", 2, "wrong-separator"),
        (b'"Sydney";"10.61.2.0/24"', 1, "wrong-separator"),
        (b"Sydney|10.61.2.0/24,", 1, "wrong-separator"),
        (b" Sydney", 2, "too-few-columns"),
        (b",,", 1, "too-few-columns"),
        (b";;10.61.2.0/24;", 1, "too-few-columns"),
        (b",10.61.2.0/24", 1, "empty-location"),
        (b" ,Perth,10.61.2.0/24", 2, "empty-location"),
        (b"Location,Overflow,Overflow,Subnet", 1, "heading-row"),
        (b"location,ms_subnet,", 1, "heading-row"),
        (b"Location;Subnet", 1, "heading-row"),
        (b"Sydney, nowhere", 9, "not-a-subnet"),
        (b"Sydney,10.061.2.0/24", 8, "octal-octet"),
        (b"Sydney,\t10.61.2.7/24", 9, "host-bits"),
        (b"Sydney, " + b"x" * 251 + b",10.61.2.0/24", 9, "bad-name"),
        (b"Sydney,a\x1bb,10.61.2.0/24", 8, "bad-name"),
        (b"\xef\xbb\xbfSydney,10.61.2.0/24", 1, "bad-name"),
        (b"Sydney,@Perth,10.61.2.0/24", 8, "formula-name"),
        ("Sydney,\uff1d1+1,10.61.2.0/24".encode(), 8, "formula-name"),
        ("Sydney,\uff20Perth,10.61.2.0/24".encode(), 8, "formula-name"),
        ("Sydney,\ufe63Perth,10.61.2.0/24".encode(), 8, "formula-name"),
        (b'Sydney,"Sydney",10.61.2.0/24', 8, "repeated-location"),
    ],
)
def test_what_is_wrong_has_its_place_and_code(raw: bytes, column: int, code: str) -> None:
    assert [(finding.column, finding.code) for finding in findings(raw)] == [(column, code)]


@pytest.mark.parametrize("name", ["\u00ad=1+1", "\u202e \ufe0f=1+1", "\u00a0=1+1", "\u3000\u200b\uff0b1"])
def test_a_formula_behind_a_space_that_is_passed_over_is_one(name: str) -> None:
    codes = [finding.code for finding in findings(f"Sydney,{name},10.61.2.0/24".encode())]
    assert codes == ["invisible-character", "formula-name"]


def test_everything_that_is_wrong_with_a_row_is_found() -> None:
    codes = [finding.code for finding in findings(b",=A,=A,nowhere")]
    assert codes == ["empty-location", "formula-name", "formula-name", "repeated-location", "not-a-subnet"]


def test_a_name_has_at_most_250_characters() -> None:
    assert isinstance(parse_line(("ü" * 250 + ",10.61.2.0/24").encode()), Row)


@pytest.mark.parametrize("raw", [b"Sydney,10.61.3.0/23", b"=Sydney,10.61.2.0/23", b"Sydney,Sydney,10.61.2.0/23"])
def test_what_is_a_matter_of_severity_leaves_a_row(raw: bytes) -> None:
    line = parse_line(raw)
    assert isinstance(line, RowWithFindings)
    assert line.row
    assert str(line.row.network) == "10.61.2.0/23"


def test_windows_1252_is_recognised() -> None:
    assert findings("Zürich,10.61.2.0/24".encode("cp1252"))[0].message.endswith("in Windows-1252 it is ü")
    assert findings(b"\x81,10.61.2.0/24")[0].message == "byte 0x81 is not UTF-8"


def test_a_row_of_a_european_spreadsheet_is_written_out() -> None:
    hint = findings(b"Sydney; Perth;;10.61.2.0/24;;")[0].hint
    assert hint == "write Sydney,Perth,,10.61.2.0/24"


def test_a_long_row_is_not_written_out() -> None:
    assert findings(b"Sydney;" * 100)[0].hint == "separate them by commas"


@pytest.mark.parametrize(
    ("raw", "hint"),
    [
        (b"Sydney,10.61.3.0/23", "write 10.61.2.0/23, or 10.61.3.0/24 if that was meant"),
        (b"Sydney,10.61.2.7/24", "write 10.61.2.0/24, or 10.61.2.7/32 if that was meant"),
        (b"Sydney,2001:db8:0:1::/32", "write 2001:db8::/32, or 2001:db8:0:1::/64 if that was meant"),
    ],
)
def test_host_bits_have_two_readings(raw: bytes, hint: str) -> None:
    assert findings(raw)[0].hint == hint


@pytest.mark.parametrize("raw", [b"Sydney,10.61.3.7,255.255.254.0", b"Sydney;10.61.3.7;255.255.254.0"])
def test_no_row_is_written_out_that_would_widen_a_subnet(raw: bytes) -> None:
    hint = "a row is location,overflow\u2026,subnet: put 10.61.3.7/255.255.254.0 last, behind its location"
    assert (findings(raw)[0].hint or "").startswith(hint)


@pytest.mark.parametrize("unit", [b"a", b" ", b'""', b'"x,', b"x,", b'" '])
def test_a_line_without_end_takes_time_in_proportion(unit: bytes) -> None:
    started = time.process_time()
    parse_line(b'"' + unit * 200_000)
    assert time.process_time() - started < 10


@pytest.mark.parametrize("name", ["Zürich", "Örebro-1", "東京=1", "e-mail", "ＡＢＣ＋"])
def test_a_name_that_does_not_begin_as_a_formula_is_none(name: str) -> None:
    row = parse_line(f"{name},10.61.2.0/24".encode())
    assert isinstance(row, Row)
    assert row.names == (name,)


@pytest.mark.parametrize("text", ['10.61.2.0/24"', 'b",,,', '10.61.4.0/24"', '"', '""', '"""', 'a"b', '"a"b"', '" "x"'])
def test_a_line_with_a_stray_quotation_mark_is_parsed_once(text: str) -> None:
    line = parse_line(text.encode())
    assert line is None or isinstance(line, RowWithFindings)


def test_a_line_in_many_quotation_marks_is_looked_into_as_often_as_it_has_pairs_of_them() -> None:
    text = "Sydney,10.61.2.0/24"
    for _ in range(12):
        text = '"' + text.replace('"', '""') + '"'
    line = parse_line(text.encode())
    assert isinstance(line, RowWithFindings)


@pytest.mark.parametrize(
    "text", ["10.61.2.0/24", "10.61.2.7", '10.61.2.0/24"', "<td>10.61.2.0/24</td>", "2001:db8::/32,,"]
)
def test_no_line_with_a_subnet_is_said_to_be_deleted(text: str) -> None:
    line = parse_line(text.encode())
    assert isinstance(line, RowWithFindings)
    (finding,) = line.findings
    assert finding.code == "too-few-columns"
    assert "delete" not in (finding.hint or "")
