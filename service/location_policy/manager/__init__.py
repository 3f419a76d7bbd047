"""What a Pexip Management Node says of locations and policy profiles; never asked for a call."""

from ..exchange import Login, Origin, trust
from .api import Manager, PolicyProfile, SystemLocation
from .origin import parse_origin

__all__ = ["Login", "Manager", "Origin", "PolicyProfile", "SystemLocation", "parse_origin", "trust"]
