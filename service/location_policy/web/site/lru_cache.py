"""An LRU cache of results: the few that were asked for last, each made once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class LruCache(Generic[Value]):
    """At most `room` values by key; safe for threads, which wait for each other while one is made."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of this key, made now if it is not there; what `make` raises is not kept."""
        with self._lock:
            if key not in self._values:
                self._values[key] = make()
            self._values.move_to_end(key)
            while len(self._values) > self._room:
                self._values.popitem(last=False)
            return self._values[key]
