"""Small pushes that mean much: what each may cost at the most. Those that take long are set off by `make fuzz`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.bombs import BOMBS, MEMORY, PACKED, ROW, SECONDS, Bomb, Cost, push
from tests.support.repositories import git, init_with

QUICK = [bomb for bomb in BOMBS if bomb.is_quick]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return init_with(tmp_path, {"locations.csv": ROW})


def set_off(bomb: Bomb, repository: Path) -> Cost:
    made = bomb.push(git("rev-parse", "main", cwd=repository))
    assert len(made.pack) < PACKED
    return push(repository, made)


@pytest.mark.parametrize("bomb", QUICK, ids=lambda bomb: bomb.name)
def test_a_small_push_costs_little(repository: Path, bomb: Bomb) -> None:
    cost = set_off(bomb, repository)
    assert cost.is_taken == bomb.is_taken, cost.said
    assert "could not be judged" not in cost.said
    assert (cost.processor < SECONDS, cost.memory < MEMORY) == (True, True), cost


def test_a_push_that_takes_too_long_is_refused_and_its_hint_helps(repository: Path) -> None:
    slow = next(bomb for bomb in BOMBS if bomb.name == "rules_of_one_table")
    git("config", "location-policy.judgeSeconds", "1", cwd=repository)
    cost = set_off(slow, repository)
    assert "the push could not be judged in 1 s" in cost.said
    hint = cost.said.partition("git config ")[2].split()[:2]
    assert hint == ["location-policy.judgeSeconds", "120"]
    git("config", *hint, cwd=repository)
    assert "policy.toml:1:1: error: there is no table a" in set_off(slow, repository).said


def test_there_are_twenty_at_least_each_with_a_name_of_its_own() -> None:
    assert len({bomb.name for bomb in BOMBS}) == len(BOMBS) >= 20
