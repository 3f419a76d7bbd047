"""Maps as files, requests and repositories, each made once."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

from benchmarks.side_by_side import maps
from benchmarks.side_by_side.load import write_requests
from tests.support.repositories import force_commit, make_repository


class Site:
    """What is measured with, in one folder."""

    def __init__(self, folder: Path, prefixes: Path | None, *, quick: bool) -> None:
        self.folder = folder
        self.quick = quick
        self._prefixes = prefixes

    @cache  # noqa: B019  it lives as long as the process
    def networks(self, rows: int) -> list[str]:
        """The networks of a map of this size."""
        return maps.networks(rows, self._prefixes)

    def requests(self, rows: int, authorization: str = "") -> Path:
        """A file of requests for this map."""
        path = self.folder / f"requests-{rows}{'-known' if authorization else ''}"
        return path if path.exists() else write_requests(path, maps.requests(self.networks(rows), authorization))

    def csv(self, rows: int) -> Path:
        """The map as a file."""
        path = self.folder / f"rows-{rows}.csv"
        if not path.exists():
            path.write_text(maps.rows(self.networks(rows)))
        return path

    def repository(self, rows: int) -> Path:
        """A repository of this map."""
        path = self.folder / f"rows-{rows}.git"
        if not path.exists():
            make_repository(path, {"locations.csv": self.csv(rows).read_text()})
            subprocess.run(["git", "gc", "--quiet"], cwd=path, check=True)
        return path

    def changes(self, rows: int, count: int) -> list[str]:
        """Commits in that repository, each of the map with one row more, on a branch that is not served."""
        text = self.csv(rows).read_text()
        return [
            force_commit(self.repository(rows), {"locations.csv": f"{text}Paris,192.0.2.{number}/32\n"}, "refs/heads/x")
            for number in range(count)
        ]
