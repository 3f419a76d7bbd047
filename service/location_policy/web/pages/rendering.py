"""Facts to HTML. Every value is escaped where it stands, and a name that is not there is an error."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ... import __version__
from ...config.commit import is_other
from ...gate.overrides import limit_text, parted
from ...history.commit_text import SHORT
from ...lookup.answers import Outcome
from ...lookup.passed_views import taken_text
from ...lookup.snapshot import Snapshot
from ...text import count, escape
from .chart_text import bands, bar_fit, bar_subtitle, bar_title, bar_words, legend
from .colours import Looks
from .resources import Facts
from .static_files import static_url

MARKS = {
    "in-sync": "✓",
    "behind": "…",
    "rejected": "✕",
    "stale": "!",
    "last-good": "!",
    "unreachable": "!",
    "starting": "…",
    "pinned": "■",
    "lost": "✕",
}
"""Beside each state: it is never told by its colour alone. A follower of another version may have one more."""
LOOKS = Looks()
"""Those of this process."""
PAUSE = 0.01
"""Seconds between two templates that are compiled before any request for them."""
UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))
LONG = 30
"""Letters of a name that is broken where it has to be."""
HOOKS = {
    "ok": "checks every push",
    "missing": "missing: pushes are not checked",
    "not-executable": "not executable: pushes are not checked",
    "none": "none here: commits get in without a push",
}
OUTCOMES = {
    "match": "Answered by a row",
    "default": "Answered by the default: no row covers this address",
    "answer": "Answered by the view, as every call of it",
    "no-match": "No answer: no row covers this address",
    "no-opinion": "No opinion: Pexip chooses by itself",
    "bad-address": "Bad request: not an address",
}


CONDITIONS = {
    "location": "Location of the node",
    "proxy_node_location": "Location of the proxying node",
    "call_direction": "Direction",
    "protocol": "Protocol",
}
"""The parameters that a view can ask for, as forms call them."""
ASKED: Mapping[Outcome, str] = {
    "match": "a row covers the address",
    "default": "no row, the default answers",
    "answer": "the answer of a view",
    "no-match": "no row covers the address",
    "no-opinion": "Pexip chooses by itself",
    "bad-address": "not an address",
    "not-ready": "no map was loaded yet",
    "not-provided": "another kind of request",
    "not-allowed": "another method than GET",
    "unauthorized": "no right password",
    "forbidden": "a user without the role node",
    "busy": "too many passwords at a time",
}
"""What outcomes of requests mean, where the word does not say it."""


def _moment(text: str, *, seconds: bool = False) -> Markup:
    """A time: in UTC, until the browser puts it into its reader's zone."""
    at = datetime.fromisoformat(text).astimezone(UTC)
    shown = f"{at:%Y-%m-%d %H:%M:%S}"
    attribute = Markup(" data-seconds" if seconds else "")
    return Markup('<time datetime="{}" title="{} UTC"{}>{} UTC</time>').format(
        text, shown, attribute, shown if seconds else shown[:-3]
    )


def _ago(text: str) -> Markup:
    """How long ago a time is, in its largest unit; the time itself stays in the title."""
    at = datetime.fromisoformat(text).astimezone(UTC)
    number, unit = _length(at, datetime.now(UTC))
    shown = "just now" if unit == "second" else f"{count(number, unit)} ago"
    return Markup('<time datetime="{}" data-ago title="{:%Y-%m-%d %H:%M:%S} UTC">{}</time>').format(text, at, shown)


def _lasted(first: str, last: str) -> Markup:
    """How long it was from one time to another, in its largest unit; both stay in the title."""
    begin, end = (datetime.fromisoformat(text).astimezone(UTC) for text in (first, last))
    title = "{:%Y-%m-%d %H:%M:%S} to {:%Y-%m-%d %H:%M:%S} UTC"
    return Markup(f'<span title="{title}">{{}}</span>').format(begin, end, count(*_length(begin, end)))


def _length(begin: datetime, end: datetime) -> tuple[int, str]:
    """How long it is from one time to another: the number, and the largest unit of which it is one or more."""
    seconds = max(0, int((end - begin).total_seconds()))
    return next(((seconds // size, unit) for size, unit in UNITS if seconds >= size), (seconds, "second"))


def _breakable(path: str) -> Markup:
    """A path, which a narrow page may break behind each slash, and a name that is too long for it anywhere."""
    parts = Markup("/<wbr>").join(escape(path).split("/"))
    return Markup('<span class="long">{}</span>').format(parts) if max(map(len, path.split("/"))) > LONG else parts


def _commit_link(commit_id: str) -> Markup:
    return Markup('<a class="id" href="/commit/{}" data-copy="{}">{}</a>').format(
        commit_id, commit_id, commit_id[:SHORT]
    )


def _state_mark(state: str) -> Markup:
    return Markup('<span class="mark" aria-hidden="true">{}</span> {}').format(MARKS.get(state, "?"), state)


def _url(path: str, /, **parameters: object) -> str:
    """A link of ours: the path, and what of the parameters has a value."""
    said = {name: value for name, value in parameters.items() if value not in (None, "")}
    return quote(path, errors="replace") + (f"?{urlencode(said, errors='replace')}" if said else "")


def _hook_words(hook: Mapping[str, str | None]) -> str:
    state = str(hook["state"])
    return HOOKS.get(state, f"of version {hook['version']}: update it with location-policy init")


def _overflow_of(result: Mapping[str, Any]) -> list[str]:
    """The overflow locations of an answer, in either form."""
    _, *overflow = result.values()
    return overflow[0] if overflow and isinstance(overflow[0], list) else overflow


def _limits_of(override: Mapping[str, str]) -> list[str]:
    """The limits that were overridden, each by itself."""
    return [*map(limit_text, parted(override["rule"], override["limit"], override["measured"]))]


def _curl(url: str, needs_login: bool) -> str:
    """The command with which to ask as a node."""
    return f"curl{' --user USER' * needs_login} {shlex.quote(url)}"


def _json(facts: object) -> str:
    """JSON to be read; a line that is not what it looks like has its escapes, which say the same."""
    lines = json.dumps(facts, indent=2, ensure_ascii=False).split("\n")
    return "\n".join(line if escape(line) == line else "".join(map(_json_letter, line)) for line in lines)


def _json_letter(letter: str) -> str:
    return letter if letter.isascii() else json.dumps(letter)[1:-1]


FILTERS: Mapping[str, Callable[..., object]] = {
    "moment": _moment,
    "ago": _ago,
    "breakable": _breakable,
    "shown": escape,
    "number": lambda number: f"{number:,}",
    "json": _json,
}
"""What templates make of a value."""
FUNCTIONS: Mapping[str, object] = {
    "static": static_url,
    "url": _url,
    "version": __version__,
    "commit_link": _commit_link,
    "is_other": is_other,
    "lasted": _lasted,
    "state_mark": _state_mark,
    "hook_words": _hook_words,
    "overflow_of": _overflow_of,
    "limits_of": _limits_of,
    "curl": _curl,
    "outcome_words": OUTCOMES.__getitem__,
    "asked_words": ASKED.get,
    "condition_words": CONDITIONS.__getitem__,
    "taken_text": taken_text,
    "bands": bands,
    "bar_fit": bar_fit,
    "bar_words": bar_words,
    "bar_title": bar_title,
    "bar_subtitle": bar_subtitle,
    "legend": legend,
}
"""What else templates name."""


@cache
def environment() -> Environment:
    """Where all templates of this process are, each compiled when it is first wanted."""
    made = Environment(
        loader=PackageLoader("location_policy.web.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= FILTERS
    made.globals |= FUNCTIONS
    return made


def compile_templates() -> None:
    """So that the first reader does not wait for it; in small steps, between which answers go first."""
    for name in environment().list_templates():
        environment().get_template(name)
        time.sleep(PAUSE)


def render(template: str, snapshot: Snapshot | None, facts: Facts) -> bytes:
    """A page; the locations of this snapshot are the first to choose a look."""
    if snapshot:
        LOOKS.add((*snapshot.rules.known, *snapshot.locations))
    return environment().get_template(template).render(look=LOOKS.classes, **facts).encode(errors="replace")
