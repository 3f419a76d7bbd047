"""The body of a notification: JSON, or a card for Teams or Slack, in which no value from outside is markup.

Teams: an Adaptive Card as the webhook of Workflows takes it ("Create incoming webhooks with Workflows for Microsoft
Teams"); text in a `TextRun` is shown as it is, that of a `TextBlock` is Markdown. Slack: blocks, and the text that is
shown where they are not ("Sending messages using incoming webhooks"); what its markup is made of is `& < >`
("Formatting message text").
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ...text import escape
from .event import Event, Kind
from .options import Format

LONGEST_TITLE = 150
"""Characters of a header in Slack ("Header block")."""
LONGEST_TEXT = 3000
"""The same of a section ("Section block")."""

_COLOURS: Mapping[Kind, str] = {
    "active": "Good",
    "reachable": "Good",
    "refused": "Attention",
    "unreachable": "Attention",
    "pinned": "Warning",
    "unpinned": "Default",
    "certificate": "Warning",
}
"""As Adaptive Cards name them."""


def body_of(event: Event, form: Format) -> bytes:
    """What is sent, in ASCII."""
    return json.dumps(_BODIES[form](event)).encode()


def _teams(event: Event) -> dict[str, Any]:
    title = _rich(_run(escape(event.title()), weight="Bolder", size="Medium", color=_COLOURS[event.kind]))
    lines = (_rich(_run(f"{name}: ", weight="Bolder"), _run(value)) for name, value in event.lines())
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": escape(event.title()),
        "msteams": {"width": "Full"},
        "body": [title, *lines],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _rich(*runs: dict[str, str]) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": list(runs)}


def _run(text: str, **looks: str) -> dict[str, str]:
    return {"type": "TextRun", "text": text, **looks}


def _slack(event: Event) -> dict[str, Any]:
    title = escape(event.title())[:LONGEST_TITLE]
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": title, "emoji": False}},
        {"type": "section", "text": {"type": "mrkdwn", "text": "\n".join(_lines(event)), "verbatim": True}},
    ]
    return {"text": _escaped(title), "blocks": blocks}


def _lines(event: Event) -> Iterator[str]:
    """As many as there is room for."""
    room = LONGEST_TEXT
    for name, value in event.lines():
        line = f"*{name}:* {_escaped(value)}"
        room -= len(line) + 1
        if room >= 0:
            yield line


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


_BODIES: Mapping[Format, Callable[[Event], dict[str, Any]]] = {
    "json": Event.fields,
    "teams": _teams,
    "slack": _slack,
}
