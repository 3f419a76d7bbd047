"""What may be pushed to the branch that is served."""

from __future__ import annotations

import pytest

from tests.support.repositories import BAD, GOOD, MELBOURNE, SYDNEY, force_commit, git, run_git, said, tip, verdict
from tests.system.hook.conftest import Site

BETTER = {"locations/apac.csv": SYDNEY}


def test_a_valid_push_is_accepted(site: Site) -> None:
    commit = site.commit(BETTER)
    push = site.push()
    assert (push.returncode, verdict(push)) == (0, "valid: 1 commit for main")
    assert tip(site.repository) == commit


def test_a_tip_with_warnings_is_accepted_and_the_warnings_are_told(site: Site) -> None:
    site.commit({"sites.csv": "x\n"})
    push = site.push()
    assert push.returncode == 0
    assert verdict(push).startswith("sites.csv:1:1: warning: ")


def test_only_the_warnings_of_the_tip_are_told(site: Site) -> None:
    site.commit({"locations/apac.csv": SYDNEY, "locations/emea.csv": "Sydney,0.0.0.0/0\n"})
    site.commit({"locations/emea.csv": "Sydney,192.168.1.0/24\n"})
    told = verdict(site.push())
    assert told.startswith("locations/emea.csv:1:8: warning: 192.168.1.0/24 takes callers at home too: ")
    assert told.count("warning") == 1


def test_of_warnings_that_were_there_before_only_the_number_is_told(site: Site) -> None:
    rows = "".join(f"Sydney,10.200.{number}.0/24\n" for number in range(100))
    site.commit({"locations/emea.csv": f"Sydney,10.200.0.0/16\n{rows}"})
    site.push()
    site.commit({"locations/emea.csv": f"Sydney,10.200.0.0/16\n# ours\n{rows}Sydney,10.200.200.0/24\n"})
    told = verdict(site.push()).splitlines()
    assert told[0].startswith("locations/emea.csv:103:8: warning: 10.200.200.0/24 gives the answer that ")
    assert told[2:] == ["100 warnings were there before", "valid: 1 commit for main"]


def test_the_warnings_of_a_tip_that_goes_back_to_an_earlier_commit_are_told(site: Site) -> None:
    for rows in ("Sydney,::/0\n", "Sydney,2001:db8::/32\n", "Sydney,::/0\n"):
        site.commit({"locations/emea.csv": rows})
    assert said(site.push()).count("[catch-all]") == 1


def test_a_warning_that_the_rules_make_an_error_is_one_in_every_commit(site: Site) -> None:
    bad = site.commit({"locations/emea.csv": "Sydney,::/0\n", "policy.toml": 'checks.catch-all = "error"\n'})
    site.commit({"locations/emea.csv": "Sydney,2001:db8::/32\n"})
    push = site.push()
    assert push.returncode == 1
    assert f"commit {bad[:10]} " in said(push)
    assert "error: ::/0 takes every IPv6 address" in said(push)


def test_a_bad_tip_is_refused(site: Site) -> None:
    before = tip(site.repository)
    commit = site.commit(BAD)
    push = site.push()
    assert push.returncode == 1
    assert said(push) == (
        "main is rejected: 1 of 1 commit has errors\n"
        "\n"
        f"commit {commit[:10]} Change the map (Alice)\n"
        "locations/apac.csv:1:28: error: 10.61.3.0/23 has host bits set [host-bits]\n"
        "  hint: write 10.61.2.0/23, or 10.61.3.0/24 if that was meant\n"
        "\n"
        "to fix it: correct the files, then\n"
        "  git commit --all --amend --no-edit\n"
        "and push again"
    )
    assert tip(site.repository) == before


def test_a_bad_commit_under_a_good_one_is_refused(site: Site) -> None:
    before = tip(site.repository)
    bad = site.commit(BAD)
    site.commit(GOOD)
    push = site.push()
    assert push.returncode == 1
    assert "main is rejected: 1 of 2 commits has errors" in said(push)
    assert f"commit {bad[:10]}" in said(push)
    assert f"  git rebase --interactive {before[:10]}\n" in said(push)


def test_a_side_branch_pushed_first_is_no_way_round(site: Site) -> None:
    site.commit(BAD)
    assert site.push("HEAD:side").returncode == 0
    assert site.push("HEAD:main").returncode == 1
    site.commit(GOOD)
    assert site.push("HEAD:side").returncode == 0
    assert site.push("HEAD:main").returncode == 1


def test_a_merge_of_two_valid_sides_is_accepted(site: Site) -> None:
    site.git("checkout", "--quiet", "-b", "side")
    site.commit({"locations/emea.csv": "Oslo,10.70.0.0/24\n"})
    site.git("checkout", "--quiet", "main")
    site.commit(BETTER)
    site.git("-c", "user.name=A", "-c", "user.email=a@b.c", "merge", "--quiet", "--no-edit", "side")
    assert site.push().returncode == 0


def test_a_merge_that_brings_a_bad_commit_is_refused(site: Site) -> None:
    site.git("checkout", "--quiet", "-b", "side")
    bad = site.commit(BAD)
    site.commit(GOOD)
    site.git("checkout", "--quiet", "main")
    site.git("-c", "user.name=A", "-c", "user.email=a@b.c", "merge", "--quiet", "--no-ff", "--no-edit", "side")
    push = site.push()
    assert push.returncode == 1
    assert f"commit {bad[:10]}" in said(push)


def test_a_merge_whose_sides_are_valid_only_apart_is_refused(site: Site) -> None:
    site.git("checkout", "--quiet", "-b", "side")
    site.commit({"locations/emea.csv": "Oslo,10.70.0.0/24\n"})
    site.git("checkout", "--quiet", "main")
    site.commit({"locations/nordic.csv": "Bergen,10.70.0.0/24\n"})
    site.git("-c", "user.name=A", "-c", "user.email=a@b.c", "merge", "--quiet", "--no-edit", "side")
    push = site.push()
    assert push.returncode == 1
    assert "10.70.0.0/24 is in locations/emea.csv:1 already [duplicate-subnet]" in said(push)


def test_the_first_push_into_an_empty_repository_brings_its_history(empty_site: Site) -> None:
    empty_site.commit(BAD)
    empty_site.commit(GOOD)
    push = empty_site.push()
    assert push.returncode == 0
    assert verdict(push) == (
        "warning: 1 of the 1 commit before it has errors\n"
        "a commit with errors cannot be served\n"
        "valid: 1 commit for main"
    )


def test_a_first_push_with_a_bad_tip_is_refused(empty_site: Site) -> None:
    empty_site.commit(GOOD)
    empty_site.commit(BAD)
    push = empty_site.push()
    assert push.returncode == 1
    assert "main is rejected: 1 of 1 commit has errors" in said(push)
    assert tip(empty_site.repository) == ""


def test_a_first_push_with_a_valid_history_is_accepted(empty_site: Site) -> None:
    empty_site.commit(GOOD)
    empty_site.commit(BETTER)
    push = empty_site.push()
    assert (push.returncode, verdict(push)) == (0, "valid: 1 commit for main")


def test_a_tip_without_any_row_is_refused(site: Site) -> None:
    site.commit({"locations/apac.csv": "# nothing yet\n"})
    push = site.push()
    assert push.returncode == 1
    assert "[no-rows]" in said(push)


def test_one_bad_ref_refuses_the_whole_push(site: Site) -> None:
    site.commit(BAD)
    push = site.push("HEAD:refs/heads/side", "HEAD:refs/heads/main")
    assert push.returncode == 1
    assert tip(site.repository, "refs/heads/side") == ""


@pytest.mark.parametrize("atomic", [["--atomic"], []])
def test_several_refs_in_one_push_are_accepted_together(site: Site, atomic: list[str]) -> None:
    commit = site.commit(BETTER)
    push = site.push(*atomic, "HEAD:refs/heads/side", "HEAD:refs/heads/main", "HEAD:refs/tags/v1")
    assert push.returncode == 0
    assert {tip(site.repository, ref) for ref in ("refs/heads/side", "refs/heads/main", "refs/tags/v1")} == {commit}


def test_an_atomic_push_with_a_bad_tip_changes_nothing(site: Site) -> None:
    site.commit(BAD)
    assert site.push("--atomic", "HEAD:refs/heads/side", "HEAD:refs/heads/main").returncode == 1
    assert tip(site.repository, "refs/heads/side") == ""


def test_the_served_branch_cannot_be_deleted(site: Site) -> None:
    push = site.push("--delete", "main")
    assert push.returncode == 1
    assert said(push) == "main is the served branch and cannot be deleted"


def test_history_of_the_served_branch_cannot_be_dropped(site: Site) -> None:
    site.commit(BETTER)
    site.push()
    site.git("reset", "--quiet", "--hard", "HEAD~")
    push = site.push("--force", "HEAD:main")
    assert push.returncode == 1
    assert said(push) == (
        "main is rejected: the push would drop commits that main has\n"
        "  hint: to undo a change, git revert it; to keep both, git pull --rebase\n"
        "  hint: who keeps the repository can allow it"
    )


@pytest.mark.parametrize("yes", ["true", "yes", "On", "1"])
def test_dropping_history_can_be_allowed_and_is_told(site: Site, yes: str) -> None:
    git("config", "location-policy.allowNonFastForward", yes, cwd=site.repository)
    dropped = site.commit(BETTER, "Leave Melbourne out")
    site.push()
    site.git("reset", "--quiet", "--hard", "HEAD~")
    push = site.push("--force", "HEAD:main")
    assert push.returncode == 0
    warning = f"warning: main drops 1 commit of its history:\n  {dropped[:10]} Leave Melbourne out (Alice)\n"
    assert said(push).startswith(f"{warning}what changes on main since ")


def test_dropping_history_is_allowed_by_a_key_without_a_value(site: Site) -> None:
    with (site.repository / "config").open("a") as config:
        config.write("[location-policy]\n\tallowNonFastForward\n")
    site.git("commit", "--quiet", "--amend", "-m", "Another start", "--author=A <a@b>")
    assert site.push("--force", "HEAD:main").returncode == 0


def test_a_long_history_that_is_dropped_is_told_in_part(site: Site) -> None:
    git("config", "location-policy.allowNonFastForward", "true", cwd=site.repository)
    for number in range(12):
        site.commit({"README": str(number)}, f"Change {number}")
    site.push()
    site.git("reset", "--quiet", "--hard", "HEAD~12")
    lines = said(site.push("--force", "HEAD:main")).split("\n")
    assert "Change 11" in lines[1]
    assert lines[11] == "  … and 2 more"


def test_a_history_written_anew_is_judged_from_where_it_parts(site: Site) -> None:
    git("config", "location-policy.allowNonFastForward", "true", cwd=site.repository)
    site.commit(BETTER)
    site.push()
    site.git("reset", "--quiet", "--hard", "HEAD~")
    first = site.commit(BAD)
    site.commit(GOOD)
    push = site.push("--force", "HEAD:main")
    assert push.returncode == 1
    assert f"  git rebase --interactive {first[:10]}~\n" in said(push)


def test_going_back_to_a_commit_that_is_not_valid_is_refused(site: Site) -> None:
    git("config", "location-policy.allowNonFastForward", "true", cwd=site.repository)
    bad = force_commit(site.repository, BAD)
    force_commit(site.repository, GOOD)
    site.git("fetch", "--quiet", "origin")
    push = site.push("--force", f"{bad}:refs/heads/main")
    assert push.returncode == 1
    assert "has host bits set" in said(push)


def test_a_pusher_whose_clock_is_years_behind_is_not_taken_for_one_who_drops_history(site: Site) -> None:
    for number in range(8):
        date = f"2001-01-0{number + 1}T00:00:00Z"
        site.commit({"README": str(number)}, GIT_COMMITTER_DATE=date, GIT_AUTHOR_DATE=date)
    push = site.push()
    assert (push.returncode, verdict(push)) == (0, "valid: 8 commits for main")


def test_the_branch_named_in_the_configuration_is_served_whatever_head_names(site: Site) -> None:
    git("config", "location-policy.branch", "live", cwd=site.repository)
    site.commit(BAD)
    assert site.push("HEAD:main").returncode == 0
    assert site.push("HEAD:live").returncode == 1
    site.commit(GOOD)
    assert site.push("HEAD:live").returncode == 0


def test_without_a_configured_branch_head_says_what_is_served(site: Site) -> None:
    git("symbolic-ref", "HEAD", "refs/heads/live", cwd=site.repository)
    site.commit(BAD)
    assert site.push("HEAD:main").returncode == 0
    assert site.push("HEAD:live").returncode == 1


def test_with_a_detached_head_no_branch_is_served(site: Site) -> None:
    (site.repository / "HEAD").write_text(tip(site.repository) + "\n")
    site.commit(BAD)
    assert site.push("HEAD:main").returncode == 0


def test_a_branch_whose_name_is_not_ascii_is_served(site: Site) -> None:
    git("config", "location-policy.branch", "straße", cwd=site.repository)
    site.commit(BAD)
    assert site.push("HEAD:refs/heads/straße").returncode == 1


def test_a_replaced_object_does_not_fool_the_hook(site: Site) -> None:
    good, bad = site.commit(GOOD, "Good"), site.commit(BAD, "Bad")
    assert site.push(f"{bad}:refs/heads/side").returncode == 0
    git("replace", bad, good, cwd=site.repository)
    assert site.push(f"{bad}:refs/heads/main").returncode == 1


def test_the_hook_works_where_many_objects_arrive_as_a_pack(site: Site) -> None:
    git("config", "transfer.unpackLimit", "1", cwd=site.repository)
    site.commit(BAD)
    assert site.push().returncode == 1
    site.git("reset", "--quiet", "--hard", "HEAD~")
    site.commit({"locations/apac.csv": MELBOURNE})
    assert site.push().returncode == 0


def test_a_branch_that_points_at_a_tag_is_refused(site: Site) -> None:
    site.git("-c", "user.name=A", "-c", "user.email=a@b.c", "tag", "-a", "-m", "x", "v1")
    site.git("push", "origin", "v1")
    tag = site.git("rev-parse", "v1")
    push = site.push(f"{tag}:refs/heads/main")
    assert push.returncode == 1


def test_an_alias_of_the_served_branch_is_no_way_round(site: Site) -> None:
    git("symbolic-ref", "refs/heads/production", "refs/heads/main", cwd=site.repository)
    before = tip(site.repository)
    site.commit(BAD)
    for arguments in (["HEAD:production"], ["--force", "HEAD~1^:production"], [":production"]):
        assert site.push(*arguments).returncode == 1, arguments
        assert tip(site.repository) == before


def test_the_served_branch_is_guarded_when_the_setting_names_an_alias(site: Site) -> None:
    git("symbolic-ref", "refs/heads/production", "refs/heads/main", cwd=site.repository)
    git("config", "location-policy.branch", "production", cwd=site.repository)
    site.commit(BAD)
    assert site.push().returncode == 1


def test_an_old_history_that_git_refuses_is_brought_once_git_is_told_to_let_it_in(site: Site) -> None:
    before = tip(site.repository)
    tree = git("rev-parse", "HEAD^{tree}", cwd=site.path)
    person = "Alice <a@example.com> 1300000000 +051800"
    text = f"tree {tree}\nparent {before}\nauthor {person}\ncommitter {person}\n\nOld\n".encode()
    write = ("hash-object", "-t", "commit", "-w", "--literally", "--stdin")
    old = run_git(*write, cwd=site.path, stdin=text).stdout.strip()
    refused = site.push(f"{old}:main")
    assert refused.returncode == 1
    assert "badTimezone" in refused.stderr
    git("config", "receive.fsck.badTimezone", "ignore", cwd=site.repository)
    assert site.push(f"{old}:main").returncode == 0
    assert tip(site.repository) == old
