"""A push, `revert`, a page and the API judge a commit once: two maps are made, that of before and that of the tip.

What is forced makes more: post-receive judges once more, since pre-receive can hand nothing on; what exceeds a limit
may return to one of the last 100 tips; a new row for which no file is named is put beside its nearest.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from location_policy.cli.commands.revert import Lines, RevertOptions, revert
from location_policy.gate.overrides import override_of
from location_policy.gate.pre_receive import judge
from location_policy.gate.ref_updates import Update
from location_policy.repository.repository import open_pushed_repository, open_repository
from tests.support.app import client_of_repository
from tests.support.maps import count_loads, many_rows
from tests.support.repositories import Files, force_commit, make_repository, tip

BEFORE_AND_TIP = 2

FILES: Files = {
    "locations.csv": many_rows(200),
    "locations/b.csv": "Oslo,10.9.0.0/16\nOslo,10.9.1.0/24\n",
    "owners.csv": "10.9.0.0/16,bob@example.com\n",
    "policy.toml": '[limits]\nremoved-subnets = "10%"\n',
}
ROW: dict[str, Any] = {
    "path": "locations/b.csv",
    "line": 1,
    "seen": "Oslo,10.9.0.0/16",
    "subnet": "10.9.0.0/16",
    "location": "Lima",
}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "map.git", FILES, keeps_log=True)


@pytest.fixture
def loads(place: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:  # noqa: ARG001  made before it counts
    return count_loads(monkeypatch)


@pytest.mark.parametrize("rows", ["Lima,10.9.0.0/16\n", "Lima,10.9.0.0/15\n"], ids=["valid", "not valid"])
def test_a_push_of_one_commit(place: Path, loads: Callable[[], int], rows: str) -> None:
    old, new = tip(place), force_commit(place, {**FILES, "locations/b.csv": rows})
    with open_pushed_repository(place) as repository:
        judge([Update(old, new, "refs/heads/main")], repository)
    assert loads() == BEFORE_AND_TIP


def test_a_revert(place: Path, loads: Callable[[], int]) -> None:
    second = force_commit(place, {**FILES, "locations/b.csv": "Lima,10.9.0.0/16\n"})
    assert (
        revert(RevertOptions(second, None, "Bob <bob@example.com>", None, None, is_dry=False), str(place), Lines()) == 0
    )
    assert tip(place) != second
    assert loads() == BEFORE_AND_TIP


def test_what_exceeds_a_limit_is_looked_for_in_the_past_once_and_noted_without_a_second_look(
    place: Path, loads: Callable[[], int]
) -> None:
    first = "".join(many_rows(200).splitlines(keepends=True)[150:])
    past = [force_commit(place, {**FILES, "locations.csv": rows}) for rows in (first, first + many_rows(150))]
    force_commit(place, {**FILES, "locations.csv": first + many_rows(150), "locations/b.csv": "Lima,10.8.0.0/16\n"})
    asked = RevertOptions(past[1], None, "Bob <bob@example.com>", None, "we move out", is_dry=False)
    assert revert(asked, str(place), Lines()) == 0
    with open_repository(place) as repository:
        assert override_of(repository, tip(place))
        tips_before = len(repository.tips("refs/heads/main", tip(place), 100)) - 1
    assert (tips_before, loads()) == (4, BEFORE_AND_TIP + tips_before)


@pytest.mark.parametrize("address", ["/edit", "/api/v1/edit"])
@pytest.mark.parametrize(
    "change", [{}, {"subnet": "10.9.0.0/15"}, {"seen": "Oslo,10.9.1.0/24", "line": 2}], ids=["valid", "wrong", "better"]
)
def test_a_change_that_is_shown(place: Path, loads: Callable[[], int], address: str, change: dict[str, Any]) -> None:
    client, asked = client_of_repository(place), {**ROW, **change}
    before = loads()
    if address.startswith("/api/"):
        client.post(address, json=asked)
    else:
        client.post(address, data=asked)
    assert loads() - before == BEFORE_AND_TIP


@pytest.mark.parametrize("address", ["/edit", "/api/v1/edit"])
def test_a_change_that_is_confirmed(place: Path, loads: Callable[[], int], address: str) -> None:
    client, old = client_of_repository(place), tip(place)
    before = loads()
    client.post(
        address, content=json.dumps({**ROW, "tip": old, "confirm": True}), headers={"content-type": "application/json"}
    )
    assert tip(place) != old
    assert loads() - before == BEFORE_AND_TIP


def test_a_new_row_without_a_file_reads_the_map_to_find_one(place: Path, loads: Callable[[], int]) -> None:
    client = client_of_repository(place)
    before = loads()
    assert client.post("/api/v1/edit", json={"subnet": "10.9.2.0/24", "location": "Lima"}).json()["plan"]
    assert loads() - before == BEFORE_AND_TIP + 1
