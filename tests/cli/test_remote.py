"""A URL, a copy of a remote, or a bare repository, where another is asked for: what to do is said, and it works."""

from __future__ import annotations

from pathlib import Path

import pytest

from location_policy.cli.terminal.remote import SERVED
from location_policy.repository.remote.mirror import Mirror
from location_policy.rollout.persistence import LAST_GOOD
from location_policy.rollout.refresher import Refresher
from location_policy.rollout.state import ActiveState
from location_policy.web.edge.git_http import PLACE
from tests.support.program import run_program
from tests.support.repositories import BAD, GOOD, clone, force_commit, git, init, make_repository, tip

URL = "https://policy.example.com:8443/locations.git"


@pytest.mark.parametrize(
    ("command", "page"),
    [
        (("check", URL), "/"),
        (("check", "--repo", URL), "/"),
        (("lookup", "10.61.2.7", URL), "/lookup"),
        (("lookup", "10.61.2.7", "--repo", URL), "/lookup"),
        (("lookup", URL, "10.61.2.7"), "/lookup"),
        (("blame", URL), "/lookup"),
        (("history", URL), "/history"),
        (("diff", URL, "main"), "/"),
        (("revert", URL), "/"),
    ],
)
def test_what_is_asked_of_a_url_is_asked_of_a_clone_or_of_the_service(
    tmp_path: Path, command: tuple[str, ...], page: str
) -> None:
    done = run_program(*command, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    said, hint = done.stderr.splitlines()
    assert said == f"location-policy: {URL} is a URL, and {command[0]} reads what is on this machine"
    how = "in locations git revert COMMIT, then git push" if command[0] == "revert" else "and ask in locations"
    service = f"a service of this program there is asked at https://policy.example.com:8443{page}"
    assert hint == f"  hint: git clone {URL}, {how}; {service}"


def test_no_password_of_a_url_is_told(tmp_path: Path) -> None:
    done = run_program("check", "--repo", "https://ana:secret@git.example.com/map.git", cwd=tmp_path)
    assert ("secret" in done.stderr, "git clone https://git.example.com/map.git, " in done.stderr) == (False, True)


def test_a_forge_is_not_taken_for_a_service(tmp_path: Path) -> None:
    assert SERVED == PLACE
    url = "https://github.com/noc/locations.git"
    done = run_program("lookup", "10.61.2.7", "--repo", url, cwd=tmp_path)
    service = "or ask the service that follows it, at /lookup of its own address"
    assert done.stderr.endswith(f"  hint: git clone {url}, and ask in locations; {service}\n")


def test_a_repository_by_ssh_is_cloned(tmp_path: Path) -> None:
    hint = "  hint: git clone git@git.example.com:net/map.git, and ask in map\n"
    assert run_program("check", "git@git.example.com:net/map.git", cwd=tmp_path).stderr.endswith(hint)


def test_what_the_hint_says_works(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "x.git", GOOD)
    done = run_program("lookup", "10.61.2.7", "--repo", repository.as_uri(), cwd=tmp_path)
    command, folder = done.stderr.splitlines()[1].removeprefix("  hint: git ").split(", and ask in ")
    git(*command.split(), cwd=tmp_path)
    assert run_program("lookup", "10.61.2.7", cwd=tmp_path / folder).stdout.startswith("Sydney")


def test_the_url_that_a_service_follows_keeps_no_folder_from_being_asked(tmp_path: Path) -> None:
    (tmp_path / "locations.csv").write_text("Sydney,10.61.2.0/24\n")
    environment = {"LOCATION_POLICY_REPO": URL}
    assert run_program("lookup", "10.61.2.7", ".", cwd=tmp_path, environment=environment).returncode == 0


def test_the_copy_of_a_remote_is_read_and_its_journal_is_beside_it(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "x.git", GOOD)
    mirror = Mirror(repository.as_uri(), tmp_path / "state", None, 0)
    mirror.make()
    Refresher(mirror.directory, ActiveState(), tmp_path / "state", mirror).look()
    (tmp_path / "state/journal.jsonl").write_text(
        f'{{"at": "2026-03-01T12:30:00+00:00", "event": "active", "commit": "{tip(repository)}"}}\n'
    )
    for asked in (("lookup", "10.61.2.7"), ("blame", "10.61.2.7"), ("check",)):
        assert run_program(*asked, "--repo", mirror.directory).returncode == 0
    assert "active 2026-03-01T12:30:00Z" in run_program("history", "--repo", mirror.directory).stdout
    done = run_program("revert", "main", "--repo", mirror.directory)
    how = f"git revert {tip(repository)[:10]}, then git push"
    assert done.stderr.endswith(f"  hint: git clone {repository.as_uri()}, in it {how}\n")


def test_a_revert_in_a_clone_names_what_is_served_and_what_git_does(tmp_path: Path) -> None:
    repository = init(tmp_path / "x.git")
    copy = clone(repository, tmp_path / "map")
    first = tip(repository)[:10]
    copy.commit({"locations/apac.csv": "Sydney,10.61.2.0/24\n", "expectations.csv": ""}, "Break it")
    bad = copy.git("rev-parse", "--short=10", "HEAD")
    done = run_program("revert", "HEAD", cwd=copy.path)
    assert done.stderr == (
        f"location-policy: {bad} is reverted by git here:"
        f" this is a working copy, and what is served is {repository}\n"
        f"  hint: git revert {bad}, then git push\n"
    )
    done = run_program("revert", "--to", first, cwd=copy.path)
    hint = done.stderr.splitlines()[1].removeprefix("  hint: git ")
    restore, commit, push = hint.replace("then ", "").split(", ")
    copy.git(*restore.split())
    copy.git(*commit.removeprefix("git ").split(), "--message", "Go back")
    copy.git(*push.removeprefix("git ").split())
    assert git("rev-parse", "main^{tree}", cwd=repository) == git("rev-parse", f"{first}^{{tree}}", cwd=repository)


@pytest.mark.parametrize("command", [("check",), ("check", "--coverage"), ("check", "--rev", "main")])
def test_a_bare_repository_that_is_named_as_a_folder_is_checked_as_one(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    make_repository(tmp_path / "x.git", GOOD)
    done = run_program(*command, "x.git", cwd=tmp_path)
    assert (done.returncode, "2 subnets in 1 file" in done.stderr) == (0, True)


@pytest.mark.parametrize(
    "command",
    [("diff", "main", "./x.git", "--repo", "x.git"), ("fmt", "x.git"), ("import", "old.csv", "--into", "x.git")],
)
def test_a_bare_repository_is_no_folder_of_files(tmp_path: Path, command: tuple[str, ...]) -> None:
    before = sorted(make_repository(tmp_path / "x.git", GOOD).iterdir())
    (tmp_path / "old.csv").write_text("Sydney,10.61.2.0/24\n")
    done = run_program(*command, cwd=tmp_path)
    assert done.returncode != 0
    if command[0] != "fmt":
        assert "x.git is a repository, and no folder of files\n" in done.stderr
        assert done.stderr.endswith("  hint: name a commit of it with --repo x.git, or clone it: git clone x.git\n")
    assert sorted((tmp_path / "x.git").iterdir()) == before


@pytest.mark.parametrize(
    "words", [["doctor"], ["history"], ["sync"], ["unpin"], ["pin", "x", "--for=1h", "--reason=x"]]
)
def test_a_password_that_is_typed_is_refused_by_every_command_as_by_serve(words: list[str]) -> None:
    done = run_program(*words, "--repo", "https://alice:sesame@git.example.com/x.git")
    assert (done.returncode, "every user of this machine can read a password" in done.stderr) == (2, True)
    assert "sesame" not in done.stdout + done.stderr
    assert ("git credential-store" in done.stderr) == (words == ["doctor"])  # the others ask no remote
    if words != ["doctor"]:
        assert f"leave it out: location-policy {words[0]} --repo https://git.example.com/x.git" in done.stderr


@pytest.mark.parametrize("command", ["lookup", "blame"])
def test_the_state_directory_can_be_named_where_answers_come_from_it(tmp_path: Path, command: str) -> None:
    repository, state = make_repository(tmp_path / "locations.git", GOOD), tmp_path / "state"
    Refresher(repository, ActiveState(), state).look()
    force_commit(repository, BAD)
    git("update-ref", "-d", LAST_GOOD, cwd=repository)  # which would say the same
    asked = (command, "10.61.2.0", "--repo", repository)
    assert "which is active" in run_program(*asked, "--state-dir", state).stderr
    assert "which is active" not in run_program(*asked).stderr
