"""A push that is refused leaves a trace: who tried, when, which commit, where to, and why not."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from location_policy.gate.push_log import FOLDER, Push, read_log
from tests.support.program import run_program
from tests.support.repositories import BAD, git, run_git, said, tip
from tests.support.service import running_service, wait_until
from tests.system.hook.conftest import Site

MALLORY = {"GIT_AUTHOR_NAME": "Mallory", "GIT_AUTHOR_EMAIL": "mallory@example.com"}
WHY = "locations/apac.csv:1:28: error: 10.61.3.0/23 has host bits set [host-bits]"
ROWS = "".join(f"Sydney,10.70.{number}.0/24\n" for number in range(200))
PERTH = {"locations/apac.csv": "Perth,10.61.2.0/24\n"}


def push(site: Site, *refs: str, by: str = "bob") -> int:
    return run_git("push", "origin", *(refs or ("HEAD:main",)), cwd=site.path, REMOTE_USER=by).returncode


def traces(site: Site) -> list[Push]:
    return [*read_log(site.repository).pushes]


def totals(site: Site) -> dict[str, int]:
    return {result: number for result, number in read_log(site.repository).totals.items() if number}


def test_a_refused_push_is_told_by_log_metric_journal_page_and_command(site: Site) -> None:
    commit = site.commit(BAD, "Open Perth", **MALLORY)
    assert push(site) == 1  # while no service runs
    with running_service(site.repository) as service:
        line = f"refused push by=bob branch=main commit={commit} author=Mallory times=1: {WHY}"
        wait_until(lambda: line in service.log.read_text(), service.log.read_text)
        assert push(site) == 1
        wait_until(lambda: "times=2" in service.log.read_text(), service.log.read_text)
        metrics = service.ask("/metrics").body.decode()
        assert 'location_policy_pushes_total{result="refused"} 2.0\n' in metrics
        assert 'location_policy_pushes_total{result="accepted"} 0.0\n' in metrics
        page = service.ask("/history").body.decode()
        assert "Rejected pushes" in page
        assert all(text in page for text in (commit[:10], "bob", "Mallory", "Open Perth", WHY, "2 times"))
        (told,) = service.ask("/api/v1/history").json()["refused_pushes"]
        assert (told["commit"], told["pusher"], told["branch"]) == (commit, "bob", "main")
    line = (site.repository / "location-policy" / "journal.jsonl").read_text().splitlines()[-1]
    noted = json.loads(line)
    assert (noted["event"], noted["pusher"], noted["author"]) == ("push-refused", "bob", "Mallory")
    assert (noted["commit"], noted["branch"], noted["reason"]) == (commit, "main", WHY)
    done = run_program("history", "--refused", "--repo", site.repository)
    assert re.sub(r"^\S+Z", "TIME", done.stdout) == (
        f"TIME bob to main, 2 times: {commit[:10]} of Mallory: Open Perth\n  {WHY}\n"
    )
    told = json.loads(run_program("history", "--refused", "--repo", site.repository, "--format", "json").stdout)
    assert told["refused_pushes"][0]["reasons"] == [WHY]


def test_each_kind_of_push_is_counted_by_its_result(site: Site) -> None:
    site.commit(PERTH)
    assert push(site, "HEAD:refs/for/main") == 0
    assert push(site, "HEAD:side") == 0
    assert push(site) == 0
    assert totals(site) == {"dry-run": 1, "accepted": 1}
    assert traces(site) == []


def test_the_reason_is_told_of_whatever_is_refused(site: Site) -> None:
    assert push(site, ":main") == 1
    site.commit({"locations/apac.csv": ROWS, "policy.toml": '[limits]\nchanged-addresses = "10%"\n'})
    assert push(site) == 0
    site.commit({"locations/apac.csv": ROWS.replace("Sydney", "Perth", 60)})
    assert push(site) == 1
    site.git("reset", "--quiet", "--hard", "HEAD~2")
    site.commit(PERTH, "Another way")
    assert push(site, "+HEAD:main") == 1
    assert push(site, "HEAD:refs/heads/refs/heads/main") == 1
    assert [one.reasons for one in traces(site)] == [
        ("main is the served branch and cannot be deleted",),
        ("limits.changed-addresses: at most 10%, but it is 30% of IPv4 addresses",),
        ("main is rejected: the push would drop commits that main has",),
        ("refs/heads/refs/heads/main is rejected: git can take it for refs/heads/main",),
    ]


def test_what_cannot_be_judged_is_told_as_such(site: Site) -> None:
    git("config", "location-policy.pusher", "USER", cwd=site.repository)
    site.commit(PERTH)
    assert push(site) == 1
    (found,) = traces(site)
    assert found.result == "failed"
    assert found.reasons[0].startswith("location-policy: location-policy.pusher is USER, not one of ")


@pytest.mark.parametrize("files", [BAD, PERTH], ids=["refused", "accepted"])
def test_a_trace_that_cannot_be_left_changes_no_verdict(site: Site, files: dict[str, str]) -> None:
    (site.repository / FOLDER).write_text("in the way")
    before = tip(site.repository)
    site.commit(files)
    done = site.push()
    assert done.returncode == (1 if files is BAD else 0)
    assert ("valid: 1 commit for main" in said(done)) == (files is PERTH)
    assert "Traceback" not in done.stderr
    assert (tip(site.repository) == before) == (files is BAD)


def test_a_backup_with_the_folder_carries_what_was_refused(site: Site) -> None:
    commit = site.commit(BAD, **MALLORY)
    assert push(site) == 1
    restored = site.repository.with_name("restored.git")
    git("clone", "--quiet", "--bare", site.repository, restored, cwd=site.path)
    shutil.copytree(site.repository / FOLDER, restored / FOLDER)
    assert commit[:10] in run_program("history", "--refused", "--repo", restored).stdout


def test_where_no_push_was_refused_it_says_so(site: Site) -> None:
    done = run_program("history", "--refused", "--repo", site.repository)
    assert (done.returncode, done.stdout) == (0, "")
    assert "no push has been rejected, as far as is known" in done.stderr
    assert run_program("history", "10.61.2.7", "--refused", "--repo", site.repository).returncode == 2
