"""The followers of one service and the requests of theirs that wait, put together."""

from __future__ import annotations

from collections.abc import Callable

from ..runtime.wakeup import Wakeup
from .followers import Followers
from .turnstile import Turnstile

WATCHERS = 50
"""Requests that wait until a commit has come to all of them."""


class Fleet:
    """Those who follow the service of this id, of whom `most` may wait; all but `move` is for the event loop.

    `on_change` is called when the tip or a follower has changed, in the thread that has changed it.
    """

    def __init__(self, own_id: str = "", most: int = 0) -> None:
        self.id = own_id
        self.most = most
        self.on_change: Callable[[], None] = lambda: None
        self.turnstile = Turnstile()
        self.tip_waits = Wakeup(most, self.turnstile.room)
        self.watches = Wakeup(WATCHERS)
        self.followers = Followers(self._note_change)

    def move(self, commit: str | None) -> None:
        """This commit is in force now, as it may have been before; those who wait for another are told."""
        if self.followers.move_tip(commit):
            self.tip_waits.tell()
        self._note_change()

    def end(self) -> None:
        """Let all go that wait."""
        self.tip_waits.end()
        self.watches.end()

    def _note_change(self) -> None:
        self.watches.tell()
        self.on_change()
