"""What a function gives, if it gives it in time: it runs in a thread, which goes on where its caller does not wait."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def in_time(function: Callable[[], T], seconds: float, too_late: Callable[[Future[T]], None]) -> T | None:
    """What the function gives, or raises, within so many seconds; else None, and `too_late` is told of its end."""
    future: Future[T] = Future()

    def work() -> None:
        try:
            future.set_result(function())
        except Exception as error:  # noqa: BLE001  it is raised where it is waited for
            future.set_exception(error)

    threading.Thread(target=work, name="in time", daemon=True).start()
    try:
        return future.result(seconds)
    except TimeoutError:
        future.add_done_callback(too_late)
        return None
