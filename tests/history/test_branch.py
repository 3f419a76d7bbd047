"""What the commits of a branch changed, from real repositories."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from location_policy.history.branch import CUT, Answered, Branch, CommitEffect
from location_policy.net.addresses import parse_address
from location_policy.repository.repository import open_repository
from location_policy.repository.revisions import LOOK_BACK
from tests.support.repositories import BAD, GOOD, MELBOURNE, SYDNEY, Files, force_commit, git, make_repository

PERTH = "Perth,10.61.2.0/24\n"
UNKNOWN: Files = {"locations.csv": SYDNEY, "policy.toml": '[locations]\nknown = ["Oslo"]\n'}
"""Not valid by its severity only."""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "locations.git", GOOD)


@contextmanager
def branch(repository: Path, number: int = 100, *served: str) -> Iterator[Branch]:
    """The last commits of main."""
    with open_repository(repository) as opened:
        yield Branch(opened, str(opened.tip("refs/heads/main")), number, served)


def effects(repository: Path, number: int = 100, *served: str) -> list[CommitEffect]:
    """What the last commits changed."""
    with branch(repository, number, *served) as commits:
        return list(commits.effects())


def answers(repository: Path, address: str, number: int = 100) -> list[Answered]:
    """What an address got at the last commits."""
    with branch(repository, number) as commits:
        return list(commits.answers(parse_address(address)))


def changed(repository: Path, number: int = 100) -> list[list[str]]:
    """The kinds of change of each commit that have any addresses."""
    return [[kind for kind, total in one.totals.items() if total.ranges] for one in effects(repository, number)]


def test_each_commit_is_told_by_what_it_changed(repository: Path) -> None:
    force_commit(repository, {"locations.csv": SYDNEY})
    force_commit(repository, {"locations.csv": PERTH})
    force_commit(repository, {"locations.csv": PERTH, "README.md": "x"})
    assert changed(repository) == [["added"], ["removed"], ["moved"], []]
    assert effects(repository)[3].lines == ("no effect",)


def test_a_change_of_rules_is_told(repository: Path) -> None:
    force_commit(repository, {**GOOD, "policy.toml": '[answer]\ndefault = "Oslo"\n'})
    assert effects(repository)[1].lines[0] == "policy.toml: answer.default  none -> Oslo"


def test_a_commit_that_is_not_valid_is_passed_over(repository: Path) -> None:
    force_commit(repository, BAD)
    force_commit(repository, {"locations.csv": SYDNEY})
    good, bad, after = effects(repository)
    assert (bad.errors, bad.totals, bad.lines) == (1, {}, ())
    assert (after.errors, after.totals["removed"].addresses) == (0, 256)
    assert [one.is_valid for one in answers(repository, "10.61.3.7")] == [True, False, True]
    assert good.totals["added"].addresses == 512


def test_a_commit_that_was_served_is_valid_whatever_severities_say_now(repository: Path) -> None:
    commit = force_commit(repository, UNKNOWN)
    assert [one.errors for one in effects(repository)] == [0, 3]
    assert [one.errors for one in effects(repository, 100, commit)] == [0, 0]


def test_the_first_of_the_last_commits_is_compared_with_the_valid_one_before_it(repository: Path) -> None:
    force_commit(repository, {"locations.csv": SYDNEY})
    force_commit(repository, BAD)
    force_commit(repository, {"locations.csv": PERTH})
    assert changed(repository, 1) == [["moved"]]
    assert [one.before for one in answers(repository, "10.61.2.7", 1)] == [("Sydney", "Melbourne", "Singapore")]


def test_no_more_is_looked_at_than_is_asked_for(repository: Path) -> None:
    for number in range(3):
        force_commit(repository, {"locations.csv": SYDNEY, "number": str(number)})
    with branch(repository, 2) as commits:
        assert (len(commits.ids), len(commits.older)) == (2, 2)
    assert LOOK_BACK > 2


def test_an_address_is_followed_through_rows_and_default(repository: Path) -> None:
    force_commit(repository, {"locations.csv": PERTH})
    force_commit(repository, {"locations.csv": MELBOURNE, "policy.toml": '[answer]\ndefault = "Oslo"\n'})
    force_commit(repository, {"locations.csv": MELBOURNE, "x": "y", "policy.toml": '[answer]\ndefault = "Oslo"\n'})
    force_commit(repository, {"locations.csv": MELBOURNE})
    found = [(one.after, one.source) for one in answers(repository, "10.61.2.7") if one.is_change]
    assert found == [
        (("Sydney", "Melbourne", "Singapore"), "locations/apac.csv:1"),
        (("Perth",), "locations.csv:1"),
        (("Oslo",), None),
        (None, None),
    ]


# --- a shallow clone ---


def shallow(repository: Path, path: Path, depth: int) -> Path:
    git("clone", "--quiet", "--bare", f"--depth={depth}", f"file://{repository}", path, cwd=repository)
    return path


def test_the_commit_at_which_a_shallow_clone_ends_is_not_said_to_bring_the_map(
    repository: Path, tmp_path: Path
) -> None:
    for rows in (SYDNEY, PERTH):
        force_commit(repository, {"locations.csv": rows})
    found = effects(shallow(repository, tmp_path / "shallow", 2))
    assert [one.lines[-1] for one in found] == [CUT, "1 range changed: 1 moved (256 addresses)"]
    assert found[0].totals == {}
    assert [one.is_change for one in answers(tmp_path / "shallow", "10.61.2.7")] == [False, True]


def test_below_what_is_not_valid_in_a_shallow_clone_nothing_is_known(repository: Path, tmp_path: Path) -> None:
    for files in (GOOD, BAD, {"locations.csv": SYDNEY}, {"locations.csv": PERTH}):
        force_commit(repository, files)
    found = effects(shallow(repository, tmp_path / "shallow", 3))
    assert [one.errors for one in found] == [1, 0, 0]
    assert [one.lines[-1:] for one in found[:2]] == [(), (CUT,)]
    assert effects(shallow(repository, tmp_path / "one", 1))[0].lines == (CUT,)
    force_commit(repository, BAD)
    assert effects(shallow(repository, tmp_path / "none", 1))[0].lines == ()


def test_the_first_commit_of_all_brings_its_map_also_in_a_shallow_clone(repository: Path, tmp_path: Path) -> None:
    force_commit(repository, {"locations.csv": SYDNEY})
    assert "added" in effects(shallow(repository, tmp_path / "shallow", 2))[0].lines[-1]


def test_the_same_answer_from_another_row_is_no_change(repository: Path) -> None:
    force_commit(repository, {"locations.csv": SYDNEY.replace("10.61.2.0/24", "10.61.0.0/16")})
    assert [one.is_change for one in answers(repository, "10.61.2.7")] == [True, False]
