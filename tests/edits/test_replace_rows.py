"""Other rows in the files of a map: what stays, stays as it is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from location_policy.config.row import Row
from location_policy.config.row_file import LineCache, RowFile, read_rows
from location_policy.edits.replace_rows import Replacement, replace_rows
from location_policy.net.addresses import Network
from tests.config.test_formatting import CONTENTS
from tests.support.repositories import Files

APAC = """# Sydney's own
Sydney,Melbourne,Singapore,10.61.2.0/24
Sydney , Melbourne,10.61.4.0/24

# Perth
Perth,10.62.0.0/16
"""
EMEA = "Oslo,10.70.0.0/16\nLondon,Oslo,10.71.0.0/16\n"
FILES = {"locations/apac.csv": APAC, "locations/emea.csv": EMEA}


def read(content: str | bytes) -> RowFile:
    return read_rows("sites.csv", content.encode() if isinstance(content, str) else content, LineCache())


def replaced(
    files: Files, wanted: str | bytes, home: str = "locations.csv", *, takes_text: bool = False, mends: bool = True
) -> Replacement:
    contents = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
    return replace_rows(contents, read(wanted), home, LineCache(), takes_text=takes_text, mends=mends)


def one(before: str | bytes, wanted: str, *, takes_text: bool = False, mends: bool = True) -> str | None:
    """The one file afterwards."""
    files = {"locations.csv": before}
    found = replaced(files, wanted, takes_text=takes_text, mends=mends).contents
    content = found.get("locations.csv", before.encode() if isinstance(before, str) else before)
    return None if content is None else content.decode()


def rows_of(contents: Mapping[str, bytes]) -> list[Row]:
    files = (read_rows(path, content, LineCache()) for path, content in contents.items())
    return [row for file in files for _, row in file.rows()]


def test_the_same_rows_in_whatever_order_and_writing_change_nothing() -> None:
    lines = (APAC + EMEA).splitlines()
    wanted = "\n".join(line.replace(" , ", ",") for line in reversed(lines) if not line.startswith("#"))
    assert replaced(FILES, wanted) == Replacement({}, 5, 0, 0, 0, 0)


def test_a_row_is_changed_in_its_place_and_the_new_ones_go_to_the_end_of_one_file() -> None:
    wanted = APAC.replace("Sydney , Melbourne,", "Melbourne,") + EMEA + "Lima,11.1.0.0/16\nLima,11.0.0.0/16\n"
    found = replaced(FILES, wanted)
    assert found.contents == {
        "locations/apac.csv": APAC.replace("Sydney , Melbourne,", "Melbourne,").encode(),
        "locations.csv": b"Lima,11.0.0.0/16\nLima,11.1.0.0/16\n",
    }
    assert (found.kept, found.changed, found.gone, found.come, found.lost_comments) == (4, 1, 0, 2, 0)


def test_a_comment_goes_with_the_last_of_its_rows_and_no_sooner() -> None:
    found = replaced(FILES, "Sydney,Melbourne,Singapore,10.61.2.0/24\n" + EMEA)
    assert found.contents == {
        "locations/apac.csv": b"# Sydney's own\nSydney,Melbourne,Singapore,10.61.2.0/24\n",
    }
    assert (found.kept, found.gone, found.lost_comments) == (3, 2, 1)


def test_a_file_of_which_nothing_is_left_goes_too() -> None:
    assert replaced(FILES, APAC).contents == {"locations/emea.csv": None}
    assert replaced({"a.csv": b"\xff\xfeO\0"}, "Oslo,10.0.0.0/8").contents["a.csv"] is None


@pytest.mark.parametrize(
    ("before", "wanted", "after"),
    [
        (
            "A,1.0.0.0/8\nA,3.0.0.0/8\n",
            "A,1.0.0.0/8\nA,2.0.0.0/8\nA,3.0.0.0/8",
            "A,1.0.0.0/8\nA,2.0.0.0/8\nA,3.0.0.0/8\n",
        ),
        ("A,3.0.0.0/8\nA,1.0.0.0/8\n", "A,1.0.0.0/8\nA,3.0.0.0/8\nB,::/0", "A,3.0.0.0/8\nA,1.0.0.0/8\nB,::/0\n"),
        ("# A\nA,1.0.0.0/8\n", "A,1.0.0.0/8\nB,2.0.0.0/8", "# A\nA,1.0.0.0/8\n\nB,2.0.0.0/8\n"),
        ("# head\n\nA,1.0.0.0/8\n", "A,1.0.0.0/8\nB,2.0.0.0/8", "# head\n\nA,1.0.0.0/8\nB,2.0.0.0/8\n"),
        ("# head\n", "B,2.0.0.0/8", "# head\n\nB,2.0.0.0/8\n"),
        (
            "A,1.0.0.0/8\r\n# B\r\nB,2.0.0.0/8",
            "A,1.0.0.0/8\nC,2.0.0.0/8\nD,3.0.0.0/8",
            "A,1.0.0.0/8\r\n# B\r\nC,2.0.0.0/8\r\n\r\nD,3.0.0.0/8\r\n",
        ),
        (
            "A,1.0.0.0/8\r\nB,2.0.0.0/8",
            "A,1.0.0.0/8\nB,2.0.0.0/8\nD,3.0.0.0/8",
            "A,1.0.0.0/8\r\nB,2.0.0.0/8\r\nD,3.0.0.0/8\r\n",
        ),
        ("\ufeffA,1.0.0.0/8\nB,2.0.0.0/8", "B,2.0.0.0/8", "\ufeffB,2.0.0.0/8"),
        ("A,1.0.0.0/8\nB,2.0.0.0/8", "A,1.0.0.0/8", "A,1.0.0.0/8\n"),
        ("# a\nA,1.0.0.0/8\n\n# b\nB,2.0.0.0/8\n", "B,2.0.0.0/8", "# b\nB,2.0.0.0/8\n"),
        ("A,1.0.0.0/8\n\nB,2.0.0.0/8\n\nC,3.0.0.0/8\n", "A,1.0.0.0/8\nC,3.0.0.0/8", "A,1.0.0.0/8\n\nC,3.0.0.0/8\n"),
        (
            "A,1.0.0.0/8\n# b\nB,2.0.0.0/8\n# c\nC,3.0.0.0/8\n",
            "A,1.0.0.0/8\nC,3.0.0.0/8",
            "A,1.0.0.0/8\n# c\nC,3.0.0.0/8\n",
        ),
        ("A,1.0.0.0/8\noops\nA,1.0.0.0/8\n", "A,1.0.0.0/8", "A,1.0.0.0/8\n"),
    ],
)
def test_lines_stand_where_they_should(before: str, wanted: str, after: str) -> None:
    assert one(before, wanted) == after


def test_a_line_with_host_bits_is_mended_only_where_it_could_not_be_served() -> None:
    before = "A,1.0.0.1/8\nA,1,2.0.0.0/8\n"
    wanted = "A,1.0.0.0/8\nA,1,2.0.0.0/8\n"
    assert one(before, wanted) == wanted
    assert one(before, wanted, takes_text=True) == wanted
    assert one(before, wanted, mends=False) == before
    assert one(before, wanted, mends=False, takes_text=True) == before


def test_a_file_with_its_own_comments_is_taken_as_it_is_but_for_rows_that_are_there() -> None:
    before = "# old\r\nA , 1.0.0.0/8\r\nB,2.0.0.0/8\r\n"
    wanted = "# new\nC,3.0.0.0/8\nA,1.0.0.0/8\n"
    assert one(before, wanted, takes_text=True) == "# new\r\nC,3.0.0.0/8\r\nA , 1.0.0.0/8\r\n"
    found = replaced({"locations.csv": before}, wanted, takes_text=True)
    assert (found.kept, found.gone, found.come, found.lost_comments) == (1, 1, 1, 1)
    assert replaced({}, wanted, takes_text=True).contents == {"locations.csv": wanted.encode()}


WANTED = CONTENTS.map(lambda content: b"\n".join(unique(read(content))))


def unique(file: RowFile) -> Iterator[bytes]:
    """Lines without anything to say about them, each network once."""
    seen = set()
    for raw, line in zip(file.texts, file.lines, strict=True):
        if isinstance(line, Row) and line.network not in seen:
            seen.add(line.network)
            yield raw.removesuffix(b"\r")  # as an upload has it


def staying(before: Mapping[str, bytes], wanted: bytes) -> dict[str, list[bytes]]:
    """By file the lines whose rows are wanted as they are, without those that repeat a network."""
    rows = {row for _, row in read(wanted).rows()}
    seen: set[Network] = set()
    found: dict[str, list[bytes]] = {}
    for path, content in sorted(before.items()):
        file = read(content)
        found[path] = []
        for number, row in file.rows():
            if row.network not in seen and row in rows:
                found[path].append(file.texts[number - 1].rstrip(b"\r"))
            seen.add(row.network)
    return found


@given(CONTENTS, CONTENTS, WANTED, st.booleans())
def test_the_map_has_exactly_the_wanted_rows_and_those_that_stay_stand_as_they_stood(
    one: bytes, other: bytes, wanted: bytes, takes_text: bool
) -> None:
    before = {"locations.csv": one} | ({} if takes_text else {"locations/b.csv": other})
    found = replaced(before, wanted, takes_text=takes_text)
    after = {path: found.contents.get(path, content) or b"" for path, content in before.items()}
    assert sorted(rows_of(after)) == sorted(row for _, row in read(wanted).rows())
    for path, stays in {} if takes_text else staying(before, wanted).items():
        lines = [raw.rstrip(b"\r") for raw in read(after[path]).texts]
        assert [raw for raw in lines if raw in set(stays)] == stays
    again = replaced({path: text for path, text in after.items() if text}, wanted, takes_text=takes_text)
    assert not again.contents
