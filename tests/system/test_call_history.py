"""What a real service remembers of the calls about which nodes have asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from location_policy.calls.recent import recent_calls, today
from tests.support.repositories import GOOD, make_repository
from tests.support.service import started_service


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "locations.git", GOOD)


def test_a_service_remembers_who_called_across_a_restart(repository: Path) -> None:
    for number in (1, 2):
        with started_service("--repo", repository, cwd=repository.parent) as service:
            service.wait_for("in-sync")
            assert service.locate("10.61.2.0").json()["result"]["location"] == "Sydney"
            assert service.locate("192.0.2.1").status == 200
            assert service.stop() == 0
        found = list(recent_calls(repository / "location-policy", today()))
        assert {(one.ms_subnet, one.outcome, one.location): calls for one, calls, _ in found} == {
            ("10.61.2.0", "match", "Sydney"): number,
            ("192.0.2.1", "no-match", None): number,
        }
        assert (repository / "location-policy" / "calls.sqlite").stat().st_mode & 0o777 == 0o640


def test_nothing_is_remembered_where_that_is_switched_off(repository: Path) -> None:
    with started_service("--repo", repository, "--call-history", "0", cwd=repository.parent) as service:
        service.wait_for("in-sync")
        assert service.locate("10.61.2.0").status == 200
        assert service.stop() == 0
    assert not list((repository / "location-policy").glob("calls*"))
