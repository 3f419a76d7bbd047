"""What a real service remembers of the calls about which nodes have asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from location_policy.calls.recent import recent_calls, today
from tests.support.program import run_program
from tests.support.repositories import GOOD, clone, init_with, make_repository, said
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


@pytest.mark.parametrize("is_named", [True, False])
def test_a_push_to_a_repository_with_its_state_elsewhere_is_told_whose_calls_it_moves(
    tmp_path: Path, is_named: bool
) -> None:
    repository = init_with(tmp_path, GOOD) if is_named else tmp_path / "data/locations.git"
    (tmp_path / "data").mkdir()
    arguments = ("--repo", repository, "--state-dir", tmp_path / "data/state") if is_named else ("--example",)
    (tmp_path / "data/state").mkdir()  # so that it is here
    with started_service(*arguments, cwd=tmp_path) as service:
        service.wait_for("in-sync")
        assert service.locate("10.61.2.0").json()["result"]["location"] == "Sydney"
        assert service.stop() == 0
    work = clone(repository, tmp_path / "work")
    _, *rows = (work.path / "locations/apac.csv").read_text().splitlines(keepends=True)
    work.commit({"locations/apac.csv": "".join(["Singapore,10.61.2.0/24\n", *rows]), "expectations.csv": ""})
    assert "1 of 1 call of the last day gets another answer (100%)" in said(work.push())
    report = run_program("calls", "--repo", repository, "--since", "1d", cwd=tmp_path)
    assert report.stdout.startswith("1 call since ")
