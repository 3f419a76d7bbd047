"""What one process has made is there for the others, whole or not at all."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import pytest

from location_policy.building import build_pickled
from location_policy.errors import BuildFailed, InvalidConfiguration
from location_policy.loading import Loader
from location_policy.location_map import Gate
from location_policy.nameless import nameless
from location_policy.shelf import Shelf
from tests.support.maps import COMMIT, files_of
from tests.support.repositories import BAD, GOOD

SIDNEY = {"locations.csv": "Sidney,10.61.2.0/24\n", "policy.toml": 'locations.known = ["Sydney"]\n'}
"""Only what was served before may be so."""


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    shelf = Shelf()
    with shelf._file:
        yield shelf


class Maker:
    """Makes a thing, and counts how often."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.count = 0

    def __call__(self) -> IO[bytes]:
        self.count += 1
        made = nameless()
        made.write(self.content)
        return made


def test_a_thing_is_made_once_until_another_takes_its_place(shelf: Shelf) -> None:
    one, other = Maker(b"one" * 1000), Maker(b"2")
    for name, make in (("1", one), ("1", one), ("2", other), ("2", other)):
        with shelf.fetch(name, make) as found:
            assert found.read() == make.content
    with shelf.fetch("1", one) as found:
        assert found.read() == one.content
    assert (one.count, other.count) == (2, 1)


def test_what_cannot_be_made_leaves_what_is_there(shelf: Shelf) -> None:
    def fail() -> IO[bytes]:
        raise BuildFailed("no")

    one = Maker(b"one")
    with shelf.fetch("1", one):
        pass
    with pytest.raises(BuildFailed), shelf.fetch("2", fail):
        pass
    with shelf.fetch("1", one) as found:
        assert found.read() == b"one"
    assert one.count == 1


def test_another_process_waits_for_it_and_finds_it(shelf: Shelf) -> None:
    one = Maker(b"one")
    heard, tell = os.pipe()
    with shelf.fetch("1", one):
        pid = os.fork()
        if not pid:  # pragma: no cover  coverage would write what the parent has counted
            os.read(heard, 1)
            with shelf.fetch("1", lambda: os._exit(3)) as found:
                os._exit(0 if found.read() == b"one" else 4)
        os.write(tell, b"x")
        assert os.waitpid(pid, os.WNOHANG) == (0, 0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    for end in (heard, tell):
        os.close(end)


def test_what_another_process_has_put_there_since_is_seen(shelf: Shelf) -> None:
    one, two = Maker(b"one"), Maker(b"another")
    with shelf.fetch("1", one) as found:
        assert found.read() == b"one"
    pid = os.fork()
    if not pid:  # pragma: no cover  coverage would write what the parent has counted
        with shelf.fetch("2", two) as found:
            os._exit(0 if found.read() == b"another" else 4)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    with shelf.fetch("2", two) as found:
        assert found.read() == b"another"
    assert two.count == 0


def test_a_map_that_another_loader_has_built_is_taken_from_the_shelf(shelf: Shelf) -> None:
    files = files_of(GOOD)
    first = Loader(0, shelf).load(Gate(), files, COMMIT, was_served=False)
    second = Loader(0, shelf).load(Gate(), files, COMMIT, was_served=False)
    assert second.loaded_at > first.loaded_at
    assert second.wording is not first.wording
    assert (second.locations, second.rules) == (first.locations, first.rules)
    made_of = False, tuple((file.path, file.kind, file.size, file.blob) for file in files)
    with shelf.fetch(repr(made_of), Maker(b"")) as found:
        assert found.read()


def test_what_is_refused_is_refused_for_all(shelf: Shelf) -> None:
    for _ in range(2):
        with pytest.raises(InvalidConfiguration):
            Loader(0, shelf).load(Gate(), files_of(BAD), COMMIT, was_served=False)


def test_a_build_that_failed_once_has_failed_for_nobody_else(shelf: Shelf) -> None:
    text: Any = "text"  # which is the error
    wrong = [replace(file, content=text) for file in files_of(GOOD)]
    with pytest.raises(BuildFailed, match=r"^the map cannot be built: TypeError: "):
        Loader(0, shelf).load(Gate(), wrong, COMMIT, was_served=False)
    assert Loader(0, shelf).load(Gate(), files_of(GOOD), COMMIT, was_served=False).commit == COMMIT


def test_whose_build_failed_takes_what_another_has_built_since(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    unlucky = Loader(0, shelf)
    with monkeypatch.context() as patched:
        patched.setattr(sys, "executable", "/bin/false")
        with pytest.raises(BuildFailed):
            unlucky.load(Gate(), files_of(GOOD), COMMIT, was_served=False)
    Loader(0, shelf).load(Gate(), files_of(GOOD), COMMIT, was_served=False)
    assert unlucky.load(Gate(), files_of(GOOD), COMMIT, was_served=False).commit == COMMIT


def test_what_is_valid_as_a_new_commit_is_taken_as_one_of_before(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    Loader(0, shelf).load(Gate(), files_of(GOOD), COMMIT, was_served=False)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert Loader(0, shelf).load(Gate(), files_of(GOOD), COMMIT, was_served=True).commit == COMMIT
    with pytest.raises(BuildFailed):
        Loader(0, shelf).load(Gate(), files_of(SIDNEY), COMMIT, was_served=True)


def test_what_is_refused_as_a_new_commit_is_judged_again_as_one_of_before(shelf: Shelf) -> None:
    for was_served in (False, True, False):
        loader = Loader(0, shelf)
        if was_served:
            assert loader.load(Gate(), files_of(SIDNEY), COMMIT, was_served=True).size == 1
        else:
            with pytest.raises(InvalidConfiguration):
                loader.load(Gate(), files_of(SIDNEY), COMMIT, was_served=False)


@pytest.mark.parametrize("was_served", [False, True])
def test_what_is_not_valid_in_any_way_is_refused(shelf: Shelf, *, was_served: bool) -> None:
    with pytest.raises(InvalidConfiguration):
        Loader(0, shelf).load(Gate(), files_of({"policy.toml": "["}), COMMIT, was_served=was_served)


@pytest.mark.parametrize("system", ["linux", "darwin"])
def test_a_file_without_a_name_has_none_on_any_system(system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", system)
    with nameless() as file:
        file.write(b"x")
        file.seek(0)
        assert file.read() == b"x"
        assert not Path(f"/proc/self/fd/{file.fileno()}").readlink().exists()


def test_a_file_of_what_is_built_is_closed_when_that_fails() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(BuildFailed):
        build_pickled(files_of(GOOD), was_served=False, polite=0, deadline=0.0)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
