"""A Pexip platform as its Management Node has it: which node is where, and what can host media in a location."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from ...net.addresses import Address, parse_address
from .manager_api import Manager, Node, PolicyProfile, SystemLocation


@dataclass(frozen=True)
class Platform:
    """Locations, policy profiles and nodes."""

    locations: Sequence[SystemLocation]
    profiles: Sequence[PolicyProfile]
    nodes: Sequence[Node]

    @cached_property
    def by_name(self) -> dict[str, SystemLocation]:
        """The locations by name."""
        return {one.name: one for one in self.locations}

    def profile_of(self, name: str) -> PolicyProfile | None:
        """The policy profile of a location."""
        location = self.by_name.get(name)
        return self._profiles.get(location.profile or "") if location else None

    def overflow_of(self, name: str) -> str | None:
        """The primary overflow location of a location, as it is configured."""
        location = self.by_name.get(name)
        return self._names.get(location.overflow or "") if location else None

    def transcoding(self, name: str) -> list[Node]:
        """The nodes of a location that can host media."""
        return self._transcoding.get(name, [])

    def bursts(self, name: str) -> bool:
        """Does a location run only while it is needed: is every node in it that can host media a bursting one?"""
        nodes = self.transcoding(name)
        return bool(nodes) and all(node.bursts for node in nodes)

    def location_at(self, address: str) -> str | None:
        """The name of the location of the node that has this address."""
        return self._at.get(_normal(address)) if address else None

    @cached_property
    def _names(self) -> dict[str, str]:
        return {one.uri: one.name for one in self.locations}

    @cached_property
    def _profiles(self) -> dict[str, PolicyProfile]:
        return {one.uri: one for one in self.profiles}

    @cached_property
    def _transcoding(self) -> dict[str, list[Node]]:
        found: dict[str, list[Node]] = {}
        for node in self.nodes:
            if node.transcodes:
                found.setdefault(self._names.get(node.location, node.location), []).append(node)
        return found

    @cached_property
    def _at(self) -> dict[Address | str, str]:
        return {
            _normal(address): self._names.get(node.location, node.location)
            for node in self.nodes
            for address in node.addresses
        }


def ask_platform(manager: Manager) -> Platform:
    """What a Management Node has; raises NoAnswer."""
    return Platform(manager.locations(), manager.profiles(), manager.nodes())


def _normal(address: str) -> Address | str:
    """An address in the one form in which it is compared."""
    try:
        return parse_address(address)
    except ValueError:
        return address
