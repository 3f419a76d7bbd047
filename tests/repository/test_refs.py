"""What a name means, where several things have it or nothing has; real repositories, and nothing guessed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from location_policy.errors import UnknownRevision
from location_policy.repository.new_commits import Author
from location_policy.repository.repository import Repository, open_repository
from tests.support.repositories import BAD, GOOD, force_commit, git, make_repository, run_git, tip


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Two commits on main, and another on a side branch."""
    place = make_repository(tmp_path / "map.git", GOOD)
    force_commit(place, BAD)
    force_commit(place, GOOD, "refs/heads/side", "Be elsewhere")
    return place


@pytest.fixture
def repository(place: Path) -> Iterator[Repository]:
    with open_repository(place) as opened:
        yield opened


def unknown(repository: Repository, revision: str) -> str | None:
    """The hint where there is no such revision."""
    with pytest.raises(UnknownRevision) as caught:
        repository.find_commit(revision)
    return caught.value.hint


# --- refs ---


@pytest.mark.parametrize("folder", ["refs", "refs/tags", "refs/heads", "refs/remotes"])
def test_a_ref_that_is_not_there_is_not_found_below_another_folder(
    place: Path, repository: Repository, folder: str
) -> None:
    git("update-ref", f"{folder}/refs/location-policy/last-good", "refs/heads/side", cwd=place)
    assert tip(place, "refs/location-policy/last-good") == tip(place, "refs/heads/side")  # so git itself finds it
    assert repository.tip("refs/location-policy/last-good") is None
    assert repository.tip(f"{folder}/refs/location-policy/last-good") == tip(place, "refs/heads/side")


@pytest.mark.parametrize("ref", ["main", "heads/main", "refs/heads/ma*", "refs/heads", "refs/heads/", "FETCH_HEAD", ""])
def test_a_ref_has_its_full_name_only(place: Path, repository: Repository, ref: str) -> None:
    (place / "FETCH_HEAD").write_text(f"{tip(place)}\n")
    assert repository.tip(ref) is None


def test_what_is_read_ahead_is_told_until_it_is_written_here(place: Path, repository: Repository) -> None:
    main, side, kept = "refs/heads/main", "refs/heads/side", "refs/location-policy/last-good"
    older, newer, aside = tip(place, "main^"), tip(place), tip(place, side)
    repository.read_ahead(main, side, kept)
    git("update-ref", side, older, cwd=place)
    git("update-ref", kept, older, cwd=place)
    assert (repository.tip(main), repository.tip(side), repository.named(kept)) == (newer, aside, None)
    assert repository.tip("HEAD") == newer
    repository.keep(kept, newer)
    repository.move_ref(main, older, newer, "go back", Author("Ana", "ana@example.com"))
    assert (repository.tip(main), repository.tip(kept), repository.tip("HEAD")) == (older, newer, older)
    repository.delete_ref(main, older)
    assert (repository.tip(main), repository.named(main)) == (None, None)
    repository.read_ahead(side)
    assert repository.tip(side) == older


def test_an_unborn_branch_is_not_one_with_its_whole_name_in_its_own(tmp_path: Path) -> None:
    place = make_repository(tmp_path / "map.git", GOOD)
    git("update-ref", "refs/heads/refs/heads/main", "main", cwd=place)
    git("update-ref", "-d", "refs/heads/main", cwd=place)
    git("update-ref", "refs/heads/HEAD", "refs/heads/refs/heads/main", cwd=place)
    with open_repository(place) as opened:
        assert (opened.tip("HEAD"), opened.tip(opened.served_ref({}))) == (None, None)
        with pytest.raises(UnknownRevision, match="there is no revision 'refs/heads/main'"):
            opened.served_commit()


def test_a_configured_branch_is_a_name_and_no_way_from_one(repository: Repository) -> None:
    assert repository.tip(repository.served_ref({"branch": "main~1"})) is None


def test_a_tag_of_a_tag_leads_to_its_commit_and_one_of_a_file_to_none(place: Path, repository: Repository) -> None:
    for name, what in (("one", "main"), ("two", "one"), ("file", "main:locations/apac.csv")):
        git("tag", "-a", "-m", "x", name, what, cwd=place)
    assert repository.tip("refs/tags/two") == repository.find_commit("two").id == tip(place)
    assert repository.tip("refs/tags/file") is None
    unknown(repository, "file")


def test_a_ref_to_a_commit_that_is_not_there_has_none(place: Path, repository: Repository) -> None:
    (place / "refs/heads/lost").write_text(f"{'1' * 40}\n")
    assert repository.tip("refs/heads/lost") is None


def test_an_alias_is_found_also_beside_a_branch_with_a_line_separator_in_its_name(
    place: Path, repository: Repository
) -> None:
    git("branch", "a\u2028b", "main", cwd=place)
    git("symbolic-ref", "refs/heads/production", "refs/heads/main", cwd=place)
    assert repository.symbolic_refs() == {"refs/heads/production": "refs/heads/main"}


# --- names that a person writes ---


def test_a_name_is_that_of_a_branch_then_of_a_tag_then_of_a_remote_branch(place: Path, repository: Repository) -> None:
    first, main, side = tip(place, "main~"), tip(place), tip(place, "side")
    for ref, commit in (("remotes/x", first), ("tags/x", side), ("heads/x", main)):
        git("update-ref", f"refs/{ref}", commit, cwd=place)
        assert repository.find_commit("x").id == commit
        assert repository.find_commit(f"refs/{ref}").id == commit


def test_a_way_is_gone_from_there(place: Path, repository: Repository) -> None:
    git("tag", "main", "side", cwd=place)
    first, main = tip(place, "refs/heads/main~"), tip(place)
    for revision in ("main~", "main^", "main~1", "main^1", "HEAD~", "refs/heads/main~1", f"{main}~", f"{main[:7]}^0~"):
        assert repository.find_commit(revision).id == first
    for revision in ("main~2", "main^2", f"{main}~2", "~1", "main~99999999999999999999"):
        unknown(repository, revision)


@pytest.mark.parametrize(
    "revision",
    [
        "@",
        "heads/main",
        "main@{0}",
        "main^{commit}",
        ":/Force",
        "main..side",
        "main\n",
        "mai*",
        "v1-0-gabcdef0",
        "\udcff",
    ],
)
def test_other_expressions_of_git_mean_nothing(repository: Repository, revision: str) -> None:
    assert unknown(repository, revision) == "branches here: main, side"


# --- ids ---


@pytest.mark.parametrize("length", [7, 10, 40])
@pytest.mark.parametrize("folder", ["heads", "tags"])
def test_a_ref_that_is_named_like_an_id_is_not_taken_for_the_commit(
    place: Path, repository: Repository, length: int, folder: str
) -> None:
    commit = tip(place)
    git("update-ref", f"refs/{folder}/{commit[:length]}", "refs/heads/side", cwd=place)
    assert repository.find_commit(commit[:length]).id == commit
    assert repository.find_served(commit[:length]).id == commit
    assert repository.find_commit(f"{commit[:length]}~").id == tip(place, f"{commit}~")


def test_a_name_of_digits_without_such_a_commit_is_told_how_to_be_written(place: Path, repository: Repository) -> None:
    git("update-ref", "refs/tags/20260301", "main", cwd=place)
    assert unknown(repository, "20260301") == "it is read as an id; to name a ref write refs/tags/20260301"
    assert repository.find_commit("refs/tags/20260301").id == tip(place)
    git("branch", "fade", "main", cwd=place)
    assert repository.find_commit("fade").id == tip(place)  # too short for an id


def test_the_id_of_a_tag_is_that_of_its_commit_and_that_of_a_file_is_none(place: Path, repository: Repository) -> None:
    git("tag", "-a", "-m", "x", "v1", "main", cwd=place)
    tag, blob = (git("rev-parse", one, cwd=place) for one in ("v1", "main:locations/apac.csv"))
    assert [repository.find_commit(one).id for one in (tag, tag[:9])] == [tip(place)] * 2
    for one in (blob, blob[:9], f"{blob}~", "0" * 40, "0" * 41, "0" * 64):
        unknown(repository, one)
    assert not repository.has_commit(blob)


def test_an_id_that_two_commits_begin_with_is_told_to_be_written_whole(place: Path, repository: Repository) -> None:
    pair = alike(place)
    with pytest.raises(UnknownRevision) as caught:
        repository.find_commit(pair[0][:7])
    assert caught.value.message == f"'{pair[0][:7]}' can mean 2 commits"
    assert caught.value.hint
    assert repository.find_commit(caught.value.hint.rpartition(" ")[2]).id in pair


def test_of_two_alike_the_one_that_is_served_is_meant_by_who_sees_no_other(place: Path, repository: Repository) -> None:
    pair = alike(place)
    git("update-ref", "refs/heads/main", pair[1], cwd=place)
    assert repository.find_served(pair[0][:7]).id == pair[1]


def alike(place: Path) -> list[str]:
    """The ids of two new commits on top of main that begin with the same seven digits."""
    head = f"tree {tip(place, 'main^{tree}')}\nparent {tip(place)}\n"
    who = "A <a@example.com> 1700000000 +0000"
    seen: dict[str, bytes] = {}
    number = 0
    while True:
        commit = f"{head}author {who}\ncommitter {who}\n\n{number}\n".encode()
        beginning = hashlib.sha1(b"commit %d\0%b" % (len(commit), commit)).hexdigest()[:7]
        if beginning in seen:
            pair = (seen[beginning], commit)
            return [
                run_git("hash-object", "-t", "commit", "-w", "--stdin", cwd=place, stdin=one).stdout.strip()
                for one in pair
            ]
        seen[beginning] = commit
        number += 1


def test_in_a_sha256_repository_the_length_of_an_old_id_is_the_beginning_of_one(tmp_path: Path) -> None:
    place = tmp_path / "map.git"
    place.mkdir()
    git("init", "--quiet", "--bare", "--object-format=sha256", "--initial-branch=main", cwd=place)
    commit, other = force_commit(place, GOOD), force_commit(place, GOOD, "refs/heads/side")
    git("update-ref", f"refs/heads/{commit[:40]}", other, cwd=place)
    git("update-ref", f"refs/heads/{'1' * 40}", other, cwd=place)
    with open_repository(place) as opened:
        assert [opened.find_commit(one).id for one in (commit, commit[:40], commit[:7])] == [commit] * 3
        assert not opened.has_commit("1" * 40)
        unknown(opened, "1" * 40)
