"""A fetch is judged as a push of the same commit is; more pairs: tests/gate/fetched_pairs.py."""

from __future__ import annotations

from pathlib import Path

from tests.gate.fetched_pairs import pairs
from tests.support.signing import SshKey, needs_ssh


def test_a_fetch_and_a_push_of_the_same_commit_have_the_same_verdict(tmp_path: Path) -> None:
    found = list(pairs(tmp_path, 20, 5, None, hook=False))
    assert [one for one in found if not one.is_same] == []
    assert {one.kind for one in found} >= {"taken", "back", "too large", "not approved", "not valid"}


@needs_ssh
def test_and_where_commits_must_be_signed(tmp_path: Path, alice: SshKey, eve: SshKey) -> None:
    found = list(pairs(tmp_path, 12, 1, (alice, eve), hook=False))
    assert [one for one in found if not one.is_same] == []
    assert {one.kind for one in found} >= {"taken", "not signed"}
