"""A change is judged in another process as in this one, and made only where that has ended well and in time."""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from location_policy.edits.change_request import Attempt, ChangeRequest, page_author
from location_policy.edits.intent import Intent
from location_policy.edits.revert import Revert
from location_policy.edits.row_edit import AddRow, EditRow, Typed
from location_policy.edits.upload_edit import UploadRows
from location_policy.errors import LocationPolicyError, NotJudged
from location_policy.gate.overrides import override_of
from location_policy.repository.repository import open_repository
from location_policy.web.edge.faults import fault_of
from location_policy.web.forms.attempt_fields import attempt_fields
from location_policy.web.site.change_service import ChangeService
from tests.support.children import children
from tests.support.maps import many_rows
from tests.support.repositories import force_commit, git, make_repository, tip
from tests.support.service import wait_until

ANA = page_author("ana", "192.0.2.7")
POLICY = '[limits]\nremoved-subnets = "10%"\n[checks]\nowner-approval = "error"\n'
FIRST = {"locations.csv": many_rows(200), "policy.toml": POLICY}
SECOND = {**FIRST, "owners.csv": "10.9.0.0/16,bob@example.com\n", "locations/b.csv": "Oslo,10.9.0.0/16\n"}
ROW = "Sydney,10.0.0.7/32"
EDIT = EditRow("locations.csv", 8, ROW, Typed("Melbourne", ("Oslo",), "10.0.0.7/32"))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    place = make_repository(tmp_path / "locations.git", FIRST)
    force_commit(place, SECOND, message="Open Oslo")
    return place


def apart(place: Path) -> ChangeService:
    """One to which every map is large."""
    return ChangeService(place, "served", large=0)


def here(place: Path) -> ChangeService:
    return ChangeService(place, "served")


def do(
    change_service: ChangeService, intent: Intent, seen: str | None = None, seconds: float = 100.0, reason: str = ""
) -> Attempt:
    return change_service.do(ChangeRequest(intent, ANA, None, reason), seen, time.monotonic() + seconds)


def outcome(change_service: ChangeService, intent: Intent) -> object:
    """All that is told; the ids of commits that were not made are not the same."""
    try:
        told = attempt_fields(do(change_service, intent))
    except LocationPolicyError as error:
        return type(error), vars(error)
    return {**told, "refusal": [re.sub(r"\b[0-9a-f]{10,}", "…", line) for line in told["refusal"]]}


CHANGES: dict[str, Intent] = {
    "a row": EDIT,
    "a row that is not valid": EditRow("locations.csv", 8, ROW, Typed("=Oslo", (), "10.0.0.7/31")),
    "a row that has changed": EditRow("locations.csv", 8, "Sydney,10.0.0.7/30", Typed("Oslo", (), "10.0.0.7/32")),
    "a row of somebody": AddRow("", Typed("Lima", (), "10.9.1.0/24")),
    "nothing": EditRow("locations.csv", 8, ROW, Typed("Sydney", (), "10.0.0.7/32")),
    "an upload": UploadRows("", "sites.csv"),
    "a smaller upload": UploadRows("", "sites.csv", "locations.csv"),
    "a file that is not there": UploadRows("", "sites.csv", "locations/c.csv"),
    "a broken upload": UploadRows("", "sites.csv"),
    "no commit": Revert("0" * 40),
    "a commit": Revert("HEAD"),
}
UPLOADS = {
    "an upload": many_rows(200) + "Oslo,10.9.0.0/16\nLima,10.10.0.0/16\n",
    "a smaller upload": many_rows(150),
    "a broken upload": "Oslo,10.0.0.0/33\n" * 300,
    "a file that is not there": "",
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_told_is_the_same_wherever_it_is_found_out(place: Path, name: str) -> None:
    change = CHANGES[name]
    if isinstance(change, UploadRows):
        change = UploadRows(here(place).keep(UPLOADS[name].encode()), change.name, change.path)
    if change == Revert("HEAD"):
        change = Revert(tip(place))
    before = git("for-each-ref", cwd=place)
    assert outcome(apart(place), change) == outcome(here(place), change)
    assert git("for-each-ref", cwd=place) == before


def test_what_is_confirmed_is_made_and_an_override_is_noted(place: Path) -> None:
    cut = UploadRows(here(place).keep(many_rows(150).encode()), "sites.csv", "locations.csv")
    seen = tip(place)
    assert do(apart(place), cut, seen).commit is None
    done = do(apart(place), cut, seen, reason="we move out")
    assert done.commit == tip(place) != seen
    with open_repository(place) as repository:
        override = override_of(repository, tip(place))
    assert override
    assert (override.rule, override.reason) == ("removed-subnets", "we move out")


def test_who_comes_second_is_shown_who_came(place: Path) -> None:
    seen = tip(place)
    force_commit(place, FIRST, message="Close Oslo")
    done = do(apart(place), EDIT, seen)
    assert (done.commit, done.is_stale, [one.subject for one in done.came]) == (None, True, ["Close Oslo"])


def test_where_the_process_is_killed_nothing_is_made(place: Path) -> None:
    seen, before = tip(place), children()
    found: list[NotJudged] = []

    def run() -> None:
        with pytest.raises(NotJudged) as raised:
            do(apart(place), EDIT, seen)
        found.append(raised.value)

    thread = threading.Thread(target=run)
    thread.start()
    wait_until(lambda: len(children()) > len(before))
    (child,) = set(children()) - set(before)
    os.kill(child, signal.SIGKILL)
    thread.join()
    fault = fault_of(found[0])
    assert (fault.status, fault.message) == (503, "the process that judged the change was ended by signal 9")
    assert fault.hint == "nothing was made: try again; what is large also goes by git push"
    assert tip(place) == seen


@pytest.mark.parametrize(
    ("change_service", "told"),
    [(here, "the change was not judged in time"), (apart, "the change was not judged within 0 seconds")],
)
def test_what_is_late_is_not_made(place: Path, change_service: Callable[[Path], ChangeService], told: str) -> None:
    seen, before = tip(place), children()
    with pytest.raises(NotJudged) as raised:
        do(change_service(place), EDIT, seen, seconds=-1)
    assert raised.value.message == told
    assert (tip(place), children()) == (seen, before)


def test_a_small_map_needs_no_process_and_what_makes_it_large_does(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent")
    small = ChangeService(place, "served", large=10_000)
    assert do(small, EDIT).preview.may_land
    blob = small.keep(many_rows(500).encode())
    with pytest.raises(NotJudged, match=r"^no process can be started to judge the change: No such file"):
        do(small, UploadRows(blob, "sites.csv"))
    force_commit(place, {**SECOND, "locations.csv": many_rows(600)}, message="Grow")
    small_again = force_commit(place, SECOND, message="Shrink")
    assert do(small, EDIT).preview.may_land
    with pytest.raises(NotJudged):
        do(small, Revert(small_again))
