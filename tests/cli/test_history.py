"""`location-policy history`: what the commits changed, and what the service made of them."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from location_policy.gate import overrides
from location_policy.gate.overrides import Override
from location_policy.plan.limits import Excess
from location_policy.repository.repository import open_repository
from location_policy.rollout.journal import Event, Journal
from tests.support.program import PROGRAM, closed_environment, run_program
from tests.support.repositories import BAD, GOOD, SYDNEY, force_commit, git, init, make_repository, tip
from tests.support.service import running_service

PERTH = {"locations.csv": "Perth,10.61.2.0/24\n"}
MOMENT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
NO_JOURNAL = "what a service made of these commits is not known"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Three commits, of which the second is not valid."""
    path = make_repository(tmp_path / "locations.git", GOOD)
    force_commit(path, BAD, message="Add a floor")
    force_commit(path, PERTH, message="Move to Perth")
    return path


def steady(text: str) -> str:
    """The text without what differs from run to run."""
    return re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", re.sub(r"\b[0-9a-f]{10}\b", "COMMIT", text))


def note(state: Path, *events: Event) -> None:
    journal = Journal(state)
    for event in events:
        journal.add(event)
    journal.write()


def test_commits_are_told_newest_first_with_what_they_changed(repository: Path) -> None:
    done = run_program("history", "--repo", repository)
    assert done.returncode == 0
    assert steady(done.stdout) == (
        "COMMIT TIME Alice: Move to Perth\n"
        "  2 ranges changed: 1 moved (256 addresses), 1 removed (256 addresses)\n"
        "COMMIT TIME Alice: Add a floor\n"
        "  rejected: 1 error\n"
        "COMMIT TIME Alice: Force it in\n"
        "  2 ranges changed: 2 added (512 addresses)\n"
    )
    place = f"{repository}/location-policy: No such file or directory"
    assert done.stderr == f"location-policy: {NO_JOURNAL}: no journal in {place}\n"


def test_what_the_service_made_of_each_is_told_from_its_journal(repository: Path, tmp_path: Path) -> None:
    bad, good = tip(repository, "main~1"), tip(repository)
    later = MOMENT.replace(hour=13)
    note(tmp_path, Event(MOMENT, bad, "refused"), Event(MOMENT, good, "active"), Event(later, good, "active"))
    done = run_program("history", "--repo", repository, "--state-dir", tmp_path)
    assert "rejected: 1 error\n  refused 2026-03-01T12:30:00Z\n" in done.stdout
    assert "(256 addresses)\n  active 2026-03-01T12:30:00Z, active 2026-03-01T13:30:00Z\n" in done.stdout
    assert done.stderr == ""


def test_the_journal_of_the_running_service_is_found_beside_the_repository(repository: Path) -> None:
    with running_service(repository) as service:
        service.wait_for("in-sync")
    done = run_program("history", "--repo", repository, "-n", "1")
    assert steady(done.stdout).endswith("  active TIME\n")
    assert done.stderr == "location-policy: that was the last 1 commit; for those before: --number 10\n"


def test_the_journal_of_what_serve_makes_by_itself_is_found(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    repository.rename(tmp_path / "data/locations.git")
    note(tmp_path / "data/state", Event(MOMENT, tip(tmp_path / "data/locations.git"), "active"))
    assert "active 2026-03-01T12:30:00Z" in run_program("history", cwd=tmp_path).stdout


def test_an_override_is_told(repository: Path) -> None:
    with open_repository(repository) as opened:
        override = Override("changed-addresses", "25%", "50%", "the site moves", "alice", MOMENT)
        overrides.record(opened, tip(repository), override)
    done = run_program("history", "--repo", repository)
    assert "  over the limit (changed-addresses 25%, measured 50%) by alice: the site moves\n" in done.stdout
    commits = json.loads(run_program("history", "--repo", repository, "--format", "json").stdout)["commits"]
    assert [one["override"] and one["override"]["at"] for one in commits] == ["2026-03-01T12:30:00Z", None, None]


def test_each_limit_that_was_overridden_has_a_line(repository: Path) -> None:
    excess = [
        Excess("changed-addresses", "25%", "30% of IPv4 addresses"),
        Excess("removed-subnets", "10%", "12% of subnets"),
        Excess("limits.removed-subnets", "10%", "none"),
        Excess("expectations.csv", "1,200 expectations", "1,000 of them"),
    ]
    with open_repository(repository) as opened:
        overrides.record(opened, tip(repository), overrides.joined(excess, "all of it", "bob", MOMENT))
    assert (
        "  over the limit by bob: all of it\n"
        "    changed-addresses 25%, measured 30% of IPv4 addresses\n"
        "    removed-subnets 10%, measured 12% of subnets\n"
        "    limits.removed-subnets 10% -> none\n"
        "    expectations.csv 1,200 expectations -> 1,000 of them\n"
    ) in run_program("history", "--repo", repository).stdout


def test_json_has_the_same(repository: Path, tmp_path: Path) -> None:
    note(tmp_path, Event(MOMENT, tip(repository), "active"))
    done = run_program("history", "--repo", repository, "--state-dir", tmp_path, "--format", "json")
    found = json.loads(done.stdout)
    newest, bad, _ = found["commits"]
    assert (newest["commit"], newest["subject"], newest["author"]) == (tip(repository), "Move to Perth", "Alice")
    assert newest["totals"]["moved"] == {"ranges": 1, "addresses": 256, "slash64s": "0"}
    assert newest["service"] == [{"event": "active", "at": "2026-03-01T12:30:00Z"}]
    assert (bad["errors"], bad["totals"], bad["effect"], bad["service"]) == (1, {}, [], [])
    assert found["end"] == "first"


# --- of one address ---


def test_the_commits_that_changed_an_answer_are_told_newest_first(repository: Path, tmp_path: Path) -> None:
    note(tmp_path, Event(MOMENT, tip(repository), "active"))
    done = run_program("history", "10.61.2.7", "--repo", repository, "--state-dir", tmp_path)
    assert done.returncode == 0
    assert steady(done.stdout) == (
        "COMMIT TIME Alice: Move to Perth\n"
        "  Sydney, overflow Melbourne, Singapore -> Perth  (locations.csv:1)\n"
        "  active TIME\n"
        "COMMIT TIME Alice: Force it in\n"
        "  no answer -> Sydney, overflow Melbourne, Singapore  (locations/apac.csv:1)\n"
    )
    assert done.stderr == "location-policy: 1 commit with errors, skipped\n"


def test_an_answer_that_has_not_changed_is_a_no(repository: Path) -> None:
    done = run_program("history", "10.9.0.1", "--repo", repository)
    assert (done.returncode, done.stdout) == (1, "no change: 10.9.0.1 gets no answer\n")


def test_json_has_from_and_to(repository: Path) -> None:
    done = run_program("history", "10.61.2.7", "--repo", repository, "--format", "json")
    found = json.loads(done.stdout)
    assert (found["address"], found["end"], len(found["changes"])) == ("10.61.2.7", "first", 2)
    newest = found["changes"][0]
    assert newest["commit"] == tip(repository)
    assert newest["from"] == {"location": "Sydney", "overflow": ["Melbourne", "Singapore"]}
    assert (newest["to"], newest["source"]) == ({"location": "Perth", "overflow": []}, "locations.csv:1")
    assert found["changes"][1]["from"] is None
    nothing = run_program("history", "10.9.0.1", "--repo", repository, "--format", "json")
    assert (nothing.returncode, json.loads(nothing.stdout)["changes"]) == (1, [])


# --- where it ends ---


def test_a_shallow_clone_says_where_its_history_ends(repository: Path, tmp_path: Path) -> None:
    force_commit(repository, {"locations.csv": SYDNEY})
    git("clone", "--quiet", "--depth=2", f"file://{repository}", tmp_path / "shallow", cwd=tmp_path)
    done = run_program("history", cwd=tmp_path / "shallow")
    oldest = tip(repository, "main~1")[:10]
    assert f"history ends at {oldest}, because the clone is shallow: git fetch --unshallow\n" in done.stderr
    assert done.stdout.endswith("\n  history ends here: the clone is shallow\n")


def test_a_branch_without_a_commit_cannot_be_asked(tmp_path: Path) -> None:
    done = run_program("history", "--repo", init(tmp_path / "x.git", "--empty"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no revision" in done.stderr


def test_who_waits_at_a_terminal_is_told_how_far_it_is(repository: Path) -> None:
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [PROGRAM, "history", "--repo", repository],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=closed_environment(),
        check=True,
    )
    os.close(theirs)
    told = os.read(ours, 10_000).decode()
    os.close(ours)
    assert "0 of 3 commits" in told
    assert b"commits" not in done.stdout


# --- of a subnet ---


def test_the_commits_that_changed_answers_of_a_subnet_are_told_with_its_parts(repository: Path) -> None:
    done = run_program("history", "10.61.2.0/23", "--repo", repository)
    assert done.returncode == 0
    assert steady(done.stdout) == (
        "COMMIT TIME Alice: Move to Perth\n"
        "  10.61.2.0/24  Sydney, overflow Melbourne, Singapore -> Perth  256 addresses\n"
        "  10.61.3.0/24  Melbourne, overflow Sydney, Singapore -> no answer  256 addresses\n"
        "COMMIT TIME Alice: Force it in\n"
        "  10.61.2.0/24  no answer -> Sydney, overflow Melbourne, Singapore  256 addresses\n"
        "  10.61.3.0/24  no answer -> Melbourne, overflow Sydney, Singapore  256 addresses\n"
    )
    found = json.loads(run_program("history", "10.61.2.0/25", "--repo", repository, "--format", "json").stdout)
    assert (found["subnet"], len(found["changes"])) == ("10.61.2.0/25", 2)
    assert found["changes"][0]["parts"] == [
        {
            "range": "10.61.2.0/25",
            "size": "128",
            "from": {"location": "Sydney", "overflow": ["Melbourne", "Singapore"]},
            "to": {"location": "Perth", "overflow": []},
        }
    ]


def test_a_subnet_of_which_nothing_has_changed_is_a_no(repository: Path) -> None:
    done = run_program("history", "10.9.0.0/16", "--repo", repository)
    assert (done.returncode, done.stdout) == (1, "no change: 10.9.0.0/16 gets no answer\n")
    done = run_program("history", "10.61.2.0/23", "--repo", repository, "-n", "1")
    assert "no change" not in done.stdout


def test_a_default_that_changes_changes_a_subnet_without_a_row(tmp_path: Path) -> None:
    rows = {"locations.csv": SYDNEY}
    repository = make_repository(tmp_path / "x.git", rows)
    force_commit(repository, rows | {"policy.toml": '[answer]\ndefault = "Oslo"\n'})
    done = run_program("history", "10.61.2.0/23", "--repo", repository)
    assert "  10.61.3.0/24  no answer -> Oslo  256 addresses\n" in done.stdout
    force_commit(repository, rows | {"policy.toml": '[answer]\ndefault = "Oslo"\n', "README": "x"})
    unchanged = run_program("history", "10.61.2.0/23", "--repo", repository, "-n", "1").stdout
    assert unchanged == "no change: 10.61.2.0/23 is split in 2 parts\n"


# --- of a location ---


def test_the_commits_that_changed_which_rows_lead_to_a_location_are_told(repository: Path) -> None:
    done = run_program("history", "Melbourne", "--repo", repository)
    assert done.returncode == 0
    assert steady(done.stdout) == (
        "COMMIT TIME Alice: Move to Perth\n"
        "  location of 1 -> 0 rows, overflow of 1 -> 0 rows\n"
        "  10.61.2.0/24  overflow -> none\n"
        "  10.61.3.0/24  location -> none\n"
        "COMMIT TIME Alice: Force it in\n"
        "  location of 0 -> 1 row, overflow of 0 -> 1 row\n"
        "  10.61.2.0/24  none -> overflow\n"
        "  10.61.3.0/24  none -> location\n"
    )
    found = json.loads(run_program("history", "Perth", "--repo", repository, "--format", "json").stdout)
    (change,) = found["changes"]
    assert (found["location"], change["as_location"], change["more"]) == ("Perth", {"from": 0, "to": 1}, 0)
    assert change["rows"] == [{"subnet": "10.61.2.0/24", "from": None, "to": "location"}]


def test_a_location_that_no_commit_had_leads_to_the_one_that_was_meant(repository: Path) -> None:
    done = run_program("history", "perth", "--repo", repository)
    assert (done.returncode, done.stdout) == (2, "")
    message = "perth is no address, no subnet and no location of this map"
    assert done.stderr.endswith(f"location-policy: {message}\n  hint: write Perth\n")


def test_a_location_of_which_nothing_has_changed_is_a_no(repository: Path) -> None:
    force_commit(repository, {"locations.csv": "Perth,10.61.2.0/24\n", "README": "x"})
    done = run_program("history", "Perth", "--repo", repository, "-n", "1")
    assert (done.returncode, done.stdout) == (1, "no change: Perth has 1 location row and 0 overflow rows\n")


def test_a_default_is_told_as_such(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "x.git", {"locations.csv": SYDNEY})
    force_commit(repository, {"locations.csv": SYDNEY, "policy.toml": '[answer]\ndefault = "Oslo"\n'})
    done = run_program("history", "Oslo", "--repo", repository)
    assert done.stdout.endswith("  location of 0 -> 0 rows, overflow of 0 -> 0 rows\n  the default  none -> location\n")


# --- views ---

EDGE = '[[view]]\nname = "edge"\nlocation = "DMZ"\n'


@pytest.fixture
def views(tmp_path: Path) -> Path:
    """A map, a view, another location in it, and one answer in its place."""
    path = make_repository(tmp_path / "views.git", {"locations.csv": SYDNEY})
    edge = {"locations.csv": SYDNEY, "policy.toml": EDGE}
    force_commit(path, {**edge, "views/edge/locations.csv": "Oslo,10.61.0.0/16\n"}, message="Add a view")
    force_commit(path, {**edge, "views/edge/locations.csv": "Bergen,10.61.0.0/16\n"}, message="Move it")
    force_commit(path, {**edge, "policy.toml": f'{EDGE}answer = "DMZ"\n'}, message="Say one answer")
    return path


def test_what_a_commit_changed_is_told_by_the_calls_of_views(views: Path) -> None:
    done = run_program("history", "--repo", views, "--number", "2")
    assert steady(done.stdout) == (
        "COMMIT TIME Alice: Say one answer\n"
        "  calls asked for by DMZ: view edge: 1 rule and 1 range changed: 1 moved (65,536 addresses)\n"
        "  calls asked for by DMZ: view edge: policy.toml: answer  none -> DMZ\n"
        "  1 rule and 1 range changed: 1 moved (65,536 addresses)\n"
        "COMMIT TIME Alice: Move it\n"
        "  calls asked for by DMZ: view edge: 1 range changed: 1 moved (65,536 addresses)\n"
        "  1 range changed: 1 moved (65,536 addresses)\n"
    )


def test_the_history_of_an_address_follows_the_view_that_takes_the_call(views: Path) -> None:
    done = run_program("history", "10.61.2.7", "--repo", views, "--ask", "location=dmz")
    assert steady(done.stdout) == (
        "COMMIT TIME Alice: Say one answer\n"
        "  Bergen -> DMZ  (view edge)\n"
        "COMMIT TIME Alice: Move it\n"
        "  Oslo -> Bergen  (views/edge/locations.csv:1)\n"
        "COMMIT TIME Alice: Add a view\n"
        "  Sydney, overflow Melbourne, Singapore -> Oslo  (views/edge/locations.csv:1)\n"
        "COMMIT TIME Alice: Force it in\n"
        "  no answer -> Sydney, overflow Melbourne, Singapore  (locations.csv:1)\n"
    )
    assert run_program("history", "10.61.2.7", "--repo", views).stdout.count("->") == 1
    found = run_program("history", "10.61.2.7", "--repo", views, "--ask", "location=DMZ", "--format", "json").stdout
    assert [one.get("view") for one in json.loads(found)["changes"]] == ["edge", "edge", "edge", None]
    asked = run_program("history", "DMZ", "--repo", views, "--ask", "location=DMZ").stdout
    assert "the default  none -> location" in asked
    assert run_program("history", "10.61.0.0/16", "--repo", views, "--ask", "location=DMZ").stdout.count("Bergen") == 2
