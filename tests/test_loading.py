"""The cheapest way to a snapshot gives the same as any other."""

from __future__ import annotations

import sys
import time
from dataclasses import replace

import pytest

from location_policy import loading
from location_policy.errors import BuildFailed, InvalidConfiguration
from location_policy.loading import Loader
from location_policy.location_map import Gate
from location_policy.policy import answer
from location_policy.queries import parse_query
from location_policy.snapshot import Snapshot
from location_policy.sources import File
from tests.support.maps import COMMIT, files_of
from tests.support.repositories import BAD, GOOD

OTHER = replace(COMMIT, id="d" * 40)
SIDNEY = {"locations.csv": "Sidney,10.61.2.0/24\n", "policy.toml": 'locations.known = ["Sydney"]\n'}


def load(loader: Loader, files: list[File], *, was_served: bool = False) -> Snapshot:
    return loader.load(Gate(), files, COMMIT, was_served=was_served)


@pytest.mark.parametrize("large", [0, loading.LARGE])
def test_a_snapshot_is_of_its_commit_wherever_it_is_made(large: int) -> None:
    snapshot = load(Loader(large), files_of(GOOD))
    assert snapshot.commit == COMMIT
    found = answer(snapshot, parse_query(b"protocol=mssip&ms-subnet=10.61.2.0")).body
    assert (found["policy.commit"], found["policy.subnet"]) == (COMMIT.id, "10.61.2.0/24")


def test_a_commit_that_changes_no_file_only_moves_the_commit() -> None:
    loader = Loader()
    first = load(loader, files_of(GOOD))
    second = loader.load(Gate(), files_of(GOOD), OTHER, was_served=False)
    assert second._tree is first._tree
    assert second.commit == OTHER
    assert second.loaded_at >= first.loaded_at
    found = answer(second, parse_query(b"protocol=mssip&ms-subnet=10.61.2.0")).body
    assert found["policy.commit"] == OTHER.id
    assert answer(first, parse_query(b"protocol=sip")).body["policy.commit"] == COMMIT.id


@pytest.mark.parametrize("changed", [{"blob": "d" * 40}, {"size": 0}, {"path": "locations/other.csv"}])
def test_a_file_that_differs_is_read(changed: dict[str, str]) -> None:
    loader = Loader()
    first = load(loader, files_of(GOOD))
    files = files_of(GOOD)
    files[0] = replace(files[0], **changed)  # type: ignore[arg-type]  # each has its type
    assert load(loader, files)._tree is not first._tree


def test_what_was_served_once_is_judged_anew_as_a_new_commit() -> None:
    loader = Loader()
    assert load(loader, files_of(SIDNEY), was_served=True).size == 1
    with pytest.raises(InvalidConfiguration):
        load(loader, files_of(SIDNEY))


@pytest.mark.parametrize("large", [0, loading.LARGE])
def test_what_is_refused_leaves_the_last_one_to_be_used_again(large: int) -> None:
    loader = Loader(large)
    first = load(loader, files_of(GOOD))
    with pytest.raises(InvalidConfiguration):
        load(loader, files_of(BAD))
    assert load(loader, files_of(GOOD))._tree is first._tree


def test_a_process_that_failed_is_not_started_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    loader = Loader(0)
    with monkeypatch.context() as patched:
        patched.setattr(sys, "executable", "/bin/false")
        with pytest.raises(BuildFailed) as first:
            load(loader, files_of(GOOD))
    with pytest.raises(BuildFailed) as second:
        load(loader, files_of(GOOD))
    assert second.value is first.value
    assert load(loader, files_of(SIDNEY), was_served=True).size == 1
    moment = time.monotonic() + loading.AGAIN
    monkeypatch.setattr(time, "monotonic", lambda: moment)
    assert load(loader, files_of(GOOD)).commit == COMMIT
