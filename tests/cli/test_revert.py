"""`location-policy revert`: undo in one command, and nothing lost by it."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from io import StringIO
from pathlib import Path

import pytest

from location_policy.cli.commands.revert import Lines, RevertOptions, revert
from location_policy.edits.landing import check_writable, land, propose, served_tip
from location_policy.edits.revert import take_back
from location_policy.edits.revert_history import taken_back_by, undone_by
from location_policy.errors import BranchMoved, NotWritable, RepositoryError
from location_policy.gate.messages import verdict_lines
from location_policy.gate.overrides import override_of
from location_policy.repository.new_commits import Author
from location_policy.repository.remote.copy_path import mirror_directory
from location_policy.repository.repository import open_repository
from location_policy.runtime.users import user_name
from tests.support.maps import many_rows
from tests.support.program import run_program
from tests.support.repositories import BAD, GOOD, Clone, Files, clone, force_commit, git, init, run_git, tip
from tests.support.service import running_service
from tests.support.unprivileged import NOBODY, open_folder, run_program_as_nobody

PERTH = "Perth,10.61.9.0/24\n"
HOBART = "Hobart,10.61.10.0/24\n"
LIMITS = '[limits]\nchanged-addresses = "25%"\n'
BOB = Author("Bob", "bob@example.com")


class Site:
    """A repository as `init` makes it, with one commit on main, and a clone of it."""

    def __init__(self, folder: Path, files: Files) -> None:
        (folder / "start").mkdir()
        Clone(folder / "start").write(files)
        self.path = init(folder / "locations.git", "--from", folder / "start")
        self.clone = clone(self.path, folder / "map")

    def push(self, files: Files, message: str) -> str:
        """The id of a new commit that has been pushed."""
        commit = self.clone.commit(files, message)
        assert self.clone.push().returncode == 0
        return commit

    def revert(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run_program("revert", *arguments, "--repo", self.path)

    def show(self, path: str) -> str:
        return git("show", f"main:{path}", cwd=self.path)

    def log(self, form: str) -> str:
        return git("log", "-1", f"--format={form}", "main", cwd=self.path)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path, {"locations.csv": "Sydney,10.61.2.0/24\n", "policy.toml": ""})


def add(site: Site, row: str, message: str) -> str:
    """The id of a commit that adds a row at the end."""
    return site.push({"locations.csv": (site.clone.path / "locations.csv").read_text() + row}, message)


# --- for programs ---


def test_what_is_done_is_one_object(site: Site) -> None:
    commit = add(site, PERTH, "Add Perth")
    for more, result in (["--dry-run"], "dry-run"), ([], "made"), ([], "unchanged"):
        done = site.revert(commit, "--format", "json", *more)
        found = json.loads(done.stdout)
        assert (done.returncode, found["result"], found["commit"], found["branch"]) == (0, result, commit, "main")
        assert found["made"] == (tip(site.path) if result == "made" else None)
        if result == "unchanged":
            assert (found["verdict"], tip(site.path)[:10] in found["message"]) == (None, True)
        else:
            assert found["verdict"]["plan"]["totals"]["removed"]["addresses"] == 256


def test_a_refusal_is_one_object_with_its_problems(site: Site) -> None:
    bad = force_commit(site.path, {"locations.csv": "Sydney,10.61.2.0/24\nPerth,10.61.9.0/23\n"})
    force_commit(site.path, GOOD)
    done = site.revert("--to", bad, "--format", "json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["result"], found["made"]) == (1, "refused", None)
    assert [problem["code"] for problem in found["verdict"]["problems"]] == ["host-bits"]


# --- one commit ---


def test_the_last_commit_is_taken_back_and_the_plan_comes_first(site: Site) -> None:
    before = tip(site.path)
    bad = add(site, PERTH, "Add Perth")
    done = site.revert(bad[:10])
    assert (done.returncode, done.stderr) == (0, "")
    made = tip(site.path)
    assert done.stdout == (
        f"what changes on main since {bad[:10]}:\n"
        "10.61.9.0/24  Perth -> no answer  256 addresses  (was locations.csv:2)\n"
        "1 range changed: 1 removed (256 addresses)\n"
        f"returns to {before[:10]} Start the map of media locations (location-poli…)\n"
        "\n"
        "valid: 1 commit for main\n"
        f'main is now at {made[:10]} Revert "Add Perth" ({site.log("%an")})\n'
    )
    assert site.log("%P %T") == f"{bad} {git('rev-parse', f'{before}^{{tree}}', cwd=site.path)}"
    assert site.log("%B") == f'Revert "Add Perth"\n\nThis reverts commit {bad}.'
    assert git("reflog", "-1", "--format=%gs", "main", cwd=site.path) == "location-policy revert"


def test_a_commit_below_others_is_taken_back_by_itself(site: Site) -> None:
    bad = add(site, PERTH, "Add Perth")
    site.push({"locations/more.csv": HOBART}, "Add Hobart")
    assert site.revert(bad).returncode == 0
    assert (site.show("locations.csv"), site.show("locations/more.csv")) == ("Sydney,10.61.2.0/24", HOBART.strip())


def test_a_row_goes_also_where_another_was_added_right_below_it(site: Site) -> None:
    bad = add(site, PERTH, "Add Perth")
    add(site, HOBART, "Add Hobart")
    done = site.revert(bad)
    assert "10.61.9.0/24  Perth -> no answer" in done.stdout
    assert site.show("locations.csv") == f"Sydney,10.61.2.0/24\n{HOBART}".strip()


def test_a_merge_is_taken_back_against_its_first_parent(site: Site) -> None:
    first = add(site, PERTH, "Add Perth")
    site.clone.git("checkout", "--quiet", "-b", "side", "main~")
    site.clone.commit({"locations/side.csv": HOBART}, "Add Hobart")
    site.clone.git("checkout", "--quiet", "main")
    site.clone.git("merge", "--quiet", "--no-ff", "-m", "Merge side", "side")
    assert site.clone.push().returncode == 0
    merge = tip(site.path)
    assert site.revert("main").returncode == 0
    assert site.log("%B").endswith(f"This reverts commit {merge}, reversing\nchanges made to {first}.")
    assert "Perth" in site.show("locations.csv")
    assert "side.csv" not in git("ls-tree", "-r", "--name-only", "main", cwd=site.path)


def test_a_commit_of_a_merged_branch_is_taken_back_too(site: Site) -> None:
    site.clone.git("checkout", "--quiet", "-b", "side")
    bad = site.clone.commit({"locations/side.csv": HOBART}, "Add Hobart")
    site.clone.git("checkout", "--quiet", "main")
    site.clone.git("merge", "--quiet", "--no-ff", "-m", "Merge side", "side")
    assert site.clone.push().returncode == 0
    assert "1 removed" in site.revert(bad).stdout


# --- going back ---


def test_going_back_takes_back_all_since(site: Site) -> None:
    good = tip(site.path)
    add(site, PERTH, "Add Perth")
    add(site, HOBART, "Add Hobart")
    done = site.revert("--to", good)
    assert "2 ranges changed: 2 removed (512 addresses)\n" in done.stdout
    assert site.log("%T") == git("rev-parse", f"{good}^{{tree}}", cwd=site.path)
    assert site.log("%B") == (
        'Restore "Start the map of media locations"\n\n'
        f"This restores all that commit {good} held,\nand reverts the 2 commits since."
    )


def test_going_back_is_held_to_no_limit(tmp_path: Path) -> None:
    site = Site(tmp_path, {"locations.csv": many_rows(200, "Sydney"), "policy.toml": LIMITS})
    good = tip(site.path)
    force_commit(site.path, {"locations.csv": many_rows(200, "Perth"), "policy.toml": LIMITS})
    done = site.revert("--to", good)
    assert (done.returncode, f"returns to {good[:10]}" in done.stdout) == (0, True)


# --- dry, refused, nothing to do ---


def test_a_dry_run_makes_nothing(site: Site) -> None:
    bad = add(site, PERTH, "Add Perth")
    done = site.revert(bad, "--dry-run")
    assert done.returncode == 0
    assert done.stdout.endswith("valid: 1 commit for main\ndry run: nothing changed\n")
    assert tip(site.path) == bad


def test_what_is_so_already_is_no_work(site: Site) -> None:
    bad = add(site, PERTH, "Add Perth")
    site.revert(bad)
    made = tip(site.path)
    for asked in (("--to", f"{bad}~"), ("--to", made)):
        done = site.revert(*asked)
        assert (done.returncode, done.stderr) == (0, "")
        assert f'nothing to do: no change since {made[:10]} Revert "Add Perth"' in done.stdout
    assert tip(site.path) == made


def test_what_the_gate_refuses_is_not_made(site: Site) -> None:
    bad = force_commit(site.path, {"locations.csv": "Sydney,10.61.2.0/24\nPerth,10.61.9.0/23\n"})
    force_commit(site.path, GOOD)
    before = tip(site.path)
    done = site.revert("--to", bad)
    assert done.returncode == 1
    assert "main is rejected: 1 of 1 commit has errors" in done.stdout
    assert "git commit --all --amend" not in done.stdout
    assert tip(site.path) == before


def test_a_large_change_needs_a_reason_which_is_noted(tmp_path: Path) -> None:
    sydney, perth = ({"locations.csv": many_rows(200, name), "policy.toml": LIMITS} for name in ("Sydney", "Perth"))
    site = Site(tmp_path, sydney)
    bad = force_commit(site.path, perth, message="Move to Perth")
    force_commit(site.path, {**perth, "locations/more.csv": "Hobart,192.0.2.0/24\n"})
    done = site.revert(bad)
    assert done.returncode == 1
    assert "limits.changed-addresses: at most 25%, but it is" in done.stdout
    how = f'location-policy revert {bad[:10]} --repo {site.path} --allow-large-change "reason"\n'
    assert done.stdout.endswith(f"% of IPv4 addresses\n\nif all of it is meant, override it with a reason:\n  {how}")
    assert (done.stderr, "git push" in done.stdout) == ("", False)
    done = site.revert(bad, "--allow-large-change", "calls fail", "--author", "Bob <bob@example.com>")
    assert (done.returncode, "  reason: calls fail\n" in done.stdout) == (0, True)
    with open_repository(site.path) as repository:
        found = override_of(repository, tip(site.path))
    assert found
    assert (found.reason, found.by) == ("calls fail", "Bob")


@pytest.mark.parametrize(
    "more",
    [
        (),
        ("--author", "Bob O'Hara <bob@example.com>", "-m", 'It\'s "over"\n\nApproved-by: bob'),
    ],
)
@pytest.mark.parametrize("back", [False, True])
def test_the_hint_for_a_large_change_is_followed_as_it_stands(
    tmp_path: Path, more: tuple[str, ...], *, back: bool
) -> None:
    sydney, perth = ({"locations.csv": many_rows(200, name), "policy.toml": LIMITS} for name in ("Sydney", "Perth"))
    site = Site(tmp_path, sydney)
    first = force_commit(site.path, {**sydney, "locations/more.csv": "Hobart,192.0.2.0/24\n"})
    bad = force_commit(site.path, perth, message="Move to Perth")
    force_commit(site.path, {**perth, "locations/more.csv": "Hobart,192.0.3.0/24\n"})
    git("reflog", "expire", "--expire=all", "--all", cwd=site.path)
    asked = ("--to", first) if back else (bad,)
    done = site.revert(*asked, *more)
    assert done.returncode == 1
    words = shlex.split(done.stdout.rpartition("with a reason:\n")[2])
    assert words[:2] == ["location-policy", "revert"]
    assert run_program(*words[1:], cwd=tmp_path).returncode == 0
    with open_repository(site.path) as repository:
        found = override_of(repository, tip(site.path))
        assert found
        assert found.reason == "reason"
    if more:
        assert (site.log("%an"), site.log("%s"), site.log("%(trailers)")) == (
            "Bob O'Hara",
            'It\'s "over"',
            "Approved-by: bob",
        )


def test_a_reason_in_the_message_of_a_revert_counts_as_one_in_that_of_a_push(tmp_path: Path) -> None:
    sydney, perth = ({"locations.csv": many_rows(200, name), "policy.toml": LIMITS} for name in ("Sydney", "Perth"))
    site = Site(tmp_path, sydney)
    bad = force_commit(site.path, perth, message="Move to Perth")
    force_commit(site.path, {**perth, "locations/more.csv": "Hobart,192.0.2.0/24\n"})
    assert site.revert(bad, "-m", "Calls fail\n\nAllow-Large-Change: calls fail").returncode == 0
    with open_repository(site.path) as repository:
        found = override_of(repository, tip(site.path))
    assert found
    assert found.reason == "calls fail"


def test_the_word_of_owners_is_given_in_the_message_of_a_revert_as_is_told(tmp_path: Path) -> None:
    rules = '[checks]\nowner-approval = "error"\n'
    start = {"locations.csv": "Sydney,10.61.2.0/24\n", "policy.toml": rules, "owners.csv": "10.0.0.0/8,ann\n"}
    site = Site(tmp_path, start)
    bad = force_commit(site.path, {**start, "locations.csv": "Perth,10.61.2.0/24\n"})
    force_commit(site.path, {**start, "locations.csv": "Perth,10.61.2.0/24\n", "locations/x.csv": "Oslo,10.2.0.0/16\n"})
    done = site.revert(bad)
    assert done.returncode == 1
    assert done.stdout.endswith(
        "\nwhen they agree, end its --message, after an empty line, with\n"
        "  Approved-by: ann\n"
        "a line for each; or let them do it\n"
    )
    assert site.revert(bad, "--message", "Take it back\n\nApproved-by: ann").returncode == 0


# --- asked twice ---


def hinted(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What the hint says to type after `revert`."""
    return done.stderr.rpartition("location-policy revert ")[2].split()


def test_what_is_asked_twice_is_done_once(site: Site) -> None:
    bad = add(site, PERTH, "Add Perth")
    assert site.revert(bad, "--author", "Bob <bob@example.com>").returncode == 0
    made = tip(site.path)
    for more in ((), ("--again",), ("--dry-run",)):
        done = site.revert(bad, *more)
        assert (done.returncode, done.stderr) == (0, "")
        told = f'{bad[:10]} Add Perth (Alice) is already reverted, by {made[:10]} Revert "Add Perth" (Bob)\n'
        assert done.stdout == f"nothing to do: {told}"
    assert tip(site.path) == made


def test_what_is_asked_twice_is_done_once_where_a_row_of_a_later_commit_stands_beside_it(site: Site) -> None:
    bad = add(site, PERTH, "Add Perth")
    add(site, HOBART, "Add Hobart")
    assert site.revert(bad, "--author", "Bob <bob@example.com>").returncode == 0
    made = tip(site.path)
    for more in ((), ("--again",)):
        done = site.revert(bad, *more)
        assert (done.returncode, done.stderr) == (0, "")
        told = f'{bad[:10]} Add Perth (Alice) is already reverted, by {made[:10]} Revert "Add Perth" (Bob)\n'
        assert done.stdout == f"nothing to do: {told}"
    assert tip(site.path) == made


def test_what_was_only_said_to_be_taken_back_is_not_done_yet(site: Site) -> None:
    bad = add(site, PERTH, "Add Perth")
    rows = "Sydney,10.61.2.0/24\nPerth,Sydney,10.61.9.0/24\n"
    later = site.push({"locations.csv": rows}, f"Add an overflow\n\nThis reverts commit {bad}.")
    done = site.revert(bad)
    assert (done.returncode, done.stdout) == (1, "")
    assert tip(site.path) == later


def test_a_branch_is_told_as_the_commit_that_it_is_at_and_a_revert_there_stays(site: Site) -> None:
    bad = add(site, PERTH, "Add Perth")
    assert site.revert("main").stdout.startswith(f"main is {bad[:10]} Add Perth (Alice)\nwhat changes on main")
    made = tip(site.path)
    done = site.revert("main")
    name = f'{made[:10]} Revert "Add Perth" ({site.log("%an")})'
    assert (done.returncode, done.stdout) == (1, f"main is {name}\n")
    assert done.stderr == (
        f"location-policy: {name} is itself a revert: reverting it restores {bad[:10]} Add Perth (Alice)\n"
        f"  hint: if that is meant: location-policy revert {made[:10]} --again\n"
    )
    assert tip(site.path) == made
    done = site.revert(*hinted(done))
    assert (done.returncode, "Perth" in site.show("locations.csv")) == (0, True)
    assert "is itself a revert" in site.revert("main").stderr
    assert site.revert(bad).returncode == 0, "what has come back is reverted as any other"
    assert "Perth" not in site.show("locations.csv")


def test_a_revert_is_known_by_what_it_does_too(site: Site) -> None:
    bad = add(site, PERTH, "Add Perth")
    site.push({"locations.csv": "Sydney,10.61.2.0/24\n"}, "Perth has no building yet")
    told = f"is itself a revert: reverting it restores {bad[:10]} Add Perth (Alice)\n"
    assert told in site.revert("main").stderr
    done = site.revert("--to", bad)
    assert (done.returncode, hinted(done)) == (1, ["--to", bad[:10], "--again"])
    assert site.revert(*hinted(done)).returncode == 0


def test_a_mistake_that_is_made_again_is_no_revert(site: Site) -> None:
    without: Files = {"locations.csv": "Sydney,10.61.2.0/24\n"}
    mistake: Files = {"locations.csv": f"Sydney,10.61.2.0/24\n{PERTH}"}
    force_commit(site.path, without)
    with open_repository(site.path) as repository:
        for files, message, is_revert in (
            (mistake, "Add Perth", False),
            (without, "Take Perth out", True),
            (mistake, "Perth again", False),
            (without, "Take Perth out again", True),
            (mistake, f"Reapply\n\nThis reverts commit {tip(site.path)}.", True),
            (without, "Take Perth out for good", False),
            (without, "Say so", False),
            (without, "Say it again", False),
        ):
            made = repository.commit(force_commit(site.path, files, message=message))
            assert bool(undone_by(repository, made)) == is_revert, message


def test_a_return_is_no_toggle(site: Site) -> None:
    good, bad = tip(site.path), add(site, PERTH, "Add Perth")
    assert site.revert("--to", "main~").returncode == 0
    made = tip(site.path)
    done = site.revert("--to", "main~")
    told = f"{bad[:10]} Add Perth (Alice) is reverted, by {made[:10]} Restore"
    assert (done.returncode, told in done.stderr) == (1, True)
    done = site.revert("main")
    told = f"is itself a restore: reverting it restores what came after {good[:10]} Start the map"
    assert (done.returncode, told in done.stderr, tip(site.path)) == (1, True, made)
    assert site.revert(*hinted(done)).returncode == 0
    assert "Perth" in site.show("locations.csv")


def test_what_was_taken_back_and_came_again_otherwise_is_asked_about(site: Site) -> None:
    bad = add(site, PERTH, "Add Perth")
    assert site.revert(bad).returncode == 0
    made = tip(site.path)
    site.clone.git("pull", "--quiet")
    later = add(site, PERTH + HOBART, "Add both")
    done = site.revert(bad)
    told = f"{bad[:10]} Add Perth (Alice) is already reverted, by {made[:10]} Revert"
    assert (done.returncode, told in done.stderr, hinted(done)) == (1, True, [bad[:10], "--again"])
    assert tip(site.path) == later
    assert site.revert(*hinted(done)).returncode == 0
    assert site.show("locations.csv") == f"Sydney,10.61.2.0/24\n{HOBART}".strip()


def test_thousands_of_lines_that_say_so_keep_nothing_from_being_taken_back(site: Site) -> None:
    first, bad = tip(site.path), site.push({"locations/emea.csv": PERTH}, "Bad")
    said = f"This brings back all that commit {first} held\n" * 1_300
    for number in range(3):
        site.push({"locations/amer.csv": f"Hobart,10.62.{number}.0/24\n"}, f"Change\n\n{said}{number}")
    started = time.monotonic()
    with open_repository(site.path) as repository:
        assert taken_back_by(repository, repository.commit(tip(site.path)), repository.commit(bad))
    assert time.monotonic() - started < 5
    assert site.revert(bad, "--again").returncode == 0


def test_what_only_says_that_it_is_a_revert_stays_revertible(site: Site) -> None:
    said = add(site, PERTH, f"Add Perth\n\nThis reverts commit {'0' * 40}.")
    assert site.revert(said).returncode == 0


def test_two_who_ask_at_once_make_one_revert(site: Site) -> None:
    bad = add(site, PERTH, "Add Perth")
    with ThreadPoolExecutor() as pool:
        done = [*pool.map(lambda _: site.revert("main" if _ else bad[:10]), range(2))]
    assert {one.returncode for one in done} <= {0, 1}, done
    assert git("rev-list", "--count", f"{bad}..main", cwd=site.path) == "1"
    assert "Perth" not in site.show("locations.csv")


class Overtaken(StringIO):
    """A standard output at which `other` comes first: when it is flushed, the plan is told and nothing is done yet."""

    def __init__(self, other: Callable[[], object]) -> None:
        super().__init__()
        self._other = other

    def flush(self) -> None:
        self._other()


def test_who_is_overtaken_by_the_same_revert_has_nothing_to_do(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = add(site, PERTH, "Add Perth")
    monkeypatch.setattr(sys, "stdout", out := Overtaken(lambda: site.revert(bad)))
    assert (
        revert(RevertOptions("main", None, "Bob <bob@example.com>", None, None, is_dry=False), str(site.path), Lines())
        == 0
    )
    made = tip(site.path)
    told = f'nothing to do: {bad[:10]} Add Perth (Alice) is already reverted, by {made[:10]} Revert "Add Perth" ('
    assert out.getvalue().splitlines()[-1].startswith(told)
    assert site.log("%P") == bad


def test_who_is_overtaken_by_another_change_is_told_so(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = add(site, PERTH, "Add Perth")
    monkeypatch.setattr(sys, "stdout", Overtaken(lambda: site.push({"locations/b.csv": HOBART}, "Add Hobart")))
    with pytest.raises(BranchMoved):
        revert(RevertOptions(bad, None, None, None, None, is_dry=False), str(site.path), Lines())


# --- what is in the way ---


def test_later_commits_on_the_same_row_are_named_with_the_way_out(site: Site) -> None:
    start = tip(site.path)
    bad = add(site, PERTH, "Add Perth")
    later = [
        site.push({"locations.csv": f"Sydney,10.61.2.0/24\n{name},10.61.9.0/24\n"}, f"Take {name}")
        for name in ("Cairns", "Darwin", "Broome", "Hobart")
    ]
    done = site.revert(bad)
    by = ", ".join(
        f"{commit[:10]} Take {name} (Alice)"
        for commit, name in zip(later[:0:-1], ("Hobart", "Broome", "Darwin"), strict=True)
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"location-policy: what {bad[:10]} Add Perth (Alice) changed has changed again since\n"
        f"locations.csv:2: changed by {by} and 1 more\n"
        f"  hint: revert those first, or it and the 4 commits since: location-policy revert --to {start[:10]}\n"
    )
    assert tip(site.path) == later[-1]


def test_of_very_many_files_in_conflict_some_are_named_in_time(site: Site) -> None:
    def files(folder: str, more: str) -> Files:
        return {
            f"{folder}/{number}": "".join(f"{number} {line}\n" for line in range(9)) + more for number in range(900)
        }

    site.push(files("old", ""), "Begin")
    shutil.rmtree(site.clone.path / "old")
    bad = site.push({"locations/emea.csv": PERTH, **files("new", "x\n")}, "Rename all")
    site.push(files("new", "y\n"), "Change all")
    started = time.monotonic()
    done = site.revert(bad)
    told = done.stderr.splitlines()
    assert (done.returncode, len(told), told[21]) == (1, 23, "and 880 more files")
    assert time.monotonic() - started < 5


def test_the_way_out_to_what_is_taken_back_works_as_it_is_printed(site: Site) -> None:
    def force(rows: str, message: str) -> str:
        return force_commit(site.path, {"locations.csv": rows}, message=message)

    force("Sydney,10.61.2.0/24\n", "Begin")
    mistake = force(f"Sydney,10.61.2.0/24\n{PERTH}", "Add Perth")
    moved = force(f"Cairns,10.61.2.0/24\n{PERTH}", "Move to Cairns")
    force("Cairns,10.61.2.0/24\n", f"No Perth\n\nThis reverts commit {mistake}.")
    force("Darwin,10.61.2.0/24\n", "Move to Darwin")
    done = site.revert(moved)
    assert (done.returncode, hinted(done)) == (1, ["--to", mistake[:10], "--again"])
    assert site.revert(*hinted(done)).returncode == 0
    assert site.show("locations.csv") == f"Sydney,10.61.2.0/24\n{PERTH}".strip()


def test_places_are_counted_and_a_file_that_is_gone_has_none(site: Site) -> None:
    rules = '[answer]\ndefault = "{}"\n\n\n\n\n\n[checks]\nhost-bits = "{}"\n'
    site.push({"policy.toml": rules.format("A", "off"), "locations/x.csv": HOBART}, "Begin")
    bad = site.push({"policy.toml": rules.format("B", "error"), "locations/x.csv": PERTH}, "Change all")
    (site.clone.path / "locations/x.csv").unlink()
    later = site.push({"policy.toml": rules.format("C", "warning")}, "Change again")
    by = f"changed by {later[:10]} Change again (Alice)"
    assert site.revert(bad).stderr.splitlines()[1:3] == [f"locations/x.csv: {by}", f"policy.toml:2 and 1 more: {by}"]


# --- who and why ---


def test_author_and_message_can_be_given(site: Site) -> None:
    bad = add(site, PERTH, "Add Perth")
    site.revert(bad, "--author", "Bob Ross <bob@example.com>", "-m", "Calls from Perth fail")
    assert site.log("%an <%ae> %cn <%ce>") == "Bob Ross <bob@example.com> Bob Ross <bob@example.com>"
    assert site.log("%B") == f"Calls from Perth fail\n\nThis reverts commit {bad}."


@pytest.mark.parametrize(
    "typed",
    [
        "Calls fail\n\nApproved-by: Bob <bob@example.com>",
        "Calls fail\n\nSince noon.\n \t\nApproved-by: bob\nAllow-Large-Change: calls\n  fail\n\n",
        "Calls fail\n\nSigned-off-by: bob\nwithout a key\nApproved-by : bob",
        "Approved-by: bob",
        "Calls fail\nApproved-by: bob",
        "Calls fail\n\nApproved-by: bob\n\nand dropped.",
        "Calls fail\n\n\n\nNote: since noon\nit is so",
    ],
)
def test_trailers_of_a_message_stay_its_trailers(site: Site, typed: str) -> None:
    bad = add(site, PERTH, "Add Perth")
    assert site.revert(bad, "-m", typed).returncode == 0
    parse = ("interpret-trailers", "--parse", "--no-divider")
    parsed = [run_git(*parse, cwd=site.path, stdin=text.encode()).stdout for text in (typed, site.log("%B"))]
    assert parsed[0] == parsed[1]
    with open_repository(site.path) as repository:
        assert [one.commit for one in undone_by(repository, repository.commit(tip(site.path)))] == [bad]


def test_the_sentence_stands_before_the_trailers(site: Site) -> None:
    bad = add(site, PERTH, "Add Perth")
    site.revert(bad, "-m", "Calls fail\n\nSince noon.\n\nApproved-by: bob")
    assert site.log("%B") == f"Calls fail\n\nSince noon.\n\nThis reverts commit {bad}.\n\nApproved-by: bob"


@pytest.mark.parametrize("author", ["Bob", "<bob@example.com>", "Bob <>", "Bob <a b>", "B\nb <b@example.com>"])
def test_what_is_no_author_cannot_be_asked(site: Site, author: str) -> None:
    done = site.revert("main", "--author", author)
    assert (done.returncode, "is not a name and an address\n  hint: write it so: Alice" in done.stderr) == (2, True)


def test_the_operator_is_known_by_sudo_by_git_or_by_the_system(site: Site, tmp_path: Path) -> None:
    add(site, PERTH, "Add Perth")
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text("[user]\n\tname = Carol\n\temail = carol@example.com\n")
    for environment, name in (
        ({"HOME": str(home)}, "Carol <carol@example.com>"),
        ({"SUDO_USER": "dave"}, "dave <dave@"),
    ):
        done = run_program("revert", "main", "--again", "--repo", site.path, environment=environment)
        assert done.returncode == 0, done.stderr
        assert site.log("%an <%ae>").startswith(name)


# --- what cannot be asked ---


def test_the_first_commit_cannot_be_taken_back(site: Site) -> None:
    done = site.revert("main")
    assert done.returncode == 2
    assert "is the first commit, and without it nothing is left to serve\n  hint: name the one" in done.stderr


def test_a_commit_that_is_not_served_cannot_be_taken_back_or_gone_back_to(site: Site) -> None:
    site.clone.commit({"locations.csv": PERTH})
    assert site.clone.push("HEAD:refs/heads/side").returncode == 0
    for asked in (("side",), ("--to", "side")):
        done = site.revert(*asked)
        assert (done.returncode, "is not on the served branch" in done.stderr) == (2, True)


def test_a_branch_that_is_named_like_an_id_is_not_taken_for_the_commit(site: Site) -> None:
    old = site.push({"locations/perth.csv": PERTH}, "Add Perth")
    new = site.push({"locations/hobart.csv": HOBART}, "Add Hobart")
    assert site.clone.push(f"{old}:refs/heads/{new[:10]}").returncode == 0
    done = site.revert(new[:10])
    assert done.returncode == 0, done.stderr
    assert site.log("%s") == 'Revert "Add Hobart"'


def test_an_unknown_commit_cannot_be_asked(site: Site) -> None:
    done = site.revert("nothing")
    assert (done.returncode, "there is no revision 'nothing'" in done.stderr) == (2, True)


@pytest.mark.parametrize("arguments", [(), ("main", "--to", "main")])
def test_one_of_the_two_is_named(site: Site, arguments: tuple[str, ...]) -> None:
    done = site.revert(*arguments)
    assert (done.returncode, "name either the commit to revert" in done.stderr) == (2, True)


def test_a_working_copy_is_worked_in_with_git(site: Site) -> None:
    bad = add(site, PERTH, "Add Perth")[:10]
    done = run_program("revert", "HEAD", cwd=site.clone.path)
    assert (done.returncode, done.stdout) == (2, f"HEAD is {bad} Add Perth (Alice)\n")
    assert done.stderr.endswith(f"  hint: git revert {bad}, then git push\n")
    site.clone.git("revert", "--no-edit", bad)
    done = run_program("revert", "HEAD", cwd=site.clone.path)
    assert (done.returncode, f"is itself a revert: reverting it restores {bad} Add Perth" in done.stderr) == (
        1,
        True,
    )
    done = run_program("revert", "HEAD", "--again", cwd=site.clone.path)
    assert f"git revert {tip(site.clone.path)[:10]}, then git push\n" in done.stderr
    done = run_program("revert", "--to", "HEAD~", cwd=site.clone.path)
    how = f"git restore --source={bad} --staged --worktree :/, git commit, then git push"
    assert (done.returncode, f"  hint: {how}\n" in done.stderr) == (2, True)


def test_a_remote_repository_is_changed_in_a_clone_of_it(site: Site, tmp_path: Path) -> None:
    done = run_program("revert", "main", "--repo", "https://alice:secret@git.example.com/map.git")
    assert (done.returncode, "secret" in done.stderr, "can read a password that is typed" in done.stderr) == (
        2,
        False,
        True,
    )
    url = "https://alice@git.example.com/map.git"
    done = run_program("revert", "main", "--repo", url)
    assert (done.returncode, "in a clone of it" in done.stderr) == (2, True)
    copy = mirror_directory(url, tmp_path)
    site.path.rename(copy)
    done = run_program("revert", "main", "--repo", copy)
    assert (done.returncode, "and is changed there" in done.stderr) == (2, True)


def test_what_belongs_to_another_user_is_left_alone_unless_it_is_shared(site: Site) -> None:
    owner = site.path.stat().st_uid
    with open_repository(site.path) as repository:
        check_writable(repository, owner)
        with pytest.raises(NotWritable) as caught:
            check_writable(repository, owner + 1)
        name = user_name(owner)
        assert caught.value.message.endswith(f"belongs to {name}, who could not use what another user makes in it")
        assert caught.value.hint == f"run it as that user: sudo -u {name} location-policy …"
        for value, is_shared in (("umask", False), ("group", True)):
            git("config", "core.sharedRepository", value, cwd=site.path)
            with nullcontext() if is_shared else pytest.raises(NotWritable):
                check_writable(repository, owner + 1)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_what_may_not_be_written_is_left_alone() -> None:
    with open_folder() as folder:
        repository = init(folder / "locations.git")
        os.chown(repository, NOBODY, NOBODY)
        repository.chmod(0o555)
        done = run_program_as_nobody("revert", "main", "--repo", repository, cwd=folder)
    assert (done.returncode, f"{repository} may not be written\n" in done.stderr) == (2, True), done.stderr


# --- another commit comes first ---


def test_a_push_in_between_loses_nothing_and_is_told(site: Site) -> None:
    add(site, PERTH, "Add Perth")
    with open_repository(site.path) as repository:
        before = served_tip(repository)
        tree = repository.commit(repository.parents(before.id)[0]).tree
        proposal, _ = propose(repository, before, tree, "Take it back", BOB)
        pushed = add(site, HOBART, "Add Hobart")
        with pytest.raises(BranchMoved) as caught:
            land(repository, proposal, "test")
    assert caught.value.message == f"main has moved meanwhile, to {pushed[:10]}, so nothing was changed"
    assert tip(site.path) == pushed


def test_a_branch_that_cannot_be_moved_is_told_as_git_tells_it(site: Site) -> None:
    add(site, PERTH, "Add Perth")
    with open_repository(site.path) as repository:
        before = served_tip(repository)
        proposal, _ = propose(repository, before, repository.commit(repository.parents(before.id)[0]).tree, "x", BOB)
        (site.path / "refs/heads/main.lock").touch()
        with pytest.raises(RepositoryError, match="git update-ref failed"):
            land(repository, proposal, "test")


def test_what_stands_but_is_not_noted_is_told(tmp_path: Path) -> None:
    rows = {name: {"locations.csv": many_rows(200, name), "policy.toml": LIMITS} for name in ("Sydney", "Perth")}
    site = Site(tmp_path, rows["Sydney"])
    force_commit(site.path, rows["Perth"])
    with open_repository(site.path) as repository:
        before = served_tip(repository)
        hobart = force_commit(site.path, {**rows["Sydney"], "locations/x.csv": "Hobart,192.0.2.0/24\n"}, "refs/heads/x")
        tree = repository.commit(hobart).tree
        _, verdict = propose(repository, before, tree, "x", BOB)
        assert [*verdict_lines(verdict, override="")][-1].endswith("% of IPv4 addresses")
        proposal, _ = propose(repository, before, tree, "x", BOB, ["allow-large-change=calls fail"])
        (site.path / "refs/notes").write_text("in the way")
        told = land(repository, proposal, "test")
    assert told
    assert "stands, but why it exceeds a limit is not noted" in told.message
    assert tip(site.path) == proposal.update.new


# --- what git cannot do ---


@pytest.mark.parametrize(
    ("status", "told"), [(129, "git is too old to revert a commit below others"), (128, "git merge-tree failed")]
)
def test_a_git_that_cannot_merge_so_is_told(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, told: str
) -> None:
    bad = add(site, PERTH, "Add Perth")
    add(site, HOBART, "Add Hobart")
    program = f'#!/bin/sh\ncase "$*" in *merge-tree*) exit {status} ;; esac\nexec {shutil.which("git")} "$@"\n'
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/git").write_text(program)
    (tmp_path / "bin/git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    with open_repository(site.path) as repository, pytest.raises(RepositoryError, match=told):
        take_back(repository, served_tip(repository), repository.commit(bad), BOB)


# --- end to end ---


def test_a_running_service_answers_as_before_the_mistake(site: Site) -> None:
    with running_service(site.path) as service:
        bad = add(site, PERTH, "Add Perth")
        service.wait_for("in-sync", bad)
        assert service.locate("10.61.9.0").json()["result"] == {"location": "Perth"}
        assert site.revert(bad).returncode == 0
        service.wait_for("in-sync", tip(site.path))
        assert service.locate("10.61.9.0").json()["status"].startswith("policy.reason.no.subnetmatch")


def test_a_commit_that_came_round_the_hook_is_taken_back(site: Site) -> None:
    good = tip(site.path)
    force_commit(site.path, BAD)
    done = site.revert("main")
    assert done.returncode == 0, done.stderr
    assert site.log("%T") == git("rev-parse", f"{good}^{{tree}}", cwd=site.path)
