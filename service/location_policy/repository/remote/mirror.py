"""A copy of a remote repository, kept in step by fetching: what `serve --repo URL` follows.

Each look asks the remote for the tip of one branch, and fetches where that is new. Where the remote is a service like
this one, it tells which commit it has in force, and that is fetched by its id. What the remote has goes to
`refs/remotes/origin/`, also a history that was rewritten. The branch of the copy itself is what may be in force: it
moves only once what was fetched is judged. A copy that is damaged is made anew beside the old one, and put in its place
by a rename.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

from ...errors import ForeignRepository, GitUnavailable, RepositoryError, UnknownRevision
from ..config import SECTION
from ..git import GitFailed
from .copy_path import mirror_directory
from .credentials import HttpAccess, RemoteAccess, proxy_variables
from .faults import CopyDamaged, Faults
from .fetch import LONGEST, STANDSTILL, RemoteFailed, RemoteGit, nothing, talking
from .looks import LookError, Looks
from .partial_clone import PartialClone, linked
from .push import Pushed, push_new_branch
from .remote_refs import Tip, find_tip
from .schedule import Schedule
from .upstream import OneService, ServiceTip, Upstream
from .url import part_login

NO_SETTINGS: Mapping[str, str] = MappingProxyType({})

log = logging.getLogger(__name__)


class Mirror:
    """The copy in a folder of the state directory that is named after the URL; `looks` is what has become of the looks.

    For one thread; `hurry`, `push` and `close` for any.
    """

    def __init__(
        self,
        url: str,
        state_directory: Path,
        branch: str | None,
        interval: float,
        settings: Mapping[str, str] = NO_SETTINGS,
        standstill: float = STANDSTILL,
        longest: float = LONGEST,
        access: RemoteAccess | None = None,
    ) -> None:
        """`interval`: seconds between two looks; `settings`: in its config; `access`: what the remote is asked with.

        `standstill`: seconds without a byte after which a fetch is ended; `longest`: seconds that it may take.
        """
        self.directory = mirror_directory(url, state_directory)
        self.upstream: Upstream | None = None
        self.is_of_service = False
        """Did the last look find a service, whose word counts?"""
        self.looks = Looks()
        self.url = self._url = part_login(url)[0]
        self._asked_url = url
        self._access = access or RemoteAccess()
        self._faults = Faults(self._url, self.directory, self._access)
        self._proxies = proxy_variables()
        self._wide: Mapping[Path, tuple[str, str]] = {}
        self._pushing: set[RemoteGit] = set()
        self.interval = interval
        self._wanted = branch
        self._settings = {f"{SECTION}.branch": branch or "", **settings}  # no branch: what the remote's HEAD names
        self._git = RemoteGit(standstill, longest)
        self._clone = PartialClone(self._git, self.directory, self._url, self._settings)
        self._schedule = Schedule(interval)
        self._lock = threading.RLock()  # where git is slow at a start, it is still made when the first look begins
        self._failure: RepositoryError | None = None
        self._is_closed = self._is_made = self._is_size_told = self._is_untidy = self._is_told = False
        self._tip: Tip | None = None
        self._damage: str | None = None
        self._doubts = 0
        self._one_service = OneService()
        self._is_noted_of_service: bool | None = None

    @property
    def fetched_at(self) -> datetime | None:
        """When the remote was asked last, and has answered."""
        told_at = self.upstream.answered_at if self.upstream and self.is_of_service and not self._failure else None
        return max(filter(None, (self.looks.last_succeeded_at, told_at)), default=None)

    def http_access(self) -> HttpAccess:
        """What a question of our own to a remote of http or https is asked with; raises RemoteError. For any thread."""
        return self._access.over_http(self._asked_url, self._proxies)

    # --- the copy ---

    def make(self) -> None:
        """The empty copy, where there is none yet; one that is damaged waits for the next look, and is made anew.

        Raises RepositoryError where it cannot be written, ForeignRepository where another user has made it.
        """
        with self._lock:
            old, new = self._beside()
            if old.exists() and not self.directory.exists():  # ended between two renames
                old.rename(self.directory)
            _remove(old)
            _remove(new)
            try:
                self._clone.make()
            except (CopyDamaged, GitFailed) as error:
                if not self._faults.is_damage(error):
                    raise
                self._damage = error.message
            else:
                self._is_made = True
                self._clone.take_notes(self.directory)

    def _beside(self) -> tuple[Path, Path]:
        """Where a copy is that was replaced, and one that is to replace it."""
        return self.directory.with_suffix(".old"), self.directory.with_suffix(".new")

    def told(self, message: str) -> str:
        """A message as others may read it: without the path of the copy, whose name says nothing to them."""
        for path in (self.directory, *self._beside()):
            message = message.replace(str(path), f"the copy of {self.url}")
        return message

    # --- looks ---

    def update(self, meanwhile: Callable[[], None] = nothing) -> None:
        """Look at the remote if it is time to; raises RepositoryError as long as the last look failed.

        `meanwhile` is done every second while the remote is waited for, by the same thread; it never raises.
        """
        if self.is_due():
            with self._lock, self._git.doing(meanwhile):
                self._look()
        if self._failure:
            raise self._failure

    def is_due(self) -> bool:
        """Will the next update look at the remote?"""
        return self._schedule.seconds_left <= 0

    def hurry(self) -> None:
        """Let the next update look at the remote, whenever the last one did."""
        self._schedule.hurry()

    def close(self) -> None:
        """End a look, and pushes, that are under way; there is no other after it."""
        self._is_closed = True
        if self.upstream:
            self.upstream.close()
        for git in (self._git, *tuple(self._pushing)):
            git.close()

    def push(self, commit_id: str, names: Sequence[str]) -> Pushed:
        """Push a commit of the copy to the first of these names that no branch of the remote has; raises NotPushed."""
        return push_new_branch(self._pushing_git, self.directory, self._url, commit_id, names, self._environment())

    @contextmanager
    def _pushing_git(self, seconds: float) -> Iterator[RemoteGit]:
        """What runs one more git beside that of the looks, for so many seconds at most."""
        git = RemoteGit(seconds, seconds)
        self._pushing.add(git)
        try:
            if self._is_closed:
                git.close()
            yield git
        finally:
            self._pushing.discard(git)

    def _environment(self) -> dict[str, str]:
        """The variables with which a git may ask the remote."""
        return {**talking(self._git.standstill), **self._access.environment(self._asked_url, self._proxies)}

    def note_read(self, failure: RepositoryError | None) -> bool:
        """What has come of reading the copy: where it cannot be read it is made anew; whether the next update does.

        Where that is no cure, it is done at a later look, and ever more seldom.
        """
        if failure is None:
            self._doubts = 0
        elif not isinstance(failure, GitUnavailable) and self._faults.is_local(failure.message):
            self._doubts += 1
            if self._doubts & (self._doubts - 1) == 0:
                self._damage = failure.message
            if self._doubts == 1:
                self._schedule.hurry()
                return True
        return False

    def _tell_modes(self) -> None:
        """Of a file of secrets that too many users may read, once each time that it becomes so."""
        problems = self._access.wide_files()
        for path in problems.keys() - self._wide.keys():
            log.warning("%s: %s", *problems[path])
        self._wide = problems

    def _look(self) -> None:
        self._schedule.begin()
        self._tell_modes()
        began = time.monotonic()
        try:
            self._follow(self._environment())
        except RepositoryError as error:
            self._note_failed(error)
            self._make_where_it_was()
        except OSError as error:
            self._note_failed(RepositoryError(f"{error.filename or self.directory}: {error.strerror}"))
        else:
            self._failure = None
            self._schedule.succeed()
            self.looks = replace(
                self.looks, last_succeeded_at=datetime.now(UTC), unreachable_since=None, ok=self.looks.ok + 1
            )
        next_look_at = datetime.now(UTC) + timedelta(seconds=self._schedule.seconds_left)
        self.looks = replace(self.looks, next_look_at=next_look_at, seconds=time.monotonic() - began)

    def _make_where_it_was(self) -> None:
        """An empty copy, where the copy is gone and the remote is away: a pin can be ended in it."""
        if self._is_made and not self.directory.exists():
            self._is_made, self._tip = False, None
            with suppress(RepositoryError):
                self.make()

    def _note_failed(self, error: RepositoryError) -> None:
        told = error.stderr if isinstance(error, GitFailed) else error.message
        error = self._faults.of_disk(error, told) or error
        retry_after = error.retry_after if isinstance(error, RemoteFailed) else 0.0
        if self._is_told:  # it answers, and nothing else asks for what it told once more
            self._schedule.fail_soon(retry_after)
        elif self.is_of_service:  # what waits for its word asks ever more rarely, and is called to it with each look
            self._schedule.succeed()
        else:
            self._schedule.fail(retry_after)
        self._failure = error = self._faults.explained(error, is_of_service=self.is_of_service)
        now = datetime.now(UTC)
        last_error = LookError(now, self.told(error.message), error.hint, self._faults.kind(error, told))
        since = self.looks.unreachable_since or now
        self.looks = replace(self.looks, last_error=last_error, unreachable_since=since, failed=self.looks.failed + 1)

    def _follow(self, environment: Mapping[str, str]) -> None:
        self._is_told = False
        told = self._told()
        self._is_told = told is not None
        tip = Tip(told.branch, told.commit_id) if told else find_tip(self._git, self._url, self._wanted, environment)
        try:
            why = self._damage or self._read_copy(tip)
            if told:
                self._require_one(told)
            if why is None and tip and tip != self._tip:
                self._fetch(tip, environment)
            elif why is None and self._is_untidy:
                self._tidy()
        except (CopyDamaged, ForeignRepository, GitFailed) as error:
            if not self._faults.is_damage(error):
                raise
            why = error.message
        if why is not None and tip:
            self._make_anew(tip, environment, why)
        if self.upstream and self._is_noted_of_service != self.is_of_service:
            self._clone.note_service(is_one=self.is_of_service)
            self._is_noted_of_service = self.is_of_service
        if tip is None and self._tip:
            raise UnknownRevision(f"{self._url} is empty: its branch {self._tip.branch} is gone", "push it again")

    def _told(self) -> ServiceTip | None:
        """What the remote tells as a service; None where it is none, or another branch of it is followed.

        That it was one is kept: what its branch is at need not be what it has in force.
        """
        if self.upstream is None:
            return None
        if self._failure:
            self.upstream.doubt()
        if self._is_noted_of_service is None:
            self._is_noted_of_service = self.is_of_service = self._clone.is_of_service()
        told = self.upstream.current(was_service=self.is_of_service)
        if told and self._wanted not in (None, told.branch):
            told = None
        self.is_of_service = told is not None
        return told

    def _require_one(self, told: ServiceTip) -> None:
        """Raises RemoteError where it is of another service than before, and the two disagree."""
        self._one_service.require(
            self._url, told, lambda: self._tip is None or self._clone.is_ahead(told.commit_id, self._tip.commit_id)
        )

    def _read_copy(self, tip: Tip | None) -> str | None:
        """Read, once, what the copy has; why it must be made anew, "" where nothing is lost by that, if it must."""
        if not self._is_made:
            self.make()
        if self._tip and self._clone.is_there():
            return None
        if self._tip:
            return f"{self.directory} is gone"
        content = self._clone.content()
        if tip is None:
            self._tip = next((Tip(*one) for one in content.tips.items()), None)
            return None
        if len(tip.commit_id) != content.id_length and not content.tips:
            return ""
        self._clone.require_whole()
        if tip.branch in content.tips:
            self._tip = Tip(tip.branch, content.tips[tip.branch])
        return None

    def _fetch(self, tip: Tip, environment: Mapping[str, str]) -> None:
        wanted, is_next = self._by_id(tip), self.is_of_service and self._tip is not None
        commit_id, is_filtered = self._clone.fetch(tip.branch, environment, commit_id=wanted, is_next=is_next)
        self._take(Tip(tip.branch, commit_id), is_filtered=is_filtered)
        if self.is_of_service:
            self._is_untidy = True
        else:
            self._tidy()

    def _tidy(self) -> None:
        """Pack what has come; of a service that is done at a look that has nothing else to do, for it tells at once."""
        self._is_untidy = False
        try:
            self._clone.tidy()
        except RepositoryError as error:
            log.warning("not tidied repository=%s: %s", self._url, self.told(error.message))

    def _take(self, tip: Tip, *, is_filtered: bool) -> None:
        self._clone.follow(tip.branch)
        self._tip = tip
        if not is_filtered and not self._is_size_told:
            self._is_size_told = True
            why = "the server leaves out no files (uploadpack.allowFilter), or git checks old history"
            log.info("copied whole repository=%s bytes=%d: %s", self._url, self._clone.size(), why)

    def _make_anew(self, tip: Tip, environment: Mapping[str, str], why: str) -> None:
        """Make a new copy beside the one that is there, and put it in its place when all is in it."""
        if self.directory.is_symlink():
            raise linked(self.directory)
        old, new = self._beside()
        _remove(new)
        clone, kept = PartialClone(self._git, new, self._url, self._settings), self._clone.kept(tip.branch)
        try:
            clone.make(len(tip.commit_id))
            others = list(kept.refs.values())
            commit_id, is_filtered = clone.fetch(tip.branch, environment, others, self._by_id(tip))
            clone.take_over(kept)
            clone.take_notes(self.directory)
            _remove(old)
            with suppress(FileNotFoundError):
                self.directory.rename(old)
            new.rename(self.directory)
        except OSError as error:
            raise RepositoryError(f"no new copy can be made in {new.parent}: {error.strerror}") from None
        finally:
            _remove(new)
            _remove(old)
        self._damage, self._is_made, self._is_noted_of_service = None, True, False
        self._take(Tip(tip.branch, commit_id), is_filtered=is_filtered)
        if why:
            told = self.told(why).replace(f"the copy of {self._url}", "the copy")
            log.warning("made anew repository=%s: the copy could not be used: %s", self._url, told)
            self.looks = replace(self.looks, remade=self.looks.remade + 1)

    def _by_id(self, tip: Tip) -> str | None:
        """The commit that is fetched by its id, where that is not what a branch of the remote is at."""
        return tip.commit_id if self.is_of_service else None


def _remove(path: Path) -> None:
    """Remove a copy, or what is in the place of one, as far as that can be."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)
