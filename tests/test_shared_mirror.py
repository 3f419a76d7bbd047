"""The oldest worker fetches, and the others hear how it went."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from location_policy.crew import BIRTH, Crew
from location_policy.errors import RepositoryError
from location_policy.mirror import Mirror
from location_policy.shared_mirror import SharedMirror
from tests.support.repositories import GOOD, force_commit, make_repository, tip
from tests.support.service import wait_until


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "remote.git", GOOD)


@pytest.fixture
def crew() -> Crew:
    """Two workers; this one is the oldest."""
    crew = Crew(2)
    for number, place in enumerate(crew.places, 1):
        place.cells[BIRTH] = number
    return crew


@pytest.fixture
def mirror(remote: Path, tmp_path: Path, crew: Crew) -> SharedMirror:
    made = Mirror(remote.as_uri(), tmp_path / "state", None, interval=0)
    made.make()
    return SharedMirror(made, crew)


def test_what_the_oldest_fetches_is_told_to_the_others(mirror: SharedMirror, remote: Path, crew: Crew) -> None:
    mirror.update()
    fetched_at = mirror.fetched_at
    assert fetched_at
    assert tip(mirror.directory) == tip(remote)
    crew.own = crew.places[1]
    force_commit(remote, {"locations.csv": "Perth,10.61.2.0/24\n"})
    mirror.fetched_at = None
    mirror.update()
    assert mirror.fetched_at == fetched_at
    assert tip(mirror.directory) != tip(remote)


def test_a_fetch_that_fails_fails_for_all(mirror: SharedMirror, remote: Path, crew: Crew) -> None:
    mirror.update()
    remote.rename(remote.with_name("away.git"))
    with pytest.raises(RepositoryError) as first:
        mirror.update()
    crew.own = crew.places[1]
    with pytest.raises(RepositoryError) as then:
        mirror.update()
    assert (then.value.message, then.value.hint) == (first.value.message, first.value.hint)
    assert mirror.fetched_at


def test_the_others_wait_for_a_first_fetch_and_the_next_oldest_makes_it(
    mirror: SharedMirror, remote: Path, crew: Crew
) -> None:
    first, crew.own = crew.places
    thread = threading.Thread(target=mirror.update)
    thread.start()
    thread.join(0.1)
    assert thread.is_alive()
    first.leave()
    wait_until(lambda: not thread.is_alive())
    assert tip(mirror.directory) == tip(remote)
