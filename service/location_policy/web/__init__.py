"""Routes and responses: HTTP in front of a snapshot."""

from .app import make_app
from .guard import ALL_ROLES, OPEN, Access

__all__ = ["ALL_ROLES", "OPEN", "Access", "make_app"]
