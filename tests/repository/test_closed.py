"""git runs in a closed environment: nothing that machine, user or repository have planted is run."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from location_policy.errors import RepositoryError, UnknownRevision
from location_policy.repository import git_process as processes
from location_policy.repository.git import Git, GitFailed, PlainGit, PythonGit
from location_policy.repository.mirror import Mirror
from location_policy.repository.repository import open_repository
from tests.support.git_http import address_of, clone_over_http, push_over_http
from tests.support.program import run_program
from tests.support.repositories import GOOD, SYDNEY, Clone, force_commit, git, init, make_repository, run_git, said
from tests.support.service import started_service

Open = Callable[[Path], AbstractContextManager[Git]]


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    """What is there when something planted was run."""
    return tmp_path / "was-run"


@pytest.fixture
def planted(tmp_path: Path, marker: Path) -> dict[str, str]:
    """Variables that lead git to settings which run programs, leave files out and hand pushes through."""
    home, hooks = tmp_path / "home", tmp_path / "home" / "template" / "hooks"
    hooks.mkdir(parents=True)
    for name in ("pre-receive", "post-receive", "update", "reference-transaction", "post-index-change"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {marker}\n")
        (hooks / name).chmod(0o755)
    program = f"touch {marker}"
    config = f"""
[core]
	hooksPath = {hooks}
	fsmonitor = {program}
	pager = {program}
	sshCommand = {program}
	excludesFile = {home}/ignore
	attributesFile = {home}/attributes
[init]
	templateDir = {home}/template
[filter "evil"]
	clean = {program}
	required = true
[credential]
	helper = "!{program}"
[uploadpack]
	packObjectsHook = {program}
[receive]
	maxInputSize = 1
[location-policy]
	branch = evil
"""
    (home / ".gitconfig").write_text(config)
    (home / ".config" / "git").mkdir(parents=True)
    (home / ".config" / "git" / "config").write_text(config)
    for folder in (home, home / ".config" / "git"):
        (folder / "ignore").write_text("*\n")
        (folder / "attributes").write_text("* filter=evil ident\n")
    return {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "GIT_CONFIG_NOSYSTEM": "0",
        "GIT_CONFIG_SYSTEM": str(home / ".gitconfig"),
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.hooksPath",
        "GIT_CONFIG_VALUE_0": str(hooks),
        "GIT_TEMPLATE_DIR": str(home / "template"),
        "GIT_OBJECT_DIRECTORY": str(home / "objects"),
        "GIT_INDEX_FILE": str(home / "index"),
        "GIT_WORK_TREE": str(home),
        "GIT_EXEC_PATH": str(home),
        "GIT_ASKPASS": program,
        "GIT_SSH_COMMAND": program,
        "GIT_EXTERNAL_DIFF": program,
        "GIT_TRACE": str(home / "trace"),
        "GIT_QUARANTINE_PATH": str(home),
        "GL_USERNAME": "mallory",
        "REMOTE_USER": "mallory",
    }


def test_settings_of_machine_and_user_do_not_count_when_a_repository_is_made_and_read(
    tmp_path: Path, planted: dict[str, str], marker: Path
) -> None:
    Clone(tmp_path / "map").write({"locations.csv": SYDNEY + "# $Id$\n"})
    made = run_program("init", tmp_path / "map.git", "--from", tmp_path / "map", environment=planted)
    assert (made.returncode, made.stderr) == (0, "")
    found = run_program("lookup", "10.61.2.7", "--repo", tmp_path / "map.git", environment=planted)
    assert (found.returncode, found.stderr) == (0, "")
    assert git("show", "main:locations.csv", cwd=tmp_path / "map.git").endswith("# $Id$")
    assert not marker.exists()
    assert not (tmp_path / "home" / "trace").exists()


def test_settings_of_machine_and_user_do_not_count_for_a_push_over_http_either(
    tmp_path: Path, planted: dict[str, str], marker: Path
) -> None:
    repository = init(tmp_path / "map.git")
    with started_service("--repo", repository, cwd=tmp_path, user=None, groups=(), program=None, **planted) as service:
        service.wait_for("in-sync")
        copy = clone_over_http(service, tmp_path / "copy")
        copy.commit({"locations/apac.csv": "no row\n"})
        assert "main is refused" in said(push_over_http(copy))
        copy.git("reset", "--quiet", "--hard", "HEAD~1")
        copy.commit({"locations/apac.csv": SYDNEY, "expectations.csv": ""})
        assert push_over_http(copy).returncode == 0
        assert git("reflog", "--max-count=1", "--format=%gn", "main", cwd=repository) == "anonymous"
    assert not marker.exists()
    assert not (tmp_path / "home" / "trace").exists()


# --- no way out ---


@pytest.mark.parametrize("address", ["ext::touch {}", "ext://touch {}"])
def test_an_address_that_is_a_program_is_not_run(tmp_path: Path, marker: Path, address: str) -> None:
    mirror = Mirror(address.format(marker), tmp_path / "state", None, 1.0)
    mirror.make()
    with pytest.raises(RepositoryError, match="transport 'ext' not allowed"):
        mirror.update()
    assert not marker.exists()


def test_serve_takes_such_an_address_for_a_path_that_is_not_there(tmp_path: Path, marker: Path) -> None:
    done = run_program("serve", "--repo", f"ext::touch {marker}", "--port", "0", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert "does not exist" in done.stderr
    assert not marker.exists()


@pytest.fixture
def promising(tmp_path: Path, marker: Path) -> Path:
    """A repository that lacks a file, and says which program brings it."""
    repository = make_repository(tmp_path / "map.git", GOOD)
    blob = git("rev-parse", "main:locations/apac.csv", cwd=repository)
    (repository / "objects" / blob[:2] / blob[2:]).unlink()
    for key, value in {
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.promisor": "true",
        "remote.origin.url": f"ext::touch {marker}",
        "protocol.ext.allow": "always",
    }.items():
        git("config", key, value, cwd=repository)
    return repository


def test_a_missing_object_is_not_fetched_from_where_the_repository_says(promising: Path, marker: Path) -> None:
    assert run_program("check", "--repo", promising).returncode == 2
    assert not marker.exists()


def test_nor_is_it_for_who_clones(promising: Path, marker: Path, tmp_path: Path) -> None:
    with started_service("--repo", promising, cwd=tmp_path) as service:
        done = run_git("clone", address_of(service), "copy", cwd=tmp_path)
        assert done.returncode == 128
        assert service.ask("/healthz").status == 200
    assert not marker.exists()


# --- deadlines ---


@pytest.fixture(params=["plain", "python"])
def open_git(request: pytest.FixtureRequest) -> Open:
    return PythonGit if request.param == "python" else lambda path: nullcontext(PlainGit(path))


@pytest.fixture
def stuck(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose git says nothing and does not end."""
    repository = make_repository(tmp_path / "map.git", GOOD)
    with PythonGit(repository):
        pass  # GitPython asks its version when it is imported
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").write_text("#!/bin/sh\nexec sleep 60\n")
    (tmp_path / "bin" / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setattr(processes, "DEADLINE", 0.2)
    monkeypatch.setattr(processes, "LONGEST_TALK", 0.2)
    return repository


def test_a_git_that_does_not_end_is_ended(stuck: Path, open_git: Open) -> None:
    with open_git(stuck) as git, pytest.raises(GitFailed, match=r"git rev-parse failed: no end after 0\.2 s"):
        git.run("rev-parse", "HEAD")


def test_a_git_that_does_not_answer_is_ended(stuck: Path, open_git: Open) -> None:
    with open_git(stuck) as git, git.converse("cat-file", "--batch-command") as conversation:
        assert conversation.stdout.readline() == b""


# --- revisions from outside ---


def test_a_commit_of_the_served_branch_is_found_by_its_id_and_no_other_is(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "map.git", GOOD)
    first = git("rev-parse", "main", cwd=repository)
    force_commit(repository, GOOD)
    other = force_commit(repository, GOOD, "refs/heads/other", "Be elsewhere")
    tree = git("rev-parse", "main^{tree}", cwd=repository)
    with open_repository(repository) as opened:
        assert opened.find_served(first).id == first
        assert opened.find_served(first[:7]).id == first
        outside = (other, other[:10], tree, first[:6], first.upper(), f"{first}^", "HEAD", "main", "", "0" * 40)
        for revision in (*outside, "--upload-pack=touch x", "-h", f"{first}\n", "main@{0}", ":/Force", "../../etc"):
            with pytest.raises(UnknownRevision, match="the served branch has no commit"):
                opened.find_served(revision)


def test_without_a_commit_none_is_found(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", "--bare", tmp_path / "map.git"], check=True)
    with open_repository(tmp_path / "map.git") as opened, pytest.raises(UnknownRevision):
        opened.find_served("a" * 40)
