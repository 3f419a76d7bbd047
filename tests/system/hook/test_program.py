"""The hook as a script: it finds the program, or refuses."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from location_policy import __version__
from location_policy.gate.hooks import shipped
from tests.support.program import PROGRAM, closed_environment, run_program
from tests.support.repositories import BAD, SYDNEY, run_git, said
from tests.system.hook.conftest import Site

GIT_ONLY = "/usr/bin:/bin"


def point_hook_at(site: Site, program: str) -> None:
    hook = site.repository / "hooks" / "pre-receive"
    hook.write_text(
        re.sub(
            "^for program in .*; do$",
            f"for program in {program} location-policy; do",
            hook.read_text(),
            flags=re.MULTILINE,
        )
    )


def make_program(path: Path, text: str, mode: int = 0o755) -> str:
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def push_without_program_on_path(site: Site) -> subprocess.CompletedProcess[str]:
    return run_git("push", "origin", "HEAD:main", cwd=site.path, PATH=GIT_ONLY)


def test_the_shipped_hook_has_the_version_of_the_program() -> None:
    assert f"\n# location-policy hook, version {__version__}\n" in (shipped("hooks") / "pre-receive").read_text()


def test_the_installed_hook_names_the_program_by_its_whole_path(site: Site) -> None:
    site.commit({"locations/apac.csv": SYDNEY})
    assert str(PROGRAM) in (site.repository / "hooks" / "pre-receive").read_text()
    assert push_without_program_on_path(site).returncode == 0


def test_a_program_that_has_moved_is_found_on_the_path(site: Site) -> None:
    point_hook_at(site, "/gone/location-policy")
    site.commit(BAD)
    assert "has host bits set" in said(site.push())


def test_without_a_program_the_push_is_refused_with_the_line_that_mends_it(site: Site) -> None:
    point_hook_at(site, "/gone/location-policy")
    site.commit({"locations/apac.csv": SYDNEY})
    push = push_without_program_on_path(site)
    assert push.returncode == 1
    assert said(push) == (
        "location-policy: the program cannot be run, so the push is rejected\n"
        "  hint: install it on the server and run there\n"
        f"        location-policy init {site.repository}"
    )


def test_the_line_that_mends_it_does(site: Site) -> None:
    point_hook_at(site, "/gone/location-policy")
    site.commit({"locations/apac.csv": SYDNEY})
    assert run_program("init", site.repository).returncode == 0
    assert push_without_program_on_path(site).returncode == 0


@pytest.mark.parametrize(
    ("text", "mode"),
    [("#!/gone/python\n", 0o755), ("#!/bin/sh\nexit 0\n", 0o644), ("#!/bin/sh\nexit 127\n", 0o755)],
    ids=["its interpreter is gone", "it is not executable", "a library of it is gone"],
)
def test_a_program_that_cannot_be_run_is_passed_over(site: Site, tmp_path: Path, text: str, mode: int) -> None:
    point_hook_at(site, make_program(tmp_path / "program", text, mode))
    site.commit(BAD)
    assert "has host bits set" in said(site.push())
    assert "the program cannot be run" in said(push_without_program_on_path(site))


@pytest.mark.parametrize("end", ["exit 3", "kill -KILL $$"])
def test_a_program_that_crashes_refuses_the_push(site: Site, tmp_path: Path, end: str) -> None:
    point_hook_at(site, make_program(tmp_path / "program", f"#!/bin/sh\n{end}\n"))
    site.commit({"locations/apac.csv": SYDNEY})
    assert site.push().returncode == 1


def test_a_program_that_has_eaten_the_input_does_not_lead_to_an_unjudged_push(site: Site, tmp_path: Path) -> None:
    point_hook_at(site, make_program(tmp_path / "program", "#!/bin/sh\ncat >/dev/null\nexit 127\n"))
    site.commit(BAD)
    push = site.push()
    assert push.returncode == 1
    assert said(push) == "standard input names no ref, so nothing can be judged"


def test_a_push_that_cannot_be_judged_is_refused_with_its_reason(site: Site) -> None:
    done = run_program("pre-receive", stdin=b"\x1b[2J\n", environment={"GIT_DIR": str(site.repository)})
    assert done.returncode == 1
    assert done.stderr.startswith("location-policy: the push could not be judged: ValueError(")
    assert "\x1b" not in done.stderr


def test_a_broken_repository_refuses_the_push_with_one_line(site: Site) -> None:
    (site.repository / "config").write_text("[core\n")
    zeros, commit = "0" * 40, site.git("rev-parse", "HEAD")
    done = run_program(
        "pre-receive",
        stdin=f"{zeros} {commit} refs/heads/main\n".encode(),
        environment={"GIT_DIR": str(site.repository)},
    )
    assert done.returncode == 1
    assert done.stderr.startswith("location-policy: git config failed: bad config line 1")


def test_without_git_the_push_is_refused_with_one_line(site: Site, tmp_path: Path) -> None:
    done = run_program(
        "pre-receive",
        stdin=b"%040d %040d refs/heads/main\n" % (0, 1),
        environment={"GIT_DIR": str(site.repository), "PATH": str(tmp_path)},
    )
    assert done.returncode == 1
    assert done.stderr == ("location-policy: git cannot be run\n  hint: install git and make sure that it is on PATH\n")


@pytest.mark.parametrize("where", ["/", "clone"])
def test_the_hook_judges_from_any_place(site: Site, where: str) -> None:
    site.commit(BAD)
    site.push("HEAD:side")
    hook = site.repository / "hooks" / "pre-receive"
    done = subprocess.run(
        [hook],
        cwd=site.repository.parent / where,
        env=closed_environment(GIT_DIR=str(site.repository)),
        input=f"{site.git('rev-parse', 'HEAD~')} {site.git('rev-parse', 'HEAD')} refs/heads/main\n".encode(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert b"has host bits set" in done.stderr
