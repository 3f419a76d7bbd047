"""A form with a file in it (RFC 7578), parsed within bounds: work for a thread, since it grows with the file."""

from __future__ import annotations

import logging
import re
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from python_multipart import FormParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field, File, MultipartParser, parse_options_header

from ..edge.faults import Fault

FORM_WITH_FILE = "multipart/form-data"
PARTS = 300
"""Fields and files that one form may have."""
FIELD_BYTES = 65_536
"""Of all fields that are no files: they are repeated in the page."""
NAME_CHARACTERS = 100
"""Of the name of a file: it is told with each problem."""
_HOW = "send it as a browser or curl -F does"
_EXTENDED_NAME = re.compile(
    rb"""\"(?:\\.|[^\\"])*\" | ;\s*filename\*(?P<part>\d{0,2})\*?\s*=\s* (?P<value>\"(?:\\.|[^\\"])*\"|[^\s;]*)""",
    re.VERBOSE | re.IGNORECASE,
)
"""A quoted string, which is passed over, or a name by RFC 8187: `filename*=UTF-8''Z%C3%BCrich.csv`; or a part of one,
`filename*0*=` (RFC 2231).
"""
_PLAIN_NAME = re.compile(rb";\s*filename\s*=", re.IGNORECASE)
_CHARSETS = re.compile(
    r"utf-8|us-ascii|iso-8859-(?:[1-9]|1[013-6])|windows-125[0-8]|koi8-[ru]|shift_jis|big5|gbk|gb2312|euc-(?:jp|kr)"
)
_IN_MEMORY = {"MAX_MEMORY_FILE_SIZE": float("inf")}
"""The body was read whole, and is bounded: nothing goes to a file."""

logging.getLogger("python_multipart").setLevel(logging.CRITICAL)  # who sends a wrong form is told, not the operator


class UploadedFile(NamedTuple):
    """A file that an editor has chosen: its name without folders, and what is in it."""

    name: str
    content: bytes


class Form(NamedTuple):
    """The values of each field, and the files of each, in order."""

    fields: dict[str, list[str]]
    files: dict[str, list[UploadedFile]]


def parse_multipart(content_type: str, body: bytes) -> Form:
    """What a form says; raises Fault. A field of a browser in which no file was chosen counts as none."""
    form, ends, room = Form({}, {}), list[bool](), FIELD_BYTES

    def check_parts() -> None:
        if sum(map(len, form.fields.values())) + sum(map(len, form.files.values())) > PARTS:
            raise Fault(413, f"the form has too many fields: {PARTS} are taken")

    def add_field(field: Field) -> None:
        nonlocal room
        value = field.value or b""
        room -= len(value)
        if room < 0:
            raise Fault(413, f"the fields of the form are too large: {FIELD_BYTES:,} bytes are taken")
        form.fields.setdefault(_text(field.field_name), []).append(_text(value))
        check_parts()

    def add_file(file: File) -> None:
        file.file_object.seek(0)
        chosen = UploadedFile(clean_name(_text(file.file_name)), file.file_object.read())
        if chosen.name or chosen.content:
            form.files.setdefault(_text(file.field_name), []).append(chosen)
        check_parts()

    try:
        _, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        parser = FormParser(FORM_WITH_FILE, add_field, add_file, lambda: ends.append(True), boundary, config=_IN_MEMORY)
        _read_extended_names(parser)
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise Fault(400, f"the form cannot be read: {error}", _HOW) from None
    if not ends:
        raise Fault(400, "the form has no end", _HOW)
    return form


def _read_extended_names(parser: FormParser) -> None:
    """Let it read `filename*` too, before `filename`: older clients send it, though RFC 7578 (4.2) has it not.

    The parser passes that parameter over. The body is written whole, so a header comes in one piece.
    """
    assert isinstance(parser.parser, MultipartParser)
    take = parser.parser.callbacks["on_header_value"]  # type: ignore[typeddict-item]  # typed as those of any parser

    def take_with_plain_name(content: bytes, start: int, end: int) -> None:
        value = _with_plain_name(content[start:end])
        take(value, 0, len(value))

    parser.parser.set_callback("header_value", take_with_plain_name)


def _with_plain_name(header: bytes) -> bytes:
    """The header with its extended name as a plain one too; a file is one also where that name cannot be read."""
    parts = [
        (int(one["part"] or 0), one["value"]) for one in _EXTENDED_NAME.finditer(header) if one["value"] is not None
    ]
    if not parts:
        return header
    name = _decoded(b"".join(value.strip(b'"') for _, value in sorted(parts)))
    if name is None and _PLAIN_NAME.search(header):
        return header
    return b'%b; filename="%b"' % (header, (name or "").replace("\\", "/").replace('"', r"\"").encode())


def _decoded(value: bytes) -> str | None:
    """The text of an extended value; None where it says no character set that is known."""
    charset, *rest = value.split(b"'", 2)
    known = _CHARSETS.fullmatch(charset.decode("latin-1").lower())
    return unquote_to_bytes(rest[-1]).decode(known[0], errors="replace") if known and len(rest) > 1 else None


def _text(value: bytes | None) -> str:
    return (value or b"").decode(errors="replace")


def clean_name(path: str) -> str:
    """The name of a file without the folders that some clients send, and without what could steer a terminal."""
    name = path.replace("\\", "/").rpartition("/")[2].strip()
    return "".join(character if character.isprintable() else "\ufffd" for character in name)[:NAME_CHARACTERS]
