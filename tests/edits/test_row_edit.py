"""One row of a file changed: that line and no other, wherever the row stands now."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from location_policy.edits.intent import Intent
from location_policy.edits.landing import served_tip
from location_policy.edits.row_edit import AddRow, EditRow, Typed
from location_policy.errors import NothingChanges, NotWritable, RowChanged
from location_policy.repository.git import PlainGit
from location_policy.repository.new_commits import Author, CommitDraft, make_blob
from location_policy.repository.repository import Repository, open_repository
from tests.support.repositories import Files, force_commit, force_entry, git, make_repository

ANA = Author("ana", "ana@example.com")
PATH = "locations/apac.csv"
EMPTY = Typed(" ", ("", " "), "")
MELBOURNE = Typed("Melbourne", ("Sydney", ""), "10.61.2.0/24")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "locations.git", {PATH: "Sydney,10.61.2.0/24\n"})


@pytest.fixture
def repository(place: Path) -> Iterator[Repository]:
    with open_repository(place) as repository:
        yield repository


def drafted(repository: Repository, files: Files, intent: Intent) -> CommitDraft:
    """What an intent makes of these files."""
    force_commit(repository.directory, files)
    return intent.draft(repository, served_tip(repository), ANA)


def result(repository: Repository, content: bytes, intent: Intent, path: str = PATH) -> bytes:
    """What becomes of a file with this content."""
    return repository.content_at(drafted(repository, {PATH: content}, intent).tree, path)


TYPE = "type a subnet and its location"
CONTENTS = [
    (b"# head office\nSydney,10.61.2.0/24\nOslo,10.0.0.0/8\n", 2, b"# head office\n", b"\nOslo,10.0.0.0/8\n"),
    (b"\xef\xbb\xbfSydney,10.61.2.0/24\r\nOslo,10.0.0.0/8\r\n", 1, b"\xef\xbb\xbf", b"\r\nOslo,10.0.0.0/8\r\n"),
    (b"Oslo , 10.0.0.0/8\nSydney,10.61.2.0/24", 2, b"Oslo , 10.0.0.0/8\n", b""),
    (b"\xff broken\n\n\nSydney,10.61.2.0/24\n\n", 4, b"\xff broken\n\n\n", b"\n\n"),
]


@pytest.mark.parametrize(
    ("intent", "hint"),
    [
        (EditRow(PATH, 1, "Sydney,10.61.2.0/24", EMPTY), f"{TYPE}; to take the row away, tick: remove the row"),
        (AddRow("", EMPTY), TYPE),
    ],
)
def test_a_form_of_empty_fields_is_no_row(repository: Repository, intent: Intent, hint: str) -> None:
    with pytest.raises(NothingChanges, match=r"^no field is filled in") as raised:
        intent.draft(repository, served_tip(repository), ANA)
    assert raised.value.hint == hint


@pytest.mark.parametrize("mode", ["100644", "100755"])
def test_a_file_keeps_its_mode(repository: Repository, mode: str) -> None:
    path, place = "locations/[a] é.csv", repository.directory
    made = make_blob(PlainGit(place), b"Sydney,10.61.2.0/24\n")
    commit = repository.find_commit(force_entry(place, mode, made, path))
    edit = EditRow(path, 1, "Sydney,10.61.2.0/24", MELBOURNE)
    tree = edit.draft(repository, commit, ANA).tree
    assert git("ls-tree", "-r", "-z", tree, "--", path, cwd=place).startswith(f"{mode} ")


@pytest.mark.parametrize(("content", "line", "before", "after"), CONTENTS)
def test_only_the_line_of_the_row_changes(
    repository: Repository, content: bytes, line: int, before: bytes, after: bytes
) -> None:
    edit = EditRow(PATH, line, "Sydney,10.61.2.0/24", MELBOURNE)
    assert result(repository, content, edit) == before + b"Melbourne,Sydney,10.61.2.0/24" + after


@pytest.mark.parametrize(("content", "line", "before", "after"), CONTENTS)
def test_only_the_line_of_the_row_goes(
    repository: Repository, content: bytes, line: int, before: bytes, after: bytes
) -> None:
    removed = result(repository, content, EditRow(PATH, line, "Sydney,10.61.2.0/24", None))
    assert removed == before + after.removeprefix(b"\r").removeprefix(b"\n")


def test_a_row_that_is_padded_with_blank_cells_stays_as_wide(repository: Repository) -> None:
    edit = EditRow(PATH, 1, "Sydney,Oslo,,10.61.2.0/24", MELBOURNE._replace(overflow=()))
    assert result(repository, b"Sydney,Oslo,,10.61.2.0/24\n", edit) == b"Melbourne,,,10.61.2.0/24\n"


def test_a_name_that_a_row_cannot_hold_as_it_is_stands_between_quotation_marks(repository: Repository) -> None:
    edit = EditRow(PATH, 1, "Sydney,10.61.2.0/24", Typed('Perth, "WA"', (), "10.61.2.0/24"))
    assert result(repository, b"Sydney,10.61.2.0/24\n", edit) == b'"Perth, ""WA""",10.61.2.0/24\n'


@pytest.mark.parametrize("line", [1, 99])
def test_a_row_is_found_where_it_stands_now(repository: Repository, line: int) -> None:
    edit = EditRow(PATH, line, "Sydney,10.61.2.0/24", MELBOURNE)
    assert result(repository, b"# new\n\nSydney,10.61.2.0/24\n", edit) == b"# new\n\nMelbourne,Sydney,10.61.2.0/24\n"


def test_what_the_commit_says_is_what_the_change_is(repository: Repository) -> None:
    files = {PATH: "Sydney,10.61.2.0/24\nOslo,10.0.0.0/8\n"}
    seen = "Sydney,10.61.2.0/24"
    changed = drafted(repository, files, EditRow(PATH, 1, seen, MELBOURNE))
    assert changed.subject == "Change 10.61.2.0/24 to Melbourne, Sydney"
    assert changed.body == f"In {PATH}:\n\n    -Sydney,10.61.2.0/24\n    +Melbourne,Sydney,10.61.2.0/24"
    wider = drafted(repository, files, EditRow(PATH, 1, seen, Typed("Sydney", (), "10.61.2.0/23")))
    assert wider.subject == "Change 10.61.2.0/24 into 10.61.2.0/23 to Sydney"
    gone = drafted(repository, files, EditRow(PATH, 1, seen, None))
    assert (gone.subject, gone.body) == ("Remove 10.61.2.0/24", f"In {PATH}:\n\n    -Sydney,10.61.2.0/24")
    added = drafted(repository, files, AddRow(PATH, Typed("x" * 300, (), "10.61.9.0/24")))
    assert added.subject == f"Add 10.61.9.0/24 to {'x' * 84}…"


def test_what_is_changed_meanwhile_is_told_as_it_is_now(repository: Repository) -> None:
    edit = EditRow(PATH, 1, "Sydney,10.61.2.0/24", MELBOURNE)
    files: Files = {"locations.csv": "Oslo,10.0.0.0/8\n# moved\nOslo, 10.61.2.0/24\r\n", PATH: "Oslo,10.1.0.0/16\n"}
    with pytest.raises(RowChanged) as caught:
        drafted(repository, files, edit)
    assert caught.value.message == "locations.csv:3 has changed since you saw it"
    assert (caught.value.path, caught.value.line, caught.value.text) == ("locations.csv", 3, "Oslo, 10.61.2.0/24")


@pytest.mark.parametrize("row", [MELBOURNE, None])
def test_a_row_that_was_moved_to_another_file_as_it_was_is_found_there(
    repository: Repository, row: Typed | None
) -> None:
    edit = EditRow(PATH, 1, "Sydney,10.61.2.0/24", row)
    files: Files = {"locations.csv": "Oslo,10.0.0.0/8\nSydney,10.61.2.0/24\n", PATH: "Oslo,10.1.0.0/16\n"}
    draft = drafted(repository, files, edit)
    now = b"Melbourne,Sydney,10.61.2.0/24\n" if row else b""
    assert repository.content_at(draft.tree, "locations.csv") == b"Oslo,10.0.0.0/8\n" + now
    assert repository.content_at(draft.tree, PATH) == b"Oslo,10.1.0.0/16\n"
    assert draft.body.startswith("In locations.csv:\n\n    -Sydney,10.61.2.0/24")


@pytest.mark.parametrize("seen", ["Sydney,10.61.2.0/24", "no row"])
def test_a_row_that_is_gone_is_told(repository: Repository, seen: str) -> None:
    with pytest.raises(RowChanged) as caught:
        result(repository, b"Oslo,10.0.0.0/8\n", EditRow(PATH, 1, seen, MELBOURNE))
    assert caught.value.message == f"{seen} is no longer in the map"
    assert caught.value.text == ""


def test_a_row_that_is_gone_is_not_taken_away_again(repository: Repository) -> None:
    with pytest.raises(NothingChanges):
        result(repository, b"Oslo,10.0.0.0/8\n", EditRow(PATH, 1, "Sydney,10.61.2.0/24", None))


def test_no_other_file_than_one_of_rows_is_changed(repository: Repository) -> None:
    edit = EditRow("policy.toml", 1, "[answer]", MELBOURNE)
    with pytest.raises(RowChanged):
        drafted(repository, {"policy.toml": "[answer]\n", PATH: "Oslo,10.0.0.0/8\n"}, edit)


# --- a new row ---


PERTH = Typed("Perth", (), "10.61.3.0/24")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", b"Perth,10.61.3.0/24\n"),
        (b"Oslo,10.61.2.0/24\nOslo,10.61.4.0/24\n", b"Oslo,10.61.2.0/24\nPerth,10.61.3.0/24\nOslo,10.61.4.0/24\n"),
        (b"Oslo,10.61.4.0/24\r\n", b"Oslo,10.61.4.0/24\r\nPerth,10.61.3.0/24\r\n"),
        (b"Oslo,10.61.4.0/24\r\nOslo,10.61.2.0/24", b"Oslo,10.61.4.0/24\r\nOslo,10.61.2.0/24\nPerth,10.61.3.0/24\n"),
        (b"Oslo,10.61.4.0/24", b"Oslo,10.61.4.0/24\nPerth,10.61.3.0/24\n"),
    ],
)
def test_a_new_row_stands_below_the_nearest_before_it_or_at_the_end(
    repository: Repository, content: bytes, expected: bytes
) -> None:
    assert result(repository, content, AddRow(PATH, PERTH)) == expected


def test_a_row_that_is_none_stands_at_the_end_for_the_gate_to_refuse(repository: Repository) -> None:
    typed = PERTH._replace(subnet="10.61.3.0")
    assert result(repository, b"Oslo,10.0.0.0/8\n", AddRow(PATH, typed)) == b"Oslo,10.0.0.0/8\nPerth,10.61.3.0\n"


@pytest.mark.parametrize(
    ("files", "subnet", "path"),
    [
        ({"locations/a.csv": "Oslo,10.0.0.0/8\n", "locations/b.csv": "Oslo,10.61.0.0/16\n"}, "10.61.3.0/24", "b"),
        ({"locations/a.csv": "Oslo,10.60.0.0/16\n", "locations/b.csv": "Oslo,10.70.0.0/16\n"}, "10.61.0.0/16", "a"),
        ({"locations/a.csv": "Oslo,10.60.0.0/16\n", "locations/b.csv": "Oslo,10.70.0.0/16\n"}, "10.69.0.0/16", "b"),
        ({"locations/a.csv": "Oslo,10.60.0.0/16\n"}, "2001:db8::/32", ""),
        ({"locations/a.csv": "Oslo,10.60.0.0/16\n"}, "nonsense", ""),
        ({"locations/a.csv": "Oslo,10.60.0.1/16\n"}, "10.61.0.0/16", ""),
    ],
)
def test_a_new_row_goes_where_its_neighbours_are(repository: Repository, files: Files, subnet: str, path: str) -> None:
    wanted = f"locations/{path}.csv" if path else "locations.csv"
    draft = drafted(repository, files, AddRow("", PERTH._replace(subnet=subnet)))
    assert f"Perth,{subnet}" in repository.content_at(draft.tree, wanted).decode()


@pytest.mark.parametrize(
    "path",
    [
        "policy.toml",
        "locations/.csv",
        "locations/../x.csv",
        "locations/a//b.csv",
        "locations/.git/x.csv",
        "locations/\n.csv",
    ],
)
def test_no_file_is_made_where_no_rows_are_read_or_none_can_be(repository: Repository, path: str) -> None:
    with pytest.raises(NotWritable) as caught:
        result(repository, b"Oslo,10.0.0.0/8\n", AddRow(path, PERTH))
    assert caught.value.hint == "take locations.csv, or a .csv below locations/"


@pytest.mark.parametrize("path", [f"{PATH}/x.csv", "locations/apac.csv", "locations/a\0.csv"])
def test_a_row_takes_no_files_place(repository: Repository, path: str) -> None:
    force_commit(
        repository.directory,
        {"locations/apac.csv/y.csv" if path == "locations/apac.csv" else PATH: "Oslo,10.0.0.0/8\n"},
    )
    with pytest.raises(NotWritable):
        AddRow(path, MELBOURNE).draft(repository, served_tip(repository), ANA)


def test_a_path_that_no_file_can_have_has_no_row(repository: Repository) -> None:
    with pytest.raises(RowChanged):
        EditRow("locations/a\0.csv", 1, "Oslo,10.0.0.0/8", MELBOURNE).draft(repository, served_tip(repository), ANA)


def test_a_file_that_git_does_not_take_is_told_as_git_tells_it(repository: Repository) -> None:
    with pytest.raises(NotWritable) as raised:
        AddRow("locations/git~1/x.csv", MELBOURNE).draft(repository, served_tip(repository), ANA)
    told = "git ignores the path locations/git~1/x.csv: some file systems take a part of it for .git"
    assert raised.value.message == told
    assert raised.value.hint == "take another name for the file"


# --- in views ---

EDGE = '[[view]]\nname = "edge"\nlocation = "DMZ"\n'
IN_EDGE = "views/edge/locations.csv"
WITH_EDGE: Files = {
    "policy.toml": EDGE,
    PATH: "Sydney,10.61.2.0/24\n",
    IN_EDGE: "DMZ,10.61.2.0/24\n",
    "views/edge/locations/lab.csv": "Oslo,10.70.0.0/16\n",
}


def test_a_row_of_a_view_is_changed_and_is_not_taken_for_one_of_the_map(repository: Repository) -> None:
    draft = drafted(repository, WITH_EDGE, EditRow(IN_EDGE, 1, "DMZ,10.61.2.0/24", MELBOURNE))
    assert draft.subject.endswith(" in view edge")
    assert repository.content_at(draft.tree, IN_EDGE).startswith(b"Melbourne,")
    assert repository.content_at(draft.tree, PATH) == b"Sydney,10.61.2.0/24\n"
    with pytest.raises(RowChanged, match=r"views/edge/locations\.csv:1 has changed since you saw it"):
        drafted(repository, WITH_EDGE, EditRow(IN_EDGE, 1, "Sydney,10.61.2.0/24", MELBOURNE))


@pytest.mark.parametrize(
    ("subnet", "path"), [("10.61.3.0/24", IN_EDGE), ("10.70.1.0/24", "views/edge/locations/lab.csv"), ("oops", IN_EDGE)]
)
def test_a_new_row_of_a_view_goes_where_its_neighbours_in_the_view_are(
    repository: Repository, subnet: str, path: str
) -> None:
    draft = drafted(repository, WITH_EDGE, AddRow("", PERTH._replace(subnet=subnet), "edge"))
    assert draft.subject.endswith(" in view edge")
    assert b"Perth," in repository.content_at(draft.tree, path)


def test_a_row_goes_to_no_view_that_the_rules_do_not_name(repository: Repository) -> None:
    with pytest.raises(NotWritable, match="names no view lab") as raised:
        drafted(repository, WITH_EDGE, AddRow("", PERTH, "lab"))
    assert raised.value.hint == "its views are: edge"
    for path in ("views/lab/locations.csv", "views/../locations.csv", "views/edge/../lab/locations.csv"):
        with pytest.raises(NotWritable):
            drafted(repository, WITH_EDGE, AddRow(path, PERTH))
    with pytest.raises(NotWritable, match="is no file of view edge"):
        drafted(repository, WITH_EDGE, AddRow(PATH, PERTH, "edge"))
