"""A line of CSV before its meaning: its text, its cells with the column of each, and what keeps it from having any.

All readers of such lines, as rows of the map or as expectations, tell the same mistakes in the same words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import islice
from typing import NamedTuple, TypeVar

from ..problems import Problem
from ..text import quote, without_bom
from .subnet_hints import (
    has_host_bits,
    has_length,
    is_address,
    is_mask,
    is_one_address,
    subnets_in,
    with_masks,
    written_subnet,
)

LINE_LIMIT = 64 * 1024
"""Bytes that one line may have."""
CELLS_LIMIT = 64
"""Cells that one line may have, empty ones too."""
CONFLICT = ("<<<<<<< ", "||||||| ", ">>>>>>> ")
_MISTAKEN = ("#", *CONFLICT)
"""What a line is not a row for that begins so; between quotation marks it is."""
_SEPARATORS = {
    ";": "semicolons",
    "\t": "tabs",
    "|": "bars",
    "\uff0c": "commas of full width",
    "\u2502": "lines",
    "\uff1b": "semicolons of full width",
    "\u3001": "ideographic commas",
    "\u060c": "Arabic commas",
    "\u061b": "Arabic semicolons",
    "\u00a6": "broken bars",
    "^": "carets",
    "~": "tildes",
}
_BARS = "|\u2502\u00a6"
"""What a table of a page has around its cells too."""
_RULER = re.compile(r"(?=.*[-=_\u2500\u2550]{2})[-|+=:_ \t\u2500-\u257f]++|\{\|.*")
"""A line that a table of a page has between its rows, or before them (MediaWiki)."""
_WORD = re.compile(r"\w+")
_SUBNETS = """
    address cidr ip ipv4 ipv6 mask ms net network or prefix range snet subnet subnets adresse netz netzwerk
    subnetz teilnetz maske réseau reseau sous masque red subred máscara direccion dirección rete sottorete rede
    sub subrede nät delnät netwerk podsieć sieć aliverkko verkko сеть подсеть adres subnetwerk bereich ipbereich
    subnät undernet nettverk netværk síť podsíť hálózat alhálózat alt ağ мережа підмережа δίκτυο υποδίκτυο 子网 网络
    网段 子網 網路 サブネット ネットワーク 서브넷 네트워크 רשת الشبكة
"""
_OTHERS = """
    area children city comment comments country description display distinguishedname ea eainherited enabled gateway
    group head header host id identity last length loc location locations maskbits name networksiteid note notes
    objectclass objectguid office overflow owner pover primary region role secondary section site siteid sover
    status subnetid tags tenant type user utilization vlan vrf zone bemerkung beschreibung kommentar ort standort
    überlauf emplacement débordement lieu nom nombre sitio ubicación sede sito luogo local plats namn plaats locatie
    lokalizacja место местоположение konum lokalita sijainti helyszín площадка τοποθεσία 位置 地点 地點 場所 拠点 위치
    지점 מיקום الموقع
"""
_SUBNET_HEADINGS = frozenset(_SUBNETS.split())
"""Words of the name of a column that holds subnets, as exports of other programs have them."""
_HEADINGS = _SUBNET_HEADINGS.union(_OTHERS.split())
"""The same for all columns."""
_MISSING = """
    ref! value! name? div/0! null! num! n/a n/a! n/d n/d! nd nv n/b i/t н/д δ/υ saknas saknas! puuttuu puuttuu! yok
    hiányzik není_k_dispozici nedostupný getting_data
"""
_ERRORS = frozenset(_MISSING.split())
"""What spreadsheets write for a value that is not there, in their languages, without the # before it, in lower case."""
_ERROR = re.compile(r"#[¡¿]?(?=[^\W\d_])[\w/ '’]+[!?]|#N/[^\W\d_]|#{3,}")
"""Every other error: #BEZUG!, #¡VALOR!, ##### where a column is too narrow; its letters are capitals."""
_NUMBERED = re.compile(
    r"(?:err|erro|error|erreur|fout|fehler|fejl|feil|fel|virhe|błąd|chyba|hiba|hata|eroare|greška|napaka|viga|klaida"
    r"|ошибка|помилка|грешка|σφάλμα|エラー|错误|錯誤|오류|lỗi)\s?:\s?5\d\d|loading(?:\.{3}|…)",
    re.IGNORECASE,
)
"""An error of LibreOffice by its number, in its languages, and what Google Sheets has not worked out yet."""
_FIRST_CELL = re.compile(r'[ \t]*+"?(#[^",;\t|]*+)"? *+(?:$|[,;\t|])')
_SEPARATED = re.compile(r"[,;\t|]")
ROW_FORM = "a row is location,overflow…,subnet"
_BY_IMPORT = "location-policy import makes such rows"
LINES_OF_CELL = 50
"""Lines in which the end of a cell is looked for."""
_SHOWN_ROW = 400
"""Characters of a row, or of several, that a hint writes out."""
_BATCH = 1_000
"""Lines that are read at a time."""
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
_FORMATS = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook (.xlsx)",
    b"\xd0\xcf\x11\xe0": "an Excel workbook (.xls)",
    b"\x1f\x8b": "a gzip archive",
    b"%PDF": "a PDF",
    b"\xff\xd8\xff": "a picture (JPEG)",
    b"\x89PNG": "a picture (PNG)",
}
"""What files begin with that are taken for a table by mistake."""
_WORKBOOKS = {
    b"[Content_Types].xml": "an Excel workbook (.xlsx)",
    b"vnd.oasis.opendocument.spreadsheet": "a LibreOffice workbook (.ods)",
}
"""What a ZIP archive has in it that is one."""


Read = TypeVar("Read")


class Finding(NamedTuple):
    """A problem that does not know its file yet; `{line}` in a hint stands for the number of the line."""

    column: int
    code: str
    message: str
    hint: str | None = None
    rows: tuple[str, ...] = ()
    """The rows that the line was probably meant to be; where they can be read, they are the hint."""


class Cell(NamedTuple):
    """The text of a cell without the space around it, and the column at which it starts."""

    column: int
    text: str


class Parted(NamedTuple):
    """A line that can be read: its text, and all its cells."""

    text: str
    cells: list[Cell]


def split_lines(content: bytes) -> tuple[bytes, ...]:
    """The lines of a file, each without its LF."""
    return tuple(without_bom(content).split(b"\n"))


def read_lines(
    texts: Iterable[bytes], read: Callable[[bytes], Read], wrong_in: Callable[[Sequence[Read]], int], most: int
) -> tuple[Read, ...]:
    """What each line means; those below the batch that has the `most`-th wrong one are not read."""
    lines: list[Read] = []
    wrong = 0
    texts = iter(texts)
    while wrong < most and (found := list(map(read, islice(texts, _BATCH)))):
        lines += found
        wrong += wrong_in(found)
    return tuple(lines)


def other_format(content: bytes) -> str | None:
    """What a file is that is no text, in words; None for any other."""
    found = next((what for magic, what in _FORMATS.items() if content.startswith(magic)), None)
    if content.startswith(b"PK"):
        return next((what for part, what in _WORKBOOKS.items() if part in content), found)
    return found


def file_finding(content: bytes) -> Finding | None:
    """What keeps the whole file from being read line by line."""
    if (what := other_format(content)) and not is_utf8(content):
        return Finding(1, "not-utf8", f"the file is {what}, not CSV", 'save it as "CSV UTF-8"')
    if content.startswith(_UTF16_BOMS):
        return Finding(1, "not-utf8", "the file is UTF-16", 'save it as "CSV UTF-8"')
    return None


def is_utf8(content: bytes) -> bool:
    """Can it be read as UTF-8?"""
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def line_text(raw: bytes) -> str | Finding:
    """The text of a line, without the CR of a CRLF."""
    if len(raw) > LINE_LIMIT:
        return _too_long(len(raw))
    try:
        text = raw.decode().removesuffix("\r")
    except UnicodeDecodeError as error:
        return _not_utf8(raw, error.start)
    return _too_many_cells(text) if text.count(",") >= CELLS_LIMIT else text


def placed(path: str, number: int, finding: Finding) -> Problem:
    """The finding in its file, at this line."""
    hint = finding.hint and finding.hint.replace("{line}", str(number))
    return Problem(path, number, finding.column, finding.code, finding.message, hint)


def is_blank(text: str) -> bool:
    """Is this a line that says nothing: blank, or a comment?

    A spreadsheet puts a comment between quotation marks where it has a comma, and blank cells behind it. An error that
    it writes for a name, such as #N/A, begins no comment.
    """
    bare = text.lstrip(" \t")
    if bare.startswith("# ") or not bare:
        return True
    if not bare.startswith(("#", '"')):
        return False
    return error_at_start(bare) is None and (bare[0] == "#" or _is_quoted_comment(bare))


def _is_quoted_comment(text: str) -> bool:
    text = text.rstrip(";| \t")  # a spreadsheet parts by what its country has
    filled = [cell.text for cell in quoted_cells(text) if cell.text] if text.lstrip('" \t').startswith("#") else []
    return len(filled) == 1 and filled[0].startswith("#")


def error_at_start(text: str) -> Cell | None:
    """The error of a spreadsheet that is the first cell, whatever parts the cells; some are one beside others only."""
    first = _FIRST_CELL.match(text)
    if first is None:
        return None
    cell = Cell(first.start(1) + 1, first[1].rstrip(" "))
    if cell.text[1:].casefold() in _ERRORS:
        return cell
    if not is_error_value(cell.text):
        return None
    others = [other.strip(' "') for other in _SEPARATED.split(text[first.end() :])]
    is_told = any(map(is_address, others)) if cell.text.startswith("##") else any(others)  # or it is a line of marks
    return cell if is_told else None


def is_error_value(cell: str) -> bool:
    """Has a spreadsheet written this cell in place of a value that it could not find or work out?"""
    if cell.startswith("#N/A "):  # a feed says what is not there
        return True
    if not cell.startswith("#"):
        return cell.endswith((*"0123456789", ".", "…")) and _NUMBERED.fullmatch(cell) is not None
    return cell[1:].casefold() in _ERRORS or bool(_ERROR.fullmatch(cell) and cell == cell.upper())


def filled_cells(raw: bytes) -> list[Cell]:
    """The cells of a readable line that are not empty."""
    return [cell for cell in cells_of(raw.decode().removesuffix("\r")) if cell.text]


def cells_of(text: str) -> list[Cell]:
    """All cells of a line, empty ones too."""
    return quoted_cells(text) if '"' in text else plain_cells(text)


def plain_cells(text: str) -> list[Cell]:
    """The cells of a line without quotation marks."""
    cells = []
    column = 1
    for cell in text.split(","):
        cells.append(Cell(column + len(cell) - len(cell.lstrip(" \t")), cell.strip(" \t")))
        column += len(cell) + 1
    return cells


def quoted_cells(text: str, separator: str = ",") -> list[Cell]:
    """The cells of a line that may have quotation marks."""
    return list(_quoted_cells(text, separator))


def _quoted_cells(text: str, separator: str = ",") -> Iterator[Cell]:
    for match in _cell_pattern(separator).finditer(text):
        if match.start() == len(text) and not (text == "" or text.endswith(separator)):
            break
        quoted, plain = match.groups()
        value = quoted.replace('""', '"') if plain is None else plain
        start = match.start() + len(match[0]) - len(match[0].lstrip(" \t"))
        yield Cell(start + 1, value.strip(" \t"))


def _too_long(size: int) -> Finding:
    message = f"the line has {size:,} bytes, more than the {LINE_LIMIT:,} that a line may have"
    return Finding(1, "too-large", message, "break it into shorter lines, or delete line {line}")


def _too_many_cells(text: str) -> str | Finding:
    """The text of a line with many commas, unless they part too many cells; a comment has none."""
    beyond = None if is_blank(text) else next(islice(_quoted_cells(text), CELLS_LIMIT, None), None)
    if beyond is None:
        return text
    message = f"the line has more than {CELLS_LIMIT} cells"
    return Finding(beyond.column, "too-large", message, "delete the cells that say nothing, or line {line}")


@cache
def _cell_pattern(separator: str) -> re.Pattern[str]:
    # Possessive, so that a long cell costs no memory: what follows a closing mark leaves only one way to read it.
    end = f"(?:{re.escape(separator)}|$)"
    return re.compile(rf'[ \t]*+"((?:[^"]++|"")*+)"[ \t]*+{end}|([^{re.escape(separator)}]*){end}')


def cells_text(cells: Iterable[str]) -> str:
    """Any cells as a line, without the LF."""
    return ",".join(map(_cell_text, cells))


def _cell_text(cell: str) -> str:
    if '"' in cell or "," in cell or cell.startswith(_MISTAKEN):
        return '"' + cell.replace('"', '""') + '"'
    return cell


def _not_utf8(raw: bytes, position: int) -> Finding:
    column = len(raw[:position].decode()) + 1
    byte = raw[position : position + 1]
    meant = byte.decode("cp1252", errors="ignore")
    message = f"byte 0x{byte.hex().upper()} is not UTF-8" + (f"; in Windows-1252 it is {meant}" if meant else "")
    return Finding(column, "not-utf8", message, 'save the file as "CSV UTF-8"')


def line_finding(text: str, filled: list[Cell], subnet_at: int) -> Finding | None:
    """What keeps a line from being parted into cells; `subnet_at` is the place of the subnet: 0 first, -1 last."""
    return _unreadable(text) or _misparted(text, filled, subnet_at) or _unbalanced(text)


def part_target_line(raw: bytes) -> Parted | Finding | None:
    """A line of a table whose first cell is an address or a subnet, without its LF; None where it says nothing."""
    text = line_text(raw)
    if isinstance(text, Finding):
        return text
    if is_blank(text):
        return None
    cells = cells_of(text)
    return line_finding(text, [cell for cell in cells if cell.text], 0) or Parted(text, cells)


def _unreadable(text: str) -> Finding | None:
    """A line that no text editor has written, or that git has."""
    if "\0" in text:
        hint = 'save the file as "CSV UTF-8", or write the line anew in a text editor'
        return Finding(text.index("\0") + 1, "nul", "a NUL byte", hint)
    if text.startswith(CONFLICT) or text == "=======":
        hint = "keep the rows that are right, and delete the lines with <<<<<<<, ======= and >>>>>>>"
        return Finding(1, "conflict-marker", "a merge was not finished here", hint)
    return None


def _misparted(text: str, filled: list[Cell], subnet_at: int) -> Finding | None:
    """A line that is parted by something else: into cells, of which one is a subnet where none was."""
    if any(is_address(cell.text) or len(subnets_in(cell.text)) > 1 for cell in filled):
        return None
    column = filled[0].column if filled else 1
    if is_ruler(text):
        message = f"{quote(text.strip())} is a line of a table, not a row"
        return Finding(column, "heading-row", message, "delete line {line}")
    for separator in filter(text.__contains__, _SEPARATORS):
        cells = _parted_by(text, separator)
        said = [cell for cell in cells if cell]
        has_subnet = any(map(is_address, said))
        if len(said) < 2 or not (has_subnet or len(filled) == 1):
            continue
        if is_heading_row(cells, subnet_at):
            return heading(text, said if subnet_at else ())
        message = f"the cells are separated by {_SEPARATORS[separator]}, not by commas"
        row = _joined(text, separator, cells)
        is_long = len(row) > _SHOWN_ROW or len(cells) > CELLS_LIMIT
        if subnet_at == 0 or is_long:
            is_told = not is_long and is_address(said[0])
            return Finding(column, "wrong-separator", message, f"write {row}" if is_told else "separate them by commas")
        is_right = is_address(said[-1]) and sum(map(is_address, said)) == 1
        rows = (row,) if is_right else meant_rows(with_masks(said))
        return Finding(column, "wrong-separator", message, f"{_how_to_place(with_masks(said))}; {_BY_IMPORT}", rows)
    return None


def is_ruler(text: str) -> bool:
    """Is this a line that a table of a page has between its rows?"""
    return _RULER.fullmatch(text) is not None


def _parted_by(text: str, separator: str) -> list[str]:
    """The cells of a line that is parted so, without the bars around it and without blank ones at its end; of too many
    the first ones.
    """
    cells = [cell.text for cell in islice(_quoted_cells(text, separator), CELLS_LIMIT + 2)]
    while separator in _BARS and cells and not cells[0]:
        del cells[0]
    while cells and not cells[-1]:
        del cells[-1]
    return cells


def _joined(text: str, separator: str, cells: list[str]) -> str:
    """The row with commas instead; its quotation marks stay where they need not be made anew."""
    if '"' in text and "," not in text and separator not in _BARS:
        return ",".join(cell.strip(" \t") for cell in text.split(separator)).rstrip(",")
    return cells_text(cells)


def end_of_cell(texts: Iterable[str], separator: str = ",") -> int | None:
    """How many lines below the first of these its last cell ends, as a spreadsheet writes one of several lines; None
    where every cell ends in its line, or none of the next lines ends it, which together are no longer than a line.
    """
    lines = iter(texts)
    first = next(lines)
    if _unbalanced(first, separator) is None:
        return None
    room = LINE_LIMIT - len(first)
    for below, text in enumerate(islice(lines, LINES_OF_CELL - 1), 1):
        room -= len(text)
        if room < 0:
            return None
        said = text.replace('""', "")
        if said.count('"') % 2:
            behind = said.partition('"')[2].lstrip(" " if separator == "\t" else " \t")
            return below if not behind or behind.startswith(separator) else None
    return None


def several_lines(first: int, last: int) -> Finding:
    """What is said of a cell that goes over these lines."""
    message = f"a cell goes over several lines, {first} to {last}, and a row is one line"
    return Finding(1, "unbalanced-quote", message, f"write lines {first} to {last} as one")


def _unbalanced(text: str, separator: str = ",") -> Finding | None:
    for match in _cell_pattern(separator).finditer(text):
        if match[2] and match[2].lstrip(" \t").startswith('"'):
            column = match.start() + match[2].index('"') + 1
            hint = 'close it, or write the cell as "…" with each mark of the name doubled'
            return Finding(column, "unbalanced-quote", "a quotation mark has no partner", hint)
    return None


def is_heading_row(cells: Sequence[str], subnet_at: int) -> bool:
    """Are these the names of columns? A row that has a subnet in any cell is none."""
    said = [cell for cell in cells if cell]
    if not said or any(map(is_address, said)):
        return False
    names = sum(is_heading(cell.rstrip("0123456789"), _HEADINGS) for cell in said)
    is_part = names > 1 and 3 * names >= len(said) and is_heading(said[-1], _HEADINGS)
    return is_heading(said[subnet_at]) or 2 * names > len(said) > 1 or is_part


def is_heading(cell: str, words: frozenset[str] = _SUBNET_HEADINGS) -> bool:
    """Is the cell the name of a column, that of subnets where no other words are given?"""
    found = _WORD.findall(cell.casefold().replace("_", " "))
    return bool(found) and words.issuperset(found)


def heading(text: str, cells: Sequence[str] = ()) -> Finding:
    """What is said of a row of column names; the cells of a table of rows, where they are told, say more."""
    hint = "delete line {line}"
    if cells and not is_heading(cells[-1]):
        hint += f", and in every row put the subnet last: {ROW_FORM}; {_BY_IMPORT}"
    return Finding(1, "heading-row", f"{quote(text.strip())} is a row of column names", hint)


def misplaced_subnet(filled: Sequence[Cell]) -> Finding | None:
    """Why the last of these cells is not a subnet, where another one tells, or where it is more than one."""
    cells = [part for cell in filled for part in subnets_in(cell.text)][:CELLS_LIMIT]
    joined = with_masks(cells)
    column, last = filled[-1]
    subnet = next(filter(is_address, joined), None)
    if subnet is None or (len(joined) == len(filled) and is_address(last)):
        return None
    if len(subnets_in(last)) > 1:
        message = f"{quote(last)} is more than one subnet"
    elif is_address(last) and not is_mask(last):
        message = f"{quote(last)} has no prefix length"
    elif is_address(joined[-1]):
        message = f"{quote(last)} is not a subnet, but the mask or the length of the one before it"
    else:
        message = f"{quote(last)} is not a subnet, and {quote(subnet)} does not stand last"
    return Finding(column, "not-a-subnet", message, _how_to_place(joined), meant_rows(joined))


def meant_rows(cells: Sequence[str]) -> tuple[str, ...]:
    """The rows that these cells are to be, one for each address among them; none where that cannot be told."""
    names = [cell for cell in cells if not is_address(cell)]
    addresses = [cell for cell in cells if is_address(cell)]
    subnets = dict.fromkeys(map(written_subnet, addresses))
    bare = [cell for cell in addresses if not has_length(cell)]
    is_clear = len(subnets) == 1 or not bare or (len(bare) == 1 and is_one_address(bare[0]))  # or it ends a range
    is_sure = len(names) == 1 or list(cells[: len(names)]) == names
    is_long = len(subnets) * (sum(map(len, names)) + len(names)) + sum(map(len, subnets)) > _SHOWN_ROW
    is_told = names and is_sure and is_clear and all(subnets) and not is_long and not any(map(has_host_bits, cells))
    return tuple(cells_text((*names, subnet)) for subnet in subnets) if is_told else ()


def _how_to_place(cells: Sequence[str]) -> str:
    """Where the subnet among these cells should stand."""
    subnet = next(filter(is_address, cells), None)
    return (
        f"{ROW_FORM}: put {quote(subnet)} last, behind its location"
        if subnet
        else f"separate them by commas: {ROW_FORM}"
    )
