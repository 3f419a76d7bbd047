"""`git push origin HEAD:refs/for/main`: what would happen, and nothing does."""

from __future__ import annotations

import pytest

from tests.support.repositories import BAD, GOOD, SYDNEY, git, run_git, said, tip, verdict
from tests.system.hook.conftest import Site, lose_program

BETTER = {"locations/apac.csv": SYDNEY}
DRY = "HEAD:refs/for/main"
LAST = "dry run: nothing changed"


def refs(site: Site) -> str:
    return git("for-each-ref", cwd=site.repository)


def test_a_dry_run_prints_plan_and_verdict_once_and_makes_no_ref(site: Site) -> None:
    before = refs(site)
    site.commit(BETTER)
    push = site.push(DRY)
    told = said(push)
    assert push.returncode == 0
    assert told.startswith("what changes on main since ")
    assert told.count("10.61.3.0/24  Melbourne -> no answer") == 1
    assert verdict(push) == f"valid: 1 commit for main\n{LAST}"
    assert refs(site) == before


def test_a_dry_run_of_what_is_not_valid_is_refused_as_a_push_is(site: Site) -> None:
    before = refs(site)
    site.commit(BAD)
    push = site.push(DRY)
    assert push.returncode == 1
    assert said(push).startswith("main is rejected: 1 of 1 commit has errors\n")
    assert said(push).endswith(f"\n{LAST}")
    assert refs(site) == before


def test_a_push_after_a_dry_run_says_the_same(site: Site) -> None:
    site.commit(BETTER)
    asked, done = site.push(DRY), site.push()
    assert said(asked) == f"{said(done)}\n{LAST}"


@pytest.mark.parametrize("name", ["main", "refs/heads/main", "production"])
def test_the_served_branch_may_be_named_in_other_ways(site: Site, name: str) -> None:
    git("symbolic-ref", "refs/heads/production", "refs/heads/main", cwd=site.repository)
    site.commit(BAD)
    assert site.push(f"HEAD:refs/for/{name}").returncode == 1
    site.commit(GOOD)
    site.git("reset", "--quiet", "--soft", "HEAD~2")
    site.commit(GOOD)
    assert site.push(f"HEAD:refs/for/{name}").returncode == 0


def test_nothing_judges_another_branch(site: Site) -> None:
    site.commit(BETTER)
    push = site.push("HEAD:refs/for/mian")
    assert push.returncode == 1
    assert said(push) == (
        f"mian is not the served branch, so nothing judges it\n  hint: git push origin HEAD:refs/for/main\n{LAST}"
    )


def test_a_dry_run_of_a_branch_that_is_not_there_yet(empty_site: Site) -> None:
    empty_site.commit(GOOD)
    push = empty_site.push(DRY)
    assert push.returncode == 0
    assert said(push).startswith("main is served for the first time:\n")
    assert refs(empty_site) == ""


def test_a_dry_run_would_drop_history_as_a_push_would(site: Site) -> None:
    site.commit(BETTER)
    site.push()
    site.git("reset", "--quiet", "--hard", "HEAD~")
    site.commit({"README": "x"})
    push = site.push(DRY)
    assert push.returncode == 1
    assert said(push).startswith("main is rejected: the push would drop commits that main has\n")


def test_there_is_nothing_to_delete(site: Site) -> None:
    push = site.push(":refs/for/main")
    assert push.returncode == 1
    assert said(push) == f"there is no refs/for/main to delete\n{LAST}"


@pytest.mark.parametrize("atomic", [["--atomic"], []])
def test_a_dry_run_beside_a_push_changes_what_the_push_changes(site: Site, atomic: list[str]) -> None:
    commit = site.commit(BETTER)
    push = site.push(*atomic, DRY, "HEAD:refs/heads/side")
    assert push.returncode == 0
    assert said(push).endswith(f"\n{LAST} by refs/for/main")
    assert tip(site.repository, "refs/heads/side") == commit
    assert "refs/for" not in refs(site)


@pytest.mark.parametrize("atomic", [["--atomic"], []])
def test_a_dry_run_that_is_refused_takes_the_push_beside_it_along(site: Site, atomic: list[str]) -> None:
    before = refs(site)
    site.commit(BAD)
    push = site.push(*atomic, DRY, "HEAD:refs/heads/side")
    assert push.returncode == 1
    assert said(push).endswith(f"\n{LAST}")
    assert refs(site) == before


def test_a_dry_run_beside_the_same_push_of_the_served_branch_is_told_once(site: Site) -> None:
    commit = site.commit(BETTER)
    push = site.push(DRY, "HEAD:main")
    assert said(push).count("valid: 1 commit for main") == said(push).count("what changes on main") == 1
    assert said(push).endswith(f"\n{LAST} by refs/for/main")
    assert tip(site.repository) == commit


def test_a_dry_run_of_something_else_beside_a_push_of_the_served_branch_judges_both(site: Site) -> None:
    site.commit(BETTER)
    site.commit({"README": "x"})
    push = site.push(DRY, "HEAD~:main")
    assert [f"valid: {number} for main" in said(push) for number in ("1 commit", "2 commits")] == [True, True]


def test_an_option_counts_for_a_dry_run(site: Site) -> None:
    site.commit(BETTER)
    assert run_git("push", "-o", "allow-large-change=x", "origin", DRY, cwd=site.path).returncode == 0
    assert "refs/notes" not in refs(site)


def test_a_repository_of_an_older_version_makes_no_ref_either(site: Site) -> None:
    before = refs(site)
    git("config", "--unset", "receive.procReceiveRefs", cwd=site.repository)
    site.commit(BETTER)
    push = site.push(DRY)
    assert push.returncode == 1
    assert said(push) == (
        "this repository does not know dry runs yet\n"
        f"  hint: on the server run location-policy init {site.repository}\n"
        f"{LAST}"
    )
    assert refs(site) == before


def test_without_the_program_a_dry_run_fails_and_changes_nothing(site: Site) -> None:
    before = refs(site)
    lose_program(site, "proc-receive")
    site.commit(BETTER)
    push = site.push(DRY)
    assert push.returncode == 1
    assert "location-policy: the program cannot be run, so the dry run fails" in said(push)
    assert refs(site) == before
