"""Facts to HTML. Every value is escaped where it stands, and a name that is not there is an error."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from .. import __version__
from ..commit_text import SHORT
from ..snapshot import Snapshot
from .colours import colour_of
from .resources import Facts
from .static import static_url

MARKS = {
    "in-sync": "✓",
    "behind": "…",
    "rejected": "✕",
    "last-good": "!",
    "unreachable": "!",
    "starting": "…",
    "pinned": "■",
}
"""Beside each state: it is never told by its colour alone."""
HOOKS = {
    "ok": "checks every push",
    "missing": "missing: pushes are not checked",
    "not-executable": "not executable: pushes are not checked",
    "none": "none here: commits get in without a push",
}
OUTCOMES = {
    "match": "Answered by a row",
    "default": "Answered by the default: no row covers this address",
    "no-match": "No answer: no row covers this address",
    "no-opinion": "No opinion: Pexip chooses by itself",
    "bad-address": "Refused: this is not an address",
}


def _moment(text: str) -> Markup:
    """A time: in UTC, until the browser puts it into its reader's zone."""
    at = datetime.fromisoformat(text).astimezone(UTC)
    return Markup('<time datetime="{}" title="{:%Y-%m-%d %H:%M:%S} UTC">{:%Y-%m-%d %H:%M} UTC</time>').format(
        text, at, at
    )


def _commit_link(commit_id: str) -> Markup:
    return Markup('<a class="id" href="/commit/{}" data-copy="{}">{}</a>').format(
        commit_id, commit_id, commit_id[:SHORT]
    )


def _state_mark(state: str) -> Markup:
    return Markup('<span class="mark" aria-hidden="true">{}</span> {}').format(MARKS[state], state)


def _url(path: str, /, **parameters: object) -> str:
    """A link of ours: the path, and what of the parameters has a value."""
    said = {name: value for name, value in parameters.items() if value not in (None, "")}
    return quote(path, errors="replace") + (f"?{urlencode(said, errors='replace')}" if said else "")


def _hook_words(hook: Mapping[str, str | None]) -> str:
    state = str(hook["state"])
    return HOOKS.get(state, f"of version {hook['version']}: put in this one with location-policy init")


def _overflow_of(result: Mapping[str, Any]) -> list[str]:
    """The overflow locations of an answer, in either form."""
    _, *overflow = result.values()
    return overflow[0] if overflow and isinstance(overflow[0], list) else overflow


def _curl(url: str, needs_login: bool) -> str:
    """The command with which to ask as a node."""
    return f"curl{' --user USER' * needs_login} {shlex.quote(url)}"


def bar_words(bar: Facts) -> str:
    """All that there is to say of a bar of the picture; it begins with what can be read on it."""
    range_ = f"{bar['first']} to {bar['last']}"
    if row := bar["row"]:
        then = f", then {', '.join(row['overflow'])}" if row["overflow"] else ""
        inside = f"; {bar['rows'] - 1:,} inside" if bar["rows"] > 1 else ""
        place = f"{row['subnet']} in {row['path']}:{row['line']}"
        return f"{_bar_title(bar)} {_bar_subtitle(bar)}, {range_}{then} ({place}){inside}"
    if not bar["rows"]:
        return f"no row {range_}" if bar["depth"] else f"no row {bar['leads_to']}, {range_}"
    locations = [name if share == 1 else f"{name} {share:.0%}" for name, share in bar["locations"].items()]
    return f"{bar['rows']:,} subnets in {bar['leads_to']}, {range_}: {', '.join(locations)}"


def _bar_title(bar: Facts) -> str:
    """What stands on a bar that is wide enough: a row or a gap, for several rows are drawn as narrow as can be."""
    return ", ".join(bar["locations"]) or "no row"


def _bar_subtitle(bar: Facts) -> str:
    if not bar["depth"]:
        return str(bar["leads_to"])
    return str(bar["row"]["subnet"] if bar["row"] else bar["first"])


def _bands(bar: Facts) -> list[tuple[str, float, float]]:
    """The locations of a bar, each with the beginning and the height of its band; the last has the rest."""
    bands, at = [], 0.0
    for number, (name, share) in enumerate(bar["locations"].items(), 1):
        height = 100 - at if number == len(bar["locations"]) else round(100 * share, 2)
        bands.append((name, at, height))
        at = round(at + height, 2)
    return bands


class Renderer:
    """Writes pages down."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=PackageLoader("location_policy.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.filters |= {
            "moment": _moment,
            "number": lambda number: f"{number:,}",
            "json": lambda facts: json.dumps(facts, indent=2, ensure_ascii=False),
        }
        self._environment.globals |= {
            "static": static_url,
            "url": _url,
            "version": __version__,
            "commit_link": _commit_link,
            "state_mark": _state_mark,
            "hook_words": _hook_words,
            "overflow_of": _overflow_of,
            "curl": _curl,
            "outcome_words": OUTCOMES.__getitem__,
            "bands": _bands,
            "bar_words": bar_words,
            "bar_title": _bar_title,
            "bar_subtitle": _bar_subtitle,
        }

    def render(self, template: str, snapshot: Snapshot | None, facts: Facts) -> bytes:
        """A page; locations have the colours that they have in this snapshot."""
        names = snapshot.locations if snapshot else ()

        def colour(name: str) -> int:
            return colour_of(name, names)

        text = self._environment.get_template(template).render(colour=colour, **facts)
        return text.encode(errors="replace")
