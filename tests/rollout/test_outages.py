"""What is told of a source that cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from location_policy.errors import RepositoryError
from location_policy.rollout.outages import Outages
from location_policy.rollout.state import ActiveState
from tests.support.repositories import GOOD, make_repository


def test_an_outage_is_told_once_until_a_look_goes_well(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    repository, active = make_repository(tmp_path / "locations.git", GOOD), ActiveState()
    outages = Outages(repository, active, None)
    for _ in range(3):
        outages.note_failed(RepositoryError(f"{repository} cannot be read", "look at the disk"))
        assert active.state.outage
        active.change(outage=None)  # as where HEAD can be read, and not what it names
    assert caplog.messages == [f"unreachable repository={repository}: it cannot be read; look at the disk"]
    assert active.loads["unreadable"] == 1
    outages.note_success()
    outages.note_failed(RepositoryError("it cannot be read", "look at the disk"))
    assert [line for line in caplog.messages if line.startswith("unreachable")] == 2 * caplog.messages[:1]
    assert active.loads["unreadable"] == 2
