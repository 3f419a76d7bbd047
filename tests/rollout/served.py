"""A repository, or the copy of a remote, and what serves it, in this process: for tests of what is held in force."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from location_policy.edits import pin as editing
from location_policy.gate.pin import Pin, keep_pin, read_pin
from location_policy.repository.new_commits import Author
from location_policy.repository.remote.mirror import Mirror
from location_policy.repository.repository import open_repository
from location_policy.rollout import journal
from location_policy.rollout.refresher import Refresher
from location_policy.rollout.state import ActiveState, State
from tests.support.repositories import Files, force_commit, git, make_repository

OTHER: Files = {"locations.csv": "Perth,10.61.2.0/24\n"}
THIRD: Files = {"locations.csv": "Oslo,10.61.2.0/24\n"}
ALICE = Author("Alice", "alice@example.com")
HOUR = timedelta(hours=1)


@dataclass
class Served:
    """A repository, or with `interval` the mirror of one, and a process that serves it, without the process."""

    place: Path
    state_directory: Path
    interval: float | None = None
    active: ActiveState = field(default_factory=ActiveState)

    def __post_init__(self) -> None:
        self.mirror = None
        self.directory = self.place
        if self.interval is not None:
            self.mirror = Mirror(self.place.as_uri(), self.state_directory, None, self.interval)
            self.mirror.make()
            self.directory = self.mirror.directory
        self.refresher = Refresher(self.directory, self.active, self.state_directory, self.mirror)

    def look(self) -> State:
        if self.mirror:
            self.mirror.hurry()
        self.refresher.look()
        return self.active.state

    def restart(self) -> Served:
        return Served(self.place, self.state_directory, self.interval)

    def pin(self, commit: str, span: timedelta = HOUR, reason: str = "APAC is down", by: Author = ALICE) -> State:
        """The state once a pin is kept, round the command that judges it first."""
        with open_repository(self.directory) as repository:
            keep_pin(repository, commit, by, span, reason)
        return self.look()

    def unpin(self) -> State:
        with open_repository(self.directory) as repository:
            editing.unpin(repository, Author("Bob", "bob@example.com"))
        return self.look()

    def commit(self, files: Files) -> str:
        return force_commit(self.place, files)

    @property
    def told(self) -> tuple[str, str | None]:
        return self.active.state.name, in_force(self.active.state)

    @property
    def pins(self) -> list[tuple[str, str, str | None, str | None]]:
        """What the journal has of them."""
        events = journal.read(self.state_directory)
        return [(one.kind, one.commit, one.by, one.reason) for one in events if "pinned" in one.kind]


def in_force(state: State) -> str | None:
    return state.snapshot.commit.id if state.snapshot and state.snapshot.commit else None


def kept(directory: Path) -> Pin | None:
    with open_repository(directory) as repository:
        return read_pin(repository)


def first(served: Served) -> str:
    return git("rev-list", "--max-parents=0", "main", cwd=served.place)


def mirrored(folder: Path, files: Files) -> Served:
    made = Served(make_repository(folder / "remote.git", files), folder / "state", 1000.0)
    made.look()
    return made
