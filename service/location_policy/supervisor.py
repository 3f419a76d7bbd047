"""Several workers, each a copy of this process: whoever dies is replaced, and when this one ends all do.

The copies are made before any thread begins and share what was read by then: the listening socket, the files of
passwords, the code. This process answers nobody. It waits for signals and for what its workers tell, and speaks to the
service manager for all of them. A worker ends by itself once the pipe ends that only this process holds open, so
none is left when it is killed.
"""

from __future__ import annotations

import gc
import logging
import math
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NoReturn

from .crew import ANSWERED, BEAT, BIRTH, DEATHS, RELOADS, SERVING, SPENT, Crew, Place
from .posts import Post
from .problems import count
from .report import Report
from .rereading import Look
from .sd_notify import ServiceManager
from .server import end_on_signals, on_hangup

TICK = 1.0
"""Seconds between two looks at everything when nothing is told."""
GRACE = 10.0
"""Seconds that workers have to end; each needs fewer, and the service manager waits longer."""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)

log = logging.getLogger(__name__)

Work = Callable[[Report], None]


class Supervisor:
    """Keeps the workers of a crew, each of which does `work`; `looks` keep what is copied up to date."""

    def __init__(self, crew: Crew, manager: ServiceManager, work: Work, looks: Sequence[Look]) -> None:
        self._crew = crew
        self._manager = manager
        self._work = work
        self._looks = looks
        self._posts = [Post(place) for place in crew.places]
        self._births = 0
        self._is_ending = False
        self._is_asked = False
        self._status = ""
        self._ready = 0
        self._sign_due = 0.0
        self._turned = self._back = time.monotonic()
        self._hear, self._wake = _pipe()
        self._held, self._hold = os.pipe()

    def run(self) -> None:
        """Keep them until SIGTERM or SIGINT, then end them."""
        self._crew.board.cells[RELOADS] = 1
        self._listen()
        gc.collect()
        gc.freeze()  # a copy shares what nobody writes to
        while not self._is_ending:
            self._begin_due()
            self._wait()
            self._reap()
            self._end_silent()
            self._look()
            self._tell()
        self._end()

    # --- signals ---

    def _listen(self) -> None:
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        for one in (signal.SIGINT, signal.SIGTERM):
            signal.signal(one, lambda *_: setattr(self, "_is_ending", True))
        on_hangup(lambda: setattr(self, "_is_asked", True))
        signal.signal(signal.SIGCHLD, lambda *_: None)  # it wakes

    def _wait(self) -> None:
        """For a signal, for what a worker tells, or for what is due."""
        now = time.monotonic()
        tick = min(TICK, (self._manager.watchdog or math.inf) / 2)
        dues = [post.due - now for post in self._posts if not post.pid and not self._is_ending]
        select.select([self._hear], [], [], max(0.0, min([tick, *dues])))
        with suppress(BlockingIOError):
            os.read(self._hear, 65536)
        before, self._turned = self._turned, time.monotonic()
        if self._turned - before > tick + (self._manager.watchdog or 0.0) / 4:
            self._back = self._turned  # this process stood still, and the workers may have too

    # --- workers ---

    def _begin_due(self) -> None:
        for post in self._posts:
            if post.is_due:
                self._begin(post)

    def _begin(self, post: Post) -> None:
        self._births += 1
        post.place.cells[BIRTH] = self._births
        post.began = time.monotonic()
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            post.pid = os.fork()
        except OSError as error:  # pragma: no cover  only who has no rights meets it, and nobody measures that
            post.note_failure()
            log.error("no worker can be started: %s", error.strerror)
        else:
            if not post.pid:
                self._be_worker(post)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)

    def _be_worker(self, post: Post) -> NoReturn:
        """In the copy: work, and end the process; nothing that comes meanwhile may lead up into the copy."""
        status = 1
        try:
            status = self._do_work(post)
            for one in (signal.SIGINT, signal.SIGTERM):
                signal.signal(one, signal.SIG_IGN)
            sys.stdout.flush()
        finally:
            os._exit(status)

    def _do_work(self, post: Post) -> int:
        """The status to end with."""
        try:
            signal.set_wakeup_fd(-1)
            end_on_signals()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.close(self._hold)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {*SIGNALS} - {signal.SIGHUP})
            threading.Thread(target=_end_with, args=(self._held,), name="lifeline", daemon=True).start()
            self._crew.own = post.place
            self._work(Report(self._crew, self._wake, self._manager.watchdog))
        except SystemExit as ended:
            return ended.code if isinstance(ended.code, int) else 1
        except BaseException:
            log.exception("worker failed")
            return 1
        return 0

    def _reap(self) -> None:
        """Whoever has ended makes room; in a container the orphans of others end here too."""
        with suppress(ChildProcessError):
            while True:
                pid, status, used = os.wait4(-1, os.WNOHANG)
                if not pid:
                    return
                for post in self._posts:
                    if post.pid == pid:
                        self._crew.board.cells[SPENT] += int(1000 * (used.ru_utime + used.ru_stime))
                        self._lose(post, os.waitstatus_to_exitcode(status))

    def _lose(self, post: Post, status: int) -> None:
        pid, wait = post.pid, post.note_failure()
        if self._is_ending:
            return
        self._crew.board.cells[DEATHS] += 1
        how = f"signal={_name(-status)}" if status < 0 else f"status={status}"
        log.error("worker died pid=%d %s, another begins%s", pid, how, f" in {wait:g} s" if wait else "")
        if wait:
            log.error("workers die at once, %s in a row: see what is logged before", count(post.failures, "time"))

    def _end_silent(self) -> None:
        """A worker whose event loop stands still answers nobody, and would for ever."""
        for post in self._posts:
            beat = post.place.cells[BEAT] / 1e9
            silence = self._turned - max(beat, self._back)
            if self._manager.watchdog and post.pid and beat and silence > self._manager.watchdog:
                log.error("worker answers nobody pid=%d, it is ended", post.pid)
                post.place.cells[BEAT] = 0
                os.kill(post.pid, signal.SIGKILL)

    def _signal(self, one: signal.Signals) -> None:
        for post in self._posts:
            if post.pid:
                os.kill(post.pid, one)

    def _end(self) -> None:
        self._manager.tell("STOPPING=1", "STATUS=ending")
        deadline = time.monotonic() + GRACE
        self._signal(signal.SIGTERM)
        while any(post.pid for post in self._posts):
            if time.monotonic() > deadline:
                log.error("workers did not end within %.0f s, they are ended", GRACE)
                self._signal(signal.SIGKILL)
                deadline = math.inf
            self._wait()
            self._reap()

    # --- what is read and told ---

    def _look(self) -> None:
        asked, self._is_asked = self._is_asked, False
        if asked:
            self._crew.board.cells[RELOADS] += 1
            self._manager.tell_reloading()
        for look in self._looks:
            look(asked=asked)
        if asked:
            self._signal(signal.SIGHUP)

    def _tell(self) -> None:
        """Ready once all workers are that are there, at first all of them; the status is that of the oldest."""
        present = self._crew.present()
        serving = [place for place, _ in present if place.cells[SERVING]]
        reload = self._crew.board.cells[RELOADS]
        expected = [post.place for post in self._posts if post.pid or not self._ready]
        status = next((facts["status"] for _, facts in present), "")
        status += f"{'; ' if status else ''}{len(serving)} of {count(self._crew.size, 'worker')}"
        lines = [] if status == self._status or not self._ready else [f"STATUS={status}"]
        if reload != self._ready and expected and all(self._is_done(place, reload) for place in expected):
            self._ready = reload
            lines = ["READY=1", f"STATUS={status}"]
        if self._manager.watchdog and time.monotonic() >= self._sign_due:
            self._sign_due = time.monotonic() + self._manager.watchdog / 2
            self._manager.tell("WATCHDOG=1")
        if lines:
            self._manager.tell(*lines)
            self._status = status

    def _is_done(self, place: Place, reload: int) -> bool:
        return bool(place.cells[SERVING]) and place.cells[ANSWERED] >= reload


def _name(number: int) -> str:
    """Of a signal; the real-time ones have none but their number."""
    return signal.Signals(number).name if number in set(signal.Signals) else str(number)


def _pipe() -> tuple[int, int]:
    hear, speak = os.pipe()
    os.set_blocking(hear, False)
    os.set_blocking(speak, False)
    return hear, speak


def _end_with(pipe: int) -> None:
    """The supervisor has gone."""
    os.read(pipe, 1)
    os.kill(os.getpid(), signal.SIGTERM)
