"""The files of a folder, as a commit of it would have them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from location_policy.config import files
from location_policy.config.files import FILE_LIMIT
from location_policy.errors import NoSuchFolder
from location_policy.repository.repository import open_repository
from location_policy.repository.working_copy import filtered, read_configuration, read_folder
from tests.support.repositories import GOOD, MELBOURNE, SYDNEY, Clone, git

IGNORED = Path(__file__).parent.parent.parent / "config-repo" / ".gitignore"
"""What the shipped configuration has git ignore."""

NOBODY = 65534
"""A user whom `chmod` keeps out, unlike root."""

MANY = {
    "locations.csv": SYDNEY,
    "locations/a/b.csv": "",
    "locations/.hidden.csv": "",
    "locations/README.md": "",
    "policy.toml": "",
    "old/apac.csv": "x",
    ".github/a.csv": "",
    "owners.csv": "",
}


def paths(folder: Path) -> list[str]:
    return [file.path for file in read_folder(folder)]


def test_only_files_that_concern_the_configuration_are_read(tmp_path: Path) -> None:
    Clone(tmp_path).write(MANY)
    assert paths(tmp_path) == [
        "locations.csv",
        "locations/.hidden.csv",
        "locations/a/b.csv",
        "old/apac.csv",
        "owners.csv",
        "policy.toml",
    ]


def test_a_commit_of_the_folder_has_the_same_files(tmp_path: Path) -> None:
    git("init", "--quiet", cwd=tmp_path)
    Clone(tmp_path).write({os.fsdecode(b"locations/Z\xfcrich.csv"): SYDNEY})
    (tmp_path / "locations/link.csv").symlink_to("nowhere")
    Clone(tmp_path).commit(MANY)
    with open_repository(tmp_path) as repository:
        committed = repository.files_of(repository.find_commit("HEAD"))
    found = [(file.path, file.kind, file.size, file.content) for file in read_folder(tmp_path)]
    assert found == sorted((file.path, file.kind, file.size, file.content) for file in committed)


def test_bytes_come_as_they_are(tmp_path: Path) -> None:
    Clone(tmp_path).write({"locations.csv": b"\xef\xbb\xbfa\r\n\xff"})
    assert read_folder(tmp_path)[0].content == b"\xef\xbb\xbfa\r\n\xff"


def test_a_stray_file_is_named_but_not_read(tmp_path: Path) -> None:
    Clone(tmp_path).write({"old.csv": SYDNEY})
    assert [(file.path, file.content) for file in read_folder(tmp_path)] == [("old.csv", None)]


def test_a_file_over_the_limit_is_not_read(tmp_path: Path) -> None:
    Clone(tmp_path).write({"locations.csv": ""})
    os.truncate(tmp_path / "locations.csv", FILE_LIMIT + 1)
    assert [(file.size, file.content) for file in read_folder(tmp_path)] == [(FILE_LIMIT + 1, None)]


@pytest.mark.parametrize(("limit", "kind"), [("PATHS_LIMIT", "too-many-paths"), ("FILES_LIMIT", "too-many-tables")])
def test_a_folder_is_walked_as_far_as_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, kind: str
) -> None:
    monkeypatch.setattr(files, limit, 3)
    Clone(tmp_path).write({f"locations/{number}.csv": SYDNEY for number in range(4)})
    (found,) = read_folder(tmp_path)
    assert (found.kind, found.content) == (kind, None)
    assert [problem.code for problem in files.file_problems([found])] == ["too-large"]


def test_links_are_named_and_not_followed(tmp_path: Path) -> None:
    Clone(tmp_path).write({"elsewhere/a.csv": SYDNEY, "map/README.md": ""})
    (tmp_path / "map/locations").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "map/policy.toml").symlink_to("nowhere")
    found = [(file.path, file.kind) for file in read_folder(tmp_path / "map")]
    assert found == [("locations", "symlink"), ("policy.toml", "symlink")]


def test_a_repository_inside_is_a_submodule_and_not_looked_into(tmp_path: Path) -> None:
    Clone(tmp_path).write(
        {"locations/apac/.git": "gitdir: x", "locations/apac/a.csv": "", "old/.git/x": "", "old/a.csv": ""}
    )
    assert [(file.path, file.kind) for file in read_folder(tmp_path)] == [("locations/apac", "submodule")]


def test_what_git_does_not_keep_is_passed_over(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "locations.csv")
    assert paths(tmp_path) == []


def test_a_folder_may_be_named_by_a_link_or_relatively(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Clone(tmp_path / "map").write(GOOD)
    (tmp_path / "link").symlink_to("map")
    monkeypatch.chdir(tmp_path / "map")
    assert paths(tmp_path / "link") == paths(Path()) == paths(Path("../map")) == ["locations/apac.csv"]


@pytest.mark.parametrize("name", ["nowhere", "file", "nul\0"])
def test_what_is_no_folder_is_said(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NoSuchFolder, match="is not a folder") as caught:
        read_folder(tmp_path / name)
    assert caught.value.hint == "name the folder that holds locations.csv or locations/"


def test_a_folder_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(NoSuchFolder, match="cannot be read: File name too long"):
        read_folder(tmp_path / ("x" * 300))


@pytest.mark.parametrize("mode", [0o000, 0o111])
def test_a_folder_inside_that_may_not_be_read_is_said(
    mode: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Clone(tmp_path / "map").write(GOOD)
    (tmp_path / "map/locations").chmod(mode)
    tmp_path.chmod(0o755)
    monkeypatch.chdir(tmp_path)  # relative, since nobody else may look into the folders above
    me = os.geteuid()
    os.seteuid(me or NOBODY)
    try:
        with pytest.raises(NoSuchFolder, match=r"^map/locations(/\.git)? cannot be read: Permission denied$"):
            read_folder(Path("map"))
    finally:
        os.seteuid(me)
        (tmp_path / "map/locations").chmod(0o755)


# --- a part of a configuration ---


@pytest.mark.parametrize("part", ["locations", "locations/a", "docs", "docs/more"])
@pytest.mark.parametrize("mark", ["policy.toml", "locations.csv"])
def test_the_whole_of_a_part_is_named(part: str, mark: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git("init", "--quiet", cwd=tmp_path)
    Clone(tmp_path).write({mark: "", "locations/a/b.csv": SYDNEY, "docs/more/x.md": ""})
    monkeypatch.chdir(tmp_path / part)
    with pytest.raises(NoSuchFolder) as caught:
        read_configuration(Path())
    assert caught.value.message == f". is a part of the configuration in {tmp_path}, and is nothing by itself"
    assert caught.value.hint == f"name the whole: {os.path.relpath(tmp_path)}"
    assert [file.path for file in read_configuration(tmp_path)] == sorted([mark, "locations/a/b.csv"])


def test_rows_that_lie_in_place_have_a_whole_without_git_and_rules_too(tmp_path: Path) -> None:
    Clone(tmp_path).write({"locations/a/b.csv": SYDNEY})
    with pytest.raises(NoSuchFolder, match=f"in {tmp_path}, "):
        read_configuration(tmp_path / "locations/a")


def test_a_working_copy_of_its_own_and_a_folder_beside_a_table_are_no_part(tmp_path: Path) -> None:
    Clone(tmp_path).write({"locations.csv": SYDNEY, "new/x.csv": SYDNEY, "locations/clone/x.csv": SYDNEY})
    git("init", "--quiet", cwd=tmp_path / "locations/clone")
    assert read_configuration(tmp_path / "locations/clone")
    assert read_configuration(tmp_path / "new")


@pytest.mark.parametrize("attribute", ["filter=lfs", "working-tree-encoding=UTF-16LE-BOM", "ident"])
def test_files_of_which_git_keeps_other_bytes_are_told(tmp_path: Path, attribute: str) -> None:
    git("init", "--quiet", cwd=tmp_path)
    Clone(tmp_path).write({"map/.gitattributes": f"apac.csv {attribute}\n*.csv text eol=lf\n"})
    Clone(tmp_path).write({"map/locations/apac.csv": SYDNEY, "map/locations/emea.csv": MELBOURNE})
    folder = tmp_path / "map"
    assert filtered(folder, read_configuration(folder)) == {"locations/apac.csv": attribute}


def test_outside_of_a_working_copy_nothing_is_filtered(tmp_path: Path) -> None:
    Clone(tmp_path).write({".gitattributes": "*.csv filter=lfs\n", "locations.csv": SYDNEY})
    assert filtered(tmp_path, read_configuration(tmp_path)) == {}


def test_what_a_program_left_is_passed_over_where_git_ignores_it(tmp_path: Path) -> None:
    Clone(tmp_path).write(
        {"locations/apac.csv": SYDNEY, "locations/~$apac.csv": "Alice\0", "locations/._apac.csv": "\0"}
    )
    Clone(tmp_path).write({"locations/.~lock.apac.csv#": ",alice,desk,;"})
    assert len(read_configuration(tmp_path)) == 4
    git("init", "--quiet", cwd=tmp_path)
    assert len(read_configuration(tmp_path)) == 4
    (tmp_path / ".gitignore").write_text(IGNORED.read_text())
    assert [file.path for file in read_configuration(tmp_path)] == ["locations/apac.csv"]
