"""`location-policy blame`: which row answers, which rows it beats, and who wrote it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from location_policy.repository.remote.mirror import Mirror
from location_policy.rollout.refresher import Refresher
from location_policy.rollout.state import ActiveState
from tests.support.program import run_program
from tests.support.repositories import BAD, Clone, clone, git, init, make_repository

WIDE = "Sydney,10.0.0.0/8\n"
PERTH = "Perth,Sydney,10.61.0.0/16\n"
MELBOURNE = "Melbourne,10.61.3.0/24\n"


@pytest.fixture
def copy(tmp_path: Path) -> Clone:
    """A clone of a repository with three rows that hold each other, each written by a commit of its own."""
    repository = make_repository(tmp_path / "locations.git", {"locations.csv": WIDE})
    working = clone(repository, tmp_path / "map")
    working.commit({"locations/apac.csv": MELBOURNE}, "Add Melbourne", GIT_AUTHOR_NAME="Bob")
    working.commit({"locations/apac.csv": "# ours\n" + PERTH + MELBOURNE}, "Add Perth")
    working.push()
    return working


@pytest.fixture
def repository(copy: Clone) -> Path:
    return copy.path.with_name("locations.git")


def without_time(text: str) -> str:
    return re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", text)


def test_the_row_its_writer_and_the_rows_that_it_beats_are_told(copy: Clone, repository: Path) -> None:
    done = run_program("blame", "10.61.3.7", "--repo", repository)
    commit = copy.git("rev-parse", "--short=10", "HEAD~1")
    assert (done.returncode, done.stderr) == (0, "")
    assert without_time(done.stdout) == (
        "Melbourne\n"
        "  locations/apac.csv:3: 10.61.3.0/24\n"
        f"  {commit} TIME Bob: Add Melbourne\n"
        "less specific\n"
        "  locations/apac.csv:2: 10.61.0.0/16 Perth, overflow Sydney\n"
        "  locations.csv:1: 10.0.0.0/8 Sydney\n"
    )


def test_json_has_the_same(copy: Clone, repository: Path) -> None:
    done = run_program("blame", "10.61.4.7", "--repo", repository, "--format", "json")
    found = json.loads(done.stdout)
    written = found.pop("written")
    assert (written["commit"], written["subject"]) == (copy.git("rev-parse", "HEAD"), "Add Perth")
    assert found == {
        "address": "10.61.4.7",
        "commit": copy.git("rev-parse", "HEAD"),
        "answer": {"location": "Perth", "overflow": ["Sydney"]},
        "subnet": "10.61.0.0/16",
        "source": "locations/apac.csv:2",
        "is_cut": False,
        "beaten": [
            {"subnet": "10.0.0.0/8", "source": "locations.csv:1", "answer": {"location": "Sydney", "overflow": []}}
        ],
    }


def test_another_commit_is_asked_by_its_name(repository: Path) -> None:
    done = run_program("blame", "10.61.4.7", "--repo", repository, "--rev", "main~1")
    assert done.stdout.startswith("Sydney\n  locations.csv:1: 10.0.0.0/8\n")


def test_an_address_that_no_row_covers_is_a_no(repository: Path) -> None:
    done = run_program("blame", "2001:db8::1", "--repo", repository)
    assert (done.returncode, done.stdout) == (1, "no answer: no row covers 2001:db8::1\n")
    found = json.loads(run_program("blame", "::1", "--repo", repository, "--format", "json").stdout)
    assert (found["answer"], found["source"], found["written"]) == (None, None, None)


def test_who_wrote_the_default_is_told_where_no_row_covers_the_address(copy: Clone, repository: Path) -> None:
    copy.commit({"policy.toml": '[answer]\noverflow = "list"\ndefault = "Oslo"\n'}, "Send the rest to Oslo")
    copy.push()
    done = run_program("blame", "11.0.0.1", "--repo", repository)
    assert done.returncode == 1
    assert without_time(done.stdout).splitlines()[:2] == [
        "Oslo",
        "  policy.toml:3: the default: no row covers 11.0.0.1",
    ]
    assert done.stdout.endswith("Z Alice: Send the rest to Oslo\n")


def test_a_line_as_old_as_a_shallow_clone_is_said_to_be(repository: Path, tmp_path: Path) -> None:
    git("clone", "--quiet", "--depth=1", f"file://{repository}", tmp_path / "shallow", cwd=tmp_path)
    done = run_program("blame", "10.61.3.7", cwd=tmp_path / "shallow")
    assert "  or an earlier commit: the repository is a shallow clone, whose history ends here\n" in done.stdout


@pytest.mark.parametrize(
    ("address", "told"),
    [
        (
            "10.61.3",
            "location-policy: '10.61.3' is not an IPv4 or IPv6 address\n  hint: name one, such as 10.61.2.7\n",
        ),
        (" ", "location-policy: no address is given\n  hint: name one, such as 10.61.2.7\n"),
        (
            "Malbourn",
            "location-policy: Malbourn is no address, no subnet and no location of this map\n  hint: write Melbourne\n",
        ),
    ],
)
def test_what_is_no_address_cannot_be_asked(repository: Path, address: str, told: str) -> None:
    done = run_program("blame", address, "--repo", repository)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", told)


def test_a_commit_that_does_not_validate_cannot_be_asked(tmp_path: Path) -> None:
    done = run_program("blame", "10.61.3.7", "--repo", make_repository(tmp_path / "x.git", BAD))
    assert (done.returncode, done.stdout) == (2, "")
    assert "locations/apac.csv:1:28: error: 10.61.3.0/23 has host bits set [host-bits]" in done.stderr


# --- which repository ---


def test_the_repository_that_one_stands_in_is_asked(repository: Path, copy: Clone) -> None:
    for folder in (repository, copy.path):
        assert run_program("blame", "10.61.3.7", cwd=folder).stdout.startswith("Melbourne\n")


def test_the_repository_that_serve_makes_by_itself_is_asked_before(tmp_path: Path) -> None:
    make_repository(tmp_path / "data/locations.git", {"locations.csv": "Oslo,10.0.0.0/8\n"})
    git("init", "--quiet", cwd=tmp_path)
    assert run_program("blame", "10.61.3.7", cwd=tmp_path).stdout.startswith("Oslo\n")


def test_the_copy_of_a_remote_repository_is_asked_by_its_url(repository: Path, tmp_path: Path) -> None:
    from location_policy.repository.remote.copy_path import mirror_directory

    url = "https://git.example.com/locations.git"
    (tmp_path / "data/state").mkdir(parents=True)
    repository.rename(mirror_directory(url, tmp_path / "data/state"))
    assert run_program("blame", "10.61.3.7", "--repo", url, cwd=tmp_path).stdout.startswith("Melbourne\n")


def test_where_there_is_none_it_is_to_be_named(tmp_path: Path) -> None:
    done = run_program("blame", "10.61.3.7", cwd=tmp_path, environment={"STATE_DIRECTORY": "/var/lib/x:/y"})
    assert done.returncode == 2
    assert done.stderr == (
        "location-policy: there is no repository here, nor /var/lib/x/locations.git\n"
        "  hint: name one: --repo /srv/git/locations.git\n"
    )


def test_a_path_that_would_steer_the_terminal_is_written_out(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "x.git", {"locations/a\x1b[31m.csv": WIDE + PERTH})
    assert run_program("blame", "10.61.2.7", "--repo", repository).stdout.count(r"locations/a\x1b[31m.csv") == 2


def test_a_path_of_any_bytes_is_blamed(tmp_path: Path) -> None:
    path = b"locations/\xff.csv".decode(errors="surrogateescape")
    repository = make_repository(tmp_path / "x.git", {path: WIDE})
    assert run_program("blame", "10.61.2.7", "--repo", repository).returncode == 0


def test_the_shipped_map_is_blamed_on_the_program(tmp_path: Path) -> None:
    done = run_program("blame", "10.61.2.7", "--repo", init(tmp_path / "x.git"))
    assert done.stdout.endswith("location-policy: Start the map of media locations\n")


def test_the_copy_of_a_remote_is_found_by_the_state_directory_of_its_service(repository: Path, tmp_path: Path) -> None:
    url, state = repository.as_uri(), tmp_path / "state"
    asked = ("blame", "10.61.3.7", "--repo", url)
    done = run_program(*asked, cwd=tmp_path, environment={"XDG_STATE_HOME": str(tmp_path)})
    variable = "LOCATION_POLICY_STATE_DIR"
    hint = f"name the state directory of the service that follows it: {variable}=/var/lib/location-policy"
    clone_it = f"or git clone {url}, and ask in locations"
    message = f"there is no copy of {url} in {tmp_path}/location-policy/state"
    assert (done.returncode, done.stderr) == (2, f"location-policy: {message}\n  hint: {hint}; {clone_it}\n")
    mirror = Mirror(url, state, None, 0)
    mirror.make()
    Refresher(mirror.directory, ActiveState(), state, mirror).look()
    assert "Melbourne" in run_program(*asked, cwd=tmp_path, environment={variable: str(state)}).stdout


# --- of a subnet ---


def test_a_subnet_with_one_answer_names_its_row_and_its_writer(repository: Path) -> None:
    done = run_program("blame", "10.61.3.0/25", "--repo", repository)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.sub("[0-9a-f]{10} ", "COMMIT ", without_time(done.stdout)) == (
        "Melbourne\n  locations/apac.csv:3: 10.61.3.0/24\n    COMMIT TIME Bob: Add Melbourne\n"
    )


def test_a_subnet_that_is_split_names_who_wrote_its_parts(repository: Path) -> None:
    done = run_program("blame", "10.61.2.0/23", "--repo", repository)
    assert re.sub("[0-9a-f]{10} ", "COMMIT ", without_time(done.stdout)) == (
        "10.61.2.0/23 is split in 2 parts\n"
        "10.61.2.0/24  Perth, overflow Sydney  256 addresses\n"
        "  locations/apac.csv:2: 10.61.0.0/16\n"
        "    COMMIT TIME Alice: Add Perth\n"
        "10.61.3.0/24  Melbourne  256 addresses\n"
        "  locations/apac.csv:3: 10.61.3.0/24\n"
        "    COMMIT TIME Bob: Add Melbourne\n"
    )
    found = json.loads(run_program("blame", "10.61.2.0/23", "--repo", repository, "--format", "json").stdout)
    assert [part["rows"][0]["written"]["subject"] for part in found["parts"]] == ["Add Perth", "Add Melbourne"]
    assert (found["subnet"], found["is_split"], found["more"]) == ("10.61.2.0/23", True, 0)


def test_who_wrote_the_default_is_told_of_the_part_of_a_subnet_without_a_row(copy: Clone, repository: Path) -> None:
    copy.commit({"policy.toml": '[answer]\noverflow = "list"\ndefault = "Oslo"\n'}, "Send the rest to Oslo")
    copy.push()
    done = run_program("blame", "11.0.0.0/8", "--repo", repository)
    assert done.returncode == 1
    assert done.stdout.startswith("Oslo\n  policy.toml:3: the default: no row covers 11.0.0.0/8\n")
    assert done.stdout.endswith(" Alice: Send the rest to Oslo\n")
    split = run_program("blame", "10.0.0.0/7", "--repo", repository).stdout
    assert "11.0.0.0/8  Oslo  16,777,216 addresses\n  policy.toml:3: the default: no row covers this part\n" in split


def test_a_subnet_without_an_answer_is_a_no(repository: Path) -> None:
    done = run_program("blame", "2001:db8::/32", "--repo", repository)
    assert (done.returncode, done.stdout) == (1, "no answer: no row covers 2001:db8::/32\n")


def test_a_row_in_a_path_of_any_bytes_is_blamed_by_its_subnet(tmp_path: Path) -> None:
    path = b"locations/\xff.csv".decode(errors="surrogateescape")
    repository = make_repository(tmp_path / "x.git", {path: WIDE + PERTH})
    assert run_program("blame", "10.0.0.0/8", "--repo", repository).stdout.count("Force it in") == 3


# --- of a location ---


def test_a_location_is_told_with_who_wrote_the_rows_that_lead_to_it(repository: Path) -> None:
    done = run_program("blame", "Sydney", "--repo", repository)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.sub("[0-9a-f]{10} ", "COMMIT ", without_time(done.stdout)) == (
        "Sydney is the location of 1 row\n"
        "  locations.csv:1: 10.0.0.0/8 Sydney\n"
        "    COMMIT TIME Alice: Force it in\n"
        "Sydney is overflow of 1 row\n"
        "  locations/apac.csv:2: 10.61.0.0/16 Perth, overflow Sydney\n"
        "    COMMIT TIME Alice: Add Perth\n"
    )
    found = json.loads(run_program("blame", "Sydney", "--repo", repository, "--format", "json").stdout)
    assert [row["written"]["subject"] for row in found["as_location"] + found["as_overflow"]] == [
        "Force it in",
        "Add Perth",
    ]


def test_a_line_of_another_location_as_old_as_a_shallow_clone_is_said_to_be(repository: Path, tmp_path: Path) -> None:
    git("clone", "--quiet", "--depth=1", f"file://{repository}", tmp_path / "shallow", cwd=tmp_path)
    done = run_program("blame", "Perth", cwd=tmp_path / "shallow")
    assert "    or an earlier commit: the repository is a shallow clone, whose history ends here\n" in done.stdout


EDGE = '[[view]]\nname = "edge"\nlocation = "DMZ"\n'
STREAM = '[[view]]\nname = "stream"\nprotocol = "rtmp"\nanswer = "DMZ"\n'


def test_the_row_or_the_answer_of_the_view_that_takes_the_call_is_told(copy: Clone, repository: Path) -> None:
    rows = {"views/edge/locations.csv": "Oslo,10.61.0.0/16\n"}
    copy.commit({"policy.toml": EDGE + STREAM, **rows}, "Add views", GIT_AUTHOR_NAME="Eve")
    copy.push()
    commit = copy.git("rev-parse", "--short=10", "HEAD")
    done = run_program("blame", "10.61.3.7", "--repo", repository, "--ask", "location=DMZ")
    assert without_time(done.stdout) == (
        f"Oslo\n  views/edge/locations.csv:1: 10.61.0.0/16\n  {commit} TIME Eve: Add views\nview edge takes the call\n"
    )
    for asked in ("10.61.3.7", "10.61.3.0/24"):
        done = run_program("blame", asked, "--repo", repository, "--ask", "protocol=rtmp")
        assert "  policy.toml:7: the answer of view stream, whatever the address\n" in done.stdout
        assert f"{commit} TIME Eve: Add views\n" in without_time(done.stdout)
    done = run_program("blame", "10.61.3.7", "--repo", repository, "--ask", "location=DMZ", "--format", "json")
    assert (json.loads(done.stdout)["view"], json.loads(done.stdout)["source"]) == (
        "edge",
        "views/edge/locations.csv:1",
    )
    assert "the map at the top takes the call\n" in run_program("blame", "10.61.3.7", "--repo", repository).stdout


def test_the_line_of_the_table_is_told_with_who_wrote_it(copy: Clone, repository: Path) -> None:
    copy.commit({"policy.toml": '[overflow]\nMelbourne = ["Sydney"]\nSydney = "Perth"\n'}, "Say overflow once")
    copy.push()
    commits = [copy.git("rev-parse", "--short=10", at) for at in ("HEAD", "HEAD~2")]
    done = run_program("blame", "10.61.3.7", "--repo", repository)
    assert without_time(done.stdout) == (
        "Melbourne, overflow Sydney\n"
        "  locations/apac.csv:3: 10.61.3.0/24\n"
        f"  {commits[1]} TIME Bob: Add Melbourne\n"
        "  policy.toml:2: overflow of Melbourne\n"
        f"  {commits[0]} TIME Alice: Say overflow once\n"
        "less specific\n"
        "  locations/apac.csv:2: 10.61.0.0/16 Perth, overflow Sydney\n"
        "  locations.csv:1: 10.0.0.0/8 Sydney, overflow Perth\n"
    )
    found = json.loads(run_program("blame", "10.61.3.0/24", "--repo", repository, "--format", "json").stdout)
    (row,) = found["parts"][0]["rows"]
    assert (row["overflow_source"], row["overflow_written"]["subject"]) == ("policy.toml:2", "Say overflow once")
    assert run_program("lookup", "10.61.3.7", "--repo", repository).stdout == (
        "Melbourne, overflow Sydney\n  locations/apac.csv:3: 10.61.3.0/24\n  policy.toml:2: overflow of Melbourne\n"
    )


def test_the_line_of_the_table_is_told_of_a_default_and_of_a_subnet(copy: Clone, repository: Path) -> None:
    rules = 'answer.default = "Perth"\n[overflow]\nSydney = "Oslo"\nPerth = "Lima"\n'
    copy.commit({"policy.toml": rules}, "Say overflow once")
    copy.push()
    commit = copy.git("rev-parse", "--short=10", "HEAD")
    table = f"  policy.toml:4: overflow of Perth\n  {commit} TIME Alice: Say overflow once\n"
    asked = without_time(run_program("blame", "192.0.2.1", "--repo", repository).stdout)
    assert asked.endswith(table)
    told = without_time(run_program("blame", "8.0.0.0/6", "--repo", repository).stdout).replace("    ", "  ")
    assert table in told
    assert f"  policy.toml:3: overflow of Sydney\n  {commit} TIME" in told


def test_a_location_that_only_a_view_has_leads_to_how_it_is_asked(copy: Clone, repository: Path) -> None:
    rows = {"views/edge/locations.csv": "Oslo,10.61.0.0/16\n"}
    copy.commit({"policy.toml": EDGE.replace("DMZ", "Edge Oslo") + STREAM, **rows}, "Add views")
    copy.push()
    for command in ("blame", "history"):
        done = run_program(command, "Oslo", "--repo", repository)
        message = "location-policy: Oslo is no location of the map at the top\n"
        hint = "  hint: ask by view edge: --ask 'location=Edge Oslo'\n"
        assert (done.returncode, done.stdout, done.stderr.endswith(message + hint)) == (2, "", True), done.stderr
        asked = run_program(command, "Oslo", "--repo", repository, "--ask", "location=Edge Oslo")
        assert asked.returncode == 0
    done = run_program("blame", "Perth", "--repo", repository, "--ask", "location=Edge Oslo")
    assert done.stderr == "location-policy: Perth is no location of view edge\n  hint: ask without --ask\n"
