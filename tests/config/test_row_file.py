"""CSV bytes to rows and problems."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from location_policy.config import row_file
from location_policy.config.csv_lines import LINE_LIMIT, Finding
from location_policy.config.row_file import REMEMBERED, LineCache, RowFile, read_rows

SYDNEY = b"Sydney,Melbourne,10.61.2.0/24"
PERTH = b"Perth,10.61.3.0/24"


def read(content: bytes, path: str = "locations.csv") -> RowFile:
    return read_rows(path, content, LineCache())


def numbers(content: bytes) -> list[int]:
    return [number for number, _ in read(content).rows()]


def test_each_row_has_the_number_of_its_line() -> None:
    assert numbers(b"# the map\n" + SYDNEY + b"\n\n" + PERTH) == [2, 4]


@given(
    st.lists(st.sampled_from([SYDNEY, PERTH, b"# " + b"-" * 30, b"", b"x"])), st.sampled_from([b"", b"\xef\xbb\xbf"])
)
def test_a_file_that_is_read_in_pieces_is_read_as_a_whole(texts: list[bytes], mark: bytes) -> None:
    content = mark + b"\n".join(texts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row_file, "PIECE", 20)
        found = read(content)
    assert found == read(content)
    assert [found.text(number) for number in range(1, len(found.lines) + 1)] == list(found.texts) == (texts or [b""])


def test_a_long_line_is_not_remembered() -> None:
    memory = LineCache()
    long = b"#" + b" " * REMEMBERED
    read_rows("locations.csv", long + b"\n" + SYDNEY, memory)
    assert memory.keys() == {SYDNEY}


@pytest.mark.parametrize("end", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028"])
def test_only_lf_ends_a_line(end: str) -> None:
    assert numbers(f"# a{end}b\n".encode() + SYDNEY) == [2]


def test_a_stray_mark_does_not_swallow_the_lines_below() -> None:
    file = read(b'"Sydney,10.61.4.0/24\n' + SYDNEY)
    assert [number for number, _ in file.rows()] == [2]
    assert [problem.code for problem in file.findings()] == ["unbalanced-quote"]


def test_a_byte_order_mark_takes_no_column() -> None:
    (problem,) = read(b"\xef\xbb\xbfSydney,nowhere\n").findings()
    assert (problem.line, problem.column) == (1, 8)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_one_problem(encoding: str) -> None:
    file = read(f"\ufeff{SYDNEY.decode()}\n{PERTH.decode()}\n".encode(encoding))
    assert [(problem.line, problem.message) for problem in file.findings()] == [(1, "the file is UTF-16")]
    assert (file.size, file.is_clean) == (0, False)


def test_a_hint_names_the_line() -> None:
    (problem,) = read(SYDNEY + b"\nLocation,Subnet").findings()
    assert problem.hint == "delete line 2"


def test_a_finding_without_a_hint_has_none() -> None:
    assert read(SYDNEY).problem(1, Finding(1, "nul", "a NUL byte")).hint is None


def test_a_flawed_row_counts_as_a_row() -> None:
    file = read(b"=Sydney,10.61.2.0/24")
    assert (file.size, len(file.networks), len(file.names), file.is_clean) == (1, 1, 1, False)


def test_a_file_without_rows_has_no_network() -> None:
    file = read(b"# nothing\n")
    assert (file.size, file.networks, dict(file.names), file.is_clean) == (0, frozenset(), {}, True)
    assert not list(file.findings())


def test_cells_are_counted_without_the_empty_ones() -> None:
    file = read(b"Sydney,, Perth ,10.61.2.0/24,,\r")
    assert [file.cell(1, position) for position in (0, 1, -1)] == [(1, "Sydney"), (10, "Perth"), (17, "10.61.2.0/24")]


def test_a_line_that_was_read_before_is_not_read_again() -> None:
    memory = LineCache()
    first = read_rows("a.csv", SYDNEY + b"\n" + PERTH, memory)
    second = read_rows("b.csv", PERTH + b"\n" + SYDNEY, memory)
    assert first.lines[0] is second.lines[1]
    assert set(memory) == {SYDNEY, PERTH}


@given(st.lists(st.sampled_from([SYDNEY, PERTH, b"", b"#", b"nowhere", b"\xff", b"Sydney,10.61.2.7/24"])))
def test_every_line_is_a_row_or_nothing_or_has_a_problem(texts: list[bytes]) -> None:
    file = read(b"\n".join(texts))
    seen = {number for number, _ in file.rows()} | {problem.line for problem in file.findings()}
    assert seen == {number for number, text in enumerate(texts, 1) if text not in (b"", b"#")}


LINES = st.lists(
    st.sampled_from([SYDNEY, PERTH, b"Sydney,10.61.4.0/24", b"", b"#", b"\xef\xbb\xbf#", b"nowhere", b"a\r"])
)


@given(LINES, LINES)
def test_a_file_is_the_same_whatever_it_was_before(old: list[bytes], new: list[bytes]) -> None:
    memory = LineCache()
    before = read_rows("a.csv", b"\n".join(old), memory)
    assert read_rows("a.csv", b"\n".join(new), memory, before) == read(b"\n".join(new), "a.csv")


@given(st.data())
def test_a_file_of_which_a_part_changes_is_the_same_as_one_read_anew(data: st.DataObject) -> None:
    rows = [b"Sydney,10.%d.0.0/16" % number for number in data.draw(st.lists(st.integers(0, 255), unique=True))]
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(rows))] * 2)))
    changed = [*rows[:start], *data.draw(LINES), *rows[end:]]
    memory = LineCache()
    before = read_rows("a.csv", b"\n".join(rows), memory)
    found = read_rows("a.csv", b"\n".join(changed), memory, before)
    assert found == read(b"\n".join(changed), "a.csv")
    assert all(found.lines[number] is before.lines[number] for number in range(start))


@pytest.mark.parametrize("separator", [b",", b";", b"\t", b"|"])
def test_both_lines_of_a_cell_that_goes_over_two_are_told_whatever_parts_the_cells(separator: bytes) -> None:
    content = SYDNEY + b'\n"Perth\nCBD"' + separator + b"10.61.4.0/24\n"
    messages = [problem.message for problem in read(content).findings() if problem.code == "unbalanced-quote"]
    assert messages == ["a cell goes over several lines, 2 to 3, and a row is one line"]


def test_no_more_lines_are_read_for_a_cell_without_an_end_than_a_cell_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    read_lines, text_of = list[int](), RowFile.text

    def text(self: RowFile, number: int) -> bytes:
        read_lines.append(number)
        return text_of(self, number)

    found = read(b"\n".join([b'"Perth,' + b"x" * (LINE_LIMIT // 2)] * 50))
    monkeypatch.setattr(RowFile, "text", text)
    next(found.findings())
    assert set(read_lines) == {1, 2}
