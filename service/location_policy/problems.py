"""One thing that is wrong, at one place: path, line, column, code, severity, message, hint.

`CODES` is the whole list of what can be wrong. A fixed code keeps a row or a file from having one meaning, or a promise
from being kept, and is always an error; the severity of an adjustable one can be set in the `[checks]` table of
`policy.toml`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from .text import escape

Severity = Literal["error", "warning", "off"]

Fields = dict[str, object]
"""What programs read, as JSON has it."""


class Code(NamedTuple):
    """What a code means, and how much it weighs unless `[checks]` says otherwise."""

    meaning: str
    severity: Severity = "error"
    adjustable: bool = False


CODES = {
    "not-utf8": Code("bytes that are not UTF-8"),
    "nul": Code("a NUL byte"),
    "too-large": Code(
        "a file over 128 MiB or all together over 256 MiB, each content once, a line over 64 KiB or of more than 64 "
        "cells, a map over 2,000,000 rows or 4,000,000 lines, a commit over 200,000 files and folders or 10,000 CSV "
        "files, a path over 1,024 characters, a table beside the map over 16 MiB, a `policy.toml` over 1 MiB"
    ),
    "symlink": Code("a symbolic link where a file should be"),
    "submodule": Code("a submodule where a file should be"),
    "lfs-pointer": Code("a Git LFS pointer instead of the content"),
    "case-twin": Code("two paths that differ only in case"),
    "conflict-marker": Code("a line left by a merge that was not finished"),
    "unbalanced-quote": Code('a `"` without its partner'),
    "wrong-separator": Code("cells parted by something other than commas"),
    "too-few-columns": Code("a row without a location and a subnet"),
    "heading-row": Code("a row of column names"),
    "not-a-subnet": Code("a last cell that is not a subnet in CIDR form"),
    "octal-octet": Code("an IPv4 address with leading zeros"),
    "empty-location": Code("a row whose first cell is empty"),
    "bad-name": Code("a location name over 250 characters or with control characters"),
    "too-many-overflow": Code('more than two overflow locations where `overflow = "pair"`'),
    "duplicate-subnet": Code("the same subnet in two rows"),
    "no-rows": Code("no row in the whole map"),
    "broken-expectation": Code("an address that does not get what `expectations.csv` expects"),
    "bad-owner": Code("an owner in `owners.csv` that cannot be asked: a second one, or not a name"),
    "rules-syntax": Code("a `policy.toml` that is not TOML"),
    "rules-unknown-key": Code("a key that `policy.toml` does not have"),
    "rules-type": Code("a value that its key in `policy.toml` cannot take"),
    "host-bits": Code(
        "a subnet with host bits set; as a warning it counts as the network that holds it", adjustable=True
    ),
    "unknown-location": Code("a name that is not in `known`", adjustable=True),
    "repeated-location": Code("the same name twice in one row", adjustable=True),
    "formula-name": Code("a name that a spreadsheet would run as a formula (= + - @)", adjustable=True),
    "stray-csv": Code("a CSV file, or a `Policy.toml`, that is not read", "warning", adjustable=True),
    "redundant-subnet": Code("a row that says what the next wider row around it says", "warning", adjustable=True),
    "shadowed-subnet": Code("a row of which longer rows take every address", "warning", adjustable=True),
    "unused-location": Code("a name in `known` that no row and no default uses", "warning", adjustable=True),
    "name-near-miss": Code(
        "without `known`: a name that differs from a commoner one by case, space or a letter",
        "warning",
        adjustable=True,
    ),
    "catch-all": Code("a row for every address: 0.0.0.0/0 or ::/0", "warning", adjustable=True),
    "home-network": Code(
        "a row that takes callers at home: 192.168.0.0, 192.168.1.0 or 10.0.0.0 with /24 or longer",
        "warning",
        adjustable=True,
    ),
    "owner-approval": Code(
        "a push that changes what addresses get, without the word of whom `owners.csv` names",
        "warning",
        adjustable=True,
    ),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    `line` and `column` are 1-based, the column in characters: where the cell starts, or the one character that is
    wrong (`not-utf8`, `nul`, `unbalanced-quote`, `rules-syntax`). What is wrong with a whole file stands at 1:1.
    """

    path: str
    line: int
    column: int
    code: str
    message: str
    hint: str | None = None
    severity: Severity = "error"

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}:{self.column}"
        text = escape(f"{place}: {self.severity}: {self.message} [{self.code}]")
        return f"{text}\n  hint: {escape(self.hint)}" if self.hint else text

    def fields(self) -> Fields:
        """Where it is, and what, as programs read it."""
        return {
            "path": self.path,
            "line": self.line,
            "column": self.column,
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "hint": self.hint,
        }


def errors_in(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Those that keep a configuration from being served."""
    return tuple(problem for problem in problems if problem.severity == "error")
