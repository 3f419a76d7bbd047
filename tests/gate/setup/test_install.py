"""`location-policy init`: a repository made, or hook and settings put into one; and the hook's state."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from location_policy import __version__
from location_policy.errors import ForeignHook, InvalidConfiguration, NotARepository, RepositoryError
from location_policy.gate import hooks as git_hooks
from location_policy.gate.hooks import Hook, hook_state, shipped
from location_policy.gate.setup import install as installation
from location_policy.gate.setup.install import create, install, missing_settings
from location_policy.repository.config import config_values
from location_policy.repository.git import PlainGit
from location_policy.repository.git_process import LEAN
from location_policy.repository.repository import open_repository
from tests.support.program import PROGRAM, run_program
from tests.support.repositories import BAD, GOOD, Clone, clone, git, init, make_repository, run_git, tip

FOREIGN = "#!/bin/sh\necho ours\n"


def config(repository: Path, key: str) -> list[str]:
    return run_git("config", "--get-all", key, cwd=repository).stdout.split()


def state(repository: Path) -> Hook:
    with open_repository(repository) as opened:
        return hook_state(opened)


def content(repository: Path) -> dict[str, bytes]:
    """The config and the hooks."""
    paths = [repository / "config", *(repository / "hooks").iterdir()]
    return {path.name: path.read_bytes() for path in paths}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Clone(tmp_path / "folder").write(GOOD)
    return tmp_path / "folder"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "map.git", GOOD)


# --- a new repository ---


def test_a_new_repository_has_the_settings_of_one_that_takes_pushes(tmp_path: Path) -> None:
    create(tmp_path / "map.git", None)
    wanted = {
        "core.bare": ["true"],
        "core.logallrefupdates": ["true"],
        "gc.reflogexpire": ["never"],
        "receive.fsckobjects": ["true"],
        "receive.maxinputsize": ["128m"],
        "receive.advertisepushoptions": ["true"],
        "transfer.hiderefs": ["refs/location-policy"],
        "receive.hiderefs": ["refs/notes/location-policy"],
        "receive.procreceiverefs": ["refs/for"],
        "receive.denydeletes": [],
        "receive.denynonfastforwards": [],
        "location-policy.branch": [],
    }
    assert {key: config(tmp_path / "map.git", key) for key in wanted} == wanted
    assert config(tmp_path / "map.git", "location-policy.id")


def test_what_was_served_is_known_after_years_and_a_collection(tmp_path: Path, folder: Path) -> None:
    place = tmp_path / "map.git"
    create(place, folder)
    tips = [tip(place)]
    for year in (2001, 2002):
        commit = git("commit-tree", "main^{tree}", "-p", "main", "-m", str(year), cwd=place)
        git("update-ref", "refs/heads/main", commit, cwd=place, GIT_COMMITTER_DATE=f"{year}-01-01T00:00:00Z")
        tips.insert(0, commit)
    git("gc", "--quiet", "--prune=now", cwd=place)
    with open_repository(place) as repository:
        assert repository.tips("refs/heads/main", tips[0], 100) == tips


def test_a_new_repository_begins_with_the_files_of_the_folder(tmp_path: Path, folder: Path) -> None:
    create(tmp_path / "map.git", folder)
    assert git("ls-tree", "-r", "--name-only", "main", cwd=tmp_path / "map.git") == "locations/apac.csv"
    assert git("log", "--format=%an %s", cwd=tmp_path / "map.git") == (
        "location-policy Start the map of media locations"
    )
    assert git("symbolic-ref", "HEAD", cwd=tmp_path / "map.git") == "refs/heads/main"


def test_an_empty_repository_has_no_commit(tmp_path: Path) -> None:
    assert run_program("init", tmp_path / "map.git", "--empty").stdout == f"made {tmp_path / 'map.git'}\n"
    assert git("for-each-ref", cwd=tmp_path / "map.git") == ""


def test_init_needs_neither_an_identity_nor_a_home(tmp_path: Path) -> None:
    done = subprocess.run([PROGRAM, "init", "map.git"], cwd=tmp_path, env={"PATH": os.environ["PATH"]}, check=False)
    assert done.returncode == 0
    assert git("rev-list", "--count", "main", cwd=tmp_path / "map.git") == "1"


def test_the_branch_can_be_chosen_and_is_then_the_one_that_is_served(tmp_path: Path, folder: Path) -> None:
    create(tmp_path / "map.git", folder, branch="live")
    assert git("symbolic-ref", "HEAD", cwd=tmp_path / "map.git") == "refs/heads/live"
    assert config(tmp_path / "map.git", "location-policy.branch") == ["live"]
    assert git("rev-list", "--count", "live", cwd=tmp_path / "map.git") == "1"


def test_a_name_that_no_branch_can_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match="'a b' is not a name for a branch"):
        create(tmp_path / "new" / "map.git", None, branch="a b")
    assert names(tmp_path) == []


def test_the_full_name_of_a_branch_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(RepositoryError) as caught:
        create(tmp_path / "map.git", None, branch="refs/heads/live")
    assert caught.value.hint == "write live"
    assert not (tmp_path / "map.git").exists()


def test_a_folder_that_is_not_valid_is_refused_and_nothing_is_left_behind(tmp_path: Path) -> None:
    Clone(tmp_path / "folder").write(BAD)
    done = run_program("init", tmp_path / "a" / "b" / "map.git", "--from", tmp_path / "folder")
    assert done.returncode == 1
    assert "locations/apac.csv:1:28: error: 10.61.3.0/23 has host bits set [host-bits]\n" in done.stderr
    assert names(tmp_path) == ["folder"]


def test_a_folder_without_rows_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(InvalidConfiguration):
        create(tmp_path / "map.git", tmp_path / "folder")
    assert names(tmp_path) == ["folder"]


def test_a_place_that_is_taken_is_left_alone(tmp_path: Path) -> None:
    Clone(tmp_path / "map.git").write({"mine": "x"})
    with pytest.raises(RepositoryError, match=r"map\.git cannot be made: Directory not empty"):
        create(tmp_path / "map.git", None)
    assert names(tmp_path) == ["map.git"]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: path.write_text("x"), "is not a git repository"),
        (lambda path: Clone(path).write({"mine": "x"}), "is not a git repository"),
        (lambda path: git("init", path, cwd=path.parent), "is not a bare repository"),
    ],
    ids=["a file", "a folder with files", "a repository with a working copy"],
)
def test_init_refuses_a_path_that_is_something_else(tmp_path: Path, make: Callable[[Path], object], said: str) -> None:
    make(tmp_path / "map.git")
    done = run_program("init", tmp_path / "map.git")
    assert done.returncode != 0
    assert done.stderr.startswith(f"location-policy: {tmp_path / 'map.git'} {said}\n  hint: ")


def test_a_parent_that_is_a_file_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    done = run_program("init", tmp_path / "file" / "map.git")
    assert done.returncode != 0
    assert done.stderr.startswith(f"location-policy: {tmp_path / 'file' / 'map.git'} cannot be made: ")


def test_a_new_repository_has_the_modes_that_the_umask_leaves(tmp_path: Path) -> None:
    done = subprocess.run(["sh", "-c", f"umask 027; {PROGRAM} init map.git --empty"], cwd=tmp_path, check=False)
    assert done.returncode == 0
    assert stat.S_IMODE((tmp_path / "map.git").stat().st_mode) == 0o750


# --- for a group ---


OWNERS = ("config", "HEAD", "hooks", "location-policy")


def group_writes(repository: Path) -> set[str]:
    """What at the top of a repository the group may write, with all folders below it."""
    tops = (top for top in repository.iterdir() if not top.is_symlink())
    return {top.name for top in tops if all(path.stat().st_mode & 0o020 for path in (top, *top.rglob("*/")))}


def test_a_shared_repository_stays_writable_for_its_group_but_for_what_says_what_is_run(
    tmp_path: Path, folder: Path
) -> None:
    repository = tmp_path / "map.git"
    create(repository, folder, shared=True)
    assert config(repository, "core.sharedRepository") == ["group"]
    assert group_writes(repository) == {"logs", "objects", "refs"}
    copy = clone(repository, tmp_path / "clone")
    copy.commit({"README": "x"})
    assert copy.push("HEAD:main", "HEAD:refs/heads/side/one").returncode == 0
    assert group_writes(repository) >= {"objects", "refs", "logs"}
    assert (repository / "refs" / "heads" / "main").stat().st_mode & 0o060 == 0o060
    modes = [stat.S_IMODE((repository / name).stat().st_mode) for name in ("", "hooks", "hooks/pre-receive", "config")]
    assert group_writes(repository) & {*OWNERS} == set()
    assert modes == [0o3775, 0o2750, 0o750, 0o640]


def test_a_setting_that_is_changed_later_leaves_the_config_to_its_owner(tmp_path: Path) -> None:
    create(tmp_path / "map.git", None, shared=True)
    install(tmp_path / "map.git", branch="main")
    assert stat.S_IMODE((tmp_path / "map.git" / "config").stat().st_mode) == 0o640


def test_an_existing_repository_can_be_shared(repository: Path) -> None:
    (repository / "dangling").symlink_to("nowhere")
    (repository / "location-policy").mkdir(mode=0o777)
    (repository / "location-policy" / "journal.jsonl").touch()
    assert "shared with its group" in install(repository, shared=True)
    assert group_writes(repository) & {*OWNERS} == set()
    assert stat.S_IMODE((repository / "location-policy" / "journal.jsonl").stat().st_mode) == 0o640


def test_hooks_are_written_by_their_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    done = subprocess.run(["sh", "-c", f"umask 000; {PROGRAM} init map.git --empty"], cwd=tmp_path, check=False)
    assert done.returncode == 0
    hooks = tmp_path / "map.git" / "hooks"
    assert {stat.S_IMODE(path.stat().st_mode) for path in (hooks, *hooks.iterdir())} == {0o755}
    assert not any(path.stat().st_mode & 0o002 for path in (hooks.parent, *hooks.parent.rglob("*")))


def test_a_repository_whose_modes_cannot_be_set_is_a_clear_error() -> None:
    with pytest.raises(RepositoryError, match="/proc/self/fdinfo/hooks cannot be shared: "):
        installation._share(Path("/proc/self/fdinfo"))


# --- an existing repository ---


def test_an_existing_repository_gets_hook_and_settings_and_keeps_its_content(repository: Path) -> None:
    before = git("for-each-ref", cwd=repository)
    done = run_program("init", repository)
    assert done.returncode == 0
    hooks = [repository / "hooks" / name for name in ("pre-receive", "post-receive", "proc-receive")]
    assert done.stdout == "".join(f"hook {path}, version {__version__}\n" for path in hooks)
    assert git("for-each-ref", cwd=repository) == before
    assert state(repository) == Hook("ok", __version__)


def test_a_second_run_changes_nothing(repository: Path) -> None:
    install(repository)
    before = content(repository)
    install(repository)
    assert content(repository) == before


def test_a_repository_of_an_older_version_gets_what_it_lacks(repository: Path) -> None:
    install(repository)
    whole = content(repository)
    git("config", "--unset", "receive.procReceiveRefs", cwd=repository)
    for name in ("post-receive", "proc-receive"):
        (repository / "hooks" / name).unlink()
    install(repository)
    assert {**content(repository), "config": b""} == {**whole, "config": b""}
    assert config(repository, "receive.procReceiveRefs") == ["refs/for"]


@pytest.mark.parametrize(
    ("name", "otherwise"),
    [("post-receive", "why a limit is overridden is not noted"), ("proc-receive", "dry runs are not supported")],
)
def test_a_foreign_hook_beside_the_one_that_judges_stays_and_is_told(
    repository: Path, name: str, otherwise: str
) -> None:
    hook = repository / "hooks" / name
    hook.write_text(FOREIGN)
    done = install(repository)
    assert any(line.startswith(f"{hook} is not ours and stays as it is, so {otherwise}: move it away") for line in done)
    assert hook.read_text() == FOREIGN
    assert config(repository, "receive.procReceiveRefs") == ["refs/for"] * (name == "post-receive")


def test_settings_of_the_site_are_kept_and_told(repository: Path) -> None:
    git("config", "receive.maxInputSize", "10m", cwd=repository)
    git("config", "transfer.hideRefs", "refs/secret", cwd=repository)
    assert "kept receive.maxInputSize = 10m (128m is usual)" in install(repository)
    assert config(repository, "receive.maxInputSize") == ["10m"]
    assert config(repository, "transfer.hideRefs") == ["refs/secret", "refs/location-policy"]


def test_the_branch_of_an_existing_repository_can_be_set(repository: Path) -> None:
    assert "serves branch live" in install(repository, branch="live")
    assert config(repository, "location-policy.branch") == ["live"]


def test_a_bad_name_for_the_branch_leaves_an_existing_repository_alone(repository: Path) -> None:
    with pytest.raises(RepositoryError, match="is not a name for a branch"):
        install(repository, branch="..")
    assert state(repository) == Hook("missing")


@pytest.mark.parametrize("kind", ["file", "dangling link", "folder"])
def test_a_foreign_hook_is_never_overwritten(repository: Path, kind: str) -> None:
    hook = repository / "hooks" / "pre-receive"
    if kind == "file":
        hook.write_text(FOREIGN)
    elif kind == "folder":
        hook.mkdir()
    else:
        hook.symlink_to("/mnt/away/pre-receive")
    with pytest.raises(ForeignHook, match="is not ours and stays as it is"):
        install(repository)
    assert os.path.lexists(hook)
    assert config(repository, "receive.fsckObjects") == []


def test_the_hook_is_put_where_the_configuration_says(repository: Path, tmp_path: Path) -> None:
    git("config", "core.hooksPath", str(tmp_path / "central"), cwd=repository)
    install(repository)
    assert state(repository).state == "ok"
    assert (tmp_path / "central" / "pre-receive").exists()
    assert not (repository / "hooks" / "pre-receive").exists()


def test_a_relative_place_for_hooks_is_inside_the_repository(repository: Path) -> None:
    git("config", "core.hooksPath", "others", cwd=repository)
    install(repository)
    assert names(repository / "others") == ["post-receive", "pre-receive", "proc-receive"]


def test_a_place_that_cannot_be_written_is_a_clear_error(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    git("config", "core.hooksPath", str(tmp_path / "file" / "hooks"), cwd=repository)
    with pytest.raises(RepositoryError, match="pre-receive cannot be written: Not a directory"):
        install(repository)


def test_a_repository_with_a_working_copy_is_refused(tmp_path: Path) -> None:
    git("init", "--quiet", cwd=tmp_path)
    with pytest.raises(NotARepository, match="is not a bare repository"):
        install(tmp_path)


def test_a_config_that_cannot_be_read_is_a_clear_error(repository: Path) -> None:
    (repository / "config").write_text("[receive]\n\tfsckObjects = true\n[core\n")
    with pytest.raises(RepositoryError, match="bad config line 3"):
        config_values(PlainGit(repository), "receive.fsckObjects")


# --- which program the hook runs ---


def test_without_a_program_beside_the_interpreter_the_one_on_the_path_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "location-policy"
    program.write_text(FOREIGN)
    program.chmod(0o755)
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_hooks._program() == program
    monkeypatch.setenv("PATH", "")
    assert git_hooks._program() == Path("/nowhere/location-policy")


def test_a_path_with_spaces_and_quotes_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "it's a \udcff place" / "location-policy"
    program.parent.mkdir()
    shutil.copy(PROGRAM, program)
    monkeypatch.setattr("sys.executable", str(program.with_name("python")))
    create(tmp_path / "map.git", None)
    done = subprocess.run(
        [tmp_path / "map.git" / "hooks" / "pre-receive"],
        input=b"",
        capture_output=True,
        check=False,
        env={"PATH": "/usr/bin:/bin"},
    )
    assert b"standard input names no ref" in done.stderr


# --- the state of the hook ---


def test_the_hook_of_a_repository_that_has_none_is_missing(repository: Path) -> None:
    assert state(repository) == Hook("missing")


def test_a_foreign_hook_counts_as_missing(repository: Path) -> None:
    (repository / "hooks" / "pre-receive").write_text(FOREIGN)
    assert state(repository) == Hook("missing")


def test_a_hook_that_git_would_ignore_is_not_executable(repository: Path) -> None:
    install(repository)
    (repository / "hooks" / "pre-receive").chmod(0o644)
    assert state(repository) == Hook("not-executable", __version__)


def test_a_hook_of_another_version_is_told_with_its_version(repository: Path) -> None:
    install(repository)
    hook = repository / "hooks" / "pre-receive"
    hook.write_text(hook.read_text().replace(f"version {__version__}", "version 9.9.9"))
    assert state(repository) == Hook("other-version", "9.9.9")


def test_a_repository_with_a_working_copy_has_no_hook_that_counts(tmp_path: Path) -> None:
    git("init", "--quiet", cwd=tmp_path)
    assert state(tmp_path) == Hook("none")


def test_what_is_shipped_is_found_in_the_checkout() -> None:
    assert (shipped("config-repo") / "policy.toml").exists()


def test_git_is_told_to_take_little_memory(tmp_path: Path) -> None:
    create(tmp_path / "map.git", None)
    for key, value in {**LEAN, "transfer.unpackLimit": "1"}.items():
        assert git("config", key, cwd=tmp_path / "map.git") == value
    git("config", "--unset", "pack.threads", cwd=tmp_path / "map.git")
    with open_repository(tmp_path / "map.git") as repository:
        assert list(missing_settings(repository)) == ["pack.threads = 1"]


def test_a_fresh_path_says_loudly_that_its_map_is_the_sample(tmp_path: Path) -> None:
    done = run_program("init", tmp_path / "typed-wrong.git")
    assert done.stderr == (
        "location-policy: warning: the map is the sample, not your"
        "s; begin with yours: init NEWPATH --from FILE|FOLDER|BUNDLE\n"
    )
    assert run_program("init", tmp_path / "empty.git", "--empty").stderr == ""


def test_a_bundle_is_restored_with_its_notes_hook_and_settings(tmp_path: Path) -> None:
    old = init(tmp_path / "old.git")
    copy = clone(old, tmp_path / "map")
    copy.commit({"locations/apac.csv": "Sydney,10.61.2.0/24\nMelbourne,10.61.3.0/24\nSingapore,10.65.0.0/20\n"})
    assert copy.push().returncode == 0
    git("branch", "topic", cwd=old)
    git("bundle", "create", "--quiet", tmp_path / "x.bundle", "--all", cwd=old)
    done = run_program("init", tmp_path / "new.git", "--from", tmp_path / "x.bundle")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"made {tmp_path / 'new.git'}\n", "")
    for ref in ("HEAD", "refs/heads/main", "refs/heads/topic", "refs/notes/location-policy"):
        assert git("rev-parse", ref, cwd=tmp_path / "new.git") == git("rev-parse", ref, cwd=old)
    assert run_program("check", "--repo", tmp_path / "new.git").returncode == 0
    with open_repository(tmp_path / "new.git") as repository:
        assert hook_state(repository).state == "ok"


@pytest.mark.parametrize("named", ["missing.bundle", "torn.bundle", "--branch"])
def test_a_bundle_that_cannot_be_restored_leaves_nothing(tmp_path: Path, named: str) -> None:
    git("bundle", "create", "--quiet", tmp_path / "good.bundle", "--all", cwd=init(tmp_path / "old.git"))
    (tmp_path / "torn.bundle").write_bytes((tmp_path / "good.bundle").read_bytes()[:-30])
    more = ["good.bundle", "--branch", "other"] if named == "--branch" else [named]
    done = run_program("init", "new.git", "--from", *more, cwd=tmp_path)
    assert (done.returncode, (tmp_path / "new.git").exists()) == (2, False)
