"""Calls at a steady rate, as nodes make them through a proxy, and what became of each."""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from tests.support.service import Service
from tests.system.deploy.test_proxies import ASKED, NODE_WAITS

ASKERS = 5
RATE = 200
"""Calls a second, of all askers together."""
ANSWERED = "answered"


class Call(NamedTuple):
    """When it was made and when it ended, in seconds of the clock of this machine, and by whom it was answered.

    `outcome` is `ANSWERED`, or how it failed: the status, the error, or "late" where a node waits no longer. What is
    not known is empty.
    """

    began: float
    ended: float
    outcome: str
    server: str = ""
    commit: str = ""


class Load:
    """Calls over connections that are kept, until it is stopped; for any number of threads that ask."""

    def __init__(self, proxy: Service) -> None:
        self._proxy = proxy
        self._has_stopped = threading.Event()
        self.calls: list[Call] = []

    @property
    def outcomes(self) -> Counter[str]:
        """How many calls came to what."""
        return Counter(call.outcome for call in self.calls)

    @property
    def failed(self) -> list[Call]:
        """The calls that no node would have had a use of."""
        return [call for call in self.calls if call.outcome != ANSWERED]

    def ask_on(self) -> None:
        """One of the askers."""
        connection = self._proxy.connection()
        due = time.monotonic()
        while not self._has_stopped.wait(max(0.0, due - time.monotonic())):
            due += ASKERS / RATE
            self.calls.append(_call(connection))
        connection.close()

    def stop(self) -> None:
        """No calls more."""
        self._has_stopped.set()


def _call(connection: http.client.HTTPConnection) -> Call:
    began, clock = time.time(), time.monotonic()
    try:
        connection.request("GET", ASKED)
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        return Call(began, time.time(), type(error).__name__)
    outcome = ANSWERED if response.status == 200 and b'"status": "success"' in body else str(response.status)
    took = time.monotonic() - clock
    told = (response.getheader(f"X-{name}", "") for name in ("Answered-By", "Location-Policy-Commit"))
    return Call(began, began + took, "late" if took > NODE_WAITS else outcome, *told)


@contextmanager
def loaded(proxy: Service) -> Iterator[Load]:
    """The calls that are made in the block."""
    load = Load(proxy)
    threads = [threading.Thread(target=load.ask_on) for _ in range(ASKERS)]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        load.stop()
        for thread in threads:
            thread.join()
