"""The wait for a service to have another commit in force: one request that it holds, in a thread of its own.

That a remote is a service is found out at the start, and anew each hour, or when the remote could not be read. When a
wait breaks it is asked ever more rarely, and at once with each look at it: within a twentieth of the time that it was
away, by chance (full jitter), so that it is found soon, and is not asked by all at the same moment.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime

from ...calls.hand_up import HandUp
from ...errors import NoAnswer, RepositoryError
from ...integrations.http_client import HeldConnection
from ...repository.remote.credentials import HttpAccess
from ...repository.remote.failures import RemoteError
from ...repository.remote.mirror import Mirror
from ...repository.remote.schedule import Draw
from ...repository.remote.upstream import ServiceTip
from .question import ask_tip, connection_to
from .tip import NoService, NotTold

WAIT = 30
"""Seconds for which a request is held, if the service has nothing to tell."""
GRACE = 15.0
"""Seconds for which an answer is waited beyond that."""
PATIENCE = 5.0
"""Seconds in which a look waits for what is being asked, and in which an answer comes that is not held."""
SETTLE = 2.0
"""Seconds in which what was told is put in force before the next wait begins, which tells that to the service."""
SHORTEST, LONGEST = 1.0, 60.0
"""Seconds between two tries are drawn from none to a twentieth of the time away, but from none to so many."""
BLIP = 5.0
"""Seconds that a wait may be broken before a look is to tell of it: a service that is restarted is no news."""
APART = 0.2
"""Seconds that a wait is held at least before another begins since there is more to tell: many may follow a mirror."""
BURST = 3
"""Commits in a row that may be told without a wait, before it is asked about once a second."""
HOURLY = 3600.0
"""Seconds until a remote that was no service is asked again whether it is one."""
DOUBT = 60.0
"""Seconds for which a service that no longer answers as one is taken for one: a proxy may answer in its place."""

log = logging.getLogger(__name__)


class UpstreamWait:
    """Knows what the remote of a mirror tells as a service (`Upstream`); one thread asks, any may look."""

    def __init__(
        self,
        mirror: Mirror,
        report: Callable[[], Mapping[str, str]],
        draw: Draw = random.uniform,
        clock: Callable[[], float] = time.monotonic,
        calls: HandUp | None = None,
    ) -> None:
        """`report`: what is told to the service, as headers; `calls`: what is handed up beside it, if anything."""
        self._mirror = mirror
        self._calls = calls
        self._report = report
        self.wake: Callable[[], None] = lambda: None
        """Lets the next look begin now."""
        self._draw = draw
        self._clock = clock
        self._change = threading.Condition()
        self._has_asked = threading.Event()
        self._thread = threading.Thread(target=self._run, name="upstream", daemon=True)
        self._connection: HeldConnection | None = None
        self._access: HttpAccess | None = None
        self._sent: Mapping[str, str] = {}
        self._tip: ServiceTip | None = None
        self._failure: RepositoryError | None = None
        self._is_service: bool | None = None
        """None: that could not be found out yet."""
        self._is_closed = self._is_called = self._is_asking = False
        self._later: threading.Timer | None = None
        self._began = 0.0
        self._unheld = 0
        """Commits in a row that were told without a wait."""
        self._failing_since: float | None = None
        """When the first try failed after a wait that went well."""
        self._doubted_since: float | None = None
        self._answered_at: datetime | None = None

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def close(self) -> None:
        """Ask no more; a request that is held ends at once."""
        with self._change:
            self._is_closed = True
            self._change.notify_all()
        self._has_asked.set()
        self._cut()

    # --- for looks ---

    @property
    def answered_at(self) -> datetime | None:
        """When it told last."""
        return self._answered_at

    def current(self, *, was_service: bool) -> ServiceTip | None:
        """What it has in force; None: the remote is no service, or that is not known, and it was none before.

        Raises RepositoryError where it is a service, and does not tell.
        """
        self._has_asked.wait(PATIENCE)
        with self._change:
            if self._is_service is False or (self._is_service is None and not was_service):
                return None
            if self._is_asking and self._clock() - self._began > WAIT + GRACE:  # bytes come, but no end of them
                self._cut()
                raise NotTold(f"{self._mirror.url} has not ended its answer in time")
            if self._failure or self._tip is None:
                raise self._failure or NotTold(f"{self._mirror.url} has not said yet which commit is active")
            return self._tip

    def doubt(self) -> None:
        """Ask now, unless that is being done: the remote could not be read."""
        with self._change:
            if not self._is_asking:
                self._has_asked.clear()
                self._is_called = True
                self._change.notify_all()

    def around(self, look: Callable[[], None]) -> Callable[[], None]:
        """This look at the source; what it changes is told to the service at once."""

        def told_look() -> None:
            look()
            self.tell()

        return told_look

    def tell(self) -> None:
        """What is told to the service may have changed: if so, the wait begins anew, now or in a moment."""
        with self._change:
            self._change.notify_all()
            if self._is_closed or not (self._is_service and self._is_asking) or self._report() == self._sent:
                return
            if (left := APART - (self._clock() - self._began)) <= 0:
                self._is_called = True
                self._cut()
            elif self._later is None or not self._later.is_alive():
                self._later = threading.Timer(left, self.tell)
                self._later.daemon = True
                self._later.start()

    # --- the thread ---

    def _run(self) -> None:
        while not self._is_closed:
            try:
                seconds = self._ask()
            except Exception:
                log.exception("the wait for %s has failed", self._mirror.url)
                seconds = LONGEST
            self._has_asked.set()
            self._pause(seconds)
        self._drop()

    def _pause(self, seconds: float) -> None:
        with self._change:
            self._change.wait_for(lambda: self._is_closed or self._is_called, seconds)
            self._is_called = False

    def _ask(self) -> float:
        """Ask once; the seconds until the next time."""
        before, sent = self._tip, dict(self._report())
        is_held = self._is_service is True and before is not None and self._failure is None
        headers = {**sent, "Prefer": f"wait={WAIT}"} if is_held else sent
        if before:
            headers["If-None-Match"] = f'"{before.commit_id}"'
        if self._calls and is_held:
            headers |= self._calls.headers()
        with self._change:
            if self._is_closed:
                return 0.0
            self._sent, self._began, self._is_asking = sent, self._clock(), True
        try:
            tip = self._told(headers, WAIT + GRACE if is_held else PATIENCE) or before
        except NoService as no:
            self._note_calls(was_taken=False)
            return self._note_no_service(no.answer)
        except (NoAnswer, RepositoryError) as error:
            if not (self._is_called or self._is_closed):  # what was cut by us goes with the next request again
                self._note_calls(was_taken=False)
            return self._note_failed(error)
        finally:
            self._is_asking = False
        self._note_calls(was_taken=True)
        return self._note_tip(before, tip, is_held=is_held) if tip else self._note_no_service("304")

    def _note_calls(self, *, was_taken: bool) -> None:
        if self._calls:
            (self._calls.note_answered if was_taken else self._calls.note_failed)()

    def _told(self, headers: Mapping[str, str], seconds: float) -> ServiceTip | None:
        access = self._mirror.http_access()
        if self._connection is None or access != self._access:
            self._connection, self._access = connection_to(self._mirror.url, access), access
        return ask_tip(self._connection, self._mirror.url, access, headers, seconds)

    def _cut(self) -> None:
        if connection := self._connection:
            connection.cut()

    def _note_tip(self, before: ServiceTip | None, tip: ServiceTip, *, is_held: bool) -> float:
        has_news = before is None or tip.commit_id != before.commit_id
        is_parted = before is not None and has_news and tip.service != before.service
        with self._change:
            is_back = self._failure is not None or not self._is_service
            self._tip, self._failure, self._is_service = tip, None, True
            self._answered_at, self._doubted_since = datetime.now(UTC), None
            took = self._clock() - self._began
        self._has_asked.set()
        if not before:
            log.info("follows service=%s repository=%s: it says which commit is active", tip.service, self._mirror.url)
        if has_news or is_back:
            self._look_now()
            self._settle(tip)
        if is_parted:  # it may be two, which would tell now this and now that, as fast as they are asked
            return self._back_off()
        if is_held:  # a service that answers, and lets no more wait, is still asked ever more rarely
            self._failing_since = None
        self._unheld = self._unheld + 1 if has_news and took < APART else 0
        may_ask = has_news and self._unheld <= BURST
        return 0.0 if may_ask or is_back or took >= SHORTEST else self._draw(0.0, 2 * SHORTEST)

    def _look_now(self) -> None:
        self._mirror.hurry()
        self.wake()

    def _settle(self, tip: ServiceTip) -> None:
        """Wait until what was told is in force or refused, so that this is told with the next request."""

        def is_done() -> bool:
            report = self._report()
            refused = report.get("X-Location-Policy-Problems", "").startswith(tip.commit_id)
            is_in_force = report.get("X-Location-Policy-Commit") == tip.commit_id
            is_settled = report.get("X-Location-Policy-State") != "behind"  # that it is active is not all of a look
            return self._is_closed or refused or (is_in_force and is_settled)

        with self._change:
            self._change.wait_for(is_done, SETTLE)

    def _note_failed(self, error: NoAnswer | RepositoryError) -> float:
        self._drop()
        with self._change:
            if self._is_called or self._is_closed:  # it was cut by us
                return 0.0
            if isinstance(error, NoAnswer):
                error = NotTold(error.message, error.hint)
            self._failure = error
            if isinstance(error, NotTold) and error.is_service:
                self._is_service = True
        pause = max(error.retry_after if isinstance(error, NotTold) else 0.0, self._back_off())
        is_long = self._failing_since is not None and self._clock() - self._failing_since >= BLIP
        if self._is_service and is_long and self._mirror.looks.unreachable_since is None:
            self._look_now()
        return pause

    def _note_no_service(self, answer: str) -> float:
        """A service that has told before is believed to be one for a while."""
        self._drop()
        with self._change:
            now = self._clock()
            self._doubted_since = now if self._doubted_since is None else self._doubted_since
            if self._is_service and now - self._doubted_since < DOUBT:
                message = f"{self._mirror.url} no longer says which commit is active: it answers {answer}"
                self._failure = RemoteError("upstream", message, "see what answers there: is it the same service?")
                return self._back_off()
            was_service, self._is_service, self._failure, self._tip = self._is_service, False, None, None
        if was_service:
            log.warning(
                "no service any more repository=%s: it answers %s; its branch is followed", self._mirror.url, answer
            )
            self._look_now()
        self._failing_since = self._doubted_since = None
        return HOURLY

    def _back_off(self) -> float:
        now = self._clock()
        self._failing_since = now if self._failing_since is None else self._failing_since
        return self._draw(0.0, min(LONGEST, max(SHORTEST, (now - self._failing_since) / 20)))

    def _drop(self) -> None:
        if self._connection:
            with suppress(OSError):
                self._connection.close()
        self._connection = None
