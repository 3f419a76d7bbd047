"""Hints are followed: each that holds a text to write or a command to type leaves fewer errors."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from location_policy.config.csv_lines import cells_of
from location_policy.config.files import File
from location_policy.config.validate import load_map
from location_policy.errors import InvalidConfiguration
from location_policy.problems import Problem, errors_in
from location_policy.repository.working_copy import read_folder
from location_policy.text import unescape

CONFIGS = Path(__file__).parent / "configs" / "invalid"
Texts = dict[str, str]
"""The files of a configuration by their paths."""

WRITE = re.compile(
    r"write (?:a row for each subnet: )?(.+?)(?:; if both .*|, without what cannot .*| for one address, or .*|, or .*)?"
)
EXAMPLES = ("write a subnet as", "write a name that", "write the ", "write lines", "write ~", "write it", "write one")
"""Beginnings of hints that hold no text of which the place is told."""
BASE = "Lima,192.0.2.0/24\n"


def errors_of(texts: Texts) -> tuple[Problem, ...]:
    """What is wrong; but for names that are the same, which some are only once they are mended."""
    files = [File(path, "file", len(text), text, text.encode()) for path, text in texts.items()]
    try:
        load_map(files)
    except InvalidConfiguration as error:
        return tuple(one for one in errors_in(error.problems) if one.code != "repeated-location")
    return ()


def followed(texts: Texts, problem: Problem) -> Texts | None:
    """The files with the hint of a problem done; None where it holds neither a text nor a command."""
    hint, path = problem.hint or "", problem.path
    if path == "policy.toml":  # what stands there is an example of the form
        return None
    lines = texts.get(path, "").split("\n")
    at = problem.line - 1
    if found := re.fullmatch(r"delete it: (git rm --cached .*?); .*", hint):
        return {one: text for one, text in texts.items() if one != shlex.split(found[1])[-1]}
    if re.fullmatch(r"delete (?:it|line \d+|one of the two rows)", hint.rpartition(", or ")[2]):
        return {**texts, path: "\n".join(lines[:at] + lines[at + 1 :])}
    if found := re.fullmatch(r"(?:rename|move) it to (.*)", hint):
        return {found[1] if one == path else one: text for one, text in texts.items()}
    if found := re.fullmatch(r"write lines (\d+) to (\d+) as one", hint):
        first, last = int(found[1]) - 1, int(found[2])
        return {**texts, path: "\n".join([*lines[:first], "".join(lines[first:last]), *lines[last:]])}
    if hint.startswith("add it to known") and path != "expectations.csv":  # until then it is not asked whether it holds
        known = f"known = [{json.dumps(cell_at(lines[at], problem.column), ensure_ascii=False)}, "
        return {**texts, "policy.toml": texts["policy.toml"].replace("known = [", known)}
    if found := re.fullmatch(r"put it into known in policy.toml in place of (.*?), which .*", hint):
        name = cell_at(lines[at], problem.column)
        return {**texts, "policy.toml": texts["policy.toml"].replace(unescape(found[1]), name)}
    found = WRITE.fullmatch(hint)
    if found is None or hint.startswith(EXAMPLES):
        return None
    wanted = found[1].split(" and ") if "for each subnet" in hint else [found[1]]
    if "," in found[1] and problem.code not in ("unknown-location", "mojibake"):
        return {**texts, path: "\n".join([*lines[:at], *wanted, *lines[at + 1 :]])}
    rest = lines[at][problem.column - 1 :]
    cell = re.match(r'"(?:[^"]|"")*"|[^,]*', rest)
    assert cell
    lines[at] = lines[at][: problem.column - 1] + found[1] + rest[cell.end() :]
    return {**texts, path: "\n".join(lines)}


@pytest.mark.parametrize(
    "line",
    [
        "Sydney,10.61.2.0,10.61.3.0",  # two subnets, or a range
        "Sydney,10.61.2.0,10.61.3.0/24",
        "Sydney,10.61.2.0/2 4",
        "Sydney,10.61.2.0/24\\n10.61.3.0/24",
    ],
)
def test_no_hint_names_a_subnet_that_was_perhaps_not_meant(line: str) -> None:
    first = errors_of({"locations.csv": f"{BASE}{line}\n"})[0]
    assert "write 10" not in (first.hint or "")
    assert "write a row for each" not in (first.hint or "")
    assert "Sydney,10" not in (first.hint or "")


def cell_at(line: str, column: int) -> str:
    """The text of the cell that begins at this column."""
    return next(cell.text for cell in cells_of(line) if cell.column == column)


def assert_hints_lead_somewhere(texts: Texts) -> int:
    """How many hints were followed."""
    errors = errors_of(texts)
    number = 0
    for problem in errors:
        after = followed(texts, problem)
        if after is not None:
            number += 1
            left = [one for one in errors_of(after) if not is_asked_only_now(one, problem)]
            assert len(left) < len(errors), f"{problem}\nled to\n" + "\n".join(map(str, left))
    return number


def is_asked_only_now(one: Problem, mended: Problem) -> bool:
    """Is it said of a name in a line that was no row, or in what it has become: nobody asked whether it is known?"""
    is_there = one.path == mended.path and one.line >= mended.line
    return is_there and one.code == "unknown-location" and mended.code in ("not-a-subnet", "too-few-columns")


def configurations() -> Iterator[Path]:
    for folder in sorted(CONFIGS.iterdir()):
        files = [file for file in (folder / "config").rglob("*") if file.is_file()]
        if files and folder.name.partition(".")[0] not in ("not-utf8", "unreadable-expectations", "unreadable-owners"):
            yield folder


@pytest.mark.parametrize("folder", list(configurations()), ids=lambda folder: folder.name)
def test_the_hints_of_a_wrong_configuration_lead_to_fewer_errors(folder: Path) -> None:
    files = read_folder(folder / "config")
    assert_hints_lead_somewhere(
        {file.path: (file.content or b"").decode() for file in files if file.content is not None}
    )


@pytest.mark.parametrize(
    ("line", "mended"),
    [
        ("Sydney,10.61.2.0,255.255.255.0", "Sydney,10.61.2.0/24"),
        ("Sydney,10.61.2.0,0.0.0.255", "Sydney,10.61.2.0/24"),
        ("Sydney,Melbourne,10.61.2.0,24", "Sydney,Melbourne,10.61.2.0/24"),
        ("Sydney,10.61.2.0,/24", "Sydney,10.61.2.0/24"),
        ("Sydney,10.61.2.0/24,255.255.255.0", "Sydney,10.61.2.0/24"),
        ("10.61.2.0,255.255.255.0,Sydney", "Sydney,10.61.2.0/24"),
        ("10.61.2.0/24,Sydney", "Sydney,10.61.2.0/24"),
        ("Sydney,10.61.2.0/24,10.61.3.0/24", "Sydney,10.61.2.0/24\nSydney,10.61.3.0/24"),
        ("Sydney,10.61.2.0/24,10.61.2.0/24", "Sydney,10.61.2.0/24"),
        ("Sydney,10.61.2.0/24 10.61.3.0/24", "Sydney,10.61.2.0/24\nSydney,10.61.3.0/24"),
        ("Sydney,10.61.2.0/24;10.61.3.0/24", "Sydney,10.61.2.0/24\nSydney,10.61.3.0/24"),
        ('Sydney,"10.61.2.0/24, 10.61.3.0/24"', "Sydney,10.61.2.0/24\nSydney,10.61.3.0/24"),
        ("| Sydney | 10.61.2.0/24 |", "Sydney,10.61.2.0/24"),
        ("|Sydney||10.61.2.0/24|", "Sydney,,10.61.2.0/24"),
        ("│ Sydney │ 10.61.2.0/24 │", "Sydney,10.61.2.0/24"),
        ("Sydney\t10.61.2.0\t255.255.255.0", "Sydney,10.61.2.0/24"),
        ("Sydney, NSW;Melbourne, VIC;;10.61.2.0/24", '"Sydney, NSW","Melbourne, VIC",,10.61.2.0/24'),
        ("Sydney，10.61.2.0/24", "Sydney,10.61.2.0/24"),
        ("Sydney 10.61.2.0/24", "Sydney,10.61.2.0/24"),
        ("Sydney: 10.61.2.0/24", "Sydney,10.61.2.0/24"),
        ("Sydney\u200b,10.61.2.0/24", "Sydney,10.61.2.0/24"),
        ("Sydney,10.61.2.0/24\u200b", "Sydney,10.61.2.0/24"),
        ("Sydney,\u200e10.61.2.0/24", "Sydney,10.61.2.0/24"),
        ("Sydney,255.255.255.0,10.61.2.0", "Sydney,10.61.2.0/24"),
        ("10.61.2.0,Sydney,255.255.255.0", "Sydney,10.61.2.0/24"),
        ("Sydney,2001:db8:61::,ffff:ffff:ffff::", "Sydney,2001:db8:61::/48"),
        ("Sydney,10.61.2.0,10.61.2.255", "Sydney,10.61.2.0/24"),
        ("Sydney,10.61.2.0..10.61.2.255", "Sydney,10.61.2.0/24"),
        ("Sydney,10,61,2,0/24", "Sydney,10.61.2.0/24"),
        ("Sydney,'10.61.2.0/24", "Sydney,10.61.2.0/24"),
        ("Sydney,10.61.2.0/24 # head office", "Sydney,10.61.2.0/24"),
        ('Sydney,="10.61.2.0/24"', "Sydney,10.61.2.0/24"),
        (
            "Sydney,10.61.2.0/24;10.61.3.0/24,10.61.4.0/24",
            "Sydney,10.61.2.0/24\nSydney,10.61.3.0/24\nSydney,10.61.4.0/24",
        ),
        ("Sydney 10.61.2.0/24,10.61.3.0/24", "Sydney,10.61.2.0/24\nSydney,10.61.3.0/24"),
        ("Sydney,10.61.2.0/24|10.61.3.0/24", "Sydney,10.61.2.0/24\nSydney,10.61.3.0/24"),
        ("Sydney,10.61.2.0/24 and 10.61.3.0/24", "Sydney,10.61.2.0/24\nSydney,10.61.3.0/24"),
        ('"Sydney,10.61.2.0/24"', "Sydney,10.61.2.0/24"),
        ('"Sydney;Melbourne;10.61.2.0/24"', "Sydney,Melbourne,10.61.2.0/24"),
        ("* Sydney: 10.61.2.0/24", "Sydney,10.61.2.0/24"),
        ("Sydney - CBD 10.61.2.0/24", "Sydney - CBD,10.61.2.0/24"),
        ("||Sydney||10.61.2.0/24||", "Sydney,,10.61.2.0/24"),
        ("Sydney；10.61.2.0/24", "Sydney,10.61.2.0/24"),
        ("Sydney、10.61.2.0/24", "Sydney,10.61.2.0/24"),
        ("Sydney^10.61.2.0/24", "Sydney,10.61.2.0/24"),
        ('{| class="wikitable"', ""),
        ("位置,子网", ""),
        ("Konum;Alt ağ", ""),
        ("|---|:-:|", ""),
        ("+-----+-----+", ""),
        ("Standort;Überlauf 1;Überlauf 2;Netz", ""),
    ],
)
def test_a_hint_holds_what_was_meant(line: str, mended: str) -> None:
    texts = {"locations.csv": f"{BASE}{line}\n"}
    errors = errors_of(texts)
    after = followed(texts, errors[0])
    assert after is not None, errors[0]
    assert [text for text in after["locations.csv"].split("\n") if text] == [
        text for text in f"{BASE}{mended}\n".split("\n") if text
    ]
    assert errors_of(after) == ()


names = st.sampled_from(
    [
        "Sydney",
        "Melbourne, VIC",
        "Zürich",
        "Perth\u00a0",
        "Sub\u200bnet",
        "#NV",
        "MÃ¼nchen",
        "=A",
        "Site",
        "",
        "24",
        "Lima",
        "Lima 10.61.9.0/24",
        '="Lima"',
        "Kï¿½ln",
    ]
)
SUBNETS = """
    10.61.2.0/24 10.61.3.0/24 10.61.2.7/24 10.61.4.0 255.255.255.0 0.0.0.255 2001:db8::/32 10.61.2.0/255.255.255.0
    010.061.5.0/24 10.61/16 10.61.6.0\u200b/24 10.61.8.0\uff0f24 10.61.7.0-10.61.7.255 Subnet
    10.61.2.0/24;10.61.3.0/24 '10.61.2.0/24 10.61.2.255 ffff:ffff:: ########
"""
subnets = st.sampled_from(SUBNETS.split())
lines = st.tuples(
    st.sampled_from([",", ";", "\t", "|", " | ", "，"]),
    st.lists(names | subnets, max_size=5),
    st.sampled_from(["", "|", '"']),
).map(lambda parts: parts[2] + parts[0].join(parts[1]) + parts[2])


@given(lines, st.sampled_from(["", 'locations.known = ["Lima", "Sydney", "Site"]\n']))
@example("Sydney,10.61.2.0,255.255.255.0", "")
@example("2001:db8::/32", 'locations.known = ["Lima", "Sydney", "Site"]\n')
@example("Oslo,10.61.2.0/24,10.61.3.0/24", 'locations.known = ["Lima", "Sydney", "Site"]\n')
@example("Oslo,#NV,10.61.2.0/24", 'locations.known = ["Lima", "Sydney", "Site"]\n')
@example("Sydney,10.61.2.0/24", 'locations.known = ["Lima", "S\u0443dney"]\n')
@example("M\ufffdnchen,10.61.2.0/24", 'locations.known = ["Lima", "Sydney", "Site"]\n')
def test_the_hint_at_any_line_leads_to_fewer_errors(line: str, known: str) -> None:
    rules = f'answer.overflow = "list"\n{known}'
    assert_hints_lead_somewhere({"locations.csv": f"{BASE}{line}\n", "policy.toml": rules})


@pytest.mark.parametrize("path", ["locations/expectations.csv", "locations/apac/Expectations.csv"])
def test_a_table_for_the_top_among_the_rows_is_moved_there(path: str) -> None:
    texts = {"locations.csv": BASE, path: "192.0.2.0/24,Lima,why\n192.0.2.7,Lima\n"}
    files = [File(one, "file", len(text), text, text.encode()) for one, text in texts.items()]
    with pytest.raises(InvalidConfiguration) as caught:
        load_map(files)
    stray = next(one for one in caught.value.problems if one.code == "stray-csv")
    after = followed(texts, stray)
    assert after is not None
    assert set(after) == {"locations.csv", "expectations.csv"}
    assert errors_of(after) == ()
