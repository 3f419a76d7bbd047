"""A push into an owner's address space: told, and held to their word where the rules of before ask for it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.program import run_program
from tests.support.repositories import Clone, clone, init, run_git, said, tip, verdict
from tests.system.hook.conftest import Site

ASKS = '[checks]\nowner-approval = "error"\n'
START = {
    "locations/apac.csv": "Sydney,10.61.0.0/16\n",
    "locations/emea.csv": "Oslo,10.62.0.0/16\n",
    "owners.csv": "10.61.0.0/16,apac@example.com\n10.62.0.0/16,emea\n",
}
MOVED = {"locations/emea.csv": "Oslo,10.62.0.0/16\nPerth,10.61.2.0/24\n"}
BOTH = {"locations/emea.csv": "Perth,10.62.0.0/16\nPerth,10.61.2.0/24\n"}


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("owned")
    for name, policy in (("asks", ASKS), ("warns", ""), ("off", '[checks]\nowner-approval = "off"\n')):
        Clone(folder / name).write({**START, "policy.toml": policy})
    return {name: init(folder / f"{name}.git", "--from", folder / name) for name in ("asks", "warns", "off")}


def site_of(template: Path, folder: Path) -> Site:
    repository = folder / "map.git"
    shutil.copytree(template, repository)
    return Site(clone(repository, folder / "clone").path, repository)


@pytest.fixture
def asking(templates: dict[str, Path], tmp_path: Path) -> Site:
    return site_of(templates["asks"], tmp_path)


def push(site: Site, ref: str = "main", by: str = "root") -> subprocess.CompletedProcess[str]:
    return run_git("push", "origin", f"HEAD:{ref}", cwd=site.path, REMOTE_USER=by)


def test_what_its_owners_have_not_approved_is_refused(asking: Site) -> None:
    before = tip(asking.repository)
    asking.commit(BOTH)
    done = push(asking)
    assert done.returncode == 1
    assert "address space of apac@example.com: 256 addresses\naddress space of emea: 65,536 addresses" in said(done)
    assert verdict(done) == (
        "main is rejected: approval required from 2 owners\n"
        "  apac@example.com: 256 addresses\n"
        "  emea: 65,536 addresses\n"
        "\n"
        "when they agree, end the message of the last commit with\n"
        "  Approved-by: apac@example.com\n"
        "a line for each; or let them push it"
    )
    assert tip(asking.repository) == before


def test_a_trailer_or_the_pusher_is_their_word(asking: Site) -> None:
    asking.commit(BOTH, "Move two\n\nApproved-by: Ann <apac@example.com>")
    assert push(asking).returncode == 1
    done = push(asking, by="emea")
    assert done.returncode == 0
    assert "approved" not in said(done)


def test_the_message_of_the_tip_counts(asking: Site) -> None:
    asking.commit(MOVED, "Move\n\nApproved-by: apac@example.com")
    asking.commit({"README.md": "x"})
    assert push(asking).returncode == 1
    asking.commit({"README.md": "y"}, "Say who\n\nApproved-by: apac@example.com")
    assert push(asking).returncode == 0


def test_without_the_rule_it_is_a_warning_and_switched_off_it_is_only_told(
    templates: dict[str, Path], tmp_path: Path
) -> None:
    for name, told in (("warns", True), ("off", False)):
        site = site_of(templates[name], tmp_path / name)
        site.commit(MOVED)
        done = push(site)
        assert done.returncode == 0
        assert "address space of apac@example.com: 256 addresses" in said(done)
        assert ("warning: not approved by apac@example.com [owner-approval]" in said(done)) == told


def test_a_push_cannot_choose_who_is_asked_nor_whether(asking: Site) -> None:
    asking.commit({**MOVED, "owners.csv": "10.61.0.0/16,root\n", "policy.toml": ""})
    done = push(asking)
    assert done.returncode == 1
    first, second, third = (line for line in said(done).splitlines()[1:6] if "limits." not in line)
    assert first == "policy.toml: checks.owner-approval  error -> warning  (loosens what judges the next pushes)"
    assert second == "owners.csv: 10.61.0.0/16  apac@example.com -> root  (is asked from the next push on)"
    assert third == "owners.csv: 10.62.0.0/16  emea -> none  (is asked from the next push on)"
    assert "main is rejected: approval required from 2 owners" in said(done)


def test_that_owners_are_asked_no_more_is_asked_of_all_of_them(asking: Site) -> None:
    asking.commit({"policy.toml": ""})
    assert (
        "main is rejected: approval required from 2 owners\n"
        "  apac@example.com: by policy.toml\n  emea: by policy.toml\n"
    ) in verdict(push(asking))


def test_owners_are_asked_about_a_change_of_owners_alone(asking: Site) -> None:
    asking.commit({"owners.csv": "10.61.0.0/16,apac@example.com\n10.62.0.0/16,root\n"})
    assert "approval required from 1 owner\n  emea: 65,536 addresses" in verdict(push(asking))
    assert push(asking, by="emea").returncode == 0


def test_a_return_to_what_was_there_waits_for_nobody(asking: Site) -> None:
    asking.commit(MOVED, "Move\n\nApproved-by: apac@example.com")
    assert push(asking).returncode == 0
    asking.git("revert", "--no-edit", "HEAD")
    assert push(asking).returncode == 0
    asking.commit({"locations/apac.csv": "# as it was with the move\nSydney,10.61.0.0/16\n", **MOVED})
    done = push(asking)
    assert (done.returncode, "returns to " in said(done)) == (0, True)


def test_a_change_that_touches_nobody_is_taken(asking: Site) -> None:
    asking.commit({"locations/other.csv": "Perth,10.63.0.0/16\n"})
    assert "address space" not in said(push(asking))
    asking.commit({"locations/other.csv": "# a remark\nPerth,10.63.0.0/16\n"})
    assert push(asking).returncode == 0


def test_a_dry_run_says_whose_word_is_missing(asking: Site) -> None:
    asking.commit(MOVED)
    done = push(asking, "refs/for/main")
    assert (done.returncode, "approval required from 1 owner" in said(done)) == (1, True)


def test_both_a_limit_and_a_missing_word_are_told(asking: Site) -> None:
    rows = "".join(f"Sydney,10.61.{number}.0/24\n" for number in range(100))
    limits = ASKS + '[limits]\nremoved-subnets = "10%"\n'
    asking.commit({"locations/apac.csv": rows, "policy.toml": limits}, "Part it\n\nApproved-by: apac@example.com")
    assert push(asking).returncode == 0
    asking.commit({"locations/apac.csv": "".join(rows.splitlines(keepends=True)[20:])})
    told = verdict(push(asking))
    assert "main is rejected: change limit exceeded" in told
    assert "\n\nmain is rejected: approval required from 1 owner" in told


def test_many_owners_are_counted(asking: Site) -> None:
    owners = "".join(f"10.61.{number}.0/24,team {number}\n" for number in range(12))
    asking.commit({"owners.csv": owners}, "Part it\n\nApproved-by: apac@example.com\nApproved-by: emea")
    assert push(asking).returncode == 0
    asking.commit({"locations/apac.csv": "Perth,10.61.0.0/16\n"})
    assert "\n  … and 2 owners more\n" in verdict(push(asking))
    asking.commit({"policy.toml": ""}, "\n".join(["Let go\n", *(f"Approved-by: team {n}" for n in range(12))]))
    assert push(asking).returncode == 0
    asking.commit({"locations/apac.csv": "Sydney,10.61.1.0/24\nMelbourne,10.61.0.0/16\n"})
    assert "team 9 and 2 owners more [owner-approval]" in said(push(asking))


def test_history_says_whose_address_space_a_commit_touched(asking: Site) -> None:
    asking.commit(MOVED, "Move\n\nApproved-by: apac@example.com")
    assert push(asking).returncode == 0
    assert (
        "address space of apac@example.com: 256 addresses" in run_program("history", "--repo", asking.repository).stdout
    )


def test_owners_that_cannot_be_read_are_refused_and_those_that_were_served_are_kept(asking: Site) -> None:
    asking.commit({"owners.csv": "10.61.0.0/16\n"})
    done = push(asking)
    assert (done.returncode, "owners.csv:1:1: error: 10.61.0.0/16 has not both" in said(done)) == (1, True)
