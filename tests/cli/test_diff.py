"""`location-policy diff`: what is compared, and what is said when it cannot be."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

from tests.support.program import PROGRAM, closed_environment, run_program
from tests.support.repositories import SYDNEY, Clone, Files, clone, force_commit, git, init, make_repository, tip

PERTH: Files = {"locations.csv": "Perth,10.61.2.0/24\n"}
MOVED = "10.61.2.0/24  Sydney -> Perth  256 addresses  (locations.csv:1)\n1 range changed: 1 moved (256 addresses)\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Sydney, then Perth."""
    path = make_repository(tmp_path / "locations.git", {"locations.csv": SYDNEY})
    force_commit(path, PERTH)
    return path


def folder(path: Path, files: Files) -> Path:
    Clone(path).write(files)
    return path


# --- what is compared ---


def test_a_folder_and_a_revision_are_compared(repository: Path, tmp_path: Path) -> None:
    copy = clone(repository, tmp_path / "copy")
    copy.write({"locations.csv": "Hobart,10.61.2.0/24\n"})
    done = run_program("diff", "main", ".", cwd=copy.path)
    assert done.stdout.startswith("10.61.2.0/24  Perth -> Hobart")
    assert run_program("diff", "main~", "main", "--repo", repository).stdout == MOVED


def test_a_comment_tells_the_warnings_that_the_change_brings(repository: Path) -> None:
    for rows in ("Perth,10.0.0.0/8\nPerth,10.1.0.0/16\n", "# ours\nPerth,10.0.0.0/8\nPerth,10.1.0.0/16\nPerth,::/0\n"):
        force_commit(repository, {"locations.csv": rows})
    told = run_program("diff", "main~", "main", "--repo", repository, "--format", "markdown").stdout
    assert "- `locations.csv:4:7: warning: ::/0 takes every IPv6 address that" in told
    assert ("10.1.0.0/16" in told, "- 1 warning was there before\n" in told) == (False, True)


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("main~..main", "main~ main"),
        ("main~..", "main~ HEAD"),
        ("..main", "HEAD main"),
        ("main~...main", '"$(git merge-base main~ main)" main'),
    ],
)
@pytest.mark.parametrize("more", [[], ["main"]])
def test_a_range_is_told_as_the_two_arguments_that_are_meant(
    repository: Path, asked: str, meant: str, more: list[str]
) -> None:
    done = run_program("diff", asked, *more, "--repo", repository)
    assert (done.returncode, done.stdout) == (2, "")
    words = " ".join(done.stderr.split())
    assert f"{asked} is a range, and diff takes two arguments: location-policy diff {meant}" in words


def test_a_folder_with_two_dots_in_its_path_is_no_range(repository: Path, tmp_path: Path) -> None:
    folder(tmp_path / "one", {"locations.csv": SYDNEY})
    (tmp_path / "one/two").mkdir()
    for old in ("../one", "two/../../one"):
        assert run_program("diff", old, "main", "--repo", repository, cwd=tmp_path / "one").stdout == MOVED


def test_the_old_side_is_read_as_what_was_served_and_the_new_one_as_what_is_pushed(
    repository: Path, tmp_path: Path
) -> None:
    unknown = {"locations.csv": SYDNEY, "policy.toml": '[locations]\nknown = ["Oslo"]\n'}
    old = folder(tmp_path / "old", unknown)
    assert run_program("diff", old, "main", "--repo", repository).stdout == (
        "policy.toml: locations.known  Oslo -> any name  (loosens what judges the next pushes)\n"
        "10.61.2.0/24  Sydney -> Perth  256 addresses  (locations.csv:1)\n"
        "1 rule and 1 range changed: 1 moved (256 addresses)\n"
    )
    done = run_program("diff", "main", old, "--repo", repository)
    assert (done.returncode, "[unknown-location]" in done.stderr) == (2, True)


def test_a_revision_goes_before_a_folder_of_its_name(repository: Path, tmp_path: Path) -> None:
    for name, files in (("main", {"locations.csv": "Hobart,10.61.2.0/24\n"}), ("other", PERTH)):
        folder(tmp_path / name, files)
    assert run_program("diff", "main~", "main", "--repo", repository, cwd=tmp_path).stdout == MOVED
    assert "Sydney -> Hobart" in run_program("diff", "main~", "./main", "--repo", repository, cwd=tmp_path).stdout
    assert "Sydney -> Hobart" in run_program("diff", "main~", "main/", "--repo", repository, cwd=tmp_path).stdout
    assert run_program("diff", "main~", "other", "--repo", repository, cwd=tmp_path).stdout == MOVED


def test_folders_need_no_repository(tmp_path: Path) -> None:
    folder(tmp_path / "old", {"locations.csv": SYDNEY})
    folder(tmp_path / "new", PERTH)
    assert run_program("diff", "old", "new", cwd=tmp_path).stdout == MOVED


# --- its status ---


def test_an_effect_is_a_status_only_where_that_is_asked_for(repository: Path) -> None:
    assert run_program("diff", "main~", "main", "--repo", repository).returncode == 0
    done = run_program("diff", "main~", "main", "--repo", repository, "--exit-code")
    assert (done.returncode, done.stdout, done.stderr) == (1, MOVED, "")
    done = run_program("diff", "main", "main", "--repo", repository, "--exit-code")
    assert (done.returncode, done.stdout) == (0, "no effect\n")


# --- what cannot be compared ---


def test_nothing_is_neither_a_revision_nor_this_folder(repository: Path) -> None:
    done = run_program("diff", "", "main", "--repo", repository, cwd=repository)
    assert (done.returncode, "there is no revision ''" in done.stderr) == (2, True)


def test_an_unknown_revision_cannot_be_asked(repository: Path) -> None:
    done = run_program("diff", "main", "mian", "--repo", repository)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"location-policy: there is no revision 'mian' in {repository}\n  hint: branches here: main\n"
    )


def test_both_sides_that_are_not_valid_are_told_with_all_their_problems(repository: Path, tmp_path: Path) -> None:
    force_commit(repository, {"locations/apac.csv": "Melbourne,Sydney,Singapore,10.61.3.0/33\n"})
    other = folder(tmp_path / "other", {"locations.csv": b"Z\xfcrich,10.0.0.0/24\n"})
    done = run_program("diff", "main", other, "--repo", repository, "--format", "json")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "location-policy: main: the configuration has 1 error\n"
        "locations/apac.csv:1:28: error: 10.61.3.0/33 has a prefix length over 32, too long for IPv4 [not-a-subnet]\n"
        "  hint: write a subnet as 10.61.2.0/24 or 2001:db8:61::/48\n"
        f"location-policy: {other}: the configuration has 1 error\n"
        "locations.csv:1:2: error: byte 0xFC is not UTF-8; in Windows-1252 it is ü [not-utf8]\n"
        '  hint: save the file as "CSV UTF-8"\n'
    )


def test_a_revision_behind_the_end_of_a_shallow_clone_cannot_be_asked(repository: Path, tmp_path: Path) -> None:
    git("clone", "--quiet", "--depth=1", f"file://{repository}", tmp_path / "shallow", cwd=tmp_path)
    done = run_program("diff", "HEAD~", "HEAD", cwd=tmp_path / "shallow")
    assert done.returncode == 2
    assert done.stderr.endswith("  hint: the clone is shallow, so older commits are not here: git fetch --unshallow\n")
    assert run_program("diff", tip(repository, "main~"), "HEAD", cwd=tmp_path / "shallow").returncode == 2


def test_a_path_that_is_no_folder_cannot_be_asked(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "map.csv").write_text(SYDNEY)
    for name in ("map.csv", "./map.csv", "./nothing", "nothing/"):
        done = run_program("diff", name, "main", "--repo", repository, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"{name.removeprefix('./').removesuffix('/')} is not a folder\n" in done.stderr


def test_what_is_neither_in_a_repository_nor_a_folder_cannot_be_asked(tmp_path: Path) -> None:
    done = run_program("diff", "old", "new", cwd=tmp_path)
    assert (done.returncode, "there is no repository here" in done.stderr) == (2, True)


def test_a_branch_without_a_commit_cannot_be_asked(tmp_path: Path) -> None:
    done = run_program("diff", "main", "main", "--repo", init(tmp_path / "x.git", "--empty"))
    assert (done.returncode, "the repository has no branch yet" in done.stderr) == (2, True)


# --- at a terminal ---


def test_who_waits_at_a_terminal_is_told_how_far_it_is(repository: Path) -> None:
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [PROGRAM, "diff", "main~", "main", "--repo", repository, "--format", "json"],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=closed_environment(),
        check=True,
    )
    os.close(theirs)
    told = os.read(ours, 10_000).decode()
    os.close(ours)
    for step in ("reading main~", "checking main, 0.0 MB of what is new", "comparing 1 subnet with 1", "writing down"):
        assert step in told
    assert told.endswith("\r\x1b[K")
    assert json.loads(done.stdout)["effect"] is True
