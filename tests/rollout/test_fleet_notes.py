"""What a push is told of followers, by the file that the service writes for it."""

from __future__ import annotations

from pathlib import Path

from location_policy.fleet.fleet import Fleet
from location_policy.fleet.report import Behind, Late, Refusal, Report
from location_policy.gate.fleet_note import read_notes
from location_policy.rollout.fleet_notes import FleetNotes
from location_policy.rollout.state import ActiveState
from tests.support.maps import COMMIT, snapshot_of
from tests.support.service import wait_until

OLD = "e" * 40


def test_each_that_is_late_has_a_line_that_says_why_and_a_mirror_names_those_behind_it(tmp_path: Path) -> None:
    active, fleet = ActiveState(), Fleet("0123456789abcdef")
    active.change(snapshot=snapshot_of(commit=COMMIT))
    behind = Behind(3, 2, {}, [Late("oslo-1", OLD, "rejected")])
    for name, commit, refusal, those in (
        ("web-1", COMMIT.id, None, None),
        ("web-2", OLD, Refusal(COMMIT.id, "10.0.0.1/8 has host bits set"), None),
        ("web-3", OLD, None, None),
        ("oslo", COMMIT.id, None, behind),
        ("perth", COMMIT.id, None, Behind(1, 0, {}, [])),
    ):
        fleet.followers.note(Report(name, "1.0", "in-sync", commit, refusal, those, ()), "192.0.2.1")
    (tmp_path / "refs").mkdir()
    notes = FleetNotes(tmp_path, fleet, active)
    notes.start()
    notes.tell()
    wait_until(lambda: bool(read_notes(tmp_path)))
    (note,) = read_notes(tmp_path)
    assert (note.commit, note.at, note.refused, note.total) == (COMMIT.id, 5, 1, 9)
    assert sorted(note.late) == [
        "oslo has it, 1 behind it not: oslo-1 (rejected)",
        "perth has it, 1 behind it not",
        "web-2 rejects it: 10.0.0.1/8 has host bits set",
        f"web-3 answers from {OLD[:10]} (in-sync)",
    ]
    notes.stop()
    assert read_notes(tmp_path) == []
