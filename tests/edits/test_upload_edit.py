"""An uploaded table in the place of the map, or of one file of it, in a real repository."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from location_policy.edits.change_request import ChangeRequest, attempt, page_author, preview
from location_policy.edits.upload_edit import UploadRows
from location_policy.errors import NothingChanges, NotWritable, UnusableUpload
from location_policy.lookup.csv_export import csv_parts
from location_policy.repository.git import PlainGit
from location_policy.repository.new_commits import make_blob
from location_policy.repository.repository import Repository, open_repository
from tests.support.maps import snapshot_of
from tests.support.repositories import Files, force_commit, git, make_repository, tip

ANA = page_author("ana", "192.0.2.7")
APAC = "# Sydney's own\nSydney , Melbourne,10.61.2.0/24\nMelbourne,10.61.3.0/24\n"
EMEA = "Oslo,10.70.0.0/16\n"
FILES: Files = {"locations/apac.csv": APAC, "locations/emea.csv": EMEA}
ALL = "Sydney,Melbourne,,10.61.2.0/24\nMelbourne,,,10.61.3.0/24\nOslo,,,10.70.0.0/16\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "locations.git", FILES)


@pytest.fixture
def repository(place: Path) -> Iterator[Repository]:
    with open_repository(place) as repository:
        yield repository


def asked(repository: Repository, rows: str | bytes, path: str = "", name: str = "sites.csv") -> ChangeRequest:
    content = rows.encode() if isinstance(rows, str) else rows
    return ChangeRequest(UploadRows(make_blob(PlainGit(repository.directory), content), name, path), ANA)


def message(repository: Repository, rows: str, path: str = "") -> str:
    return preview(repository, asked(repository, rows, path)).message


def refused(repository: Repository, rows: str | bytes, path: str = "", name: str = "sites.csv") -> UnusableUpload:
    with pytest.raises(UnusableUpload) as raised:
        preview(repository, asked(repository, rows, path, name))
    return raised.value


def file(place: Path, path: str) -> str:
    return git("show", f"main:{path}", cwd=place) + "\n"


def test_a_download_uploaded_again_changes_nothing(repository: Repository) -> None:
    download = b"".join(csv_parts(snapshot_of(FILES)))
    assert download.decode() == ALL
    with pytest.raises(NothingChanges):
        preview(repository, asked(repository, download))


def test_a_download_with_the_overflow_of_the_table_changes_nothing_and_what_is_changed_takes_it(
    place: Path, repository: Repository
) -> None:
    table = '[overflow]\nSydney = ["Melbourne"]\nOslo = ["Sydney", "Melbourne"]\n'
    files = {"policy.toml": table, "locations/apac.csv": APAC, "locations/emea.csv": EMEA}
    force_commit(place, files)
    rows = b"".join(csv_parts(snapshot_of(files))).decode()
    assert rows == ALL.replace("Oslo,,", "Oslo,Sydney,Melbourne")
    with pytest.raises(NothingChanges):
        preview(repository, asked(repository, rows))
    more = "Oslo,Sydney,Melbourne,10.71.0.0/16\nOslo,Sydney,,10.72.0.0/16\n"
    attempt(repository, asked(repository, rows + more), tip(place))
    assert (file(place, "locations/emea.csv"), file(place, "locations/apac.csv")) == (EMEA, APAC)
    assert file(place, "locations.csv") == "Oslo,10.71.0.0/16\nOslo,Sydney,10.72.0.0/16\n"


def test_the_whole_map_is_replaced_and_what_stays_stays_as_it_is(place: Path, repository: Repository) -> None:
    rows = ALL.replace("Melbourne,,,10.61.3", "Perth,,,10.61.3") + "Lima,,,10.90.0.0/16\n"
    done = attempt(repository, asked(repository, rows), tip(place))
    assert done.commit == tip(place)
    assert file(place, "locations/apac.csv") == APAC.replace("Melbourne,10.61.3", "Perth,10.61.3")
    assert file(place, "locations/emea.csv") == EMEA
    assert file(place, "locations.csv") == "Lima,10.90.0.0/16\n"
    assert git("log", "-1", "--format=%an%n%B", cwd=place) == (
        "ana\nUpload sites.csv\n\nRows: 1 added, 1 changed, 0 removed, 2 unchanged."
    )


def test_a_file_without_rows_is_no_longer_there(place: Path, repository: Repository) -> None:
    assert message(repository, EMEA) == (
        "Upload sites.csv\n\nRows: 0 added, 0 changed, 2 removed, 1 unchanged.\n"
        "Removed with them: 1 line of comments.\n"
    )
    attempt(repository, asked(repository, EMEA), tip(place))
    assert git("ls-tree", "-r", "--name-only", "main", cwd=place) == "locations/emea.csv"


def test_one_file_is_replaced_and_no_other_is_touched(place: Path, repository: Repository) -> None:
    rows = "Melbourne,10.61.3.0/24\nSydney,10.61.4.0/24\n"
    done = attempt(repository, asked(repository, rows, "locations/apac.csv"), tip(place))
    assert done.preview.message.startswith("Upload sites.csv to locations/apac.csv\n")
    assert file(place, "locations/apac.csv") == "# Sydney's own\nMelbourne,10.61.3.0/24\n\nSydney,10.61.4.0/24\n"
    assert git("diff", "--name-only", "main~1", "main", cwd=place) == "locations/apac.csv"


def test_a_file_with_comments_that_is_uploaded_to_itself_brings_them(place: Path, repository: Repository) -> None:
    rows = "# all of Sydney\nSydney,Melbourne,10.61.2.0/24\nMelbourne,10.61.3.0/24\n"
    attempt(repository, asked(repository, rows, "locations/apac.csv"), tip(place))
    assert file(place, "locations/apac.csv") == APAC.replace("Sydney's own", "all of Sydney")


def test_comments_from_elsewhere_leave_those_of_the_map_alone(repository: Repository) -> None:
    with pytest.raises(NothingChanges):
        preview(repository, asked(repository, f"# exported\n{ALL}"))
    with pytest.raises(NothingChanges):
        preview(repository, asked(repository, f"# exported\n{APAC}".replace(",", ";"), "locations/apac.csv"))


def test_what_was_understood_of_the_file_is_said(repository: Repository) -> None:
    rows = "location;overflow;overflow;subnet\n" + ALL.replace(",", ";") + "Lima;;;10.90.0.0/16\n"
    assert message(repository, rows).endswith("\n\nDelimiter: semicolon.\nColumn names: line 1, skipped.\n")


def test_what_is_wrong_is_told_all_at_once_at_the_lines_of_the_upload(place: Path, repository: Repository) -> None:
    force_commit(place, {**FILES, "policy.toml": '[locations]\nknown = ["Oslo"]\n'})
    error = refused(repository, "location,subnet\nPerth,10.0.0.0/8\nOslo,11.0.0.1/8\n")
    assert error.message == "sites.csv has 2 errors"
    assert [str(problem).partition("\n")[0] for problem in error.problems] == [
        "sites.csv:2:1: error: Perth is not a known location [unknown-location]",
        "sites.csv:3:6: error: 11.0.0.1/8 has host bits set [host-bits]",
    ]


def test_a_row_that_another_file_has_already_is_told_with_its_place(repository: Repository) -> None:
    rows = "Sydney,10.61.2.0/24\nOslo,10.70.0.0/16\n"
    error = refused(repository, rows, "locations/apac.csv")
    assert [str(problem).partition("\n")[0] for problem in error.problems] == [
        "sites.csv:2:6: error: 10.70.0.0/16 is in locations/emea.csv:1 already [duplicate-subnet]"
    ]
    error = refused(repository, rows, "locations/apac.csv", name="locations/emea.csv")
    assert error.problems[0].path == "uploaded locations/emea.csv"


def test_a_number_that_is_a_location_of_the_map_is_no_id(place: Path, repository: Repository) -> None:
    rows = "17,Oslo,Perth,Lima,10.0.0.0/8\n"
    force_commit(place, {"locations.csv": rows, "policy.toml": '[answer]\noverflow = "list"\n'})
    with pytest.raises(NothingChanges):
        preview(repository, asked(repository, rows))
    assert message(repository, rows.replace("17", "18")).endswith("First column: ids, skipped.\n")


def test_a_map_that_is_not_valid_is_mended_by_an_upload(place: Path, repository: Repository) -> None:
    force_commit(place, {"locations.csv": "Sydney,10.61.2.1/24\noops\n", "locations/b.csv": b"\xff\xfeO\0"})
    done = attempt(repository, asked(repository, "Sydney,10.61.2.0/24\n"), tip(place))
    assert done.commit == tip(place)
    assert file(place, "locations.csv") == "Sydney,10.61.2.0/24\n"
    assert git("ls-tree", "-r", "--name-only", "main", cwd=place) == "locations.csv"


def test_what_cannot_be_had_is_refused_with_what_to_do(place: Path, repository: Repository) -> None:
    error = refused(repository, ALL, "locations/nowhere.csv")
    assert (error.message, error.hint) == (
        "the map has no file locations/nowhere.csv",
        "its files are: locations/apac.csv, locations/emea.csv",
    )
    assert refused(repository, b"PK\x03\x04").message.startswith("sites.csv is a ZIP archive")
    with pytest.raises(UnusableUpload, match="no longer there"):
        preview(repository, ChangeRequest(UploadRows("0" * 40, "sites.csv"), ANA))
    force_commit(place, {"README.md": "nothing"})
    assert refused(repository, ALL, "locations.csv").hint == "its files are: none yet"


def test_who_is_overtaken_is_shown_what_it_does_to_the_new_map(place: Path, repository: Repository) -> None:
    seen, wanted = tip(place), asked(repository, ALL + "Lima,,,10.90.0.0/16\n")
    force_commit(place, {**FILES, "locations/b.csv": "Perth,10.80.0.0/16\n"}, message="Open Perth")
    done = attempt(repository, wanted, seen)
    assert (done.commit, [one.subject for one in done.came]) == (None, ["Open Perth"])
    assert "1 added, 0 changed, 1 removed, 3 unchanged" in done.preview.message
    assert attempt(repository, wanted, done.preview.tip.id).commit == tip(place)


EDGE_RULES = '[[view]]\nname = "edge"\nlocation = "DMZ"\ndefault = "DMZ"\n'


def of_view(repository: Repository, rows: str, path: str = "", view: str = "edge") -> ChangeRequest:
    content = make_blob(PlainGit(repository.directory), rows.encode())
    return ChangeRequest(UploadRows(content, "sites.csv", path, view=view), ANA)


def test_an_upload_to_a_view_replaces_its_rows_and_no_other(place: Path, repository: Repository) -> None:
    edge: Files = {"views/edge/locations.csv": "Oslo,10.61.2.0/24\n", "views/edge/locations/a.csv": "DMZ,10.9.0.0/16\n"}
    force_commit(place, {**FILES, **edge, "policy.toml": EDGE_RULES})
    done = attempt(repository, of_view(repository, "Lima,10.61.2.0/24\nDMZ,10.9.0.0/16\nDMZ,10.8.0.0/16\n"), tip(place))
    assert done.preview.message.startswith("Upload sites.csv to view edge\n\nRows: 1 added, 1 changed, 0 removed,")
    assert git("diff", "--name-only", "main~", "main", cwd=place) == "views/edge/locations.csv"
    assert file(place, "views/edge/locations.csv") == "DMZ,10.8.0.0/16\nLima,10.61.2.0/24\n"
    done = attempt(repository, of_view(repository, "DMZ,10.7.0.0/16\n", "views/edge/locations/a.csv", ""), tip(place))
    assert file(place, "views/edge/locations/a.csv") == "DMZ,10.7.0.0/16\n"


def test_what_is_wrong_with_an_upload_to_a_view_is_told_as_at_the_top(place: Path, repository: Repository) -> None:
    known = '[locations]\nknown = ["Sydney", "Melbourne", "Oslo", "DMZ"]\n'
    force_commit(
        place,
        {
            **FILES,
            "policy.toml": known + EDGE_RULES,
            "views/edge/locations.csv": "Oslo,10.61.2.0/24\n",
            "views/edge/expectations.csv": "10.61.2.7,Oslo\n",
        },
    )
    for rows, told in {
        "Perth,10.61.2.0/24\n": "sites.csv:1:1: error: Perth is not a known location [unknown-location]",
        "DMZ,10.61.2.0/24\n": "views/edge/expectations.csv:1:1: error: 10.61.2.7",
    }.items():
        with pytest.raises(UnusableUpload) as raised:
            preview(repository, of_view(repository, rows))
        assert str(raised.value.problems[0]).startswith(told)


def test_an_upload_to_a_view_that_is_none_is_refused(place: Path, repository: Repository) -> None:
    with pytest.raises(NotWritable, match="names no view edge"):
        preview(repository, of_view(repository, "Lima,10.61.2.0/24\n"))
    force_commit(place, {**FILES, "policy.toml": EDGE_RULES, "views/edge/locations.csv": "Lima,10.61.2.0/24\n"})
    with pytest.raises(NotWritable, match=r"locations/apac\.csv is no file of view edge"):
        preview(repository, of_view(repository, "Lima,10.61.2.0/24\n", "locations/apac.csv"))
    with pytest.raises(UnusableUpload, match=r"view edge has no file views/edge/locations/b\.csv"):
        preview(repository, of_view(repository, "Lima,10.61.2.0/24\n", "views/edge/locations/b.csv"))


def test_an_upload_leaves_the_rows_of_views_as_they_are(place: Path, repository: Repository) -> None:
    known = (
        '[locations]\nknown = ["Sydney", "Melbourne", "Oslo", "Bergen", "DMZ"]\n[checks]\nunused-location = "error"\n'
    )
    rules = f'{known}[[view]]\nname = "edge"\nlocation = "DMZ"\n'
    force_commit(place, {**FILES, "policy.toml": rules, "views/edge/locations.csv": "Bergen,10.0.0.0/8\n"})
    attempt(repository, asked(repository, ALL.replace("10.70", "10.71")), tip(place))
    assert git("diff", "--name-only", "main~", "main", cwd=place).split() == ["locations.csv", "locations/emea.csv"]
