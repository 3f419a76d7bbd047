"""The rows in force, as a list that can be searched and sorted, and as a picture of the address space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from ...config.percentages import measured_share
from ...config.views.calls import example_call
from ...lookup.as_json import row_fields
from ...lookup.location_table import LocationTotal, location_table
from ...lookup.row_search import Order, Search, asked_network, find_rows, ordered
from ...lookup.snapshot import Snapshot
from ...lookup.subnet_chart import Bar, allocations, draw, whole
from ...net.addresses import Address, Network, format_address, parse_interface
from ...net.ranges import SIZES, Range
from ...plan.as_json import answer_fields
from ...text import ROOM, count, fitting, quote
from ..edge.faults import Fault
from ..ops.status import location_fields
from ..site.site import Site
from .resources import Facts, Query

FAMILIES = {4: "IPv4", 16: "IPv6"}
SHOWN_TOTALS = 50
"""Locations of a picture that its table has; the rest is counted."""
PAGE = 100
"""Rows of a page, unless others are asked for."""


def map_rows(site: Site, query: Query) -> Facts:
    """One page of the rows that are meant."""
    top, snapshot = site.snapshot(), site.snapshot(None, query["view"])
    search = _search(query)

    def in_order(order: Order) -> Sequence[int]:
        return site.orders.get((snapshot.loaded_at, snapshot.view, order), lambda: ordered(snapshot, order))

    found = find_rows(snapshot, search, in_order)
    limit = query["limit"]
    pages = max(1, -(-len(found) // limit))
    page = min(query["page"], pages)
    wanted = found[(page - 1) * limit : page * limit]
    asked = asked_network(search.text) if search.order is None else None
    shown = fitting(
        {**row_fields(snapshot.match_at(at)), "relation": _relation(snapshot.network_at(at), asked)} for at in wanted
    )
    return {
        "commit": snapshot.commit.id if snapshot.commit else None,
        "size": snapshot.size,
        "found": len(found),
        "page": page,
        "pages": pages,
        "rows": shown,
        "more": len(wanted) - len(shown),
        **location_fields(snapshot),
        "files": len(snapshot.paths),
        "view": snapshot.view,
        "answer": answer_fields(snapshot.rules.rowless if snapshot.rules.answer else None),
        "call": example_call(top.rules.views, snapshot.view) if snapshot.view else {},
        "maps": [_counts(one, search, found if one is snapshot else None) for one in top.maps],
    }


def _search(query: Query) -> Search:
    order, is_descending = cast("Order | None", query["sort"]), query["order"] == "desc"
    return Search(query["q"] or "", query["location"], query["file"], order, is_descending=is_descending)


def _counts(snapshot: Snapshot, search: Search, found: Sequence[int] | None) -> Facts:
    """How many rows a map has, and how many of them are meant, unless these are `found` already."""
    if found is None:
        found = find_rows(snapshot, replace(search, order="subnet", is_descending=False))  # in whichever order
    return {"view": snapshot.view, "subnets": snapshot.size, "found": len(found)}


def _relation(row: Network, asked: Network | None) -> str | None:
    """What a row is to the subnet that was searched for: itself (exact), inside it, or around it."""
    if asked is None:
        return None
    return "exact" if row == asked else "inside" if row.length > asked.length else "around"


def picture(site: Site, query: Query) -> Facts:
    """The bars below one network; without one, below that of the part of the address space with most rows."""
    snapshot = site.snapshot(None, query["view"])
    families = {FAMILIES[size]: str(whole(snapshot, size)) for size in SIZES if _has_rows(snapshot, size)}
    root = _root(snapshot, query["root"])
    drawn, table = site.pictures.get(
        (snapshot.loaded_at, snapshot.view, root), lambda: (draw(snapshot, root), location_table(snapshot, root))
    )
    shown = fitting((_total_fields(one, drawn.root) for one in (table or ())[:SHOWN_TOTALS]), room=ROOM // 4)
    bars = fitting(
        (_bar_fields(bar, len(drawn.root.first)) for bar in drawn.bars), room=ROOM // 2
    )  # each is told thrice
    return {
        "commit": snapshot.commit.id if snapshot.commit else None,
        "view": snapshot.view,
        "root": str(drawn.root),
        "wider": str(drawn.wider) if drawn.wider else None,
        "families": families,
        "roots": [str(one) for one in allocations(snapshot)],
        "rows": drawn.rows,
        "depth": drawn.depth,
        "bars": bars,
        "more": len(drawn.bars) - len(bars),
        "by_location": None if table is None else shown,
        "more_locations": len(table or ()) - len(shown),
    }


def _root(snapshot: Snapshot, text: str | None) -> Network:
    if text is None:
        return next(iter(allocations(snapshot)), whole(snapshot, SIZES[0]))
    try:
        return Network.holding(*parse_interface(text))
    except ValueError:
        raise Fault(400, f"{quote(text)} is not a subnet", "write it as 10.61.0.0/16") from None


def _has_rows(snapshot: Snapshot, size: int) -> bool:
    return bool(snapshot.inside(Network(bytes(size + 1))))


def _total_fields(one: LocationTotal, root: Network) -> Facts:
    whole, size = Range.of(root).size, len(root.first)
    slash64s = one.addresses >> 64 if size == SIZES[1] else 0
    return {
        "location": one.location,
        "subnets": one.subnets,
        "size": count(slash64s, "/64") if slash64s else count(one.addresses, "address"),
        "share": measured_share(one.addresses, whole),
        "largest": str(one.largest),
    }


def _bar_fields(bar: Bar, size: int) -> Facts:
    first, last = (format_address(Address(end.to_bytes(size))) for end in bar.addresses)
    return {
        "first": first,
        "last": last,
        "start": round(bar.start * 100, 4),
        "width": round(bar.width * 100, 4),
        "depth": bar.depth,
        "leads_to": str(bar.leads_to),
        "rows": bar.rows,
        "locations": {name: round(share, 4) for name, share in bar.shares},
        "row": row_fields(bar.match) if bar.match else None,
    }
