"""What the API of another program answers, as the lines of a table: the names of its fields, then an entry each.

NetBox has its entries in `results`, phpIPAM and BlueCat in `data`, Infoblox and PowerShell (`ConvertTo-Json`) in a list
by itself, or a single entry without one; GraphQL has them in the only list in `data`. Several answers, one behind the
other, are the pages of one. What is nested is told by its name or its value; the extensible attributes of Infoblox,
and other objects without either, by the fields that they have.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ...config.csv_lines import cells_text
from ...config.subnet_hints import is_address
from ...errors import UnusableTable
from ...text import quote, without_bom

_LISTS = ("results", "data", "result", "value", "items")
_BETWEEN = re.compile(r"[\s,]*")
_LIST = re.compile(r'"(?:results|data|result|value|items)"\s*:\s*(?=\[)')
_FIELDS = 500
"""Names of fields that the entries of a table may have."""
_BEGINS = re.compile(rb'\s*(?:\{\s*["}]|\[\s*[{"\[\]])')
_NAMES = ("name", "value", "display", "label")
"""By which a nested object is told, the surest first; a number is less sure than a text."""
_NEXT = ("next", "next_page_id", "nextPageToken", "nextLink", "@odata.nextLink")
"""What an answer says of the page that follows: of NetBox, Infoblox, and others."""
_COUNTS = ("count", "totalCount")
_LOOKED_AT = 50
"""Entries by which a list without a known name is told."""


class JsonTable(NamedTuple):
    """The lines of a table with their numbers, how many entries it has, and how many its program says there are."""

    lines: tuple[tuple[int, str], ...]
    entries: int
    announced: int
    goes_on: bool
    """Does each of its answers say that another page follows?"""


def read_json(path: str, content: bytes) -> JsonTable | None:
    """The table in an answer, or in several pages of one; None for any other content.

    Raises UnusableTable for JSON that cannot be read, or has no entries.
    """
    content = without_bom(content)
    if not _BEGINS.match(content):
        return None
    try:
        text = content.decode()
        begins, answers = zip(*_answers(text), strict=True)
    except UnicodeDecodeError:
        return None
    except json.JSONDecodeError as error:
        is_cut = error.msg.startswith("Unterminated") or not error.doc[error.pos :].strip()
        what = "is JSON that ends in the middle" if is_cut else f"is no JSON: {error.msg} in line {error.lineno}"
        raise UnusableTable(f"{path} {what}", "ask again, and keep the answer as it comes") from None
    except RecursionError:
        raise UnusableTable(f"{path} is JSON that is nested too deeply") from None
    pages, is_listed = _pages(answers)
    if any(page is None for page in pages):
        what = f"{path} is an answer without a list of entries: {quote(text.strip())}"
        raise UnusableTable(what, "may the token read them? curl --fail stops at such an answer")
    entries = [dict(_fields(entry)) for page in pages for entry in page or ()]
    headings = list(dict.fromkeys(name for entry in entries for name in entry))
    if len(headings) > _FIELDS:
        raise UnusableTable(f"{path} has entries with {len(headings):,} different fields, more than {_FIELDS:,}")
    counts = [answer.get(name) for answer in answers if isinstance(answer, dict) for name in _COUNTS]
    announced = max((number for number in counts if isinstance(number, int)), default=0)
    goes_on = all(map(_has_next, answers))
    rows = [[entry.get(name, "") for name in headings] for entry in entries]
    numbers = [1, *_lines(text, begins, len(entries), is_listed=is_listed)]
    lines = tuple(zip(numbers, map(cells_text, [headings, *rows]), strict=True))
    return JsonTable(lines, len(entries), announced, goes_on)


def _answers(text: str) -> Iterator[tuple[int, Any]]:
    """Each answer, and where it begins."""
    decoder, at = json.JSONDecoder(), _passed(text, 0)
    while at < len(text):
        answer, end = decoder.raw_decode(text, at)
        yield at, answer
        at = _passed(text, end)


def _passed(text: str, at: int) -> int:
    """Where something stands next, behind space and commas."""
    match = _BETWEEN.match(text, at)
    return match.end() if match else at


def _lines(text: str, begins: Sequence[int], entries: int, *, is_listed: bool) -> Sequence[int]:
    """The line where each entry begins, where no two share one; else their numbers, below the names of the fields."""
    by_number = range(2, entries + 2)
    if text.count("\n") + 1 < entries:
        return by_number
    starts = [at for begin in begins for at in _listed(text, begin)] if is_listed else begins
    lines, line, before = [], 1, 0
    for at in starts:
        line, before = line + text.count("\n", before, at), at
        lines.append(line)
    return lines if len(lines) == len(set(lines)) == entries else by_number


def _listed(text: str, begin: int) -> Iterator[int]:
    """Where the entries of an answer begin that stands there."""
    decoder = json.JSONDecoder()
    match = None if text[begin] == "[" else _LIST.search(text, begin)
    at = _passed(text, (match.end() if match else begin) + 1)
    while at < len(text) and text[at] == "{":
        yield at
        _, end = decoder.raw_decode(text, at)
        at = _passed(text, end)


def _pages(answers: Sequence[Any]) -> tuple[Sequence[Sequence[Mapping[str, Any]] | None], bool]:
    """The entries of each answer, None for one that has none; and is each in a list? Else each answer is one, as jq
    prints an entry a line, and PowerShell the only one that there is.
    """
    pages = [_entries(answer) for answer in answers]
    if any(page is not None for page in pages) or not all(isinstance(answer, dict) for answer in answers):
        return pages, True
    lists = [_unnamed_list(answer) for answer in answers]
    if any(lists):  # the last page may be empty
        lists = [one or ([] if _is_empty(answer) else None) for one, answer in zip(lists, answers, strict=True)]
    if None in lists and (len(answers) > 1 or _has_subnet(answers[0])):
        return [answers], False
    return lists, True


def _entries(answer: object) -> Sequence[Mapping[str, Any]] | None:
    if isinstance(answer, dict):
        answer = next((answer[name] for name in _LISTS if isinstance(answer.get(name), list)), None)
    return answer if isinstance(answer, list) and all(isinstance(entry, dict) for entry in answer) else None


def _unnamed_list(answer: Mapping[str, Any]) -> Sequence[Mapping[str, Any]] | None:
    """The only list of an answer whose entries have subnets."""
    if _has_subnet(answer):
        return None
    found = [one for one in _lists(answer) if any(map(_has_subnet, one[:_LOOKED_AT]))]
    return found[0] if len(found) == 1 else None


def _is_empty(answer: Mapping[str, Any]) -> bool:
    """Has an answer lists, and nothing in them?"""
    found = _lists(answer)
    return bool(found) and not any(found) and not _has_subnet(answer)


def _lists(answer: Mapping[str, Any]) -> list[Sequence[Mapping[str, Any]]]:
    data = answer.get("data")
    found = map(_entries, (data if isinstance(data, dict) else answer).values())
    return [one for one in found if one is not None]


def _has_subnet(entry: Mapping[str, Any]) -> bool:
    return any(isinstance(value, str) and is_address(value) for value in entry.values())


def _has_next(answer: object) -> bool:
    """Does an answer say that another page follows? BlueCat has the link to it in `_links`."""
    if not isinstance(answer, dict):
        return False
    links = answer.get("_links")
    return any(answer.get(name) for name in _NEXT) or (isinstance(links, dict) and bool(links.get("next")))


def _fields(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The fields of an entry as text; a list has no place in a cell."""
    for name, value in entry.items():
        if not isinstance(value, dict):
            yield name, _text(value)
        elif named := [value[one] for one in _NAMES if one in value]:
            yield name, _text(next((one for one in named if isinstance(one, str)), named[0]))
        else:
            yield from ((key, text) for key, text in _fields(value) if key not in entry)


def _text(value: object) -> str:
    if isinstance(value, str):
        return " ".join(value.split())
    return str(value) if isinstance(value, (int, float)) else ""
