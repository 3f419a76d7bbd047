"""What a long command is at, on a terminal."""

from __future__ import annotations

import sys

from ...text import escape

_CLEAR = "\r\x1b[K"
"""Back to the start of the line, and erase it (ECMA-48, CR and EL)."""


class Progress:
    """One line of standard error that is written anew, and gone when the `with` block ends; none off a terminal."""

    def __init__(self) -> None:
        self._is_shown = sys.stderr.isatty()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._write(_CLEAR)

    def say(self, text: str) -> None:
        """What is being done now."""
        self._write(f"{_CLEAR}{escape(text)} …")

    def note(self, line: str) -> None:
        """A line that stays, on a terminal or not."""
        self._write(_CLEAR)
        print(escape(line), file=sys.stderr)

    def _write(self, text: str) -> None:
        if self._is_shown:
            print(text, end="", file=sys.stderr, flush=True)
