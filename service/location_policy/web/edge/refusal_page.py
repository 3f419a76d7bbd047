"""A refusal for people in a browser: a page that needs nothing else, since a refused client gets no style sheet."""

from __future__ import annotations

from html import escape

from .faults import Fault, problem_details
from .responses import HEADERS

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title} · location-policy</title>
</head>
<body>
<main>
<h1>{title}</h1>
<p>{detail}</p>
<p><a href="/">Home</a></p>
</main>
</body>
</html>
"""


def refusal_page(fault: Fault) -> bytes:
    """The page, as UTF-8."""
    told = problem_details(fault)
    return _PAGE.format(title=escape(told["title"]), detail=escape(told["detail"])).encode(errors="replace")


def refusal_headers() -> list[tuple[bytes, bytes]]:
    """Those that it has besides its type."""
    return [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
