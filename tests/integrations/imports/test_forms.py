"""One table of prefixes and sites in each form that people and programs make of it: the same rows, nothing to say."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from location_policy.errors import UnusableTable
from location_policy.integrations.imports.foreign_tables import read_tables

ROWS = (
    ("10.61.2.0", "24", "255.255.255.0", "Zürich"),
    ("10.65.0.0", "20", "255.255.240.0", "Genève"),
    ("2001:db8:61::", "48", "48", "Nyíregyháza"),
)
Cells = tuple[str, ...]


def table(separator: str, headings: Cells, cells: Callable[[Cells], Cells], rows: tuple[Cells, ...] = ROWS) -> str:
    return "".join(f"{separator.join(line)}\n" for line in [headings, *map(cells, rows)])


def prefix(row: Cells) -> Cells:
    return f"{row[0]}/{row[1]}", row[3]


PLAIN = table(",", ("Prefix", "Site"), prefix)
HEADING, FIRST, SECOND, THIRD = PLAIN.splitlines(keepends=True)
LINES = [HEADING, FIRST, SECOND, THIRD]
WIDE = {ord(digit): 0xFF10 + int(digit) for digit in "0123456789"}
LAST = {
    "10.61.2.0": "10.61.2.255",
    "10.65.0.0": "10.65.15.255",
    "2001:db8:61::": "2001:db8:61:ffff:ffff:ffff:ffff:ffff",
}
FORMS = {
    "marks-twice": "\ufeff\ufeff" + PLAIN,
    "mark-in-the-middle": "\ufeff" + HEADING + FIRST + "\ufeff" + SECOND + THIRD,
    "joined-with-headings": "\ufeff" + HEADING + FIRST + "\ufeff" + HEADING + SECOND + THIRD,
    "line-ends-mixed": HEADING.replace("\n", "\r\n") + FIRST + SECOND.replace("\n", "\r\n") + THIRD,
    "line-ends-of-unicode": PLAIN.replace("\n", "\u0085\n"),
    "separator-behind": PLAIN.replace("\n", ",,,\n"),
    "separator-before": "".join(f",{line}" for line in LINES),
    "separator-of-full-width": PLAIN.replace(",", "\uff0c"),
    "bars": table(" | ", ("Prefix", "Site"), prefix),
    "table-of-a-page": table(" | ", ("| Prefix", "Site |"), lambda row: (f"| {prefix(row)[0]}", f"{row[3]} |")),
    "table-of-mysql": "+---+---+\n"
    + HEADING.replace(",", " | ")
    + "+---+---+\n"
    + PLAIN[len(HEADING) :].replace(",", " | "),
    "quoted": "".join('"' + line.strip().replace(",", '","') + '"\n' for line in LINES),
    "quoted-lines": "".join(f'"{line.strip()}"\n' for line in LINES),
    "quoted-simply": "".join("'" + line.strip().replace(",", "','") + "'\n" for line in LINES),
    "quoted-in-english": "".join("\u201c" + line.strip().replace(",", "\u201d,\u201c") + "\u201d\n" for line in LINES),
    "quoted-in-german": "".join("\u201e" + line.strip().replace(",", "\u201c,\u201e") + "\u201c\n" for line in LINES),
    "formulas": HEADING + "".join(f'="{a}",{b}\n' for a, b in map(prefix, ROWS)),
    "marks-of-depth": HEADING + FIRST + f"\u00b7 {SECOND}" + f"\u2514\u2500 {THIRD}",
    "no-break-space-around": PLAIN.replace(",", "\u00a0,\u00a0"),
    "ideographic-space": PLAIN.replace(",", "\u3000,"),
    "no-break-space-within": PLAIN.replace("/", "\u00a0/\u00a0"),
    "zero-width-space": PLAIN.replace("10.", "1\u200b0."),
    "digits-of-full-width": HEADING + PLAIN[len(HEADING) :].translate(WIDE),
    "slash-of-full-width": PLAIN.replace("/", "\uff0f"),
    "space-for-a-slash": PLAIN.replace("/", " "),
    "notes-above": "Export of 10 January\nBy,me\n\n" + PLAIN,
    "total-below": PLAIN + "Total,3\n",
    "number-of-rows-below": PLAIN + "\n(3 rows affected)\n",
    "numbered": table(",", ("#", "Prefix", "Site"), lambda row: (str(ROWS.index(row) + 1), *prefix(row))),
    "numbered-without-a-heading": "".join(f"{n},{a},{b}\n" for n, (a, b) in enumerate(map(prefix, ROWS), 1)),
    "mask-beside": table(",", ("Site", "IP", "Netmask"), lambda row: (row[3], row[0], row[2])),
    "mask-with-a-slash": table(",", ("Address", "/", "Location"), lambda row: (row[0], f"/{row[1]}", row[3])),
    "first-and-last": table(",", ("First IP", "Last IP", "Site"), lambda row: (row[0], LAST[row[0]], row[3])),
    "entry-a-line": "".join(f'{{"prefix": "{a}", "site": "{b}"}}\n' for a, b in map(prefix, ROWS)),
    "accents-apart": PLAIN.replace("Prefix", "Re\u0301seau"),
}
LANGUAGES = """
    Netzwerk Standort|IP-Netz Standortname|Subnetz_(CIDR) Niederlassung|Sous-réseau Site|Adresse_réseau Lieu
    Adresse_IP Agence|Subred Sede|Dirección_de_red Ubicación|Sottorete Sede|Indirizzo_di_rete Luogo|Sub-rede Local
    Netwerk Vestiging|Podsieć Lokalizacja|Podsíť Lokalita|Delnät Plats|Undernet Placering|Subnett Lokasjon
    Aliverkko Sijainti|Alhálózat Telephely|Alt_ağ Konum|Подсеть Площадка|Підмережа Місце|Υποδίκτυο Τοποθεσία
    サブネット 拠点|子网 站点|서브넷 사이트
"""
PAIRS = [pair.strip() for line in LANGUAGES.split("\n") for pair in line.split("|") if pair.strip()]


def rows_of(content: bytes) -> list[tuple[Cells, str]]:
    tables = read_tables([("table.csv", content)], None)
    assert tables.problems == ()
    return [(row.names, str(row.network)) for row in tables.rows["table.csv"]]


EXPECTED = [((row[3],), prefix(row)[0]) for row in ROWS]


@pytest.mark.parametrize("form", FORMS)
def test_each_form_of_a_table_gives_the_same_rows(form: str) -> None:
    assert rows_of(FORMS[form].encode()) == EXPECTED


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_each_encoding_gives_the_same_rows(encoding: str) -> None:
    assert rows_of(PLAIN.encode(encoding)) == EXPECTED


@pytest.mark.parametrize("pair", PAIRS)
def test_headings_are_known_in_many_languages(pair: str) -> None:
    subnet, site = (heading.replace("_", " ") for heading in pair.split())
    notes = table(";", (subnet, "Info", site), lambda row: (prefix(row)[0], "x", row[3]))
    turned = table(",", (site, subnet), lambda row: (row[3], prefix(row)[0]))
    assert rows_of(notes.encode()) == rows_of(turned.encode()) == EXPECTED


def test_no_more_lines_are_read_than_a_map_may_have_rows() -> None:
    with pytest.raises(UnusableTable, match=r"^t.csv has 2,000,001 lines, more than the 2,000,000 rows that a map may"):
        read_tables([("t.csv", b"\n" * 2_000_001)], None)


def test_entries_with_fields_without_end_are_no_table() -> None:
    entries = ",".join(f'{{"field {n}": "10.61.2.0/24"}}' for n in range(501))
    with pytest.raises(UnusableTable, match=r"^t.json has entries with 501 different fields, more than 500$"):
        read_tables([("t.json", f"[{entries}]".encode())], None)


def test_several_subnets_of_a_cell_are_each_read() -> None:
    content = b'Prefix,Site\n10.61.2.0/24; 10.61.4.0/24,Perth\n"10.62.0.0/16\n10.63.0.0/16",Hobart\n'
    assert [subnet for _, subnet in rows_of(content)] == [
        "10.61.2.0/24",
        "10.61.4.0/24",
        "10.62.0.0/16",
        "10.63.0.0/16",
    ]


@pytest.mark.parametrize("last", ['{"data": {"prefix_list": []}}', ""])
def test_the_last_page_of_an_answer_of_graphql_may_be_empty(last: str) -> None:
    pages = [f'{{"data": {{"prefix_list": [{{"prefix": "10.{n}.0.0/16", "site": "Perth"}}]}}}}' for n in (61, 62)]
    assert len(rows_of("\n".join([*pages, last]).encode())) == 2


QUOTED = """ID,Prefix,Site,Comments
1,10.61.2.0/24,Perth,
2,10.62.0.0/16,Perth,{}
3,10.63.0.0/16,Perth,plain
4,10.64.0.0/16,Perth,"with, comma"
5,10.65.0.0/16,Perth,9"
"""
WHOLE = ['"a"b"', '"a,"b,"']
"""Cells that end on their line, though not as they should."""


@pytest.mark.parametrize("cell", ['"5 inch', '"5 inch rack', '"', '"a ""b"" c', *WHOLE])
def test_a_quotation_mark_without_its_partner_takes_no_line_into_its_cell(cell: str) -> None:
    content = QUOTED.format(cell).encode()
    for end in (b"", b'6,10.66.0.0/16,Perth,"x"\n', b"7,10.67.0.0/16,Perth,x\n" * 3):
        tables = read_tables([("t.csv", content + end)], None)
        told = [(problem.code, problem.line) for problem in tables.problems if problem.severity == "error"]
        assert told == ([] if cell in WHOLE else [("unbalanced-quote", 3)])
        assert len(tables.rows["t.csv"]) == 5 + bool(end)


@pytest.mark.parametrize("cell", ['"Perth', '"Perth,a note', '"Perth ""West""', '"Perth "West"', '"Perth"s'])
def test_a_table_that_ends_inside_of_a_cell_is_told_by_its_last_line(cell: str) -> None:
    is_whole = cell in ('"Perth "West"', '"Perth"s')
    tables = read_tables([("t.csv", f"Prefix,Site\n10.61.2.0/24,Perth\n10.62.0.0/16,{cell}\n".encode())], None)
    told = [(problem.code, problem.line) for problem in tables.problems if problem.severity == "error"]
    assert told == ([] if is_whole else [("unbalanced-quote", 3)])


def test_a_cell_of_several_lines_is_a_cell() -> None:
    notes = '"see 10.1.0.0/16,\n""here"", and there\n10.2.0.0/16"'
    assert len(rows_of(QUOTED.format(notes).encode())) == 5


@pytest.mark.parametrize("line", ['10.61.2.0/24,"', 'a"b,"10.61.2.0/24', '10.61.2.0/24","', '"x', '"10.61.2.0/24,a""'])
def test_quotation_marks_in_every_line_take_time_in_proportion(line: str) -> None:
    content = "Prefix,Site\n" + f"{line}\n" * 20_000
    started = time.process_time()
    read_tables([("t.csv", content.encode())], None)
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "first",
    ["Prefix,Site,VLAN\n10.60.0.0/16,Perth,7", "Site,Prefix\nPerth,10.60.0.0/16", "Prefix,Site\n10.60.0.0/16,Perth"],
)
@pytest.mark.parametrize("is_headed", [False, True])
def test_a_file_whose_last_line_has_no_end_swallows_no_row_of_the_next(first: str, *, is_headed: bool) -> None:
    heading, row = first.split("\n")
    rest = "".join(f"{row.replace('60', str(n))}\n" for n in (61, 62))
    second = f"{heading}\n{rest}" if is_headed else rest
    tables = read_tables([("t.csv", f"{first}{second}".encode())], None)
    (problem,) = tables.problems
    assert (problem.code, problem.line, problem.severity) == ("wrong-separator", 2, "error")
    assert {str(one.network) for one in tables.rows["t.csv"]} >= {"10.62.0.0/16"}


def test_a_table_whose_columns_are_numbered_may_begin_with_anything() -> None:
    content = b"header-network,10.61.2.0/24,Perth\nnetwork,10.62.2.0/24,Hobart\n"
    tables = read_tables([("t.csv", content)], None, columns={"subnet": "2", "site": "3"})
    assert [row.names for row in tables.rows["t.csv"]] == [("Hobart",)]


def test_a_column_without_a_heading_is_no_other_row() -> None:
    content = b"Prefix,Site\n10.61.2.0/24,Perth,10.61.2.1\n10.62.2.0/24,Perth,10.62.2.1\n10.63.2.0/24,Perth,a note\n"
    assert len(rows_of(content)) == 3


def test_a_cell_with_a_separator_is_one_cell_where_other_lines_have_several() -> None:
    tables = read_tables([("t.csv", b'"Report, of today"\n' + PLAIN.encode())], None)
    assert [row.names for row in tables.rows["t.csv"]] == [(row[3],) for row in ROWS]
    sites = ("sites.csv", 'site,location\n"Zürich, 1"\nZürich,Bern\nGenève,Bern\nNyíregyháza,Bern\n'.encode())
    (problem,) = read_tables([("t.csv", PLAIN.encode())], sites).problems
    assert problem.message == "Zürich, 1 is not a site and its location"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (
            '{"next": 0, "results": [\n {"prefix": "10.61.2.0/24", "site": "a"},\n\n{"prefix": "x/9", "site": "a"}]}',
            4,
        ),
        ('[{"prefix": "10.61.2.0/24",\n"site": "a"},\n{"prefix": "x/9", "site": "a"}\n]', 3),
        ('{"prefix": "10.61.2.0/24", "site": "a"}\n{"prefix": "x/9", "site": "a"}\n', 2),
        ('{"data": [\n{"prefix": "10.61.2.0/24", "site": "a"}]}\n\n{"data": [\n{"prefix": "x/9", "site": "a"}]}', 5),
        ('[{"prefix": "10.61.2.0/24", "site": "a"}, {"prefix": "x/9", "site": "a"}]', 3),
        ('{"errors": {"data": [{}, {}]}, "list": [{"prefix": "10.61.2.0/33", "site": "a"}]}', 2),
    ],
)
def test_what_is_wrong_in_an_answer_is_told_at_its_line_or_on_one_line_by_its_number(content: str, line: int) -> None:
    (problem,) = read_tables([("t.json", content.encode())], None).problems
    assert (problem.code, problem.line) == ("not-a-subnet", line)


def test_many_entries_each_on_its_line_take_time_in_proportion() -> None:
    lines = "".join(f'{{"prefix": "10.{n >> 8}.{n & 255}.0/24", "site": "a"}}\n' for n in range(20_000))
    started = time.process_time()
    assert len(read_tables([("t.json", lines.encode())], None).rows["t.json"]) == 20_000
    assert time.process_time() - started < 5
