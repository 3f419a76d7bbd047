"""What workers share: numbers, notes, and who is the oldest."""

from __future__ import annotations

import pytest

from location_policy.crew import BIRTH, COUNTS, NOTE, Crew
from location_policy.metrics import Dropped
from location_policy.process_metrics import summed


@pytest.fixture
def crew() -> Crew:
    """Two workers, of whom this is the second; the first is the younger one."""
    crew = Crew(2)
    first, second = crew.places
    first.cells[BIRTH], second.cells[BIRTH] = 8, 7
    crew.own = second
    return crew


def test_a_note_says_what_was_written_last(crew: Crew) -> None:
    note = crew.own.note
    assert note.read() == {}
    note.write({"pid": 1, "status": "x" * 500})
    note.write({"pid": 2})
    assert note.read() == {"pid": 2}


def test_a_note_whose_writer_has_died_says_nothing(crew: Crew) -> None:
    note = crew.own.note
    note.write({"pid": 1})
    note._room[10] ^= 1
    assert note.read() == {}


def test_a_note_has_room_for_no_more_than_its_place(crew: Crew) -> None:
    first, second = crew.places
    second.note.write({"pid": 2})
    with pytest.raises(ValueError, match="different structures"):
        first.note.write({str(number): number for number in range(NOTE)})
    assert second.note.read() == {"pid": 2}


def test_a_text_that_is_too_long_for_a_note_is_cut(crew: Crew) -> None:
    fetch = {"at": "2026-01-01T00:00:00.000000+00:00", "message": "\U0001f310" * NOTE, "hint": None}
    crew.pin_up(fetch=fetch, not_kept="\xe9\n" * 300)
    read = crew.board.note.read()
    assert read["fetch"] == {**fetch, "message": "\U0001f310" * 42}
    assert read["not_kept"] == ("\xe9\n" * 300)[:126]


def test_the_oldest_leads_and_then_the_next(crew: Crew) -> None:
    first, second = crew.places
    assert crew.leads
    crew.own = first
    assert not crew.leads
    second.leave()
    assert crew.leads


def test_those_that_are_there_are_told_the_oldest_first(crew: Crew) -> None:
    first, second = crew.places
    first.note.write({"pid": 1})
    second.note.write({"pid": 2})
    assert [facts["pid"] for _, facts in crew.present()] == [2, 1]
    second.leave()
    assert [facts["pid"] for _, facts in crew.present()] == [1]


def test_what_a_worker_has_counted_stays_when_it_leaves(crew: Crew) -> None:
    for place in crew.places:
        place.cells[COUNTS] += 3
        place.leave()
    assert crew.total(COUNTS) == 6


def test_facts_on_the_board_are_changed_by_themselves(crew: Crew) -> None:
    crew.pin_up(fetch=1)
    crew.pin_up(not_kept=None)
    assert crew.board.note.read() == {"fetch": 1, "not_kept": None}


def test_one_worker_by_itself_leads_and_counts_with_plain_numbers() -> None:
    crew = Crew()
    assert crew.leads
    assert isinstance(crew.own.cells, list)
    assert crew.present() == []


def test_lines_that_were_lost_add_up_over_workers_and_deaths(crew: Crew) -> None:
    lost = [2, 5]
    for place, number in zip(crew.places, lost, strict=True):
        crew.own = place
        Dropped(crew, lambda number=number: number).note()  # type: ignore[misc]
    assert Dropped(crew, lambda: 1).total() == 8


def test_what_a_process_has_used_that_is_gone_counts() -> None:
    first = {family.name: family.samples[0].value for family in summed([1])}
    then = {family.name: family.samples[0].value for family in summed([1, 1], spent=100.0)}
    assert then["process_cpu_seconds"] >= 100 + 2 * first["process_cpu_seconds"]
    assert then["process_start_time_seconds"] == first["process_start_time_seconds"]
    assert then["process_resident_memory_bytes"] > first["process_resident_memory_bytes"]
