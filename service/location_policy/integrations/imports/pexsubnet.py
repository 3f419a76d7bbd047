"""The `locations.csv` of pexsubnet: what each line said there, and which row it is here.

pexsubnet opens its file for each request and takes the first row whose subnet holds the caller's IPv4 address. It has
two forms: `location,overflow,overflow,subnet` without a heading, and `id,loc,pover,sover,snet`, of which the first line
is passed over. A subnet is read by netaddr 0.7.18, which takes more than we do: host bits, masks, short forms, space.
Cells are sent as they are, empty ones and the space around names too. It knows no comments: a line that begins with `#`
is a row like any other. A line that it cannot read, a blank one among them, is an error to every caller that comes to
it, so that nothing below it ever answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from ...config.csv_lines import (
    LINES_OF_CELL,
    Cell,
    Finding,
    cells_of,
    end_of_cell,
    is_blank,
    is_error_value,
    is_heading,
    placed,
    several_lines,
)
from ...config.location_names import name_findings
from ...config.row import Row, RowWithFindings, parse_line
from ...config.subnet_hints import diagnose
from ...net.addresses import Address, Network, parse_address, parse_interface
from ...net.ranges import Names
from ...problems import CODES, Problem, Severity
from ...text import count, quote
from .columns import is_heading_at_top
from .spreadsheet import SEPARATORS, Sheet

_OCTETS = re.compile(r"\s*\+?[0-9]+\s*(?:\.\s*\+?[0-9]+\s*){0,3}")
_AROUND = " \t\ufeff"
"""What is dropped around a name: space, and the byte order mark of a file that was joined to another."""
_MAPPED = bytes(10) + b"\xff\xff"
_LENGTH = re.compile(r"\s*\+?[0-9]+\s*")
_FAILED = "pexsubnet failed for every caller that came to it"


@dataclass(frozen=True, slots=True)
class OldRow:
    """One row of the old file."""

    path: str
    line: int
    network: Network
    sent: Names
    """Location and overflow locations as pexsubnet sent them, empty ones too."""
    row: Row | None
    """What it is here; None where it cannot be a row."""
    is_tried: bool
    """Was it tried at all? Not below a line that failed, nor for IPv6, which pexsubnet refused."""

    @property
    def place(self) -> str:
        """Where it stands."""
        return f"{self.path}:{self.line}"


def is_numbered(sheet: Sheet) -> bool:
    """Has the file five columns, with an id before the location?"""
    texts = (text for _, text in sheet.lines if text and not is_blank(text))
    rows = [cells for cells in map(sheet.cells, islice(texts, 2)) if len(cells) > 4]
    has_heading = bool(rows) and is_heading(rows[0][4])
    return has_heading or any(_is_subnet(cells[4]) and not _is_subnet(cells[3]) for cells in rows)


def broken_cells(sheet: Sheet) -> dict[range, Problem]:
    """What is said of cells that go over several lines, by the numbers of these."""
    texts = [text or "" for _, text in sheet.lines]
    found: dict[range, Problem] = {}
    at = 0
    while at < len(texts):
        below = end_of_cell(texts[at : at + LINES_OF_CELL], sheet.separator) if '"' in texts[at] else None
        if below:
            found[range(at + 1, at + below + 2)] = placed(sheet.path, at + 1, several_lines(at + 1, at + below + 1))
        at += (below or 0) + 1
    return found


def read_old_rows(sheet: Sheet) -> tuple[tuple[OldRow, ...], tuple[Problem, ...]]:
    """The rows of an old file in order, and all there is to say about its lines: errors for those that are no row."""
    reader = _Reader(sheet)
    return tuple(reader.rows()), tuple(reader.problems)


class _Reader:
    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self._at = 4 if is_numbered(sheet) else 3
        self._works = True
        self._was_sent = True
        """Has a server sent names as they are here? Not from the table of a spreadsheet."""
        self._could_be_read = sheet.separator == "," and not sheet.is_utf16
        self._first = 2 if sheet.names_separator else 1
        said = (number for number, text in sheet.lines if text and not (is_blank(text) or self._is_empty(text)))
        self._top = next(said, self._first)
        """The line at which column names may stand."""
        self.problems = list(sheet.problems)

    def rows(self) -> Iterator[OldRow]:
        sheet = self._sheet
        if sheet.is_utf16 and not sheet.problems:
            self._note(1, "not-utf8", "the file is UTF-16, which pexsubnet could not read: compared as if it were not")
        if sheet.separator != ",":
            what = f"cells separated by {SEPARATORS[sheet.separator]}, which pexsubnet could not read"
            self._note(1, "wrong-separator", f"{what}: compared as if by commas")
        last = max((number for number, text in sheet.lines if text and self._says(text)), default=0)
        broken = broken_cells(sheet)
        self.problems += broken.values()
        passed = frozenset(number for lines in broken for number in lines)
        for number, text in sheet.lines[self._first - 1 : last]:
            self._works = self._works and number not in passed
            row = self._row(number, text) if number not in passed else None
            if row is not None:
                yield row

    def _says(self, text: str) -> bool:
        """Is there a row in this line, or what could be meant as one?"""
        return not (is_blank(text) or self._is_empty(text)) or self._answered(self._sheet.cells(text))

    def _is_empty(self, text: str) -> bool:
        """Has the row nothing but blank cells, as a spreadsheet writes them?"""
        return not text.strip(f'{self._sheet.separator} \t"')

    def _row(self, number: int, text: str | None) -> OldRow | None:
        is_first = number == self._first
        if text is None:  # its problem is told already
            self._works = is_first and self._at == 4
            return None
        cells = self._sheet.cells(text)
        if is_first and self._at == 4:
            return self._passed_over(number, text, cells)
        if self._is_empty(text):
            self._stop(number, "too-few-columns", "a row of blank cells" if text.strip(" \t") else "a blank line")
            return None
        if is_blank(text) and not self._answered(cells):
            self._stop(number, "too-few-columns", "a comment")
            return None
        if number == self._top and self._at == 3 and len(cells) > 3 and is_heading_at_top(cells[:4]):
            self._stop(number, "heading-row", "a row of column names")
            self._was_sent = self._could_be_read
            return None
        if len(cells) <= self._at:
            if finding := self._otherwise(text):
                self._refuse(number, *finding[:4])
                return None
            hint = "write location,overflow,overflow,subnet, or delete the line"
            what = f"{count(len(cells), 'cell')} where pexsubnet needs {self._at + 1}"
            self._refuse(number, 1, "too-few-columns", what, hint)
            return None
        return self._read(number, text, cells)

    def _otherwise(self, text: str) -> Finding | None:
        """What is said of a line of our own that is parted by something else than commas."""
        line = parse_line(text.encode()) if self._sheet.separator == "," else None
        found = line.findings if isinstance(line, RowWithFindings) else ()
        return next((finding for finding in found if finding.code == "wrong-separator"), None)

    def _answered(self, cells: list[str]) -> bool:
        """Can these be the cells of a row that pexsubnet read? It knows no comments."""
        return len(cells) > self._at and old_subnet(cells[self._at]) is not None

    def _passed_over(self, number: int, text: str, cells: list[str]) -> OldRow | None:
        """The first line of a file with five columns, which pexsubnet takes for a heading in any case."""
        if len(cells) < 5 or not _is_subnet(cells[4]):
            return None
        self._note(number, "heading-row", "pexsubnet passed over this row: it took the first line for a heading")
        row = self._read(number, text, cells)
        return row and OldRow(row.path, number, row.network, row.sent, row.row, is_tried=False)

    def _read(self, number: int, text: str, cells: list[str]) -> OldRow | None:
        written = cells[self._at].strip(" \t")
        network = old_subnet(cells[self._at]) or self._spaced(number, written.strip())
        if network is None:
            code, message, hint = diagnose(written)
            self._refuse(number, self._column(text, self._at), code, message, hint)
            return None
        if written != str(network):
            self._tell_subnet(number, text, written, network)
        self._tell_more(number, text, cells)
        sent = tuple(cells[self._at - 3 : self._at])
        names = mended(sent)
        is_row = self._judge_names(number, text, sent, names)
        if is_row and text.lstrip(" \t").startswith("#"):
            self._note(number, "bad-name", "a comment, which pexsubnet took for a row: it is one from now on")
        if number == 1 and self._sheet.is_marked:
            sent = ("\ufeff" + sent[0], *sent[1:])
            self._note(1, "not-utf8", "a byte order mark, which pexsubnet sent as part of the first name")
        elif any(name.strip(" \t").strip("\ufeff") != name.strip(" \t") for name in sent):
            self._note(number, "not-utf8", "a byte order mark (\\ufeff), which pexsubnet sent as part of a name")
        sent = sent if self._was_sent else names
        is_tried = self._works and ":" not in written
        row = Row(names, network) if is_row else None
        return OldRow(self._sheet.path, number, network, sent, row, is_tried)

    def _spaced(self, number: int, written: str) -> Network | None:
        """An IPv6 subnet with space around it, which pexsubnet could not read."""
        try:
            network = Network.holding(*parse_interface(written))
        except ValueError:
            return None
        self._stop(number, "not-a-subnet", f"space around {quote(written)}")
        return network

    def _tell_more(self, number: int, text: str, cells: list[str]) -> None:
        """Say that cells behind the subnet are not read."""
        last = max((at for at, cell in enumerate(cells) if cell.strip()), default=0)
        if last > self._at:
            what = f"{quote(cells[last].strip())} stands behind the subnet, where pexsubnet did not look: left out"
            self._note(number, "not-a-subnet", what, self._column(text, last))

    def _tell_subnet(self, number: int, text: str, written: str, network: Network) -> None:
        try:
            address, _ = parse_interface(written)
            code = ""
        except ValueError:
            address, _ = old_interface(written) or (network.first, 0)
            code = diagnose(written).code
        code = code if network.first == address else "host-bits"
        if code:
            self._note(number, code, f"{quote(written)} is {network}", self._column(text, self._at))

    def _judge_names(self, number: int, text: str, sent: Names, names: Names) -> bool:
        """Can these be the names of a row?"""
        if not sent[0].strip(_AROUND):
            self._add(number, self._column(text, self._at - 3), "empty-location", "there is no location", None)
            return False
        if names[0].startswith("#") and not is_error_value(names[0]):
            self._note(number, "bad-name", f"left out: a comment, by which pexsubnet sent callers to {quote(names[0])}")
            return False
        clean = [name.strip(_AROUND) for name in sent]
        for name in (name for at, name in enumerate(clean) if name and name in clean[:at]):
            self._note(number, "repeated-location", f"{quote(name)} stands twice in the row: it is kept once")
        findings = list(name_findings([Cell(clean.index(name), name) for name in names]))
        for one in findings:
            column, severity = self._column(text, self._at - 3 + one.column), CODES[one.code].severity
            self._add(number, column, one.code, one.message, one.hint, severity)
        return all(CODES[finding.code].severity != "error" for finding in findings)

    def _column(self, text: str, at: int) -> int:
        """Where a cell starts; in a line parted otherwise than by commas, where the line does."""
        return cells_of(text)[at].column if self._sheet.separator == "," else 1

    def _refuse(self, number: int, column: int, code: str, message: str, hint: str | None) -> None:
        self._works = False
        self._add(number, column, code, message, hint)

    def _stop(self, number: int, code: str, what: str) -> None:
        """A line at which pexsubnet failed, if it could read the file at all."""
        self._works = self._works and not self._could_be_read
        self._note(number, code, f"{what}: {_FAILED if self._could_be_read else 'passed over'}")

    def _note(self, number: int, code: str, message: str, column: int = 1) -> None:
        self._add(number, column, code, message, None, "warning")

    def _add(
        self, number: int, column: int, code: str, message: str, hint: str | None, severity: Severity = "error"
    ) -> None:
        self.problems.append(Problem(self._sheet.path, number, column, code, message, hint, severity))


def mended(sent: Names) -> Names:
    """The names of a row without the space around them, without empty ones, each once."""
    return tuple(dict.fromkeys(name for text in sent if (name := text.strip(_AROUND))))


def old_subnet(text: str) -> Network | None:
    """The subnet as netaddr 0.7.18 reads it: its first address and its prefix length, mask, or neither of them."""
    found = old_interface(text)
    return Network.holding(*found) if found else None


def old_interface(text: str) -> tuple[Address, int] | None:
    """An address of such a subnet as it is written, and the length of its prefix."""
    before, slash, after = text.partition("/")
    address = _old_address(before)
    if address is None:
        return None
    width = len(address) * 8
    try:
        length = _length(after, is_ipv4=":" not in before) if slash else width
        if ":" in before and width == 32 and slash:  # IPv4 in the form of IPv6
            address, length = (address, length - 96) if length >= 96 else (Address(_MAPPED + address), length)
        return (address, length) if 0 <= length <= len(address) * 8 else None
    except ValueError:
        return None


def _old_address(text: str) -> Address | None:
    if ":" not in text and _OCTETS.fullmatch(text):  # leading zeros are none, and what is missing is 0
        octets = [str(int(octet)) for octet in text.split(".")]
        text = ".".join([*octets, *["0"] * (4 - len(octets))])
    try:
        return parse_address(text)
    except ValueError:
        return None


def _length(text: str, *, is_ipv4: bool) -> int:
    """The length that is written, or for which a netmask or a host mask stands; raises ValueError for other text."""
    if _LENGTH.fullmatch(text):
        return int(text)
    mask = parse_address(text)
    bits = f"{int.from_bytes(mask):032b}"
    for one, other in ("10", "01"):
        length = bits.count(one)
        if is_ipv4 and len(mask) == 4 and bits == one * length + other * (32 - length):
            return length
    raise ValueError(f"{text!r} is not a mask")


def _is_subnet(text: str) -> bool:
    return "/" in text and old_subnet(text) is not None
