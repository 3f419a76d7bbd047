"""Notify the service manager of the status: ready, reloading, which commit is in force, about to end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ..text import escape, moment_text
from .state import ActiveState, State


class Manager(Protocol):
    """Whom it is told, in the words of sd_notify(3); `watchdog`: seconds within which a sign of life is wanted."""

    watchdog: float | None

    def tell(self, *lines: str) -> None: ...

    def tell_reloading(self) -> None: ...


ENDING = 15.0
"""Seconds that the end itself may take, as `TimeoutStopSec` of the unit that is shipped."""


class StatusNotifier:
    """Tells that the service is ready once a look at the source has ended, and again after each reload.

    A look ends a reload if it began after all else was read again.
    """

    def __init__(self, manager: Manager, active: ActiveState) -> None:
        self._manager = manager
        self._active = active
        self._asked, self._answered = 1, 0  # one thread counts the first up, another the second
        self._status = ""
        self._is_ending = False

    def begin_reload(self, *, asked: bool) -> None:
        """The first of the looks at SIGHUP."""
        if asked:
            self._manager.tell_reloading()

    def end_reload(self, *, asked: bool) -> None:
        """The last but the source: the next look at it ends the reload."""
        self._asked += asked

    def around(self, refresh: Callable[[], None]) -> Callable[[], None]:
        """This look at the source, and what is to be told after it."""

        def look() -> None:
            asked = self._asked
            refresh()
            self._tell(asked)

        return look

    async def sign_of_life(self) -> None:
        """The event loop goes round."""
        self._manager.tell("WATCHDOG=1")

    def drain(self, seconds: float) -> None:
        """The service will end after so many seconds: the manager is asked to wait for as long, and for the end."""
        self._is_ending = True
        extended = f"EXTEND_TIMEOUT_USEC={int((seconds + ENDING) * 1e6)}"
        self._manager.tell("STOPPING=1", extended, f"STATUS=draining: answers for {seconds:g} s more")

    def stop(self) -> None:
        """The service is about to end."""
        self._manager.tell("STOPPING=1", "STATUS=ending")

    def _tell(self, asked: int) -> None:
        if self._is_ending:
            return
        status = describe(self._active.state)
        lines = [] if status == self._status else [f"STATUS={status}"]
        if asked != self._answered:
            lines.insert(0, "READY=1")
        if lines:
            self._manager.tell(*lines)
        self._status, self._answered = status, asked


def describe(state: State) -> str:
    """The state in a line, for `systemctl status`."""
    if state.snapshot is None:
        return f"{state.name}: nothing to answer from"
    commit = state.snapshot.commit.id if state.snapshot.commit else "unknown"
    name = f"{state.name} until {moment_text(state.pin.until)}" if state.pin else state.name
    return f"{name}: answers from commit {commit}{_whose(state)}, {state.snapshot.size_text}"


def _whose(state: State) -> str:
    """The author of what is in force, and who has pushed it, where that is another."""
    commit = state.snapshot.commit if state.snapshot else None
    pusher = commit.other_pusher if commit else None
    return f" of {escape(commit.author)}, pushed by {escape(pusher)}" if commit and pusher else ""
