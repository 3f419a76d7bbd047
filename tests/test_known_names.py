"""Names put into `known`, whatever the file looks like; what else stands there stays."""

from __future__ import annotations

import pytest

from location_policy.known_names import with_known
from location_policy.rules import read_rules

NEW = ["Perth, WA", 'Bob"s', "São Paulo"]
LIST = '[\n    "Perth, WA",\n    "Bob\\"s",\n    "São Paulo",\n]'
BELOW = '[locations]\nknown = ["a"]\n'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f"[locations]\nknown = {LIST}\n"),
        ("[answer]\noverflow = 'pair'\n\n\n", f"[answer]\noverflow = 'pair'\n\n[locations]\nknown = {LIST}\n"),
        ("[locations]", f"[locations]\nknown = {LIST}\n"),
        ("[ locations ] # ours\n\n[match]", f"[ locations ] # ours\nknown = {LIST}\n\n[match]"),
        ('# known = ["z"]\n[locations]\nknown=["a", # ]\n \'b]\', "c]\\""] # end\n[match]', None),
        ('locations.known = ["a"]\n[match]\n', f"locations.known = {LIST}\n[match]\n"),
        ('[locations]\n"known" = []\n', f'[locations]\n"known" = {LIST}\n'),
    ],
)
def test_the_list_is_put_in_its_place(before: str, after: str | None) -> None:
    if after is None:
        after = f'# known = ["z"]\n[locations]\nknown={LIST} # end\n[match]'
    assert with_known(before.encode(), NEW).decode() == after
    assert read_rules(after.encode())[0].known == tuple(NEW)


@pytest.mark.parametrize(
    "text", ['locations = { known = ["a"] }', "known = [", "[locations]\nknown = 1\n", "\xff", "[locations.x]\n"]
)
def test_a_file_that_is_not_understood_is_not_changed(text: str) -> None:
    with pytest.raises(ValueError, match=r"not found|decode"):
        with_known(text.encode("latin-1"), NEW)
