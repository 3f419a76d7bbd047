"""What may be pushed beside the served branch."""

from __future__ import annotations

import pytest

from tests.support.repositories import BAD, git, said, tip
from tests.system.hook.conftest import Site

RESERVED = ["refs/location-policy/active", "refs/location-policy", "refs/notes/location-policy"]


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


def test_a_ref_with_a_line_separator_in_its_name_passes(site: Site) -> None:
    assert site.push("HEAD:refs/heads/a\u2028b").returncode == 0
