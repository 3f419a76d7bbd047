"""The cheapest way to a snapshot gives the same as any other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings

from location_policy.config.files import File
from location_policy.config.validate import Validator, load_map
from location_policy.errors import BuildFailed, InvalidConfiguration
from location_policy.lookup.decision import answer
from location_policy.lookup.query_string import parse_query
from location_policy.lookup.snapshot import Snapshot, build_snapshot
from location_policy.net.addresses import parse_address
from location_policy.rollout import snapshot_builder as loading
from location_policy.rollout.snapshot_builder import SnapshotBuilder, build
from tests.fuzz.strategies import CONFIGURATIONS
from tests.support.children import children, is_alive
from tests.support.maps import COMMIT, files_of, many_rows
from tests.support.repositories import BAD, GOOD
from tests.support.service import BUILDING, wait_until

LARGE = files_of({"locations.csv": many_rows(150_000)})
"""It takes a second."""


def meaning(snapshot: Snapshot) -> tuple[object, ...]:
    """All that can be asked of a snapshot but the time."""
    addresses = [parse_address(text) for text in ("10.61.2.7", "10.0.0.9", "192.0.2.1", "2001:db8::1", "0.0.0.0")]
    named = snapshot.rules, snapshot.size, dict(snapshot.locations), snapshot.commit
    return *named, *map(snapshot.match, addresses)


FULL = {
    **GOOD,
    "locations/v6.csv": "Perth,2001:db8::/32\nPerth,2001:db8::/48\nPerth,0.0.0.0/0\n",
    "policy.toml": 'answer.default = "Zürich"\nmatch.webrtc = "remote_address"\n',
}


def test_what_is_built_elsewhere_is_what_is_built_here() -> None:
    here = build_snapshot(load_map(files_of(FULL)), None)
    assert meaning(build(files_of(FULL), was_served=False)) == meaning(here)


def test_what_is_refused_here_is_refused_with_the_same_problems() -> None:
    with pytest.raises(InvalidConfiguration) as here:
        load_map(files_of(BAD))
    with pytest.raises(InvalidConfiguration) as elsewhere:
        build(files_of(BAD), was_served=False)
    assert elsewhere.value.problems == here.value.problems
    assert elsewhere.value.message == here.value.message


def test_what_was_served_is_judged_so() -> None:
    files = files_of({"locations.csv": "Sidney,10.61.2.0/24\n", "policy.toml": 'locations.known = ["Sydney"]\n'})
    here = build_snapshot(Validator().load_map(files, was_served=True), None)
    assert meaning(build(files, was_served=True)) == meaning(here)


@settings(max_examples=10, deadline=None)
@given(CONFIGURATIONS)
def test_whatever_the_files_are_both_say_the_same(contents: dict[str, bytes]) -> None:
    def outcome(built: bool) -> object:
        files = files_of(contents)
        try:
            if built:
                return meaning(build(files, was_served=False))
            return meaning(build_snapshot(Validator().load_map(files, errors_only=True), None))
        except InvalidConfiguration as error:
            return error.problems

    assert outcome(built=True) == outcome(built=False)


def test_a_process_that_takes_too_long_is_ended() -> None:
    before = children()
    with pytest.raises(BuildFailed, match=r"^the map was not built within 0\.01 seconds$"):
        build(LARGE, was_served=False, polite=0.01, deadline=0.01)
    assert not set(children()) - set(before)


def test_where_too_little_is_left_of_the_processors_one_of_low_priority_builds_it() -> None:
    here = build_snapshot(load_map(files_of(FULL)), None)
    for polite in (0, 0.01):
        assert meaning(build(files_of(FULL), was_served=False, polite=polite)) == meaning(here)


def test_who_builds_takes_only_what_nobody_else_wants() -> None:
    before = children()
    thread = threading.Thread(target=build, args=(LARGE,), kwargs={"was_served": False})
    thread.start()
    wait_until(lambda: len(children()) > len(before), within=BUILDING)
    (child,) = set(children()) - set(before)
    wait_until(lambda: os.sched_getscheduler(child) == os.SCHED_IDLE, within=BUILDING)
    thread.join()


def test_a_process_that_is_killed_is_told() -> None:
    before = children()
    found: list[BuildFailed] = []

    def run() -> None:
        with pytest.raises(BuildFailed) as raised:
            build(LARGE, was_served=False)
        found.append(raised.value)

    thread = threading.Thread(target=run)
    thread.start()
    wait_until(lambda: len(children()) > len(before), within=BUILDING)
    (child,) = set(children()) - set(before)
    os.kill(child, signal.SIGKILL)
    thread.join()
    assert found[0].message == "the process that built the map was ended by signal 9"


def test_an_error_in_the_process_is_told() -> None:
    files = [File("locations.csv", "file", 1, "b" * 40, "text")]  # type: ignore[arg-type]  # which is the error
    with pytest.raises(BuildFailed, match=r"^the map cannot be built: TypeError: "):
        build(files, was_served=False)


def test_a_process_that_cannot_be_started_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent")
    with pytest.raises(BuildFailed, match=r"^no process can be started to build the map: No such file"):
        build(files_of(GOOD), was_served=False)


def test_a_program_that_is_not_ours_is_told_by_its_status(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(BuildFailed, match=r"^the process that built the map ended with status 1$"):
        build(LARGE, was_served=False)


def test_the_process_goes_with_its_parent() -> None:
    code = "from tests.rollout.test_snapshot_builder import LARGE, build; build(LARGE * 4, was_served=False)"
    with subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parent.parent.parent) as parent:
        listed = Path(f"/proc/{parent.pid}/task/{parent.pid}/children")
        wait_until(lambda: bool(listed.read_text()), within=BUILDING)
        child = int(listed.read_text())
        parent.kill()
    wait_until(lambda: not is_alive(child), within=BUILDING)


OTHER = replace(COMMIT, id="d" * 40)
SIDNEY = {"locations.csv": "Sidney,10.61.2.0/24\n", "policy.toml": 'locations.known = ["Sydney"]\n'}


def load(loader: SnapshotBuilder, files: list[File], *, was_served: bool = False) -> Snapshot:
    return loader.load(Validator(), files, COMMIT, was_served=was_served)


@pytest.mark.parametrize("large", [0, loading.LARGE])
def test_a_snapshot_is_of_its_commit_wherever_it_is_made(large: int) -> None:
    snapshot = load(SnapshotBuilder(large), files_of(GOOD))
    assert snapshot.commit == COMMIT
    found = answer(snapshot, parse_query(b"protocol=mssip&ms-subnet=10.61.2.0")).body
    assert (found["policy.commit"], found["policy.subnet"]) == (COMMIT.id, "10.61.2.0/24")


def test_a_commit_that_changes_no_file_only_moves_the_commit() -> None:
    loader = SnapshotBuilder()
    first = load(loader, files_of(GOOD))
    second = loader.load(Validator(), files_of(GOOD), OTHER, was_served=False)
    assert second._tree is first._tree
    assert second.commit == OTHER
    assert second.loaded_at >= first.loaded_at
    found = answer(second, parse_query(b"protocol=mssip&ms-subnet=10.61.2.0")).body
    assert found["policy.commit"] == OTHER.id
    assert answer(first, parse_query(b"protocol=sip")).body["policy.commit"] == COMMIT.id


@pytest.mark.parametrize("changed", [{"blob": "d" * 40}, {"size": 0}, {"path": "locations/other.csv"}])
def test_a_file_that_differs_is_read(changed: dict[str, str]) -> None:
    loader = SnapshotBuilder()
    first = load(loader, files_of(GOOD))
    files = files_of(GOOD)
    files[0] = replace(files[0], **changed)  # type: ignore[arg-type]  # each has its type
    assert load(loader, files)._tree is not first._tree


def test_what_was_served_once_is_judged_anew_as_a_new_commit() -> None:
    loader = SnapshotBuilder()
    assert load(loader, files_of(SIDNEY), was_served=True).size == 1
    with pytest.raises(InvalidConfiguration):
        load(loader, files_of(SIDNEY))


@pytest.mark.parametrize("large", [0, loading.LARGE])
def test_what_is_refused_leaves_the_last_one_to_be_used_again(large: int) -> None:
    loader = SnapshotBuilder(large)
    first = load(loader, files_of(GOOD))
    with pytest.raises(InvalidConfiguration):
        load(loader, files_of(BAD))
    assert load(loader, files_of(GOOD))._tree is first._tree


def test_a_process_that_failed_is_not_started_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    loader = SnapshotBuilder(0)
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
