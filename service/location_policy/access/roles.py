"""Who may do what: a file with a line `user: role[,role]` for each user.

Without the file every user is node and viewer. With it, who is not named may do nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, get_args
from unicodedata import normalize

from ..errors import UnusableFile
from ..problems import Problem
from ..spelling import nearest
from ..text import quote, without_bom

Role = Literal["node", "viewer", "editor"]
"""`node`: policy requests; `viewer`: to look at everything; `editor`: that, and to change it."""

ROLES: tuple[Role, ...] = get_args(Role)
EVERYONE: frozenset[Role] = frozenset(("node", "viewer"))
"""The roles of every user where no file says otherwise."""


def read_roles(content: bytes, path: str) -> Mapping[str, frozenset[Role]]:
    """The roles of each user who is named; raises UnusableFile with every line that cannot be used."""
    roles: dict[str, frozenset[Role]] = {}
    problems = []
    for number, raw in enumerate(without_bom(content).split(b"\n"), 1):
        line = raw.decode(errors="replace").strip()
        if not line or line.startswith("#"):
            continue
        user, _, names = (part.strip() for part in line.partition(":"))
        user = normalize("NFC", user)
        try:
            found = _parse_line(user, names, is_known=user in roles)
        except ValueError as error:
            problems.append(Problem(path, number, 1, "not-a-role", str(error), f"write: USER: {', '.join(ROLES)}"))
        else:
            roles[user] = found
    if problems:
        raise UnusableFile(path, problems)
    return MappingProxyType(roles)


def _parse_line(user: str, names: str, *, is_known: bool) -> frozenset[Role]:
    """The roles of a user, with commas between them; an editor is a viewer too."""
    if not user or not names:
        raise ValueError("this is not a user, a colon and roles")
    if is_known:
        raise ValueError(f"{user} has a line above already")
    words = [word.strip().lower() for word in names.split(",")]
    for word in words:
        if word not in ROLES:
            meant = nearest(word, ROLES)
            raise ValueError(f"{quote(word)} is not a role" + (f"; is {meant} meant?" if meant else ""))
    found = frozenset(role for role in ROLES if role in words)
    return found | {"viewer"} if "editor" in found else found
