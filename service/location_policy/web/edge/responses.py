"""JSON as it is sent, and the headers of all that a browser may show."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",  # with "no-referrer" a browser hides where a form comes from (Fetch, "Origin")
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Nothing from elsewhere runs in a page, and no site puts it into a frame."""


def json_response(
    content: dict[str, Any],
    status: int = 200,
    headers: dict[str, str] | None = None,
    media_type: str = "application/json",
) -> Response:
    """An answer that holds for now."""
    body = json.dumps(content, ensure_ascii=False).encode(errors="replace")  # the name of a file may be any bytes
    return Response(body, status, {"Cache-Control": "no-store", **HEADERS, **(headers or {})}, media_type)
