"""The answers of a subnet, and the rows that lead to a location, as JSON; sizes count addresses, as text, since they go
beyond what JavaScript counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..config.files import RULES_PATH
from ..net.addresses import Address, Network, format_address
from ..net.split import LISTED, SplitPart, largest, range_text
from .answers import Match
from .leading_rows import LeadingRows
from .snapshot import Snapshot
from .subnet_answers import SubnetAnswers

Fields = dict[str, Any]


def subnet_fields(snapshot: Snapshot, network: Network, found: SubnetAnswers | None) -> Fields:
    """The largest parts of a subnet, and how many more; None: no opinion on any of it."""
    parts = found.parts if found else []
    shown = [_part(found, part, len(network) - 1) for part in largest(parts)] if found else []
    return {
        "subnet": str(network),
        "commit": snapshot.commit.id if snapshot.commit else None,
        "is_split": found is not None and found.is_split,
        "parts": shown,
        "more": len(parts) - len(shown),
    }


def leading_fields(snapshot: Snapshot, name: str, found: LeadingRows) -> Fields:
    """The first rows that lead to a location, and how many there are."""
    return {
        "location": name,
        "commit": snapshot.commit.id if snapshot.commit else None,
        "is_default": found.is_default,
        "is_answer": found.is_default and snapshot.rules.answer is not None,
        **_rows(snapshot, found.as_location, "as_location"),
        **_rows(snapshot, found.as_overflow, "as_overflow"),
    }


def row_fields(match: Match) -> Fields:
    """A row and where it stands, and where its overflow locations do that are those of the table."""
    return {
        "subnet": str(match.network),
        "location": match.names[0],
        "overflow": list(match.names[1:]),
        "path": match.path,
        "line": match.line,
        **({"overflow_source": f"{RULES_PATH}:{match.overflow_line}"} if match.overflow_line else {}),
    }


def _part(found: SubnetAnswers, part: SplitPart, size: int) -> Fields:
    first, last = (format_address(Address(end.to_bytes(size))) for end in part.range)
    rows = [row_fields(found.match(row)) for row in part.rows[:LISTED]]
    return {
        "range": range_text(part.range, size),
        "first": first,
        "last": last,
        "size": str(part.range.size),
        "answer": part.names and {"location": part.names[0], "overflow": list(part.names[1:])},
        "rows": rows,
        "more_rows": len(part.rows) - len(rows),
    }


def _rows(snapshot: Snapshot, positions: Sequence[int], name: str) -> Fields:
    shown = [row_fields(snapshot.match_at(position)) for position in positions[:LISTED]]
    return {name: shown, f"more_{name}": len(positions) - len(shown)}
