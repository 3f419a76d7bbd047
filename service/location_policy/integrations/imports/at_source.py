"""What is wrong with the map that an import would make, told where its rows come from, and what is alike once.

The files that would hold the rows are not written yet, so that their lines are nowhere to be seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from ...config.csv_lines import filled_cells
from ...config.row_file import LineCache, RowFile, read_rows
from ...net.addresses import Network
from ...problems import Problem, errors_in
from ...text import count
from .foreign_tables import Tables


def at_source(
    found: Iterable[Problem], written: Mapping[str, bytes], there: Mapping[str, bytes], tables: Tables
) -> list[Problem]:
    """The errors of a map of the files `there` with those that would be `written`; a location that no rule knows stands
    at the line that names it for a site.
    """
    memory = LineCache()
    new = [read_rows(path, content, memory) for path, content in written.items()]
    old = [read_rows(path, content, memory) for path, content in there.items() if path not in written]
    files = {file.path: file for file in (*old, *new)}
    rows = {file.path: {number: row.network for number, row in file.rows()} for file in files.values()}
    networks = frozenset[Network]().union(*(file.networks for file in new))
    alike: dict[tuple[str, int, str, str], list[Problem]] = {}
    for problem in errors_in(found):
        network = rows.get(problem.path, {}).get(problem.line)
        if problem.code == "duplicate-subnet" and network in networks:
            continue  # it is told by file
        told = problem
        if problem.path in written and network:
            told = _placed(problem, files[problem.path], network, tables)
        place = (told.path, told.line) if told is problem else ("", 0)
        alike.setdefault((*place, told.code, told.message), []).append(told)
    return [*map(_joined, alike.values()), *_in_both(networks, old, tables)]


def _placed(problem: Problem, file: RowFile, network: Network, tables: Tables) -> Problem:
    """The problem at the line of the table, or of the file of sites, from which it comes."""
    names = {cell.column: cell.text for cell in filled_cells(file.text(problem.line))}
    place = tables.naming.get(names.get(problem.column, ""), tables.places[network])
    path, _, line = place.rpartition(":")
    return replace(problem, path=path, line=int(line), column=1)


def _joined(alike: Sequence[Problem]) -> Problem:
    first = alike[0]
    return first if len(alike) == 1 else replace(first, message=f"{first.message}: {count(len(alike), 'subnet')}")


def _in_both(networks: frozenset[Network], others: Iterable[RowFile], tables: Tables) -> Iterator[Problem]:
    """The subnets that another file has, once for each file."""
    for file in others:
        both = [(number, row.network) for number, row in file.rows() if row.network in networks]
        if both:
            line, network = both[0]
            path, _, number = tables.places[network].rpartition(":")
            more = f", and {count(len(both) - 1, 'more subnet')} of that file" * (len(both) > 1)
            what = f"{network} is in {file.path}:{line} already{more}"
            hint = f"delete {'them' if more else 'it'} in one of the two files"
            yield Problem(path, int(number), 1, "duplicate-subnet", what, hint)
