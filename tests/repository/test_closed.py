"""git runs in a closed environment: nothing that machine, user or repository have planted is run."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from location_policy.errors import ForeignRepository, RepositoryError, UnknownRevision
from location_policy.repository import git_process as processes
from location_policy.repository.git import Git, GitFailed, PlainGit, PythonGit
from location_policy.repository.remote.copy_path import mirror_directory
from location_policy.repository.remote.mirror import Mirror
from location_policy.repository.repository import open_repository
from tests.support.git_http import address_of, clone_over_http, push_over_http
from tests.support.program import closed_environment, run_program
from tests.support.repositories import (
    GOOD,
    MELBOURNE,
    SYDNEY,
    Clone,
    clone,
    force_commit,
    git,
    init,
    make_repository,
    run_git,
    said,
    tip,
)
from tests.support.service import started_service, wait_until
from tests.support.unprivileged import NOBODY

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
    assert made.returncode == 0
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
        assert "main is rejected" in said(push_over_http(copy))
        copy.git("reset", "--quiet", "--hard", "HEAD~1")
        copy.commit({"locations/apac.csv": SYDNEY, "expectations.csv": ""})
        assert push_over_http(copy).returncode == 0
        assert git("reflog", "--max-count=1", "--format=%gn", "main", cwd=repository) == "anonymous"
    assert not marker.exists()
    assert not (tmp_path / "home" / "trace").exists()


@pytest.fixture
def rigged(tmp_path: Path, marker: Path) -> Path:
    """A repository whose config names a program wherever git would run one, and in which a revert has to merge."""
    files = {"locations/apac.csv": SYDNEY, "expectations.csv": ""}
    repository = make_repository(tmp_path / "map.git", files)
    for number in (3, 4):
        force_commit(repository, {**files, "locations/apac.csv": f"{SYDNEY}Perth,10.61.{number}.0/24\n"})
    (repository / "info").mkdir(exist_ok=True)
    (repository / "info" / "attributes").write_text("* diff=evil merge=evil filter=evil\n")
    for name in ("reference-transaction", "post-index-change", "update", "pre-receive", "post-receive"):
        hook = repository / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {marker}\n")
        hook.chmod(0o755)
    program = f"touch {marker};false"
    with (repository / "config").open("a") as file:
        file.write(f"""
[core]
	fsmonitor = {program}
	pager = {program}
	editor = {program}
	sshCommand = {program}
	gitProxy = {program}
	askPass = {program}
	alternateRefsCommand = {program}
[diff]
	external = {program}
[diff "evil"]
	textconv = {program}
	command = {program}
[merge "evil"]
	driver = {program}
[filter "evil"]
	clean = {program}
	smudge = {program}
[gpg]
	program = {program}
[gpg "ssh"]
	program = {program}
	defaultKeyCommand = {program}
[commit]
	gpgSign = true
[log]
	showSignature = true
[credential]
	helper = "!{program}"
[alias]
	log = "!{program}"
""")
    return repository


@pytest.mark.parametrize(
    "command",
    [
        "check --rev main~1",
        "check --rev main --only-changed main~1",
        "lookup 10.61.2.7",
        "blame 10.61.2.7",
        "history",
        "history 10.61.3.7",
        "diff main~1 main",
        "doctor",
        "revert main~1 --dry-run",
    ],
)
def test_what_a_repository_says_is_to_be_run_is_not_run(rigged: Path, marker: Path, command: str) -> None:
    done = run_program(*command.split(" "), "--repo", rigged)
    assert done.returncode in (0, 1), done.stderr
    assert not marker.exists()


def test_nor_is_it_where_it_is_followed(rigged: Path, marker: Path, tmp_path: Path) -> None:
    with started_service("--repo", rigged, cwd=tmp_path) as service:
        service.wait_for("in-sync")
        wait_until(lambda: tip(rigged, "refs/location-policy/last-good") == tip(rigged))
    assert not marker.exists()


def test_nor_is_it_for_what_is_staged(rigged: Path, marker: Path, tmp_path: Path) -> None:
    copy = clone(rigged, tmp_path / "copy")
    copy.write({"locations/apac.csv": MELBOURNE})
    copy.git("add", "locations/apac.csv")
    shutil.copy(rigged / "config", copy.path / ".git" / "config")
    copy.git("config", "core.bare", "false")
    shutil.copytree(rigged / "hooks", copy.path / ".git" / "hooks", dirs_exist_ok=True)
    marker.unlink(missing_ok=True)  # the clone is of git's making, not of ours
    for command in ("check --staged", "check", "lookup 10.61.3.7"):
        assert run_program(*command.split(" "), copy.path).returncode == 0
    assert not marker.exists()


# --- another user's ---


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A repository of another user."""
    if os.geteuid() != 0:  # pragma: no cover  depends on who runs the tests
        pytest.skip("only root can give files away")
    repository = make_repository(tmp_path / "map.git", GOOD)
    os.chown(repository, NOBODY, NOBODY)
    return repository


@pytest.mark.parametrize(
    ("command", "status"),
    [("check", 2), ("blame 10.61.2.7", 2), ("serve --port 0", 3), ("doctor", 1), ("init", 2)],
)
def test_the_repository_of_another_user_is_refused_until_git_is_told(
    foreign: Path, tmp_path: Path, command: str, status: int
) -> None:
    name, *arguments = command.split(" ")
    place = [foreign] if name == "init" else ["--repo", foreign]
    done = run_program(name, *arguments, *place, cwd=tmp_path, environment={"HOME": str(tmp_path)})
    hint = f"git config --global --add safe.directory {foreign}"
    assert done.returncode == status
    assert f"{foreign} belongs to another user, nobody" in done.stdout + done.stderr
    assert hint in done.stdout + done.stderr


def test_the_hint_is_one_that_works(foreign: Path, tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path)}
    refused = run_program("check", "--repo", foreign, environment=home)
    hint = refused.stderr.partition("hint: ")[2].strip()
    environment = {name: value for name, value in closed_environment(**home).items() if name != "GIT_CONFIG_GLOBAL"}
    subprocess.run(hint, shell=True, check=True, env=environment)
    assert run_program("check", "--repo", foreign, environment=home).returncode == 0


def test_without_a_home_root_is_to_tell_git(foreign: Path) -> None:
    done = run_program("check", "--repo", foreign)
    assert f"hint: sudo git config --system --add safe.directory {foreign}\n" in done.stderr


def test_so_is_a_working_copy_whose_repository_is_elsewhere_but_not_its_files(foreign: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    (work / "locations").mkdir(parents=True)
    (work / ".git").write_text(f"gitdir: {foreign}\n")
    (work / "locations" / "apac.csv").write_text(SYDNEY)
    assert run_program("check", work).returncode == 0  # no git is asked
    refused = run_program("check", work, "--rev", "main")
    assert refused.returncode == 2
    assert "belongs to another user" in refused.stderr


def test_a_mirror_is_not_made_in_a_folder_of_another_user(foreign: Path, tmp_path: Path) -> None:
    url = "https://example.com/map.git"
    copy = mirror_directory(url, tmp_path)
    foreign.rename(copy)
    with pytest.raises(ForeignRepository, match="belongs to another user"):
        Mirror(url, tmp_path, None, 1.0).make()


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
