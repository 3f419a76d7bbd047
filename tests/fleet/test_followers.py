"""Who follows, and who answers from what: counted as it changes, listed with the worst first, and bounded."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from location_policy.fleet import followers as module
from location_policy.fleet.followers import FORGOTTEN, LOST, Followers, Standing
from location_policy.fleet.report import LONGEST_SUMMARY, Behind, Late, Refusal, Report, parse_behind

OLD, NEW = "a" * 40, "b" * 40
IN_SYNC = Behind(2, 2, {"in-sync": 2}, [])


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def report(name: str, commit: str | None = OLD, **more: Any) -> Report:  # noqa: ANN401  the fields of Report
    own = f"{abs(hash(name)) % 16**16:016x}"
    return Report(name, "1.0", "in-sync", commit, None, None, [own])._replace(**more)


def names(fleet: Followers) -> list[str]:
    return [one["name"] for one in fleet.fields()["list"]]


def test_they_are_counted_as_they_come_to_a_commit(clock: list[float]) -> None:
    heard: list[Standing] = []
    fleet = Followers()
    fleet.changed = lambda: heard.append(fleet.standing(NEW))
    fleet.move_tip(OLD)
    for name in ("a", "b"):
        fleet.note(report(name), "192.0.2.1")
    fleet.move_tip(NEW)
    assert (fleet.fields()["total"], fleet.fields()["at_tip"]) == (2, 0)
    clock[0] += 0.5
    fleet.note(report("a", NEW), "192.0.2.1")
    assert fleet.seconds_to_last() == 0.5
    clock[0] += 0.5
    fleet.note(report("b", NEW), "192.0.2.1")
    clock[0] += 10
    fleet.note(report("b", NEW), "192.0.2.1")
    assert fleet.seconds_to_last() == 1.0
    assert fleet.standing(NEW).is_everywhere
    assert heard == [(0, 1, 0), (0, 2, 0), (1, 2, 0), (2, 2, 0)]


def test_those_behind_a_mirror_count_for_what_the_mirror_answers_from() -> None:
    fleet = Followers()
    fleet.move_tip(NEW)
    fleet.note(report("mirror", OLD, behind=IN_SYNC), "192.0.2.1")
    fleet.note(report("replica", NEW), "192.0.2.2")
    assert (fleet.standing(OLD), fleet.standing(NEW)) == ((3, 4, 0), (1, 4, 0))
    late = Behind(2, 1, {"in-sync": 1, "unreachable": 1}, [Late("web", OLD, "unreachable")])
    fleet.note(report("mirror", NEW, behind=late), "192.0.2.1")
    assert fleet.standing(NEW) == (3, 4, 0)
    assert fleet.states() == {"in-sync": 3, "unreachable": 1}
    assert [one.report.name for one in fleet.late(NEW)[0]] == ["mirror"]


def test_the_worst_is_the_first() -> None:
    fleet = Followers()
    fleet.move_tip(NEW)
    fleet.note(report("well", NEW), "192.0.2.1")
    fleet.note(report("late"), "192.0.2.1")
    fleet.note(report("refusing", refusal=Refusal(NEW, "it is bad")), "192.0.2.1")
    fleet.note(report("later"), "192.0.2.1")
    assert names(fleet) == ["refusing", "late", "later", "well"]
    assert fleet.fields()["list"][0]["problems"] == {"commit": NEW, "problem": "it is bad"}
    assert fleet.refusals(NEW) == [("refusing", (NEW, "it is bad"))]
    assert fleet.standing(NEW).refused == 1


def test_who_does_not_ask_is_lost_and_forgotten_a_day_later(clock: list[float]) -> None:
    fleet = Followers()
    fleet.move_tip(OLD)
    fleet.note(report("gone", behind=IN_SYNC), "192.0.2.1")
    clock[0] += LOST
    fleet.note(report("there"), "192.0.2.1")
    assert fleet.fields()["lost"] == 0
    clock[0] += 1
    told = fleet.fields()
    assert (told["total"], told["at_tip"], told["lost"]) == (1, 1, 1)
    assert [(one["name"], one["state"]) for one in told["list"]] == [("gone", "lost"), ("there", "in-sync")]
    assert fleet.states() == {"in-sync": 1, "lost": 1}
    clock[0] += FORGOTTEN - LOST
    assert (names(fleet), fleet.states()) == (["there"], {"lost": 1})
    assert not fleet.is_empty()


def test_one_who_comes_back_is_no_longer_lost_also_under_another_id(clock: list[float]) -> None:
    fleet = Followers()
    for name in ("a", "b"):
        fleet.note(report(name), "192.0.2.1")
    clock[0] += LOST + 1
    fleet.note(report("a"), "192.0.2.1")
    fleet.note(report("b", ids=["0" * 16]), "192.0.2.1")
    assert (fleet.fields()["total"], fleet.fields()["lost"], len(names(fleet))) == (2, 0, 2)


def test_there_are_no_more_than_are_kept(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    monkeypatch.setattr(module, "MIRRORS", 1)
    fleet = Followers()
    for name in ("a", "b"):
        fleet.note(report(name, behind=IN_SYNC), "192.0.2.1")
    assert fleet.standing(OLD).total == 4
    clock[0] += LOST + 1
    for name in ("c", "d", "e", "f"):
        fleet.note(report(name), "192.0.2.1")
    assert sorted(names(fleet)) == ["c", "d", "e"]
    assert fleet.standing(OLD) == (3, 3, 0)
    assert fleet.states() == {"in-sync": 3}


def test_a_list_has_so_many_and_an_address_is_shown_escaped() -> None:
    fleet = Followers()
    for number in range(300):
        fleet.note(report(f"replica {number}"), "\x1b" * 100)
    told = fleet.fields()
    assert (told["total"], len(told["list"])) == (300, 200)
    assert len(told["list"][0]["address"]) == 64
    assert told["list"][0]["address"].startswith("\\x1b")


def test_a_summary_tells_of_those_that_are_lost_though_they_do_not_count(clock: list[float]) -> None:
    fleet = Followers()
    for name in ("a", "b"):
        fleet.note(report(name), "192.0.2.1")
    clock[0] += LOST + 1
    fleet.note(report("c"), "192.0.2.1")
    found = parse_behind(fleet.summary() or "")
    assert found is not None
    assert (found.total, found.states) == (1, {"in-sync": 1, "lost": 2})


def test_a_summary_is_what_an_upstream_takes() -> None:
    fleet = Followers()
    assert fleet.summary() is None
    assert fleet.is_empty()
    fleet.move_tip(NEW)
    fleet.note(report("ü" * 64, NEW, ids=["1" * 16, "2" * 16]), "192.0.2.1")
    for number in range(9):
        fleet.note(report(f"{number}" + "\\" * 63), "192.0.2.1")
    text = fleet.summary()
    assert text is not None
    assert len(text) <= LONGEST_SUMMARY
    found = parse_behind(text)
    assert found is not None
    assert (found.total, found.at_tip, found.states, len(found.late)) == (10, 1, {"in-sync": 10}, 5)
    assert json.loads(text)["late"][0]["commit"] == OLD
    assert fleet.ids()[:2] == ["1" * 16, "2" * 16]


def test_of_very_many_ids_those_of_mirrors_are_told_since_a_loop_is_of_those() -> None:
    fleet, mirror = Followers(), ["e" * 16, "f" * 16]
    for number in range(150):
        fleet.note(report(f"web-{number}", ids=[f"{number:016x}"]), "192.0.2.1")
    fleet.note(report("oslo", ids=mirror, behind=IN_SYNC), "192.0.2.1")
    found = fleet.ids()
    assert (found[:2], len(found)) == (mirror, 100)
    fleet.note(report("web-0", ids=["0" * 16]), "192.0.2.1")
    assert fleet.ids() == found
