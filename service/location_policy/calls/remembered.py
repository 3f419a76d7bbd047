"""The calls that services beside a repository remember, read by who judges a change of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path

from ..repository.remote.copy_path import is_mirror
from .history_file import Blocks, Remembered, UnusableHistory, read_history, read_total
from .recent import history_files, summed, today

DAYS = 30
"""How far back a change is held against calls."""
PATIENCE = 1.0
"""Seconds for which a file is read; one that takes longer is passed over, as is one that may not be read."""
PATIENCE_OF_LIMIT = 10.0
"""The same where a limit holds a change to what is read."""
SETTING = "statedirectory"
"""Where the history is, in our section of the git config (`location-policy.stateDirectory`), as `serve` notes it there;
by default where `serve` keeps it for a repository that was named, or for the copy of another one.
"""


class RememberedCalls:
    """Calls of the last days, as KnownCalls has them; of files that can all be read.

    The days are those since the first call, up to `DAYS`: a service may remember fewer, or run for less long.
    """

    def __init__(self, files: Iterable[Path], patience: float = PATIENCE) -> None:
        self._patience = patience
        now = today()
        looked_at = {path: _total(path, now - timedelta(days=DAYS - 1)) for path in files}
        firsts = [first for calls, first in looked_at.values() if calls]
        self._files = [path for path, (calls, _) in looked_at.items() if calls]
        self._total = sum(calls for calls, _ in looked_at.values())
        self.since = date.fromordinal(min(firsts)) if firsts else now
        self.days = max(1, (now - self.since).days + 1)

    def total(self) -> int:
        """As KnownCalls has it."""
        return self._total

    def found(self, within: Blocks | None = None) -> Iterable[Remembered]:
        """As KnownCalls has it; raises UnusableHistory."""
        since = self.since.toordinal()
        found = (one for path in self._files for one in read_history(path, since, within, self._patience))
        return found if len(self._files) < 2 else summed(found)


def _total(path: Path, since: date) -> tuple[int, int]:
    """As `read_total` has it; none of a file that cannot be read."""
    try:
        return read_total(path, since.toordinal())
    except UnusableHistory:
        return 0, 0


def history_directory(directory: Path, settings: Mapping[str, str]) -> Path:
    """The state directory of the service that answers from the repository in a directory, as far as that says;
    `settings` are our section of its git config.
    """
    if named := settings.get(SETTING):
        return directory / named
    return directory.parent if is_mirror(directory) else directory / "location-policy"


def calls_beside(directory: Path, settings: Mapping[str, str], *, holds_limit: bool = False) -> RememberedCalls | None:
    """What is remembered of the calls that a repository answers; None where nothing is, or it may not be read.

    `settings` are our section of its git config. Where it `holds_limit`, more time is taken to read it.
    """
    files = history_files(history_directory(directory, settings))
    known = RememberedCalls(files, PATIENCE_OF_LIMIT if holds_limit else PATIENCE) if files else None
    return known if known and known.total() else None
