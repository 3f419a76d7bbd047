"""What pages need besides themselves: one style sheet, one script, one icon.

The address of each has a digest of them all, so that a browser keeps them for ever and a new version has new addresses.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

_FILES = {path.name: path.read_bytes() for path in sorted((Path(__file__).parent / "static").iterdir())}
_DIGEST = hashlib.sha256(b"\0".join(_FILES.values())).hexdigest()[:16]


def static_url(name: str) -> str:
    """Where a file of ours is."""
    assert name in _FILES
    return f"/static/{_DIGEST}/{name}"


def static_text(name: str) -> str:
    """What a file of ours says."""
    return _FILES[name].decode()


async def show_static(request: Request) -> Response | None:
    """The file; None where there is none of this name and digest."""
    content = _FILES.get(request.path_params["name"])
    if content is None or request.path_params["digest"] != _DIGEST:
        return None
    headers = {"Cache-Control": "private, max-age=31536000, immutable"}
    return Response(content, headers=headers, media_type=TYPES[Path(request.path_params["name"]).suffix])
