"""The lock file: what runs stands above one line, what only development needs below it."""

from __future__ import annotations

import re
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent.parent
LOCK = (ROOT / "requirements.lock").read_text()
OF_SITE = (ROOT / "docs" / "site" / "requirements.lock").read_text()
OF_KUBERNETES = (ROOT / "tests" / "system" / "kubernetes" / "requirements.lock").read_text()
RUN, MARK, DEVELOPMENT = LOCK.partition("# --- only for development ---\n")


def pinned(part: str) -> set[str]:
    """The names of what a part of the lock installs here."""
    pins = [Requirement(line) for line in re.findall(r"^([a-z0-9].*?) \\$", part, re.MULTILINE)]
    return {canonicalize_name(pin.name) for pin in pins if pin.marker is None or pin.marker.evaluate()}


def closure(name: str) -> set[str]:
    """All that a distribution needs here, and all that these need, as their metadata say."""
    found: set[tuple[str, str]] = set()  # with the extra that is asked for, or none
    waiting = [(name, "")]
    while waiting:
        owner, wanted = waiting.pop()
        for one in map(Requirement, requires(owner) or ()):
            if one.marker is None or one.marker.evaluate({"extra": wanted}):
                needed = {(canonicalize_name(one.name), extra) for extra in ("", *one.extras)}
                waiting += needed - found
                found |= needed
    return {name for name, _ in found}


def test_the_first_part_is_what_the_program_needs_at_run_time_and_no_more() -> None:
    assert pinned(RUN) == closure("location-policy")


def test_serving_from_a_clone_needs_what_builds_the_project_beside_that_and_no_more() -> None:
    build = DEVELOPMENT.partition("# --- not for serving from a clone ---\n")
    assert build[1]
    assert pinned(build[0]) == (closure("hatchling") | {"hatchling"}) - pinned(RUN)


def test_the_parts_have_nothing_in_common() -> None:
    assert MARK
    assert not pinned(RUN) & pinned(DEVELOPMENT)
    assert "pytest" in pinned(DEVELOPMENT)


@pytest.mark.parametrize("lock", [LOCK, OF_KUBERNETES, OF_SITE], ids=["program", "kubernetes", "site"])
def test_a_lock_names_no_machine_and_no_path(lock: str) -> None:
    assert "--hash=sha256:" in lock
    assert not re.findall(r"://|^-|/", lock, re.MULTILINE)
