"""`location-policy password`: a user's password, asked for and put into a file."""

from __future__ import annotations

import sys
from getpass import getpass
from pathlib import Path

from ...access.htpasswd import check_name
from ...access.set_password import change_password
from ...errors import LocationPolicyError
from ...text import escape


def password(user: str, path: Path) -> None:
    """Change it, or add the user; raises LocationPolicyError."""
    try:
        check_name(user)
        is_new = change_password(path, user, _ask(user))
    except ValueError as error:
        raise LocationPolicyError(str(error)) from None
    print(f"{'added' if is_new else 'changed'} {escape(user)} in {escape(str(path))}")


def _ask(user: str) -> str:
    if not sys.stdin.isatty():
        line = sys.stdin.buffer.readline().decode(errors="surrogateescape")
        return line.removesuffix("\n").removesuffix("\r")
    try:
        first = getpass(f"password of {escape(user)}: ")
        if getpass("once more: ") != first:
            raise ValueError("the two are not alike: nothing was changed")
    except (EOFError, KeyboardInterrupt):
        print(file=sys.stderr)
        raise ValueError("nothing was changed") from None
    return first
