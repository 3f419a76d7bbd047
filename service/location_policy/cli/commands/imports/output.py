"""What an import says on standard output: lines as they come, or as JSON one object at its end."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ....integrations.imports.foreign_tables import Tables
from ....plan.as_json import total_fields
from ....plan.as_text import all_totals
from ....plan.plan import Plan
from ....problems import Fields, Problem, Problems
from ....text import escape

REPEATED = 3
"""Problems of one kind that are told; the rest is counted. Of a wrong encoding, one."""
MISSING = ("error", "unknown-location")
"""What is said of a site that has no location."""


class ImportOutput:
    """What an import says on standard output: lines as they come, or as JSON one object at its end."""

    def __init__(self, form: str) -> None:
        self._is_json = form == "json"
        self.problems: list[Problem] = []
        self.wrote: list[str] = []
        self.effect: Fields | None = None
        """What changes, by kind, as `diff` has it; None where that was not judged."""
        self.differences: int | None = None
        """Ranges that pexsubnet answered otherwise; None where it did not answer."""

    def say(self, *lines: str) -> None:
        """Lines for people."""
        if not self._is_json:
            print("\n".join(lines))

    def tell(self, problems: Sequence[Problem], more: str = "") -> None:
        """Problems, of which people are told a few of each kind."""
        self.problems += problems
        if problems:
            self.say(*_few(problems, more))

    def tell_written(self, path: Path, note: str = "") -> None:
        """A file that is written."""
        self.wrote.append(str(path))
        self.say(f"wrote {escape(str(path))}{note}")

    def plan(self, plan: Plan) -> None:
        """Take down what changes, for programs."""
        if self._is_json:
            totals = all_totals(plan)
            self.effect = {kind: total_fields(size) for kind, size in totals.items() if size.ranges}

    def end(self, tables: Tables) -> None:
        """The object, where one is asked for."""
        if not self._is_json:
            return
        fields = {
            "taken_as": {path: one.words for path, one in tables.taken.items()},
            "rows": {path: one.rows for path, one in tables.taken.items()},
            "passed_over": dict(tables.passed),
            "sites_missing": sorted(site for site, names in tables.sites.items() if names is None),
            "effect": self.effect,
            "differences": self.differences,
            "wrote": self.wrote,
            **Problems(self.problems).fields(),
        }
        print(json.dumps(fields, indent=2))


def _few(problems: Sequence[Problem], more: str) -> Iterator[str]:
    """The problems, three of each kind and how many more there are, of which the first has the hint; `more` is said of
    sites without a location.
    """
    total = Counter((one.severity, one.code) for one in problems)
    seen = Counter[tuple[str, str]]()
    for one in problems:
        kind = one.severity, one.code
        seen[kind] += 1
        most = 1 if kind == ("error", "not-utf8") else REPEATED
        if seen[kind] > most:
            continue
        is_repeated = total[kind] > most
        yield str(replace(one, hint=None) if is_repeated and seen[kind] > 1 else one)
        if is_repeated and seen[kind] == most:
            yield f"  … and {total[kind] - most:,} more like it{more * (kind == MISSING)}"
