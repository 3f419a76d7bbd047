"""Which map rows belong to that are added or uploaded: the one at the top, or that of a view."""

from __future__ import annotations

from ..config.files import ROWS_PATH, RULES_PATH, in_view, view_of
from ..config.policy_toml import read_rules
from ..errors import NotWritable
from ..text import listed, quote


def home_of(view: str, path: str, rules: bytes) -> str:
    """The view in whose folder the file is, or the one that is named where none is; empty: the map at the top.

    Raises NotWritable where these rules name no such view, and where the file is in the folder of none or of another.
    """
    found = view_of(path) if path else view
    if view and found != view:
        hint = f"take {in_view(view, ROWS_PATH)}, or name no file"
        raise NotWritable(f"{quote(path)} is no file of view {quote(view)}", hint)
    names = [one.name for one in read_rules(rules)[0].views]
    if found and found not in names:
        hint = f"its views are: {listed(names)}" if names else "begin one below [[view]] in a clone"
        raise NotWritable(f"{RULES_PATH} names no view {quote(found)}", hint)
    return found
