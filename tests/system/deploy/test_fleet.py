"""A service that follows a service, behind the real HAProxy: what is lost, and that no call fails."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from location_policy.rollout.journal import Event
from tests.forge.servers import https
from tests.support.deployments import needs
from tests.system.deploy import scenarios
from tests.system.deploy.fleet import FAKETIME, Fleet, Site, running_fleet
from tests.system.deploy.load import ANSWERED, Call
from tests.system.deploy.oracle import wrong_answers
from tests.system.deploy.scenarios import Scenario
from tests.system.faults.test_state_directory import small_disk

pytestmark = [*https, needs("haproxy", "haproxy")]

SHORT = Site(drain=0.5, inter="200ms")
"""Where what fails is sent to another replica, nothing is to be waited for."""
PLANNED = Site(drain=1.5, inter="200ms", has_retries=False)
BEGAN = datetime.now(UTC)


def run(fleet: Fleet, *all_of: Scenario) -> None:  # pragma: no cover  needs these servers
    """One after the other under load."""
    for scenario in all_of:
        with fleet.loaded() as load:
            scenario(fleet)
        assert {call.server for call in load.calls} <= set(fleet.replicas)
        assert load.outcomes.keys() == {ANSWERED}, (scenario, load.outcomes, load.failed[:20])


def test_no_call_fails_in_restarts_that_are_planned_though_none_is_sent_twice(
    tmp_path: Path,
) -> None:  # pragma: no cover  as above
    with running_fleet(tmp_path, PLANNED) as fleet:
        run(fleet, scenarios.restart_of_replicas, scenarios.restart_of_the_upstream)


def test_no_call_fails_whatever_is_lost(tmp_path: Path) -> None:  # pragma: no cover  as above
    with running_fleet(tmp_path, SHORT) as fleet:
        run(fleet, scenarios.killed_replica, scenarios.killed_upstream, scenarios.forge_away, scenarios.upstream_away)


def test_answers_are_from_what_is_in_force_at_the_upstream_and_go_back_only_as_it_does(
    tmp_path: Path,
) -> None:  # pragma: no cover  as above
    with running_fleet(tmp_path, SHORT) as fleet:
        run(fleet, scenarios.good_commit, scenarios.bad_commit, scenarios.rewritten_history, scenarios.pin_and_its_end)


def test_neither_a_disk_that_is_full_nor_clocks_that_are_wrong_fail_a_call(
    tmp_path: Path,
) -> None:  # pragma: no cover  as above, and mount
    clocks = {"one": "+10m", "three": "-10m"} if FAKETIME else {}
    with ExitStack() as stack:
        disk = stack.enter_context(small_disk(tmp_path / "disk", kilobytes=1024))
        fleet = stack.enter_context(running_fleet(tmp_path, replace(SHORT, clocks=clocks, disks={"two": disk})))
        for name in clocks:
            told = datetime.fromisoformat(fleet.replicas[name].service.status()["service"]["started_at"])
            assert abs(told - datetime.now(UTC)) > timedelta(minutes=8)
        run(fleet, scenarios.full_disk, scenarios.killed_upstream)


def put_in_force(commit: str, second: float) -> Event:
    return Event(BEGAN + timedelta(seconds=second), commit, "active")


def answered(commit: str, began: float, ended: float) -> Call:
    at = BEGAN.timestamp()
    return Call(at + began, at + ended, ANSWERED, "one", commit)


def test_an_answer_from_a_commit_that_is_not_in_force_yet_is_wrong() -> None:
    journal = [put_in_force("a", 0), put_in_force("b", 10)]
    assert wrong_answers([answered("a", 1, 2), answered("b", 10, 11)], journal) == []
    (wrong,) = wrong_answers([answered("b", 8, 9)], journal)
    assert wrong.startswith("one answered, before it was active, from b at ")
    (wrong,) = wrong_answers([answered("c", 8, 9)], journal)
    assert " from c at " in wrong


def test_an_answer_that_goes_back_is_wrong_unless_the_upstream_did_or_both_were_under_way() -> None:
    journal = [put_in_force("a", 0), put_in_force("b", 10)]
    there_and_back = [answered("a", 1, 2), answered("b", 11, 12), answered("a", 13, 14)]
    (wrong,) = wrong_answers(there_and_back, journal)
    assert wrong.startswith("one went back to a at ")
    assert wrong_answers(there_and_back, [*journal, put_in_force("a", 13)]) == []
    assert wrong_answers([answered("b", 11, 14), answered("a", 12, 13)], journal) == []
