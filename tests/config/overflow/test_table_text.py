"""Entries put into the text of a `policy.toml`."""

from __future__ import annotations

import pytest

from location_policy.config.overflow.table_text import with_entries

ENTRIES = {"Sydney": ("Melbourne", "Singapore"), "St. Leonards": ("Zürich",)}
WRITTEN = 'Sydney = ["Melbourne", "Singapore"]\n"St. Leonards" = ["Zürich"]\n'
LONG = """[overflow]  # all
# Perth [
Perth = [  # first
    "Oslo", # ]
    '"',
] # its end
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f"[overflow]\n{WRITTEN}"),
        ("# ours\n[answer]\n", f"# ours\n[answer]\n\n[overflow]\n{WRITTEN}"),
        ('[[view]]\nname = "a"\nanswer = "b"', f'[[view]]\nname = "a"\nanswer = "b"\n\n[overflow]\n{WRITTEN}'),
        ("[overflow]", f"[overflow]\n{WRITTEN}"),
        (f"{LONG}\n# limits\n[limits]\n", f"{LONG}{WRITTEN}\n# limits\n[limits]\n"),
        ("overflow.Perth = 'Oslo'\n", None),
        ("overflow = { Perth = 'Oslo' }\n", None),
        ('[overflow]\nSydney = "Perth"\n', None),
        ("[overflow\n", None),
    ],
)
def test_entries_come_last_in_the_table_and_nothing_else_changes(before: str, after: str | None) -> None:
    if after is None:
        with pytest.raises(ValueError, match=r"not (valid|found)"):
            with_entries(before.encode(), ENTRIES)
        return
    assert with_entries(before.encode(), ENTRIES).decode() == after
    crlf = with_entries(f"\ufeff{before}\n".replace("\n", "\r\n").encode(), ENTRIES).decode()
    assert crlf.startswith("\ufeff")
    assert "\n" not in crlf.replace("\r\n", "")
