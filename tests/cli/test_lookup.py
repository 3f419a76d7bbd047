"""`location-policy lookup`, in a folder and in a commit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.program import run_program, start_program
from tests.support.repositories import BAD, GOOD, clone, force_commit, git, init, make_repository
from tests.support.service import running_service


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working copy with two rows, the shorter network first."""
    (tmp_path / "locations.csv").write_text("Sydney,10.61.0.0/16\nMelbourne,Sydney,Singapore,10.61.3.0/24\n")
    return tmp_path


def test_the_longest_network_answers_with_its_file_and_line(folder: Path) -> None:
    done = run_program("lookup", "10.61.3.7", folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "Melbourne, overflow Sydney, Singapore\n  locations.csv:2: 10.61.3.0/24\n"


def test_a_row_without_overflow_names_its_location_only(folder: Path) -> None:
    assert run_program("lookup", "10.61.4.7", folder).stdout == "Sydney\n  locations.csv:1: 10.61.0.0/16\n"


def test_an_address_that_no_row_covers_is_a_no(folder: Path) -> None:
    done = run_program("lookup", "10.9.0.1", folder)
    assert (done.returncode, done.stdout) == (1, "no answer: no row covers 10.9.0.1\n")


def test_an_address_that_no_row_covers_gets_the_default(folder: Path) -> None:
    (folder / "policy.toml").write_text('[answer]\ndefault = "Singapore"\n')
    done = run_program("lookup", "10.9.0.1", folder)
    assert (done.returncode, done.stdout) == (0, "Singapore\n  the default: no row covers 10.9.0.1\n")


def test_what_is_no_address_cannot_be_asked(folder: Path) -> None:
    done = run_program("lookup", "10.61.3", folder)
    assert (done.returncode, done.stdout) == (2, "10.61.3 is not an IPv4 or IPv6 address\n")


def test_a_protocol_without_a_match_rule_is_a_no(folder: Path) -> None:
    done = run_program("lookup", "10.61.3.7", folder, "--protocol", "webrtc")
    assert (done.returncode, done.stdout) == (1, "no opinion: [match] in policy.toml does not name webrtc\n")


def test_json_is_the_body_that_a_node_gets(tmp_path: Path) -> None:
    repository = init(tmp_path / "locations.git")
    with running_service(repository) as service:
        body = service.locate("10.61.2.7").body
    done = run_program("lookup", "10.61.2.7", "--repo", repository, "--format", "json")
    assert done.stdout.encode() == body + b"\n"


def test_a_commit_is_asked_by_its_id(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "locations.git", GOOD)
    force_commit(repository, {"locations.csv": "Perth,10.61.2.0/24\n"})
    done = run_program("lookup", "10.61.2.7", "--repo", repository, "--rev", "main~1", "--format", "json")
    assert json.loads(done.stdout)["result"]["location"] == "Sydney"


def test_a_branch_goes_before_a_tag_of_its_name(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "x.git", GOOD)
    git("tag", "main", "main", cwd=repository)
    force_commit(repository, {"locations.csv": "Perth,10.61.2.0/24\n"})
    for revision in ((), ("--rev", "main"), ("--rev", "refs/heads/main")):
        assert "Perth" in run_program("lookup", "10.61.2.7", "--repo", repository, *revision).stdout
    assert "Sydney" in run_program("lookup", "10.61.2.7", "--repo", repository, "--rev", "refs/tags/main").stdout


def test_a_revision_that_does_not_validate_cannot_be_asked(tmp_path: Path) -> None:
    done = run_program("lookup", "10.61.2.7", "--repo", make_repository(tmp_path / "locations.git", BAD))
    assert (done.returncode, done.stdout) == (2, "")
    assert "locations/apac.csv:1:28: error: 10.61.3.0/23 has host bits set [host-bits]" in done.stderr


def test_a_revision_that_is_not_there_names_the_branches_that_are(tmp_path: Path) -> None:
    done = run_program("lookup", "10.61.2.7", "--repo", make_repository(tmp_path / "x.git", GOOD), "--rev", "master")
    assert done.returncode == 2
    assert done.stderr.endswith("hint: branches here: main\n")


def test_no_address_cannot_be_asked(folder: Path) -> None:
    done = run_program("lookup", " ", folder)
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, "location-policy: no address is given")


def test_a_path_that_would_steer_the_terminal_is_written_out(tmp_path: Path) -> None:
    path = tmp_path / "locations" / "a\x1b[31m.csv"
    path.parent.mkdir()
    path.write_text("Sydney,10.61.2.0/24\n")
    assert r"locations/a\x1b[31m.csv:1" in run_program("lookup", "10.61.2.7", tmp_path).stdout


def test_a_linked_working_copy_is_asked_like_its_repository(tmp_path: Path) -> None:
    copy = clone(make_repository(tmp_path / "x.git", GOOD), tmp_path / "copy")
    copy.git("worktree", "add", "--quiet", str(tmp_path / "linked"), "HEAD")
    done = run_program("lookup", "10.61.2.7", "--rev", "HEAD", cwd=tmp_path / "linked")
    assert done.stdout.startswith("Sydney")


@pytest.mark.parametrize("asked", [("lookup", "10.61.2.1", "."), ("check", "."), ("diff", ".", "elsewhere")])
def test_an_output_that_cannot_encode_a_name_escapes_it(tmp_path: Path, asked: tuple[str, ...]) -> None:
    (tmp_path / "locations.csv").write_text("Łódź,10.61.2.0/24\nŁódz,10.61.3.0/24\n")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "locations.csv").write_text("Łódź,10.61.4.0/24\n")
    done = start_program(*asked, cwd=tmp_path, environment={"PYTHONIOENCODING": "ascii"})
    assert "Traceback" not in done.stderr
    assert r"\u0141\xf3d\u017a" in done.stdout
    assert done.returncode == 0
