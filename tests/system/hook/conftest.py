"""A repository with the hook and a good map, made once and copied for each test, and a clone of it."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.repositories import GOOD, Clone, clone, init_with


@dataclass(frozen=True)
class Site(Clone):
    """A clone, and the repository that it was cloned from."""

    repository: Path


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return init_with(tmp_path_factory.mktemp("template"), GOOD)


@pytest.fixture
def site(template: Path, tmp_path: Path) -> Site:
    repository = tmp_path / "map.git"
    shutil.copytree(template, repository)
    return Site(clone(repository, tmp_path / "clone").path, repository)


@pytest.fixture
def empty_site(template: Path, tmp_path: Path) -> Site:
    repository = tmp_path / "map.git"
    shutil.copytree(template, repository)
    (repository / "refs" / "heads" / "main").unlink()
    path = tmp_path / "clone"
    path.mkdir()
    site = Site(path, repository)
    site.git("init", "--quiet", "--initial-branch=main")
    site.git("remote", "add", "origin", str(repository))
    return site


def lose_program(site: Site, hook: str, program: str = "/gone/location-policy") -> None:
    """Let a hook look for the program in this place only."""
    path = site.repository / "hooks" / hook
    path.write_text(
        re.sub("^for program in .*; do$", f"for program in {program}; do", path.read_text(), flags=re.MULTILINE)
    )
