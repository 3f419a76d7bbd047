"""What may be pushed beside the served branch."""

from __future__ import annotations

import re

import pytest

from tests.support.repositories import BAD, GOOD, git, said, tip
from tests.system.hook.conftest import Site

RESERVED = [
    "refs/location-policy/active",
    "refs/location-policy",
    "refs/notes/location-policy",
    "refs/notes/location-policy/x",
]


def test_tags_and_other_branches_pass_whatever_they_hold(site: Site) -> None:
    commit = site.commit(BAD)
    push = site.push("HEAD:refs/tags/v1", "HEAD:refs/heads/side", "HEAD:refs/notes/reviews")
    assert (push.returncode, said(push)) == (0, "")
    assert tip(site.repository, "refs/tags/v1") == commit


def test_other_branches_may_be_rebased_and_deleted(site: Site) -> None:
    site.commit(BAD)
    site.push("HEAD:side", "HEAD:refs/tags/v1")
    site.git("commit", "--quiet", "--amend", "-m", "Another", "--author=A <a@b>")
    assert site.push("--force", "HEAD:side").returncode == 0
    assert site.push("--delete", "side", "v1").returncode == 0


@pytest.mark.parametrize("ref", RESERVED)
def test_git_refuses_a_push_to_the_refs_of_the_program(site: Site, ref: str) -> None:
    push = site.push(f"HEAD:{ref}")
    assert push.returncode == 1
    assert "deny updating a hidden ref" in push.stderr


@pytest.mark.parametrize("ref", RESERVED)
def test_the_hook_refuses_it_where_the_settings_are_not_ours(site: Site, ref: str) -> None:
    git("config", "--unset-all", "transfer.hideRefs", cwd=site.repository)
    git("config", "--unset-all", "receive.hideRefs", cwd=site.repository)
    push = site.push("HEAD:refs/heads/side", f"HEAD:{ref}")
    assert push.returncode == 1
    assert said(push) == f"{ref} is written by the program only"
    assert tip(site.repository, "refs/heads/side") == ""


def test_a_ref_whose_name_only_begins_alike_passes(site: Site) -> None:
    assert site.push("HEAD:refs/notes/location-policy-reviews").returncode == 0


def test_refs_with_a_line_separator_in_their_names_pass(site: Site) -> None:
    assert site.push("HEAD:refs/heads/a\u2028b").returncode == 0
    assert site.push("HEAD:refs/heads/c\u2028d").returncode == 0


# --- names that git would take for others, or that are in the way ---


def follow_hint(site: Site, told: str) -> None:
    """Push as a refusal says, and see that it is taken."""
    arguments = re.findall(r"hint: .*git push origin (\S+)$", told)
    assert site.push(*arguments).returncode == 0


@pytest.mark.parametrize(
    ("ref", "meant"),
    [
        ("refs/heads/refs/heads/main", "refs/heads/main"),
        ("refs/heads/refs/location-policy/last-good", "refs/location-policy/last-good"),
        ("refs/tags/refs/notes/location-policy", "refs/notes/location-policy"),
    ],
)
def test_a_ref_with_the_whole_name_of_another_in_its_own_is_refused(site: Site, ref: str, meant: str) -> None:
    told = said(site.push(f"HEAD:{ref}"))
    assert told.splitlines()[:2] == [f"{ref} is rejected:", f"git can take it for {meant}"]
    assert tip(site.repository, ref) == ""
    follow_hint(site, told)


def test_what_was_pushed_before_can_be_cleared_away(site: Site) -> None:
    refs = ["refs/heads/refs/heads/x", f"refs/replace/{'1' * 40}"]
    for ref in refs:
        git("update-ref", ref, "refs/heads/main", cwd=site.repository)
    assert site.push("--delete", *refs).returncode == 0
    assert [tip(site.repository, ref) for ref in refs] == ["", ""]


def test_a_branch_below_the_served_one_is_refused_also_before_that_is_born(empty_site: Site) -> None:
    commit = empty_site.commit(GOOD)
    told = said(empty_site.push("HEAD:refs/heads/main/x"))
    assert told == (
        "refs/heads/main/x is rejected:\n"
        "beside it there can be no refs/heads/main, which is served\n"
        "  hint: git push origin HEAD:refs/heads/main-x"
    )
    follow_hint(empty_site, told)
    assert empty_site.push().returncode == 0
    assert said(empty_site.push("HEAD:refs/heads/main/x")) == told
    assert tip(empty_site.repository) == commit


def test_a_replacement_of_an_object_is_refused(site: Site) -> None:
    commit = site.commit(GOOD, "Good")
    ref = f"refs/replace/{commit}"
    told = said(site.push(f"HEAD:{ref}"))
    assert told.splitlines()[:2] == [f"{ref} is rejected:", "git would show another object in the place of one"]
    follow_hint(site, told)
