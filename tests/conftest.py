"""How hypothesis runs here: the same examples each time, and no clock, which a busy machine would trip over."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")
