"""A change from a page: shown, judged as a push of it, and made for who has seen the same tip."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from location_policy.config.commit import Commit
from location_policy.edits.change_request import (
    CAME,
    ChangeRequest,
    attempt,
    check_open,
    page_author,
    preview,
    review_branch,
)
from location_policy.edits.landing import land_aside
from location_policy.edits.revert import Revert
from location_policy.edits.row_edit import AddRow, EditRow, Typed
from location_policy.errors import NothingChanges, NotWritable, RepositoryError, UnknownRevision
from location_policy.gate.overrides import override_of
from location_policy.repository.new_commits import Author, CommitDraft
from location_policy.repository.repository import Repository, open_repository
from tests.support.maps import many_rows
from tests.support.repositories import Files, force_commit, git, make_repository, tip

ANA = page_author("ana", "192.0.2.7")
FILES: Files = {"locations.csv": "Sydney,10.61.2.0/24\n"}
EDIT = EditRow("locations.csv", 1, "Sydney,10.61.2.0/24", Typed("Melbourne", (), "10.61.2.0/24"))
ASKED = ChangeRequest(EDIT, ANA)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "locations.git", FILES)


@pytest.fixture
def repository(place: Path) -> Iterator[Repository]:
    with open_repository(place) as repository:
        yield repository


def shown(place: Path, form: str, revision: str = "main") -> str:
    return git("log", "-1", f"--format={form}", revision, cwd=place)


def test_what_is_shown_is_on_no_ref(place: Path, repository: Repository) -> None:
    before = git("for-each-ref", cwd=place)
    found = preview(repository, ASKED)
    assert (found.may_land, found.branch, found.tip.id) == (True, "main", tip(place))
    assert found.verdict.plan
    assert found.verdict.plan["summary"] == "1 range changed: 1 moved (256 addresses)"
    assert git("for-each-ref", cwd=place) == before


def test_what_is_confirmed_is_a_commit_by_that_user(place: Path, repository: Repository) -> None:
    seen = tip(place)
    done = attempt(repository, ASKED, seen)
    assert (done.commit, done.branch, done.is_stale) == (tip(place), "main", False)
    assert (
        shown(place, "%an <%ae> %cn %P %s") == f"ana <ana@http.192.0.2.7> ana {seen} Change 10.61.2.0/24 to Melbourne"
    )
    assert git("reflog", "--format=%gn %gs", "main", cwd=place).startswith("ana location-policy page")


def test_what_is_typed_is_what_the_commit_says(place: Path, repository: Repository) -> None:
    done = attempt(repository, replace(ASKED, message=" Move \r\n\r\nas agreed  \r\n"), tip(place))
    assert shown(place, "%B") == "Move\n\nas agreed"
    assert done.preview.default.startswith("Change 10.61.2.0/24")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("\x1b[31mMove\x1b[0m it", "Move it"),
        ("\x1b]0;title\x07Move\x1b]8;;http://x\x1b\\ it", "Move it"),
        ("\x9b2JMove\x00\x08 it\x7f\x85", "Move it"),
        ("Move\rit\x1b", "Moveit"),
        ("Zürich →\tMove\n\nas agreed", "Zürich →\tMove\n\nas agreed"),
    ],
)
def test_what_would_steer_a_terminal_is_not_in_a_message(
    place: Path, repository: Repository, typed: str, kept: str
) -> None:
    attempt(repository, replace(ASKED, message=typed), tip(place))
    assert shown(place, "%B") == kept


def test_who_comes_second_is_shown_who_came_and_what_it_does_now(place: Path, repository: Repository) -> None:
    seen = tip(place)
    force_commit(place, {**FILES, "locations/b.csv": "Oslo,10.0.0.0/8\n"}, message="Open Oslo")
    done = attempt(repository, ASKED, seen)
    assert (done.commit, done.is_stale, [one.subject for one in done.came]) == (None, True, ["Open Oslo"])
    assert done.preview.tip.id == tip(place)
    assert attempt(repository, ASKED, done.preview.tip.id).commit == tip(place)


@dataclass(frozen=True)
class Slow:
    """An intent whose thinking takes so long that another commit comes first, once."""

    place: Path

    def draft(self, repository: Repository, tip: Commit, author: Author) -> CommitDraft:
        if repository.parents(tip.id) == []:
            force_commit(self.place, {**FILES, "locations/b.csv": "Oslo,10.0.0.0/8\n"}, message="Open Oslo")
        return EDIT.draft(repository, tip, author)


def test_who_is_overtaken_at_the_last_moment_is_shown_it_too(place: Path, repository: Repository) -> None:
    done = attempt(repository, replace(ASKED, intent=Slow(place)), tip(place))
    assert (done.commit, done.is_stale, [one.subject for one in done.came]) == (None, True, ["Open Oslo"])
    assert shown(place, "%s") == "Open Oslo"


def test_where_a_branch_was_set_back_or_a_tip_is_not_known_nothing_has_come(
    place: Path, repository: Repository
) -> None:
    first, seen = tip(place), force_commit(place, {**FILES, "locations/b.csv": "Oslo,10.0.0.0/8\n"})
    git("update-ref", "refs/heads/main", first, cwd=place)
    for one in (seen, "HEAD~1"):
        done = attempt(repository, ASKED, one)
        assert (done.is_stale, done.came, done.others, done.preview.tip.id) == (True, (), 0, first)


def test_of_many_that_have_come_the_newest_are_named_and_all_are_counted(place: Path, repository: Repository) -> None:
    seen = tip(place)
    for at in range(CAME + 2):
        force_commit(place, {**FILES, "README.md": str(at)}, message=f"No. {at}")
    done = attempt(repository, ASKED, seen)
    assert (done.others, len(done.came), done.came[0].subject) == (CAME + 2, CAME, f"No. {CAME + 1}")


def test_what_is_not_valid_is_not_made(place: Path, repository: Repository) -> None:
    before, wrong = tip(place), replace(EDIT, row=Typed("=Oslo", (), "10.61.2.1/24"))
    done = attempt(repository, replace(ASKED, intent=wrong), before)
    assert (done.commit, done.preview.may_land, done.preview.verdict.plan) == (None, False, None)
    assert [problem.code for problem in done.preview.verdict.problems] == ["formula-name", "host-bits"]
    assert done.preview.refusal[0] == "main is rejected: 1 of 1 commit has errors"
    assert tip(place) == before


def test_what_changes_nothing_is_none(repository: Repository) -> None:
    same = replace(EDIT, row=Typed("Sydney", (), "10.61.2.0/24"))
    with pytest.raises(NothingChanges):
        preview(repository, replace(ASKED, intent=same))


def test_a_commit_is_taken_back_or_gone_back_to(place: Path, repository: Repository) -> None:
    first = tip(place)
    second = force_commit(place, {"locations.csv": "Oslo,10.61.2.0/24\n"}, message="Move")
    assert preview(repository, replace(ASKED, intent=Revert(second))).message.startswith('Revert "Move"\n')
    back = preview(repository, replace(ASKED, intent=Revert(first[:10], is_return=True)))
    assert back.message.startswith('Restore "Force it in"\n')
    with pytest.raises(UnknownRevision):
        preview(repository, replace(ASKED, intent=Revert("main")))


# --- limits and owners ---


def test_a_limit_is_exceeded_only_with_a_reason_which_is_noted(place: Path, repository: Repository) -> None:
    limits = '[limits]\nremoved-subnets = "10%"\n'
    force_commit(place, {"locations.csv": many_rows(200), "policy.toml": limits})
    asked = replace(ASKED, intent=Cut(many_rows(100)))
    found = attempt(repository, asked, tip(place))
    exceeded = ["removed-subnets", "limits.removed-subnets"]
    assert (found.commit, [one.rule for one in found.preview.verdict.excess]) == (None, exceeded)
    done = attempt(repository, replace(asked, reason="we move out"), tip(place))
    assert done.commit == tip(place)
    override = override_of(repository, tip(place))
    assert override
    assert (override.reason, override.by) == ("we move out", "ana")


@dataclass(frozen=True)
class Cut:
    """The whole map is these rows."""

    rows: str

    def draft(self, repository: Repository, tip: Commit, author: Author) -> CommitDraft:
        made = force_commit(repository.directory, {"locations.csv": self.rows}, f"refs/heads/of-{author.name}")
        return CommitDraft(repository.commit(made).tree, f"Cut {tip.id}", "")


def test_owners_have_to_give_their_word_where_it_counts(place: Path, repository: Repository) -> None:
    owned: Files = {
        **FILES,
        "owners.csv": "10.61.0.0/16,bob@example.com\n",
        "policy.toml": '[checks]\nowner-approval = "error"\n',
    }
    force_commit(place, owned)
    found = attempt(repository, ASKED, tip(place))
    assert (found.commit, found.preview.verdict.missing) == (None, ("bob@example.com",))
    message = f"{found.preview.message}\nApproved-by: bob@example.com\n"
    assert attempt(repository, replace(ASKED, message=message), tip(place)).commit == tip(place)


# --- for a review ---


def test_a_change_for_review_is_on_a_branch_of_its_own(place: Path, repository: Repository) -> None:
    before = tip(place)
    done = attempt(repository, replace(ASKED, for_review=True), before)
    assert done.branch
    assert re.fullmatch(r"upload/ana/\d{8}T\d{6}Z", done.branch)
    assert (tip(place), tip(place, f"refs/heads/{done.branch}")) == (before, done.commit)
    assert done.commit
    assert repository.branches_at(done.commit, "upload") == [done.branch]


@pytest.mark.parametrize("taken", ["upload", "upload/ana"])
def test_a_branch_in_the_way_of_one_for_review_is_named(place: Path, repository: Repository, taken: str) -> None:
    git("branch", taken, "main", cwd=place)
    told = f"there is a branch {taken}, beside which git makes no branch upload/ana/"
    with pytest.raises(NotWritable, match=told) as raised:
        attempt(repository, replace(ASKED, for_review=True), tip(place))
    assert raised.value.hint == f"rename it in the repository: git branch --move {taken} {taken}-old"


def test_for_a_review_it_has_to_be_valid_and_may_be_large_or_unapproved(place: Path, repository: Repository) -> None:
    wrong = replace(EDIT, row=Typed("=Oslo", (), "10.61.2.1/24"))
    assert attempt(repository, ChangeRequest(wrong, ANA, for_review=True), tip(place)).commit is None
    force_commit(
        place,
        {
            **FILES,
            "owners.csv": "10.61.0.0/16,bob@example.com\n",
            "policy.toml": '[checks]\nowner-approval = "error"\n',
        },
    )
    assert attempt(repository, replace(ASKED, for_review=True), tip(place)).commit


def test_the_name_of_a_branch_is_one_whatever_a_user_is_called() -> None:
    for user, safe in (("Ana Lee", "Ana-Lee"), ("../..", "somebody"), ("a.lock", "a-lock"), ("-x~^:", "x")):
        assert review_branch(user).split("/")[1] == safe


def test_two_branches_of_one_second_have_two_names(place: Path, repository: Repository) -> None:
    proposal = preview(repository, ASKED).proposal
    names = [land_aside(repository, proposal, "upload/ana/now", "test") for _ in range(9)]
    assert names == ["upload/ana/now", *(f"upload/ana/now-{number}" for number in range(2, 10))]
    with pytest.raises(RepositoryError):
        land_aside(repository, proposal, "upload/ana/now", "test")
    assert len(git("for-each-ref", "refs/heads/upload", cwd=place).splitlines()) == 9


# --- where nothing is changed from a page ---


def test_where_commits_must_be_signed_none_is_made(place: Path, repository: Repository) -> None:
    check_open(repository)
    git("config", "location-policy.requireSignatures", "tip", cwd=place)
    with pytest.raises(NotWritable) as caught:
        check_open(repository)
    assert caught.value.message == "commits must be signed here, and the service has no key of yours to sign with"


def test_who_says_no_name_has_one_and_every_name_is_one_for_git() -> None:
    assert page_author(None, "127.0.0.1") == Author("anonymous", "anonymous@http.127.0.0.1")
    assert page_author("<>\0.", "local") == Author("anonymous", "anonymous@http.local")
    assert page_author("Ana Lee", "::1") == Author("Ana Lee", "Ana-Lee@http.::1")


# --- contents that travel ---


def test_a_content_without_a_name_is_read_by_its_id(place: Path, repository: Repository) -> None:
    blob = git("hash-object", "-w", str(_write(place / "description")), cwd=place)
    assert repository.blob(blob, 100) == b"Sydney\n"
    for wrong, limit in ((blob, 3), (tip(place), 1_000), ("0" * 40, 100), ("main:locations.csv", 100), ("é", 100)):
        assert repository.blob(wrong, limit) is None


def _write(path: Path) -> Path:
    path.write_text("Sydney\n")
    return path


def test_a_new_row_is_a_change_too(place: Path, repository: Repository) -> None:
    asked = replace(ASKED, intent=AddRow("", Typed("Oslo", (), "10.61.3.0/24")))
    assert attempt(repository, asked, tip(place)).commit == tip(place)
    assert git("show", "main:locations.csv", cwd=place) == "Sydney,10.61.2.0/24\nOslo,10.61.3.0/24"
