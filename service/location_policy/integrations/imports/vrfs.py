"""The same prefix in more than one VRF of one table or several, told once in each: a caller has an address, no VRF."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...net.addresses import Network
from ...net.ranges import Names
from ...problems import Problem, Severity
from ...text import count, quote
from .prefix_table import SitePrefix


@dataclass
class VrfCheck:
    """The prefixes of tables that have VRFs, each in the VRF where it stands first."""

    first: dict[Network, tuple[str, SitePrefix, Names]] = field(default_factory=dict)
    """With the path of the table."""
    repeated: list[tuple[SitePrefix, bool]] = field(default_factory=list)
    """Those of the table that is being read that stand in another VRF too, and whether that answers alike."""

    def is_repeated(self, path: str, prefix: SitePrefix, names: Names) -> bool:
        """Does this prefix, which goes to locations of these names, stand in another VRF already?"""
        _, before, its = self.first.setdefault(prefix.network, (path, prefix, names))
        if before.vrf == prefix.vrf:
            return False
        self.repeated.append((prefix, its == names))
        return True

    def problem(self, path: str, heading: str) -> Problem | None:
        """What is said of those of a table, which ends, at the first that is answered otherwise; `heading` is that of
        the column of VRFs.
        """
        repeated, self.repeated = self.repeated, []
        if not repeated:
            return None
        prefix, is_alike = min(repeated, key=lambda one: one[1])
        its_path, before, _ = self.first[prefix.network]
        number = len({one.network for one, _ in repeated})
        place = f"line {before.line}" if its_path == path else f"{its_path}:{before.line}"
        where = f"{prefix.network} in {_name(before)} ({place}) and in {_name(prefix)}"
        stand = "stands" if number == 1 else "stand"
        what = f"{count(number, 'subnet')} {stand} in more than one VRF of column {quote(heading)}: {where}"
        hint = "a caller has an address and no VRF: filter the export, so that each subnet is left in one of them"
        severity: Severity = "warning" if is_alike else "error"
        return Problem(path, prefix.line, 1, "duplicate-subnet", what, hint, severity)


def _name(prefix: SitePrefix) -> str:
    return quote(prefix.vrf) if prefix.vrf else "no VRF"
