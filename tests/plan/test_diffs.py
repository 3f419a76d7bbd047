"""Each folder of `diffs/`: `location-policy diff` says what its `expected` files say, of folders and of commits."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from location_policy.repository.working_copy import read_folder
from tests.support.program import run_program
from tests.support.repositories import force_commit, make_repository

DIFFS = Path(__file__).parent / "diffs"
FORMATS = {"text": "txt", "markdown": "md", "json": "json"}


def commit(example: Path, repository: Path) -> Path:
    """A repository with the old folder at main~ and the new one at main."""
    old, new = ({file.path: file.content or b"" for file in read_folder(example / side)} for side in ("old", "new"))
    make_repository(repository, old)
    force_commit(repository, new)
    return repository


@pytest.mark.parametrize("example", sorted(DIFFS.iterdir()), ids=lambda example: example.name)
def test_folders_and_commits_differ_as_expected(example: Path, tmp_path: Path) -> None:
    repository = commit(example, tmp_path / "locations.git")
    for form, suffix in FORMATS.items():
        expected = (example / f"expected.{suffix}").read_text()
        for sides in ((f"{example}/old", f"{example}/new"), ("main~", "main", "--repo", str(repository))):
            done = run_program("diff", *sides, "--format", form)
            asked = shlex.join(sides if form == "text" else sides[:2])
            assert (done.stdout, done.stderr, done.returncode) == (expected.replace("OLD NEW", asked), "", 0)
