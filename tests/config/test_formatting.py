"""The one form of a file: the same rows, the same comments over them, and nothing left to change."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from location_policy.config.formatting import canonical_text, row_text
from location_policy.config.row import Row, parse_line
from location_policy.config.row_file import LineCache, RowFile, read_rows
from location_policy.net.addresses import Network, parse_interface
from tests.net.test_ranges import SMALL
from tests.plan.test_answer_changes import differ
from tests.support.maps import map_of

NAMES = st.sampled_from(["Sydney", "Perth, WA", 'Bob"s', "# Oslo", "<<<<<<< a", "a;b", "São Paulo", '"', "a b"])
SUBNETS = st.sampled_from(["10.0.0.0/24", "::/0"]) | SMALL.map(str)
SPACE = st.sampled_from(["", " ", "\t "])


def cell(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


ROWS = st.builds(
    lambda names, subnet, space, empty: space + f"{space},{space}".join((*map(cell, names), *empty, subnet)) + space,
    st.lists(NAMES, min_size=1, max_size=3, unique=True),
    SUBNETS,
    SPACE,
    st.sampled_from([(), ("",), ("", "")]),
)
OTHER_LINES = st.sampled_from(["", "  ", "# Sydney", "  # Perth\t", "#"])
CONTENTS = st.builds(
    lambda lines, end, last, mark: mark + (end.join(lines) + last).encode(),
    st.lists(ROWS | OTHER_LINES, max_size=12),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["", "\n", "\n\n"]),
    st.sampled_from([b"", b"\xef\xbb\xbf"]),
)


def read(content: bytes) -> RowFile:
    return read_rows("locations.csv", content, LineCache())


def canonical(text: str) -> str:
    return canonical_text(read(text.encode())).decode()


def under_comments(file: RowFile) -> list[tuple[tuple[bytes, ...], list[Row]]]:
    """The rows of each block, in no order, with the comments above them."""
    found: list[tuple[tuple[bytes, ...], list[Row]]] = []
    comments: tuple[bytes, ...] = ()
    rows: list[Row] = []
    for raw, line in zip((*file.texts, b"#"), (*file.lines, None), strict=True):
        if isinstance(line, Row):
            rows.append(line)
        elif raw.strip():
            found += [(comments, sorted(rows))] * bool(rows)
            comments, rows = ((*comments, raw.strip()) if not rows else (raw.strip(),)), []
    return found


@given(CONTENTS)
def test_the_rows_stay_and_so_do_the_comments_over_them(content: bytes) -> None:
    before, after = read(content), read(canonical_text(read(content)))
    assert under_comments(before) == under_comments(after)


@given(CONTENTS)
def test_what_is_canonical_stays_as_it_is(content: bytes) -> None:
    once = canonical_text(read(content))
    assert canonical_text(read(once)) == once
    assert not once or (once.endswith(b"\n") and not once.endswith(b"\n\n") and not once.startswith(b"\n"))


UNIQUE = st.lists(
    ROWS | OTHER_LINES, max_size=12, unique_by=lambda line: line.rstrip(", \t").rpartition(",")[2].strip()
)


@given(UNIQUE)
def test_no_address_gets_another_answer(lines: list[str]) -> None:
    text = "\n".join(["Hobart,192.0.2.0/24", *lines])
    assert differ(map_of(text), map_of(canonical(text))) == []


@given(st.lists(NAMES, min_size=1, max_size=3, unique=True), SUBNETS)
def test_a_row_is_read_back_from_its_text(names: Sequence[str], subnet: str) -> None:
    row = Row(tuple(names), Network.holding(*parse_interface(subnet)))
    assert parse_line(row_text(row).encode()) == row


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        ("\n \n", ""),
        ("# only this", "# only this\n"),
        ("Perth,10.0.1.0/24\nOslo,10.0.0.0/16\nSydney,::/0\nSydney,10.0.0.0/8", None),
        ("Sydney ,, Perth,,2001:DB8:0::/48,,\r\n", "Sydney,Perth,2001:db8::/48\n"),
        ("a,10.0.1.0/24\n\n\n\nb,10.0.0.0/24\n\n", "a,10.0.1.0/24\n\nb,10.0.0.0/24\n"),
        ("b,10.0.1.0/24\na,10.0.0.0/24\n#x\nd,9.0.1.0/24\nc,9.0.0.0/24\n", None),
        ("a,::ffff:10.0.0.0/120\n", "a,10.0.0.0/24\n"),
        ("a,10.0.0.7/24\n", "a,10.0.0.0/24\n"),
    ],
)
def test_a_text_and_its_canonical_form(before: str, after: str | None) -> None:
    if after is None:
        blocks = [sorted(block.split("\n"), key=_address) for block in before.strip("\n").split("\n#x\n")]
        after = "\n#x\n".join("\n".join(block) for block in blocks) + "\n"
    assert canonical(before) == after


def _address(line: str) -> tuple[int, Network]:
    network = Network.holding(*parse_interface(line.rpartition(",")[2]))
    return len(network), network
