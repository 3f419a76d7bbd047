"""Questions to whole repositories of every kind, as the service asks them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from location_policy.config import files
from location_policy.config.files import FILE_LIMIT, File
from location_policy.errors import NotARepository, RepositoryError, UnknownRevision
from location_policy.repository import files as files_of_commit
from location_policy.repository import working_copy
from location_policy.repository.config import PROC_RECEIVE, is_true
from location_policy.repository.fingerprint import deciding_files
from location_policy.repository.git_dir import find_git_directory
from location_policy.repository.objects import Entry
from location_policy.repository.repository import open_repository
from tests.support.program import run_program
from tests.support.repositories import (
    BAD,
    GOOD,
    MELBOURNE,
    SYDNEY,
    Clone,
    force_commit,
    force_entry,
    forge_blob,
    git,
    make_repository,
    run_git,
    said,
    tip,
)
from tests.support.unprivileged import NOBODY, home_trusting, open_folder, run_as_nobody

ROWS = SYDNEY + MELBOURNE


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "map.git", GOOD)


def read(repository: Path) -> dict[str, bytes | None]:
    with open_repository(repository) as opened:
        commit = opened.find_commit(opened.served_ref(opened.settings()))
        return {file.path: file.content for file in opened.files_of(commit)}


def test_the_files_of_the_served_commit_are_read(repository: Path) -> None:
    assert read(repository) == {"locations/apac.csv": ROWS.encode()}


def test_packed_refs_and_objects_are_read(repository: Path) -> None:
    git("pack-refs", "--all", cwd=repository)
    git("gc", "--quiet", cwd=repository)
    assert read(repository) == {"locations/apac.csv": ROWS.encode()}


def test_a_repository_with_a_working_copy_is_read_at_its_commit(tmp_path: Path) -> None:
    git("init", "--quiet", "--initial-branch=main", cwd=tmp_path)
    work = Clone(tmp_path)
    work.commit(GOOD)
    work.write(BAD)
    assert read(tmp_path) == {"locations/apac.csv": ROWS.encode()}


def test_a_sha256_repository_is_read_and_its_hook_works(tmp_path: Path) -> None:
    for name, bare in (("map.git", ["--bare"]), ("clone", [])):
        git("init", "--quiet", "--object-format=sha256", "--initial-branch=main", *bare, name, cwd=tmp_path)
    assert run_program("init", tmp_path / "map.git").returncode == 0
    work = Clone(tmp_path / "clone")
    work.git("remote", "add", "origin", str(tmp_path / "map.git"))
    commit = work.commit(GOOD)
    assert len(commit) == 64
    assert work.push().returncode == 0
    assert read(tmp_path / "map.git") == {"locations/apac.csv": ROWS.encode()}
    work.commit(BAD)
    assert "has host bits set" in said(work.push())


def test_a_replaced_commit_does_not_fool_the_service(repository: Path) -> None:
    good = tip(repository)
    bad = force_commit(repository, BAD)
    git("replace", bad, good, cwd=repository)
    assert read(repository) == {"locations/apac.csv": str(BAD["locations/apac.csv"]).encode()}


def test_a_file_over_the_limit_is_not_read(repository: Path) -> None:
    blob = forge_blob(repository, FILE_LIMIT + 1)
    with open_repository(repository) as opened:
        files = opened.files([Entry("locations.csv", "file", blob)])
    assert files == [File("locations.csv", "file", FILE_LIMIT + 1, blob, None)]


def test_what_holds_no_rows_is_not_read(repository: Path) -> None:
    entries = [Entry("sites.csv", "file", "1" * 40), Entry("locations", "symlink", "2" * 40)]
    with open_repository(repository) as opened:
        assert [file.content for file in opened.files(entries)] == [None, None]


def test_what_the_asker_knows_is_not_read_again(repository: Path) -> None:
    entry = Entry("locations.csv", "file", forge_blob(repository, 5))
    with open_repository(repository) as opened:
        (file,) = opened.files([entry], lambda path, blob: (path, blob) == ("locations.csv", entry.blob))
    assert file == File("locations.csv", "file", 5, entry.blob, None)


def test_a_content_in_many_places_is_read_once_and_what_has_no_room_is_not_read(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = {f"locations/{name}.csv": text * 30 for name, text in zip("abcd", "xyxz", strict=True)}
    commit_id = force_commit(repository, contents)
    for module in (files, files_of_commit, working_copy):
        monkeypatch.setattr(module, "TOTAL_LIMIT", 70)
    with open_repository(repository) as opened:
        found = opened.files_of(opened.commit(commit_id))
    Clone(tmp_path / "copy").write(contents)
    for read in (found, working_copy.read_folder(tmp_path / "copy")):
        assert [file.content and file.content[:1] for file in read] == [b"x", b"y", b"x", None]
        assert read[0].content is read[2].content
        told = [(problem.path, problem.code) for problem in files.file_problems(read)]
        assert told == [("locations/d.csv", "too-large")]


def test_a_blob_that_is_missing_is_an_error(repository: Path) -> None:
    commit_id = force_entry(repository, "100644", "1" * 40, "locations.csv")
    with open_repository(repository) as opened:
        entries = opened.entries(opened.commit(commit_id))
        with pytest.raises(RepositoryError, match="cannot be read"):
            opened.files(entries)


# --- which commit ---


def test_settings_are_those_of_our_section_and_the_last_value_counts(repository: Path) -> None:
    with (repository / "config").open("a") as config:
        config.write(
            "[location-policy]\n\tbranch = a\n\tbranch = b\n\tfollower\n\tempty =\n[location-policyx]\n\ty = z\n"
        )
    with open_repository(repository) as opened:
        assert opened.settings() == {"branch": "b", "follower": "true", "empty": ""}


@pytest.mark.parametrize(("value", "yes"), [("true", True), ("ON", True), ("1", True), ("no", False), ("", False)])
def test_a_value_says_yes_as_git_means_it(value: str, yes: bool) -> None:
    assert is_true(value) == yes


def test_a_value_that_is_not_there_says_no() -> None:
    assert not is_true(None)


def test_a_config_that_cannot_be_parsed_is_an_error(repository: Path) -> None:
    commit_id = tip(repository)
    with open_repository(repository) as opened:
        (repository / "config").write_text("[core\n")
        with pytest.raises(RepositoryError, match="bad config line 1"):
            opened.settings()
        with pytest.raises(RepositoryError, match="bad config line 1"):
            opened.served_ref({})
        with pytest.raises(RepositoryError, match="bad config line 1"):
            opened.tip("HEAD")
        with pytest.raises(RepositoryError, match="bad config line 1"):
            opened.is_ancestor(commit_id, commit_id)
        with pytest.raises(RepositoryError):
            opened.merge_base(commit_id, commit_id)


def test_the_configured_branch_goes_before_head(repository: Path) -> None:
    with open_repository(repository) as opened:
        assert opened.served_ref({"branch": "live"}) == "refs/heads/live"
        assert opened.served_ref({}) == "refs/heads/main"


def test_a_detached_head_is_followed_itself(repository: Path) -> None:
    (repository / "HEAD").write_text(tip(repository) + "\n")
    with open_repository(repository) as opened:
        assert opened.served_ref({}) == "HEAD"
        assert opened.tip("HEAD") == tip(repository)


def test_a_branch_that_is_not_there_has_no_tip(repository: Path) -> None:
    with open_repository(repository) as opened:
        assert opened.tip("refs/heads/gone") is None


@pytest.mark.parametrize("revision", ["gone", "--all", "main:locations", "a b", "", "main^{/nothing}", "@{99999}"])
def test_a_revision_that_is_not_there_is_told_with_the_branches_that_are(repository: Path, revision: str) -> None:
    git("branch", "side\u2028x", "main", cwd=repository)
    with open_repository(repository) as opened, pytest.raises(UnknownRevision) as caught:
        opened.find_commit(revision)
    assert caught.value.message == f"there is no revision {revision!r} in {repository}"
    assert caught.value.hint == "branches here: main, side\u2028x"


def test_an_empty_repository_has_no_branch_to_name(tmp_path: Path) -> None:
    git("init", "--quiet", "--bare", cwd=tmp_path)
    with open_repository(tmp_path) as opened, pytest.raises(UnknownRevision) as caught:
        opened.find_commit("HEAD")
    assert caught.value.hint == "the repository has no branch yet"


def test_history_is_told_from_both_ends(repository: Path) -> None:
    first = tip(repository)
    second, third = force_commit(repository, BAD), force_commit(repository, GOOD)
    with open_repository(repository) as opened:
        assert opened.gained(first, third) == [second, third]
        assert opened.ancestors(third, 2) == [third, second]
        assert opened.ancestors(third, 9, first_parent=True) == [third, second, first]
        assert (opened.is_ancestor(first, third), opened.is_ancestor(third, first)) == (True, False)


def tips(repository: Path, commit_id: str, limit: int = 100) -> list[str]:
    with open_repository(repository) as opened:
        return opened.tips("refs/heads/main", commit_id, limit)


def test_what_a_branch_has_named_is_told_by_its_log(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "map.git", GOOD, keeps_log=True)
    first = tip(repository)
    second, third = (force_commit(repository, {"locations.csv": rows}) for rows in (SYDNEY, MELBOURNE))
    git("update-ref", "refs/heads/main", first, cwd=repository)
    assert tips(repository, first) == [first, third, second, first]
    assert tips(repository, third) == [third, second, first], "up to a commit, whatever came after it"
    assert tips(repository, first, 2) == [first, third]
    assert tips(repository, "0" * 40) == []


def test_a_log_that_begins_in_the_middle_says_from_where(repository: Path) -> None:
    first = tip(repository)
    assert tips(repository, first) == []
    git("config", "core.logAllRefUpdates", "true", cwd=repository)
    second = force_commit(repository, {"locations.csv": SYDNEY})
    assert tips(repository, second) == [second, first]


def test_a_pinned_commit_outlives_a_collection(repository: Path) -> None:
    first = tip(repository)
    with open_repository(repository) as opened:
        opened.keep("refs/location-policy/active", force_commit(repository, BAD))
        git("update-ref", "refs/heads/main", first, cwd=repository)
        git("gc", "--quiet", "--prune=now", cwd=repository)
        pinned = opened.tip("refs/location-policy/active")
        assert pinned
        assert opened.commit(pinned).subject == "Force it in"


# --- which repository ---


@pytest.mark.parametrize(
    ("path", "message"),
    [("gone.git", "does not exist"), ("file", "is not a git repository"), (".", "is not a git repository")],
)
def test_what_is_no_repository_is_told(tmp_path: Path, path: str, message: str) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(NotARepository, match=message):
        find_git_directory(tmp_path / path)


def test_a_repository_inside_another_is_not_taken_for_it(tmp_path: Path) -> None:
    git("init", "--quiet", cwd=tmp_path)
    (tmp_path / "inner").mkdir()
    with pytest.raises(NotARepository):
        find_git_directory(tmp_path / "inner")


IMPORTS = """
import git, shutil
from pathlib import Path
from location_policy.repository.repository import open_repository
with open_repository(Path({0!r})) as opened: opened.find_commit("main")
"""
PROGRAM = """
with open_repository(Path({0!r})) as opened: print(opened.find_commit("main").subject)
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_a_repository_of_another_user_is_read_once_git_is_told() -> None:
    with open_folder() as folder:
        repository = str(make_repository(folder / "map.git", GOOD))
        home = f"import os; os.environ['HOME'] = {home_trusting(Path(repository), folder)!r}"
        done = run_as_nobody(IMPORTS.format(repository), home + PROGRAM.format(repository))
    assert (done.stdout, done.stderr) == ("Force it in\n", "")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("closed", ["", "HEAD", "objects"])
def test_a_repository_that_may_not_be_read_is_told(closed: str) -> None:
    with open_folder() as folder:
        repository = make_repository(folder / "map.git", GOOD)
        (repository / closed).chmod(0o600)
        os.seteuid(NOBODY)
        try:
            with pytest.raises(NotARepository, match=f"{repository} may not be read"):
                find_git_directory(repository)
            if not closed:  # after it was opened
                with pytest.raises(NotARepository, match=f"{repository} may not be read"):
                    deciding_files(repository, ("refs/heads/main",))
        finally:
            os.seteuid(0)


def test_trailers_are_read_from_the_end_of_the_message(repository: Path) -> None:
    message = "Move\n\nReason: no\n\nbody\n\nreason: first\nReason: second,\n  on two lines\nOther: x"
    commit_id = force_commit(repository, GOOD, message=message)
    with open_repository(repository) as opened:
        assert opened.trailers(commit_id, "Reason") == ["first", "second, on two lines"]
        assert opened.trailers(commit_id, "Else") == []


def test_trailers_are_read_in_the_encoding_of_their_commit(repository: Path) -> None:
    commit = git("rev-parse", "main^{tree}", cwd=repository)
    who = "<a@b> 1 +0000"
    text = f"tree {commit}\nauthor A {who}\ncommitter A {who}\nencoding ISO-8859-1\n\nMove\n\nReason: Zürich\n"
    written = run_git("hash-object", "-t", "commit", "-w", "--stdin", cwd=repository, stdin=text.encode("latin-1"))
    with open_repository(repository) as opened:
        assert opened.trailers(written.stdout.strip(), "Reason") == ["Zürich"]


@pytest.mark.parametrize(("values", "handled"), [([], False), (["refs/x", "ad:refs/for/"], True), (["refs/fo"], False)])
def test_the_refs_that_proc_receive_handles_are_known(repository: Path, values: list[str], handled: bool) -> None:
    for value in values:
        git("config", "--add", PROC_RECEIVE, value, cwd=repository)
    with open_repository(repository) as opened:
        assert opened.handles("refs/for/") == handled


def test_a_config_that_cannot_be_read_is_an_error(repository: Path) -> None:
    with open_repository(repository) as opened:
        (repository / "config").write_text("[receive\n")
        with pytest.raises(RepositoryError, match="bad config line 1"):
            opened.handles("refs/for/")
