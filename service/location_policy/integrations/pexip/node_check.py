"""The locations that a map names, held against the nodes that a Management Node has there: can media be hosted?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ...config.files import RULES_PATH, File, holds_rows
from ...config.policy_toml import Rules
from ...config.row_file import LineCache, read_rows
from ...config.views.checks import answers, without_strays
from ...text import count, quote
from .name_check import Mismatch, Use, default_place, rules_text, rules_uses, used_names
from .platform import Platform


def node_mismatches(files: Sequence[File], rules: Rules, platform: Platform) -> Iterator[Mismatch]:
    """Locations of the map that Pexip has, and in which no media can be hosted; and bursting ones that never run."""
    files, _ = without_strays(files, rules)
    used = {**rules_uses(files, rules), **used_names(files)}
    for name, use in used.items():
        if name in platform.by_name and (found := without_node(platform, name)):
            what, hint = found
            yield Mismatch(use.place, what + _rows(use), hint)
    if any(platform.bursts(name) for name in used):
        yield from _bursting(files, rules, platform)


def without_node(platform: Platform, name: str) -> tuple[str, str] | None:
    """Why no media can be hosted in a location now, and what to do; None where it can."""
    nodes = platform.transcoding(name)
    if not nodes:
        return f"{quote(name)} has no transcoding node", "deploy one there, or name another location"
    if all(node.is_in_maintenance for node in nodes):
        hint = "end it in Platform > Conferencing nodes, or name another location meanwhile"
        return f"all transcoding nodes of {quote(name)} are in maintenance mode", hint
    return None


def _bursting(files: Sequence[File], rules: Rules, platform: Platform) -> Iterator[Mismatch]:
    """Nodes that burst are started only for a location whose configured overflow they are, whatever an answer says."""
    named = {**_rules_answers(files, rules), **_table_entries(rules), **_bursting_uses(files, platform)}
    for (location, name), use in named.items():
        if not platform.bursts(name):
            continue
        if location == name:
            hint = "name it after the location whose overflow it is, or another location here"
            yield Mismatch(
                use.place, f"{quote(name)} is a bursting location, which mostly does not run{_rows(use)}", hint
            )
        elif platform.overflow_of(location) != name:
            message = f"{quote(name)} is a bursting location, and not the configured overflow of {quote(location)}"
            hint = f"make it that, the primary one, in Platform > Locations, or name another after {quote(location)}"
            yield Mismatch(use.place, message + _rows(use), hint)


def _rules_answers(files: Iterable[File], rules: Rules) -> Mapping[tuple[str, str], Use]:
    """Every location that is a default, or that a view answers, by the location with which the answer begins."""
    found = {} if rules.default is None else {(rules.default, rules.default): Use(default_place(files), 1)}
    for location, name, (line, column) in answers(rules, rules_text(files)):
        found.setdefault((location, name), Use(f"{RULES_PATH}:{line}:{column}", 1))
    return found


def _table_entries(rules: Rules) -> Mapping[tuple[str, str], Use]:
    """Every location that the table of overflow locations names, by the location of the entry."""
    return {
        (location, name): Use(f"{RULES_PATH}:{rules.overflow_lines[location]}:1", 1)
        for location, overflow in rules.overflow_table.items()
        for name in overflow
    }


def _bursting_uses(files: Iterable[File], platform: Platform) -> Mapping[tuple[str, str], Use]:
    """Every bursting location that rows name, by the location of the row: the first cell, and how many rows."""
    used: dict[tuple[str, str], Use] = {}
    memory = LineCache()
    for file in sorted(files, key=lambda file: file.path):
        if holds_rows(file.path) and file.content is not None:
            rows = read_rows(file.path, file.content, memory)
            for number, row in rows.rows():
                for position, name in enumerate(row.names):
                    if platform.bursts(name):
                        place = f"{file.path}:{number}:{rows.cell(number, position).column}"
                        before = used.get((row.names[0], name))
                        used[row.names[0], name] = before._replace(rows=before.rows + 1) if before else Use(place, 1)
    return used


def _rows(use: Use) -> str:
    return f", in {count(use.rows, 'row')}" if use.rows > 1 else ""
