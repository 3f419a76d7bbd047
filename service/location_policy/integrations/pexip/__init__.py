"""Pexip Infinity: what its Management Node says of locations, profiles, nodes and calls, and its local policy."""
