"""What is compared: a revision of a repository, or a folder.

What begins with `.` or `/`, or ends in `/`, is a folder: no revision is written so (git-check-ref-format). Anything
else is a revision, or a folder where there is no such revision.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from ...config.files import File
from ...config.location_map import LocationMap
from ...config.validate import Validator
from ...errors import InvalidConfiguration, NotARepository, UnknownRevision
from ...repository.repository import Repository, open_repository
from ...repository.working_copy import read_folder
from ..terminal.default_paths import asked_place
from ..terminal.progress import Progress


class Sides:
    """Loads one side after the other, through one gate: of the second only what is new is read."""

    def __init__(self, repo: str | None, progress: Progress, *, with_warnings: bool = False) -> None:
        """`with_warnings`: also what could be better is looked for, which takes its time."""
        self._with_warnings = with_warnings
        self._repo = repo
        self._progress = progress
        self._validator = Validator()
        self._exit = ExitStack()
        self.repository: Repository | None = None
        """That of the revisions that were loaded, if any were."""
        self.refused: list[tuple[str, InvalidConfiguration]] = []
        """What is not valid, by its name."""

    def __enter__(self) -> Sides:
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    def load(self, name: str, *, was_served: bool = False) -> LocationMap | None:
        """The map of a side; None where it is refused. Raises RepositoryError and NoSuchFolder."""
        self._progress.say(f"reading {name}")
        files = self._files(name)
        size = sum(file.size for file in files if file.content is not None)
        self._progress.say(f"checking {name}, {size / 1_000_000:,.1f} MB of what is new")
        try:
            return self._validator.load_map(files, was_served=was_served, errors_only=not self._with_warnings)
        except InvalidConfiguration as error:
            self.refused.append((name, error))
            return None

    def _files(self, name: str) -> list[File]:
        if name.startswith((".", "/")) or name.endswith("/"):
            return read_folder(Path(name))
        try:
            repository = self._opened()
            return repository.files_of(repository.find_commit(name), self._validator.knows)
        except (UnknownRevision, NotARepository):
            if not name or not Path(name).exists():  # nothing is no folder, though a path of nothing is this one
                raise
            return read_folder(Path(name))

    def _opened(self) -> Repository:
        if self.repository is None:
            self.repository = self._exit.enter_context(open_repository(asked_place(self._repo).repository))
        return self.repository
