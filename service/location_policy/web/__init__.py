"""Routes and responses: HTTP in front of a snapshot."""

from .app import make_app

__all__ = ["make_app"]
