"""Who did it is who pushed: any name may stand as the author of a commit."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.support.program import run_program
from tests.support.repositories import BAD, Clone, git, run_git, tip
from tests.support.service import running_service
from tests.system.hook.conftest import Site

PERTH = {"locations/apac.csv": "Perth,10.61.2.0/24\n"}
MALLORY = {"GIT_AUTHOR_NAME": "Mallory", "GIT_AUTHOR_EMAIL": "mallory@example.com"}


def push(site: Clone, *refs: str, by: str) -> subprocess.CompletedProcess[str]:
    return run_git("push", "origin", *(refs or ("HEAD:main",)), cwd=site.path, REMOTE_USER=by)


def pushed_by_bob(site: Site) -> str:
    """A commit of Mallory's, by its word, that bob has pushed."""
    commit = site.commit(PERTH, "Open Perth", **MALLORY)
    assert push(site, by="bob").returncode == 0
    return commit


def test_who_pushed_stands_beside_the_author_wherever_a_commit_is_told(site: Site) -> None:
    with running_service(site.repository) as service:
        commit = pushed_by_bob(site)
        active = service.wait_for("in-sync", commit)["active"]
        assert (active["author"], active["pusher"]) == ("Mallory", "bob")
        for page in ("/", "/history", f"/commit/{commit}", "/lookup/origin?address=10.61.2.7"):
            text = service.ask(page).body.decode()
            assert "Mallory" in text
            assert "bob" in text, page
        assert json.loads(service.ask("/api/v1/history").body)["commits"][0]["pusher"] == "bob"
        assert f"active commit={commit} subnets=1" in service.log.read_text()
        assert " author=Mallory pusher=bob\n" in service.log.read_text()
    told = "Mallory, pushed by bob: Open Perth"
    assert told in run_program("history", "--repo", site.repository).stdout
    assert told in run_program("blame", "10.61.2.7", "--repo", site.repository).stdout
    line = (site.repository / "location-policy" / "journal.jsonl").read_text().splitlines()[-1]
    fields = json.loads(line)
    assert (fields["commit"], fields["author"], fields["pusher"]) == (commit, "Mallory", "bob")


def test_every_commit_of_a_push_is_noted_and_the_one_who_pushes_what_is_theirs_is_told_once(site: Site) -> None:
    first = site.commit({"locations/apac.csv": "Perth,10.61.2.0/24\n"}, "First", **MALLORY)
    site.commit({"locations/apac.csv": "Perth,10.61.2.0/24\n# more\n"}, "Second")
    assert push(site, by="alice").returncode == 0
    told = run_program("history", "--repo", site.repository, "--number", "2").stdout
    assert "Mallory, pushed by alice: First" in told
    assert "Alice: Second" in told
    assert f"{first[:10]} " in run_program("blame", "10.61.2.7", "--repo", site.repository).stdout


def test_what_is_refused_asked_or_on_another_branch_is_noted_nowhere(site: Site) -> None:
    site.commit(BAD)
    assert push(site, by="bob").returncode == 1
    site.git("reset", "--quiet", "--hard", "HEAD~")
    site.commit(PERTH)
    assert push(site, "HEAD:refs/for/main", by="bob").returncode == 0
    assert push(site, "HEAD:side", by="bob").returncode == 0
    assert tip(site.repository, "refs/notes/location-policy") == ""


def test_a_push_is_taken_where_it_cannot_be_noted(site: Site) -> None:
    git("update-ref", "refs/notes/location-policy/in-the-way", "main", cwd=site.repository)
    commit = pushed_by_bob(site)
    assert tip(site.repository) == commit


def test_the_backup_of_the_manual_carries_who_pushed(site: Site, tmp_path: Path) -> None:
    pushed_by_bob(site)
    git("bundle", "create", "--quiet", tmp_path / "locations.bundle", "--all", cwd=site.repository)
    git("clone", "--quiet", "--bare", "locations.bundle", "restored.git", cwd=tmp_path)
    git("fetch", "--quiet", "../locations.bundle", "refs/notes/*:refs/notes/*", cwd=tmp_path / "restored.git")
    assert "Mallory, pushed by bob: Open Perth" in run_program("history", "--repo", tmp_path / "restored.git").stdout
