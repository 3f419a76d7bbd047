"""The names of this machine's users, by their numbers (getpwuid(3))."""

from __future__ import annotations

import pwd


def user_name(number: int) -> str:
    """The name of a user, as people read it; a container may run as a number that has none."""
    return _find(number) or f"uid {number}"


def chown_name(number: int) -> str:
    """The name of a user, or the number, as chown(1) takes either."""
    return _find(number) or str(number)


def _find(number: int) -> str | None:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return None
