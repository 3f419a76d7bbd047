"""A report on calls, as a person reads it, as JSON, and as CSV."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from ..config.csv_lines import cells_text
from ..config.location_names import FORMULA
from ..text import ROOM, count, escape, fitting, shorten
from .report import Report, most_common

SHOWN = 20
"""Of each kind, so many are shown as text."""
TOLD = 1_000
"""Of each kind, so many are told as JSON or CSV, if not all are asked for."""
NONE = "(none)"
"""What stands for a value that the requests had not."""

Fields = dict[str, Any]


def report_lines(report: Report, shown: int | None = SHOWN) -> Iterator[str]:
    """The report as text; `shown` of each kind, None: all."""
    yield f"{count(report.calls, 'call')} since {report.since}"
    if report.merged:
        yield f"  of {report.merged:,} only the network is known"
    answers = Counter({_names_text(names): calls for names, calls in report.by_answer.items()})
    yield from _counts("by location, and overflow", answers, report.calls, shown)
    for title, counter in _tables(report).items():
        yield from _counts(title, counter, report.calls, shown)
    yield from _callers(report, shown)
    bad = Counter(
        {f"{escape(node) or NONE} sent {escape(text) or NONE}": calls for (node, text), calls in report.bad.items()}
    )
    yield from _counts("addresses that are none, by node", bad, report.calls, shown)
    if report.strange:
        yield from _counts("locations that this map does not name", report.strange, report.calls, shown)
    yield from _unused(report, shown)
    if report.unmet:
        yield from _section(f"{count(len(report.unmet), 'view')} that no call met", map(escape, report.unmet), shown)


def report_fields(report: Report, told: int | None = TOLD) -> Fields:
    """The report as JSON; of lists `told`, None: all, and how many more there are."""
    unused, unmet = report.unused, report.unmet
    return {
        "since": report.since.isoformat(),
        "calls": report.calls,
        "merged": report.merged,
        **_listed("by_answer", (
            {"location": names[0], "overflow": list(names[1:]), "calls": calls}
            for names, calls in most_common(report.by_answer)
        ), told),
        **_listed("by_protocol", _counted(report.by_protocol, "protocol"), told),
        **_listed("by_node_location", _counted(report.by_node, "node_location"), told),
        **_listed("by_outcome", _counted(report.by_outcome, "outcome"), told),
        **_listed("by_view", _counted(report.by_view, "view"), told),
        **_listed("without_row", (
            {"subnet": str(one.network), "calls": one.calls, "last": _day(one.last), "row": one.row, "view": one.view}
            for one in report.callers
        ), told),
        "scattered": report.scattered,
        **_listed("bad_addresses", (
            {"node": node or None, "address": text or None, "calls": calls}
            for (node, text), calls in most_common(report.bad)
        ), told),
        "rows": report.rows,
        **(_listed("unused_rows", (
            {"path": one.path, "line": one.line, "subnet": str(one.network), "location": one.names[0]} for one in unused
        ), told) if unused is not None else {"unused_rows": None, "more_unused_rows": 0}),
        "unmet_views": None if unmet is None else list(unmet),
        **_listed("unknown_locations", _counted(report.strange, "location"), told),
    }  # fmt: skip


def report_csv(report: Report, told: int | None = TOLD) -> Iterator[str]:
    """The report as CSV: what a row is about, its value, what belongs to it, the calls, the day of the last, and the
    view in which a row is missing.
    """
    yield "kind,value,detail,calls,last,view"
    for names, calls in most_common(report.by_answer)[:told]:
        yield _cells("location", names[0], "; ".join(names[1:]), calls)
    for kind, counter in _kinds(report).items():
        for value, calls in most_common(counter)[:told]:
            yield _cells(kind, value, "", calls)
    for one in report.callers[:told]:
        yield _cells("without-row", str(one.network), one.row, one.calls, _day(one.last), one.view or "")
    for (node, text), calls in most_common(report.bad)[:told]:
        yield _cells("bad-address", text, node, calls)
    for row in (report.unused or ())[:told]:
        yield _cells("unused-row", str(row.network), f"{row.path}:{row.line}", 0)
    for view in report.unmet or ():
        yield _cells("unmet-view", view, "", 0)


def _tables(report: Report) -> Mapping[str, Counter[str]]:
    views = {"by view": report.by_view} if any(report.by_view) else {}
    return {
        "by protocol": report.by_protocol,
        "by location of the node": report.by_node,
        "by outcome": report.by_outcome,
        **views,
    }


def _kinds(report: Report) -> Mapping[str, Counter[str]]:
    return {
        "protocol": report.by_protocol,
        "node-location": report.by_node,
        "outcome": report.by_outcome,
        "view": report.by_view,
        "unknown-location": report.strange,
    }


def _counts(title: str, counter: Counter[str], whole: int, shown: int | None) -> Iterator[str]:
    width = len(f"{whole:,}")
    lines = (f"{calls:{width},}  {escape(shorten(text)) or NONE}" for text, calls in most_common(counter))
    yield from _section(title, lines, shown)


def _callers(report: Report, shown: int | None) -> Iterator[str]:
    width = len(f"{report.calls:,}")
    lines = [f"{one.calls:{width},}  last {_day(one.last)}   {one.row}{_of_view(one.view)}" for one in report.callers]
    rest = f"{report.scattered:{width},}  from other addresses, too few in each network"
    title = "networks that call without a row, with the row to be written, of which the location is left open"
    yield from _section(title, lines, shown, rest if report.scattered else "")


def _unused(report: Report, shown: int | None) -> Iterator[str]:
    if not report.unused:
        return
    title = f"{len(report.unused):,} of {count(report.rows, 'row')} that no call since {report.since} needed"
    rows = (f"{escape(one.path)}:{one.line}: {one.network} {escape(one.names[0])}" for one in report.unused)
    yield from _section(title, rows, shown)


def _section(title: str, lines: Iterable[str], shown: int | None, rest: str = "") -> Iterator[str]:
    found = list(lines)
    if not found and not rest:
        return
    yield ""
    yield f"{title}:"
    yield from (f"  {line}" for line in found[:shown])
    if shown is not None and len(found) > shown:
        yield f"  and {len(found) - shown:,} more: --all tells them"
    if rest:
        yield f"  {rest}"


def _of_view(view: str | None) -> str:
    """Where a row belongs that is for the calls of a view."""
    return f"   in views/{escape(view)}/" if view else ""


def _names_text(names: tuple[str, ...]) -> str:
    return names[0] + (f" ({', '.join(names[1:])})" if names[1:] else "")


def _counted(counter: Counter[str], name: str) -> Iterator[Fields]:
    return ({name: value or None, "calls": calls} for value, calls in most_common(counter))


def _listed(name: str, found: Iterable[Fields], told: int | None) -> Fields:
    listed = list(found)
    shown = listed if told is None else fitting(listed, told, ROOM // 8)
    return {name: shown, f"more_{name}": len(listed) - len(shown)}


def _cells(kind: str, value: str, detail: str, calls: int, last: str = "", view: str = "") -> str:
    value, detail, view = (
        f"'{text}" if text.startswith(FORMULA) else text for text in map(escape, (value, detail, view))
    )
    return cells_text((kind, value, detail, str(calls), last, view))


def _day(number: int) -> str:
    return date.fromordinal(number).isoformat()
