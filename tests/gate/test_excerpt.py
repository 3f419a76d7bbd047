"""What travels of a verdict: the facts, none of the map."""

from __future__ import annotations

import json
import pickle
from dataclasses import fields
from pathlib import Path

import jsonschema_rs
import pytest

from location_policy.gate.as_json import verdict_fields
from location_policy.gate.excerpt import Excerpt, excerpt
from location_policy.gate.pre_receive import judge
from location_policy.gate.ref_updates import Update
from location_policy.gate.verdict import Move
from location_policy.problems import SHOWN
from location_policy.repository.repository import open_pushed_repository
from location_policy.web.forms.schemas import ATTEMPT, VERDICT
from location_policy.web.pages.schemas import PROBLEM, many
from tests.support.maps import many_rows
from tests.support.repositories import GOOD, Files, force_commit, make_repository, tip
from tests.support.signing import require

BEFORE: Files = {
    "locations.csv": many_rows(5_000),
    "owners.csv": "10.0.0.0/8,bob@example.com\n",
    "policy.toml": '[limits]\nremoved-subnets = "10%"\n[checks]\nowner-approval = "error"\n',
}


def move(place: Path, files: Files, *options: str) -> Move:
    """The verdict on a commit with these files on top of main."""
    old, new = tip(place), force_commit(place, files)
    with open_pushed_repository(place) as repository:
        (found,) = judge([Update(old, new, "refs/heads/main")], repository, options).moves
    return found


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "map.git", BEFORE)


def test_it_is_small_and_whole_in_another_process(place: Path) -> None:
    found = excerpt(move(place, {**BEFORE, "locations.csv": many_rows(4_000, "Oslo")}, "allow-large-change=we move"))
    travelled = pickle.dumps(found)
    assert pickle.loads(travelled) == found
    assert b"location_map" not in travelled
    assert len(travelled) < 10_000
    assert found.plan
    assert (found.accepted, found.reason, found.missing, found.unasked) == (
        False,
        "we move",
        ("bob@example.com",),
        (),
    )
    assert [one.rule for one in found.excess] == ["removed-subnets"]


def test_of_many_errors_the_first_are_there_and_all_are_counted(place: Path) -> None:
    wrong = "".join(f"Oslo,10.0.{number >> 8}.{number & 255}/8\n" for number in range(1, 301))
    found = excerpt(move(place, {**BEFORE, "locations.csv": wrong}))
    assert (len(found.problems), found.errors, found.plan, found.accepted) == (SHOWN, 300, None, False)


def test_of_the_warnings_those_are_there_that_were_not_there_before(place: Path) -> None:
    rows = "".join(f"Sydney,10.200.{number >> 8}.{number & 255}/32\n" for number in range(300))
    found = excerpt(move(place, {**BEFORE, "locations/b.csv": f"Sydney,10.200.0.0/16\n{rows}"}))
    assert {problem.code for problem in found.warnings} == {"redundant-subnet"}
    assert (len(found.warnings), found.worse, found.old_warnings) == (SHOWN, 300, 1)  # and 10.0.0.0/32, at home


def test_what_is_the_same_in_several_commits_is_told_once(tmp_path: Path) -> None:
    place = make_repository(tmp_path / "map.git", GOOD)
    old = tip(place)
    bad: Files = {"locations.csv": "Oslo,10.0.0.1/8\n"}
    new = [force_commit(place, {**bad, "README.md": text}) for text in ("x", "y")][-1]
    with open_pushed_repository(place) as repository:
        (found,) = judge([Update(old, new, "refs/heads/main")], repository).moves
    assert (len(found.invalid), excerpt(found).errors, excerpt(found).gained) == (2, 1, 2)


# --- as JSON ---


def test_every_fact_is_in_the_json(place: Path) -> None:
    names = {"missing": "owners", "unasked": "touched", "excess": "limits"}
    told = verdict_fields(excerpt(move(place, GOOD)))
    assert [*told] == [names.get(one.name, one.name) for one in fields(Excerpt)]


def test_the_json_is_as_it_is_described(place: Path) -> None:
    warnings = many(PROBLEM)  # an attempt says the row of each besides
    schema = {**VERDICT, "properties": {**ATTEMPT["properties"], **VERDICT["properties"], "warnings": warnings}}
    require(place, "tip")
    for files in (GOOD, {**BEFORE, "locations.csv": "Oslo,10.0.0.1/8\n"}, BEFORE):
        told = json.loads(json.dumps(verdict_fields(excerpt(move(place, files, "allow-large-change=x")))))
        jsonschema_rs.validate(schema, told)
        assert told["signatures"]["problem"] == "location-policy.requireSignatures is tip, but no signers are listed"
