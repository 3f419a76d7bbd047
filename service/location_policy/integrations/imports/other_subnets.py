"""Columns of subnets beside the one that is read, as of a table with IPv4 and IPv6 in a row, are told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...net.addresses import Network, parse_interface
from ...problems import Problem
from ...text import listed, quote
from .table_row import Cells, Columns, cell_at, clean_subnet, subnet_text

_SHOWN = 3


def other_subnets(path: str, line: int, rows: Sequence[Cells], columns: Columns) -> Problem | None:
    """What is said of columns most of whose cells are other subnets than that of their row and its parents."""
    read = {columns.subnet, columns.site, columns.mask, columns.end, *columns.overflow}
    beside = [at for at in range(len(columns.headings)) if at not in read]
    found = [quote(columns.headings[at]) for at in beside if _holds_others(rows, at, columns)]
    if not found or columns.end is not None:
        return None
    noun = "column" if len(found) == 1 else "columns"
    what = f"{noun} {listed(found, _SHOWN)} {'has' if len(found) == 1 else 'have'} subnets too, which are not read"
    hint = "import the table again for them, with --column subnet=NAME and --sync to a file of their own"
    return Problem(path, line, 1, "not-a-subnet", what, hint, "warning")


def _holds_others(rows: Iterable[Cells], at: int, columns: Columns) -> bool:
    filled = [(cell, cells) for cells in rows if (cell := cell_at(cells, at))]
    others = sum(
        _is_other(_network(clean_subnet(cell)), _network(subnet_text(cells, columns))) for cell, cells in filled
    )
    return bool(filled) and 2 * others > len(filled)


def _is_other(network: Network | None, own: Network | None) -> bool:
    return network is not None and not (own and network.meets(own))


def _network(text: str) -> Network | None:
    try:
        return Network.holding(*parse_interface(text)) if "/" in text else None
    except ValueError:
        return None
