"""`owners.csv` to owners and problems: whose address space a subnet is; the file of its rows does not count.

A row is `address or subnet,owner`; the owner is a team or an email, one for each row. The longest subnet says whose an
address is, as with the rows of the map. Each line is read by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ..net.addresses import Network, parse_target
from ..problems import GATHERED, Problem, enough
from ..text import quote
from .csv_lines import Cell, Finding, file_finding, heading, is_heading_row, part_target_line, placed, split_lines
from .files import OWNERS_PATH
from .location_names import name_findings
from .subnet_hints import diagnose

OWNERS_LIMIT = 100_000
"""Rows that the file may have."""

OWNER_LIMIT = 250
"""Characters of an owner."""

_NO_NAMES = ("subnet-as-name", "error-value", "invisible-character", "lost-character")
"""What keeps a text from being a name at all, that of a location or of an owner."""

_EXAMPLE = "write 10.61.0.0/16,apac-network@example.com"


class Owned(NamedTuple):
    """A subnet and whose it is: a team or an email, as approvals name it."""

    network: Network
    owner: str


@dataclass(frozen=True, slots=True)
class OwnerFile:
    """What the file says, in its order, and what is wrong with it."""

    owned: tuple[Owned, ...] = ()
    problems: tuple[Problem, ...] = ()


def read_owners(content: bytes) -> OwnerFile:
    """The rows of the file; where one subnet stands twice, the first counts."""
    finding = file_finding(content)
    if finding:
        return OwnerFile(problems=(placed(OWNERS_PATH, 1, finding),))
    owned: dict[Network, Owned] = {}
    problems = tuple(enough(_read(content, owned)))
    if len(owned) > OWNERS_LIMIT:
        message = f"{len(owned):,} rows are more than the {OWNERS_LIMIT:,} that there may be"
        return OwnerFile(problems=(Problem(OWNERS_PATH, 1, 1, "too-large", message, "let one subnet hold others"),))
    return OwnerFile(tuple(owned.values()), problems)


def _read(content: bytes, owned: dict[Network, Owned]) -> Iterator[Problem]:
    """What is wrong with each line, while the rows are put into `owned`; up to so many lines that are none."""
    lines: dict[Network, int] = {}
    unread = 0
    for number, raw in enumerate(split_lines(content), 1):
        row, findings = _parse(raw)
        yield from (placed(OWNERS_PATH, number, one) for one in findings)
        unread += row is None and bool(findings)  # which is an error under any rules
        if unread == GATHERED:
            break
        if row and row.network in lines and not findings:
            message = f"{row.network} is in {OWNERS_PATH}:{lines[row.network]} already"
            yield Problem(OWNERS_PATH, number, 1, "duplicate-subnet", message, "delete one of the two rows")
        elif row and row.network not in lines:
            owned[row.network], lines[row.network] = row, number


def _parse(raw: bytes) -> tuple[Owned | None, tuple[Finding, ...]]:
    """What one line says, without its LF, and what is to be said about it."""
    parted = part_target_line(raw)
    if parted is None or isinstance(parted, Finding):
        return None, (parted,) if parted else ()
    text, cells = parted
    if is_heading_row([cell.text for cell in cells], 0):
        return None, (heading(text),)
    return _examine(text, *cells)


def _examine(text: str, subnet: Cell, *rest: Cell) -> tuple[Owned | None, tuple[Finding, ...]]:
    owners = [cell for cell in rest if cell.text]
    if not subnet.text or not owners:
        message = f"{quote(text.strip())} has not both a subnet and an owner"
        return None, (Finding(subnet.column, "too-few-columns", message, _EXAMPLE),)
    findings = [*_owner_findings(owners)]
    try:
        address, length = parse_target(subnet.text)
    except ValueError:
        return None, (Finding(subnet.column, *diagnose(subnet.text)), *findings)
    network = Network.holding(address, length)
    if network.first != address:
        findings.insert(0, Finding(subnet.column, "host-bits", f"{subnet.text} has host bits set", f"write {network}"))
    return Owned(network, owners[0].text), tuple(findings)


def _owner_findings(owners: list[Cell]) -> Iterator[Finding]:
    """An owner is asked by this text, so it must be one, and one that can be written in a line."""
    column, owner = owners[0]
    if len(owner) > OWNER_LIMIT or not owner.isprintable():
        message = f"{quote(owner)} is longer than {OWNER_LIMIT} characters, or has one that cannot be printed"
        yield Finding(column, "bad-owner", message, "name a team or an email")
    elif found := next((one for one in name_findings(owners[:1]) if one.code in _NO_NAMES), None):
        yield Finding(column, "bad-owner", found.message.replace("a location", "an owner"), "name a team or an email")
    if len(owners) > 1:
        message = f"{quote(owners[1].text)} is a second owner, and a subnet has one"
        yield Finding(owners[1].column, "bad-owner", message, "name a team that both belong to")
