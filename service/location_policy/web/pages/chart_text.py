"""What the picture of the address space says in words, and where on its bars there is room for them."""

from __future__ import annotations

from collections.abc import Iterable

from ...text import escape
from .resources import Facts

FITS = {"": 326, "from-768": 700, "from-1024": 950, "from-1440": 1340}
"""Pixels that the picture has at least, by the class of what is shown from that width of the window on."""
TITLE, SUBTITLE, MARGIN = 8.8, 7.2, 12
"""Pixels of a letter, and beside the text."""
FULL = 99.9
"""Hundredths of a bar from which on it has no others."""
LEGEND = 60
"""Locations of a picture that are listed."""


def bar_words(bar: Facts) -> str:
    """All that there is to say of a bar of the picture; it begins with what can be read on it."""
    range_ = f"{bar['first']} to {bar['last']}"
    if row := bar["row"]:
        then = f", overflow: {escape(', '.join(row['overflow']))}" if row["overflow"] else ""
        inside = f"; {bar['rows'] - 1:,} inside" if bar["rows"] > 1 else ""
        place = f"{row['subnet']} in {row['path']}:{row['line']}"
        return f"{bar_title(bar)} {bar_subtitle(bar)}, {range_}{then} ({place}){inside}"
    if not bar["rows"]:
        return f"no row {range_}" if bar["depth"] else f"no row {bar['leads_to']}, {range_}"
    locations = [name if share == 1 else f"{name} {share:.0%}" for name, share in bar["locations"].items()]
    if (rest := 1 - sum(bar["locations"].values())) > 1 - FULL / 100:
        locations.append(f"others {rest:.0%}")
    return escape(f"{bar['rows']:,} subnets in {bar['leads_to']}, {range_}: {', '.join(locations)}")


def bar_title(bar: Facts) -> str:
    """What stands on a bar that is wide enough: a row or a gap, for several rows are drawn as narrow as can be."""
    return escape(", ".join(bar["locations"])) or "no row"


def bar_subtitle(bar: Facts) -> str:
    if not bar["depth"]:
        return str(bar["leads_to"])
    return str(bar["row"]["subnet"] if bar["row"] else bar["first"])


def bands(bar: Facts) -> list[tuple[str | None, float, float]]:
    """The locations of a bar, each with the beginning and the height of its band; None for all the others together."""
    found: list[tuple[str | None, float, float]] = []
    at = 0.0
    for name, share in bar["locations"].items():
        height = round(100 * share, 2)
        found.append((name, at, height))
        at = round(at + height, 2)
    return [*found, (None, at, round(100 - at, 2))] if bar["rows"] and at < FULL else found


def bar_fit(bar: Facts) -> str | None:
    """The class of the words on a bar; None where even a wide window has no room for them."""
    needed = max(TITLE * len(bar_title(bar)), SUBTITLE * len(bar_subtitle(bar))) + MARGIN
    return next((name for name, width in FITS.items() if needed <= bar["width"] / 100 * width), None)


def legend(bars: Iterable[Facts]) -> list[str]:
    """The locations of a picture, each once."""
    return sorted({name for bar in bars for name in bar["locations"]}, key=str.casefold)[:LEGEND]
