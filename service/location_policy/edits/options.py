"""The option of changes made here: where their commits go."""

from __future__ import annotations

from typing import Literal

Changes = Literal["served", "review"]
"""Where changes go that are made on a page: on the served branch, or each on a branch of its own, to be reviewed."""
