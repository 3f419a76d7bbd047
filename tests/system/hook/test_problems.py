"""What a pusher is told, and what of it reaches the terminal."""

from __future__ import annotations

import shutil

import pytest

from location_policy.config.files import FILE_LIMIT
from tests.support.program import run_program
from tests.support.repositories import BAD, GOOD, SYDNEY, force_entry, forge_blob, git, run_git, said, tip
from tests.system.hook.conftest import Site

LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"


def test_a_problem_that_stands_in_twenty_commits_is_told_once(site: Site) -> None:
    site.commit(BAD)
    for number in range(19):
        site.commit({"README": str(number)})
    lines = said(site.push())
    assert lines.startswith("main is rejected: 20 of 20 commits have errors\n")
    assert lines.count("[host-bits]") == 1


def test_it_is_told_once_when_the_row_that_it_names_moves(site: Site) -> None:
    for number in range(5):
        files = {"locations/apac.csv": "# a comment\n" * number + SYDNEY, "locations/emea.csv": SYDNEY}
        site.commit(files)
    assert said(site.push()).count("[duplicate-subnet]") == 1


def test_problems_are_grouped_by_commit_in_the_order_of_files_and_lines(site: Site) -> None:
    first = site.commit({"locations/z.csv": "Oslo\n", "locations/a.csv": "x\nBergen,1.2.3.4/8\n"}, "First")
    second = site.commit({"locations/a.csv": "x\nBergen,1.2.3.4/8\nOslo,5.6.7.8/9\n"}, "Second")
    told = said(site.push())
    marks = [first[:10], "a.csv:1:1", "a.csv:2:8", "z.csv:1:1", second[:10], "a.csv:3:6"]
    assert sorted(marks, key=told.index) == marks
    assert told.count(": error: ") == 4


def test_fifty_problems_are_shown_and_the_rest_is_counted(site: Site) -> None:
    site.commit({"locations/apac.csv": "".join(f"Oslo,10.0.{number}.1/24\n" for number in range(120))})
    told = said(site.push())
    assert told.count("[host-bits]") == 50
    assert "\n… and 70 more: location-policy check\n  120 host-bits\n" in told


def test_nothing_hostile_reaches_the_terminal_raw(site: Site) -> None:
    site.write({"locations/\x1b[2Ja\nb.csv": "Os\x1b[31mlo\u202e\x07,10.0.0.1/24\n"})
    site.commit({}, "Sub\x1b[31mject \u202e\x9b", GIT_AUTHOR_NAME="Mal\x1bory\u2066")
    push = site.push("HEAD:main")
    assert push.returncode == 1
    assert not [one for one in said(push) if one != "\n" and not one.isprintable()]
    assert "\\x1b[2Ja\\nb.csv:1:" in said(push)


def test_prose_stays_under_seventy_columns(site: Site) -> None:
    site.commit(BAD, "A subject that goes on and on, and then on for quite a while more", GIT_AUTHOR_NAME="A" * 60)
    site.commit(GOOD)
    site.commit(BAD)
    lines = said(site.push()).split("\n")
    assert [line for line in lines if len(line) >= 70 and ": error: " not in line] == []
    assert f"{'A' * 13}…)" in lines[2]


@pytest.mark.parametrize(
    ("mode", "content", "path", "code"),
    [
        ("120000", "../secrets.csv", "locations/apac.csv", "symlink"),
        ("120000", "../elsewhere", "locations", "symlink"),
        ("120000", "../rules.toml", "policy.toml", "symlink"),
        ("100644", LFS, "locations/apac.csv", "lfs-pointer"),
    ],
)
def test_what_is_no_plain_file_is_refused_where_rows_should_be(
    site: Site, mode: str, content: str, path: str, code: str
) -> None:
    shutil.rmtree(site.path / "locations")
    site.write({"locations.csv": SYDNEY})
    git("add", "--all", cwd=site.path)
    blob = run_git("hash-object", "-w", "--stdin", cwd=site.path, stdin=content.encode()).stdout.strip()
    site.git("update-index", "--add", "--cacheinfo", f"{mode},{blob},{path}")
    git("commit", "--quiet", "-m", "Odd", cwd=site.path)
    push = site.push()
    assert push.returncode == 1
    assert f"{path}:1:1: error: " in said(push)
    assert f"[{code}]" in said(push)


@pytest.mark.parametrize("path", ["locations/apac.csv", "locations", "locations/vendor"])
def test_a_submodule_is_refused_where_rows_should_be(site: Site, path: str) -> None:
    site.git("rm", "-r", "--quiet", "--cached", "locations")
    site.git("update-index", "--add", "--cacheinfo", f"160000,{site.git('rev-parse', 'HEAD')},{path}")
    git("commit", "--quiet", "-m", "Odd", cwd=site.path)
    assert "[submodule]" in said(site.push())


def test_a_file_over_the_limit_is_refused_without_being_read(site: Site) -> None:
    blob = forge_blob(site.repository, FILE_LIMIT + 1)
    commit = force_entry(site.repository, "100644", blob, "locations/large.csv")
    update = f"{tip(site.repository)} {commit} refs/heads/main\n".encode()
    done = run_program("pre-receive", stdin=update, environment={"GIT_DIR": str(site.repository)})
    assert done.returncode == 1
    assert "locations/large.csv:1:1: error: 134,217,729 bytes are more than the 134,217,728 that" in done.stderr
