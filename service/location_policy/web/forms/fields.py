"""The fields of a request that wants something changed: as a browser sends a form, or as JSON; bounded."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import parse_qsl

from starlette.requests import Request

from ..edge.faults import Fault
from ..edge.request_body import Refused, read_body

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
LARGEST = 65_536
"""Bytes of fields that an editor has typed."""
FIELDS = 300
LONG = 1024
"""Characters from which on a text of JSON is parsed by itself, and does not count as what was typed."""

_DECODER = json.JSONDecoder()

Given = Mapping[str, list[str]]
"""The values of each field, in order."""


class Body(NamedTuple):
    """The body of a request, unpacked, and its Content-Type: whole, and without what comes after it."""

    content_type: str
    kind: str
    content: bytes


async def read_content(request: Request, kinds: Collection[str], limit: int = LARGEST) -> Body:
    """The body, of one of these kinds; raises Fault."""
    content_type = request.headers.get("content-type", "")
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in kinds:
        raise Fault(415, f"the Content-Type is neither {' nor '.join(kinds)}")
    encoding = request.headers.get("content-encoding", "").encode("latin-1")
    try:
        content = b"".join([piece async for piece in read_body(request.receive, encoding, limit)])
    except Refused as refusal:
        hint = "what is larger goes by git push" if refusal.status == 413 else None
        raise Fault(refusal.status, str(refusal), hint) from None
    return Body(content_type, kind, content)


def parse_fields(body: Body) -> Given:
    """What was typed; raises Fault."""
    try:
        return _parse_form(body.content) if body.kind == FORM else _parse_json(body.content)
    except ValueError as error:
        raise Fault(400, f"the body cannot be read: {error}") from None


def _parse_form(content: bytes) -> Given:
    given: dict[str, list[str]] = {}
    for name, value in parse_qsl(
        content.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=FIELDS
    ):
        given.setdefault(name, []).append(value)
    return given


def _parse_json(content: bytes) -> Given:
    """An object of texts, whole numbers, lists of texts, true and false; null is as if nothing were said."""
    text, found = _cut_texts_out(content.decode("utf-8-sig"))
    try:
        parsed = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise ValueError(error.msg) from None
    pairs = parsed.items() if isinstance(parsed, dict) else [(None, parsed)]
    named = (("the body" if at is None else found[int(at)], value) for at, value in pairs if value is not None)
    return {name: _texts(name, value, found) for name, value in named}


def _cut_texts_out(text: str) -> tuple[str, list[str]]:
    """The same JSON with a number in the place of each text, and the texts.

    Python parses JSON in one step, in which no other thread goes on and each `[]` takes sixty bytes. So but for long
    texts it is as small as what an editor has typed; raises ValueError where it is not.
    """
    pieces, found, begin, room = list[str](), list[str](), 0, LARGEST
    while True:
        quote = text.find('"', begin)
        between = text[begin : quote if quote >= 0 else min(len(text), begin + room + 1)]
        room -= len(between)
        if room < 0:
            raise ValueError(f"besides long texts it has more than {LARGEST:,} characters")
        pieces.append(between)
        if quote < 0:
            return "".join(pieces), found
        value, begin = _DECODER.raw_decode(text, quote)
        room -= min(begin - quote, LONG)
        pieces.append(f'"{len(found)}"')
        found.append(value)


def _texts(name: str, value: object, found: Sequence[str]) -> list[str]:
    match value:
        case bool():
            return ["1"] * value
        case int():
            texts = [str(value)]
        case str():
            texts = [found[int(value)]]
        case list() if all(isinstance(one, str) for one in value):
            texts = [found[int(one)] for one in value]
        case _:
            raise ValueError(f"{name} is no text, number or list of texts, nor true or false")
    for text in texts:
        text.encode()  # half a surrogate pair is no text
    return texts
