"""Pexip Infinity: what its Management Node says of locations and profiles, and its local policy."""
