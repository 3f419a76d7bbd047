"""A git-backed configuration service for media locations of Pexip Infinity."""

__version__ = "0.2.0"
