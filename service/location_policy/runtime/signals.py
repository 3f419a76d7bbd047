"""Signals that are to end the process, while it does what is not to be left half done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def ending_later() -> Iterator[None]:
    """A signal that is to end the process does so after the block; in another thread than the first it never comes.

    In the block may be what loses the exception by which it ends, as a callback of the collector does, or what starts
    a child that has to be known before it can be ended.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = {one: signal.signal(one, lambda number, _: came.append(number)) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
    for number in came[:1]:
        signal.raise_signal(number)
