"""A corpus of tables as people make them: of our own rows, in each form and with each slip that public reports tell of.

The kinds are those of trackers and forums: spreadsheets of other countries, marks of encodings, cells quoted by a
program, what a page or a mail does to a table, masks and ranges for subnets, names that look like others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

ROWS = (
    ("Sydney", "Melbourne", "Singapore", "10.61.2.0/24"),
    ("Singapore", "Sydney", "", "10.65.0.0/20"),
    ("Perth", "", "", "2001:db8:61::/48"),
)
SHORT = (("Sydney", "Melbourne", "10.61.2.0/24"), ("Singapore", "10.65.0.0/20"), ("Perth", "2001:db8:61::/48"))
HEADINGS = {
    "english": ("Location", "Overflow 1", "Overflow 2", "Subnet"),
    "german": ("Standort", "Überlauf 1", "Überlauf 2", "Netz"),
    "french": ("Lieu", "Débordement", "Débordement 2", "Réseau"),
    "italian": ("Sede", "Riserva", "Riserva 2", "Rete"),
    "no-known": ("Aftakking", "Uitwijk", "Uitwijk bis", "Onderdeel"),
    "pexsubnet": ("loc", "pover", "sover", "snet"),
}
SEPARATORS = {"commas": ",", "semicolons": ";", "tabs": "\t", "bars": "|"}
FORMS: dict[str, Callable[[str], bytes]] = {
    "crlf": lambda text: text.replace("\n", "\r\n").encode(),
    "no-last-line-end": lambda text: text.rstrip("\n").encode(),
    "mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "blank-lines": lambda text: text.replace("\n", "\n\n").encode(),
    "comments": lambda text: ("# offices\n" + text + "## the end\n").encode(),
    "utf-16": lambda text: text.encode("utf-16"),
    "utf-16-be": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    "joined-files": lambda text: b"\xef\xbb\xbf".join([b"", text.encode(), b"Hobart,,,10.70.0.0/16\n"]),
    "rows-of-nothing": lambda text: (text + ",,,\n,,,\n").encode(),
    "trailing-cells": lambda text: text.replace("\n", ",,\n").encode(),
    "space-around": lambda text: text.replace(",", " , ").encode(),
    "all-quoted": lambda text: "".join('"' + line.replace(",", '","') + '"\n' for line in text.splitlines()).encode(),
}
SUBNETS = """
    10.61.2.0/24 10.61.2.7/24 10.61.2.0 10.61.2.0/255.255.255.0 10.61.2.0/0.0.0.255 10.61.2.0-10.61.2.255 10.61.2.*
    10.61.2 010.061.002.000/24 10.61.2.0/024 10.61.2.0/+24 10.61.2.0/33 10.61.2.0/ /24 10.61.300.0/24 10.61.2.0\\24
    10.61/16 10.61.2.0/24/24 2001:db8::1/48 2001:DB8:61:0::/64 [2001:db8::]/48 2001:db8::/129 ::ffff:10.61.2.0/120
    fe80::1%eth0/64 10.61.2.0/24; n/a 0 Netz 10.61.2.0/24*
""".split()  # noqa: SIM905  a list of words
NAMES = (
    "München",
    "Sydney, NSW",
    'The "Hub"',
    "=cmd|' /C calc'!A0",
    "#N/A",
    "#NV",
    "#REF!",
    "Syd\u200bney",
    "Syd\u00a0ney",
    "MÃ¼nchen",
    "Zu\u0308rich",
    "S\u0443dney",
    "Z\ufffdrich",
    "10.61.9.0/24",
    "S" * 251,
    "Syd\x07ney",
    "Sydney",
    "# Sydney",
    "",
)


def _text(rows: tuple[tuple[str, ...], ...], separator: str = ",") -> str:
    return "".join(f"{separator.join(cells)}\n" for cells in rows)


def _cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if '"' in text or "," in text else text


def corpus() -> Iterator[tuple[str, bytes]]:
    """Each file by its name."""
    for name, rows in (("old", ROWS), ("ours", SHORT)):
        for form, make in FORMS.items():
            yield f"{name}.{form}", make(_text(rows))
        for what, separator in SEPARATORS.items():
            yield f"{name}.{what}", _text(rows, separator).encode()
    for language, heading in HEADINGS.items():
        for what, separator in SEPARATORS.items():
            yield f"heading.{language}.{what}", _text((heading, *ROWS), separator).encode()
    for number, subnet in enumerate(SUBNETS):
        yield f"subnet.{number}", _text((ROWS[1], ("Hobart", "Sydney", "", subnet), ROWS[2])).encode()
    for number, name in enumerate(NAMES):
        row = (_cell(name), "Sydney" if name != "Sydney" else "Perth", "", "10.71.0.0/16")
        yield f"name.{number}", _text((ROWS[1], row, ROWS[2])).encode()
        overflow = ("Hobart", _cell(name), "", "10.71.0.0/16")
        yield f"overflow.{number}", _text((ROWS[1], overflow, ROWS[2])).encode()
    yield from _slips()


def _slips() -> Iterator[tuple[str, bytes]]:
    """Lines that are no rows, between some that are."""
    before, after = _text(ROWS[:1]).encode(), _text(ROWS[1:]).encode()
    for name, line in {
        "latin-1": b"Z\xfcrich,,,10.70.0.0/16",
        "nul": b"Sydney\x00,,,10.70.0.0/16",
        "conflict": b"<<<<<<< HEAD\nHobart,,,10.70.0.0/16\n=======\nDarwin,,,10.70.0.0/16\n>>>>>>> other",
        "stray-mark": b'"Hobart,,,10.70.0.0/16',
        "cell-of-two-lines": b'"Hobart\nTas",,,10.70.0.0/16',
        "quoted-comment": b'"# Hobart, and more",,,',
        "missing-subnet": b"Hobart,Sydney,,",
        "missing-location": b",Sydney,,10.70.0.0/16",
        "only-a-subnet": b"10.70.0.0/16",
        "only-a-word": b"Hobart",
        "duplicate": b"Hobart,,,10.61.2.0/24",
        "duplicate-of-the-same": b"Sydney,Melbourne,Singapore,10.61.2.0/24",
        "two-subnets": b"Hobart,10.70.0.0/16,,10.71.0.0/16",
        "two-rows": b"Hobart,10.70.0.0/16Darwin,10.71.0.0/16",
        "mask-beside": b"Hobart,,10.70.0.0,255.255.0.0",
        "subnet-first": b"10.70.0.0/16,Hobart,,",
        "full-width-comma": "Hobart，，，10.70.0.0/16".encode(),
        "ruler": b"---|---|---|---",
        "of-a-page": b"| Hobart | | | 10.70.0.0/16 |",
        "heading-again": b"Location,Overflow,Overflow,Subnet",
        "three-overflow-locations": b"Hobart,Sydney,Perth,10.70.0.0/16,more",
        "long-line": b"H" * 70_000 + b",,,10.70.0.0/16",
        "cr-inside": b"Hobart\r,,,10.70.0.0/16",
        "space-only": b"   ",
        "ascii-art": b"+--------+",
        "arrow": b"Hobart -> 10.70.0.0/16",
        "colon": b"Hobart: 10.70.0.0/16",
        "list": b"- Hobart 10.70.0.0/16",
        "quoted-row": b'"Hobart,,,10.70.0.0/16"',
        "html": b"<td>Hobart</td><td>10.70.0.0/16</td>",
        "total": b"Total,,,3",
        "note": b"Stand: 01.02.2026,,,",
        "no-break-space": "Hobart,,,\u00a010.70.0.0/16".encode(),
        "next-line": "Hobart,,,10.70.0.0/16\u0085".encode(),
        "digits-of-full-width": "Hobart,,,\uff11\uff10.70.0.0/16".encode(),
        "range": b"Hobart,,,10.70.0.0 - 10.70.1.127",
        "mask-and-host-bits": b"Hobart,,,10.70.1.7/255.255.0.0",
        "mask-beside-and-host-bits": b"Hobart,,10.70.1.7,255.255.0.0",
        "simple-marks": b"'Hobart','','','10.70.0.0/16'",
        "formula": b'Hobart,,,="10.70.0.0/16"',
        "several-subnets": b"Hobart,,,10.70.0.0/16; 10.71.0.0/16",
        "mark-within": "Ho\ufeffbart,,,10.70.0.0/16".encode(),
        "many-cells": b"Hobart" + b"," * 80 + b"10.70.0.0/16",
    }.items():
        yield f"slip.{name}", before + line + b"\n" + after
