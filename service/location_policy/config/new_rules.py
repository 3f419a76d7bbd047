"""The rules of a new configuration, made of the `policy.toml` that the program comes with."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..text import without_bom
from .known_names import with_known
from .policy_toml import read_rules

_LIMITS = b"[limits]\n"
"""The last table of the one that the program comes with."""
_SAYS_LIMITS = re.compile(rb"""^[ \t]*\[?[ \t]*["']?limits\b""", re.MULTILINE)


def new_rules(template: bytes, names: Sequence[str]) -> bytes:
    """The template with just these names known, each on a line of its own."""
    return with_known(with_known(template, ()), names)


def with_limits(content: bytes, template: bytes) -> bytes:
    """The rules with the limits of the template, where they say nothing of limits; else, or where they cannot be read,
    as they are.
    """
    _, problems = read_rules(content)
    if problems or _SAYS_LIMITS.search(without_bom(content)):
        return content
    newline = b"\r\n" if b"\r\n" in content else b"\n"
    gap = b"" if not content.strip() else newline if content.endswith(b"\n") else newline * 2
    limits = template[template.rindex(_LIMITS) :].replace(b"\n", newline)
    return content + gap + limits
