"""The picture that a chat shows beside a link to an impact: the strips of its page, as a PNG, since chats take no SVG.

Colours and patterns are those of the light theme of style.css, and are read from there.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from ...plan.strip import SLOTS
from ..edge.asker import asker
from ..site.site import Site
from ..site.thread_pool import ThreadPool
from .rendering import LOOKS
from .resource_table import RESOURCES
from .resources import Facts
from .static_files import static_text

WIDTH, HEIGHT = 1200, 630
"""Pixels: the size that chats show uncut. Pages say it too."""
MARGIN, GAP = 60, 10
"""Pixels around all strips, and between the halves of one."""
GROUND, SAME, NO_ANSWER = range(3)
"""Places in the palette: around the strips, what does not change, and no answer. Then come the colours of locations."""
PERIOD, LINE = 24, 6
"""Pixels after which a pattern comes again, and how wide its lines and dots are."""

_COLOUR = re.compile(r"\.c\d \{ --own: #(\w{6}); --on: #(\w{3,6}); \}")
_GROUNDS = re.compile(r"--(ground|line|panel): #(\w{6});")


class Paint(NamedTuple):
    """What a segment is filled with: places in the palette, and the pattern in which the second is on the first."""

    own: int
    on: int
    pattern: str


@dataclass(frozen=True, slots=True)
class ImpactImages:
    """Sends the picture of a commit, or of a comparison; it is made in the thread pool."""

    site: Site
    pool: ThreadPool

    async def image(self, request: Request) -> Response | None:
        """The picture of what a page of this address tells; None where nothing changes that a strip can show."""
        name = "commit" if "id" in request.path_params else "compare"
        resource = next(one for one in RESOURCES if one.name == name)

        def make() -> bytes | None:
            query = resource.query({**request.query_params, **request.path_params})
            plan = resource.facts(self.site, query)["plan"]
            return png(plan["strips"], LOOKS.classes) if plan and plan["strips"] else None

        content = await self.pool.do(make, asker(request.scope))
        return (
            Response(content, headers={"Cache-Control": "private, no-cache"}, media_type="image/png")
            if content
            else None
        )


def png(strips: Sequence[Facts], look: Callable[[str], str]) -> bytes:
    """Strips below each other, before above and after below, in colours by the classes of locations (PNG)."""
    room = (HEIGHT - 2 * MARGIN - (len(strips) - 1) * MARGIN) // len(strips)
    blank = bytes(WIDTH)
    lines = [blank] * MARGIN
    for strip in strips:
        half = (room - GAP) // 2
        lines += _half(strip["segments"], "before", look, half)
        lines += [blank] * GAP
        lines += _half(strip["segments"], "after", look, half)
        lines += [blank] * MARGIN
    lines += [blank] * (HEIGHT - len(lines))
    pixels = b"".join(b"\0" + line for line in lines)
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 3, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"PLTE", _palette()), (b"IDAT", zlib.compress(pixels)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


def _half(segments: Sequence[Facts], side: str, look: Callable[[str], str], height: int) -> list[bytes]:
    """The lines of one half; a pattern comes again after some of them."""
    painted = [(one["start"], one["start"] + one["width"], _paint(one[side], look)) for one in segments]
    period = [_line(painted, y) for y in range(PERIOD)]
    return [period[y % PERIOD] for y in range(height)]


def _line(painted: Sequence[tuple[int, int, Paint]], y: int) -> bytes:
    room = WIDTH - 2 * MARGIN
    line = bytearray([SAME]) * room
    for start, end, paint in painted:
        for x in range(start * room // SLOTS, end * room // SLOTS):
            is_striped = paint.pattern == "p1" and (x + y) % PERIOD < LINE
            is_dotted = paint.pattern == "p2" and max(x % PERIOD, y % PERIOD) < LINE
            line[x] = paint.on if is_striped or is_dotted else paint.own
    return bytes(MARGIN) + bytes(line) + bytes(MARGIN)


def _paint(location: str | None, look: Callable[[str], str]) -> Paint:
    if location is None:
        return Paint(NO_ANSWER, NO_ANSWER, "")
    colour, _, pattern = look(location).partition(" ")
    own = NO_ANSWER + 1 + 2 * int(colour[1:])
    return Paint(own, own + 1, pattern)


@cache
def _palette() -> bytes:
    """The colours of all places, three bytes each."""
    light = static_text("style.css").partition("@media")[0]
    grounds = dict(_GROUNDS.findall(light))
    colours = _COLOUR.findall(static_text("style.css").partition(".swatch.p2")[2].partition("@media")[0])
    found = [grounds["ground"], grounds["line"], grounds["panel"], *(one for pair in colours for one in pair)]
    return bytes.fromhex("".join(one if len(one) == 6 else "".join(2 * digit for digit in one) for one in found))
