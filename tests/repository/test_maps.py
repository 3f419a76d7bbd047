"""How much a commit is: what a comparison of it may have to look at."""

from __future__ import annotations

from pathlib import Path

from location_policy.repository.maps import weight_of
from location_policy.repository.repository import open_repository
from tests.support.maps import view_rules
from tests.support.repositories import SYDNEY, Files, force_commit, make_repository


def weighed(repository: Path, files: Files) -> int:
    with open_repository(repository) as opened:
        return weight_of(opened, opened.commit(force_commit(repository, files)))


def test_a_commit_weighs_what_is_read_of_it_and_as_much_again_for_each_view(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "map.git", {"locations.csv": SYDNEY})
    files = {"locations.csv": SYDNEY, "README.md": "x" * 1_000}
    assert weighed(repository, files) == len(SYDNEY)
    rules = "# no view\n"
    assert weighed(repository, {**files, "policy.toml": rules}) == len(SYDNEY + rules)
    for rules in (
        view_rules("a", location="A", answer="Oslo") + view_rules("b", location="B", answer="Oslo"),
        'view = [{name = "a", location = "A", answer = "C"}, {"n\\u0061me" = "b", location = "B", answer = "C"}]\n',
    ):
        assert weighed(repository, {**files, "policy.toml": rules}) == 3 * len(SYDNEY + rules)


def test_rules_that_cannot_be_read_weigh_what_they_are(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "map.git", {"locations.csv": SYDNEY})
    assert weighed(repository, {"policy.toml": "= [[view]]"}) == 10
