"""Routes and responses: HTTP in front of a snapshot."""

from .app import BODIES, make_app
from .git import PLACE
from .guard import ALL_ROLES, OPEN, Access

__all__ = ["ALL_ROLES", "BODIES", "OPEN", "PLACE", "Access", "make_app"]
