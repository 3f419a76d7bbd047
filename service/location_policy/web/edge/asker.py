"""Who asks, as the guard has found it out: the key by which limits are shared among users, or addresses."""

from __future__ import annotations

from starlette.types import Scope

from ...server.unread import ASKER


def asker(scope: Scope) -> str:
    """Who asks; empty where no guard stands in front."""
    return str(scope.get(ASKER, ""))
