"""Notify one receiver of what changes: after each look at the source, and each second of what no look tells."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from ...integrations.notify.delivery import NotDelivered
from ...integrations.notify.event import Event, Kind, Sender
from ..state import ActiveState
from .changes import Change, changes, topics
from .outbox import Outbox
from .told import read_told, write_told


class Receiver(Protocol):
    """Takes events; `shown` is what may be shown of where it is."""

    @property
    def shown(self) -> str: ...

    def send(self, event: Event) -> NotDelivered | None: ...


class Notifier:
    """Finds changes of `active` and has them delivered; any thread may look.

    `kinds`: of which changes; `kept`: the file of what was told; `ends`: when the certificate of the service does.
    """

    def __init__(
        self,
        active: ActiveState,
        receiver: Receiver,
        kinds: Sequence[Kind],
        sender: Sender,
        kept: Path,
        ends: Callable[[], datetime | None],
    ) -> None:
        self._active = active
        self._kinds = kinds
        self._sender = sender
        self._kept = kept
        self._ends = ends
        self._lock = threading.Lock()
        self._told = read_told(kept)
        self._seen = dict(self._told)
        self.outbox = Outbox(lambda: receiver.shown, receiver.send, self._note)

    def around(self, refresh: Callable[[], None]) -> Callable[[], None]:
        """This look at the source, and what is to be told after it."""

        def look() -> None:
            refresh()
            self.look()

        return look

    def look(self, *, asked: bool = False) -> None:  # noqa: ARG002  as all that look each second
        """Let be told what has changed."""
        with self._lock:
            state, ends = self._active.state, self._ends()
            seen = topics(state, ends)
            for change in changes(self._seen, seen, state, self._sender, ends):
                if change.event.kind in self._kinds:
                    self.outbox.put(change)
            self._seen.update(seen)

    def _note(self, change: Change) -> None:
        """It is told, and is not told again after a restart; called by the thread of the outbox alone."""
        self._told[change.topic] = change.value
        write_told(self._kept, self._told)
