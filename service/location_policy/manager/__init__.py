"""What a Pexip Management Node says of locations and policy profiles; never asked for a call."""

from .api import Manager, PolicyProfile, SystemLocation
from .exchange import Login, trust
from .origin import Origin, parse_origin

__all__ = ["Login", "Manager", "Origin", "PolicyProfile", "SystemLocation", "parse_origin", "trust"]
