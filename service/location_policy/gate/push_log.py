"""The log of pushes: how many were taken or refused, and the last that were not, in a bounded file of the repository.

The hook writes it, in a process and as a user of its own, whether a service runs or not. So the folder has the rights
of `refs/`: who may move a ref may write there. The file is made anew aside and renamed, by one hook at a time; a hook
that cannot, or would wait for long, leaves no trace. A push that is tried again counts, and is kept once; where there
are too many, the oldest of the pusher who has most of them goes, so that no one can push out what others have tried.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from ..text import escape, shorten

FOLDER, FILE_NAME = "location-policy-pushes", "log"
KEPT = 100
"""Pushes that are kept."""
LONGEST = 300
"""Characters of a value from outside that are kept."""
LARGEST = 1024 * 1024
"""Bytes that are read: the file of ours is smaller."""
WAIT = 0.3
"""Seconds that a hook waits for others which write too."""

Result = Literal["accepted", "refused", "failed", "dry-run"]
"""`failed`: it could not be judged, and is not taken. `dry-run`: it only asked, and was answered."""
RESULTS: tuple[Result, ...] = get_args(Result)


class Push(NamedTuple):
    """A push that is not taken: when, by whom, which ref, the commit that it was to name, and why not."""

    at: datetime
    result: Result
    by: str
    ref: str
    commit: str
    author: str = ""
    subject: str = ""
    reasons: tuple[str, ...] = ()
    times: int = 1
    """How often it was tried; `at` is the last."""

    @property
    def branch(self) -> str:
        """The name of the branch, or of another ref."""
        return self.ref.removeprefix("refs/heads/")


class PushLog(NamedTuple):
    """How many pushes had each result, and the last that were not taken, oldest first."""

    totals: Mapping[Result, int]
    pushes: Sequence[Push] = ()


def log_push(directory: Path, push: Push) -> None:
    """Count a push to the repository in this directory, and keep it unless it was taken or only asked.

    Raises OSError where that cannot be, and then nothing has changed.
    """
    with _alone(shared_folder(directory)):
        log = read_log(directory)
        totals = {**log.totals, push.result: log.totals[push.result] + 1}
        pushes = log.pushes if push.result in ("accepted", "dry-run") else _with(log.pushes, push)
        write_shared(directory, FILE_NAME, "\n".join(_lines(totals, pushes)).encode())


def read_log(directory: Path) -> PushLog:
    """What is written there, as far as it can be read: a line that is none of ours is passed over."""
    lines: Sequence[str] = ()
    with suppress(OSError):
        lines = read_shared(directory / FOLDER / FILE_NAME).decode(errors="replace").split("\n")
    totals = dict.fromkeys(RESULTS, 0)
    for name, _, number in (word.partition("=") for word in lines[0].split("\t")) if lines else ():
        if name in totals and number.isdecimal():
            totals[name] = int(number)
    return PushLog(totals, [push for line in lines[1:] if (push := _parse(line))][-KEPT:])


def stamp(directory: Path) -> object:
    """Something that differs once it says something else; None where there is none."""
    with suppress(OSError):
        found = (directory / FOLDER / FILE_NAME).stat(follow_symlinks=False)
        return found.st_ino, found.st_size, found.st_mtime_ns
    return None


def _with(pushes: Sequence[Push], push: Push) -> list[Push]:
    """These and another one, as told and within bounds."""
    told = push._replace(
        by=_told(push.by),
        ref=_told(push.ref),
        author=_told(push.author),
        subject=_told(push.subject),
        reasons=tuple(map(_told, push.reasons)),
    )
    before = [one for one in pushes if _is_same(one, told)]
    kept = [one for one in pushes if not _is_same(one, told)]
    kept.append(told._replace(times=1 + sum(one.times for one in before)))
    if len(kept) > KEPT:
        ((most, _),) = Counter(one.by for one in kept).most_common(1)
        kept.remove(next(one for one in kept if one.by == most))
    return kept


def _is_same(one: Push, other: Push) -> bool:
    return one[1:5] == other[1:5]


def _told(text: str) -> str:
    return shorten(escape(shorten(text, LONGEST)), LONGEST)


def _lines(totals: Mapping[Result, int], pushes: Iterable[Push]) -> Iterator[str]:
    """A line of totals, one for each push, and an empty end; in no value is there a tab or a line feed."""
    yield "\t".join(f"{result}={number}" for result, number in totals.items())
    for one in pushes:
        at, result, by, ref, commit, author, subject, reasons, times = one
        yield "\t".join((at.isoformat(), result, by, ref, commit, author, subject, str(times), *reasons))
    yield ""


def _parse(line: str) -> Push | None:
    fields = line.split("\t")
    if len(fields) < 8 or fields[1] not in RESULTS:
        return None
    at, _, by, ref, commit, author, subject, times, *reasons = fields
    result = next(one for one in RESULTS if one == fields[1])
    with suppress(ValueError, OverflowError):
        return Push(
            datetime.fromisoformat(at).astimezone(UTC),
            result,
            by,
            ref,
            commit,
            author,
            subject,
            tuple(reasons),
            int(times),
        )
    return None


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """No other hook writes in the block; raises OSError where others do for too long."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        until = time.monotonic() + WAIT
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.005)
        yield
    finally:
        os.close(descriptor)


def shared_folder(directory: Path) -> Path:
    """The folder of a repository in which hooks and the service write for each other; made where it is missing."""
    folder = directory / FOLDER
    with suppress(FileExistsError):
        folder.mkdir()
        folder.chmod((directory / "refs").stat().st_mode & 0o7777)
    return folder


def read_shared(path: Path) -> bytes:
    """A file of that folder, as far as it is read; raises OSError.

    Neither a symbolic link is followed nor a pipe waited for: members of a group may put either there.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        return file.read(LARGEST)


def write_shared(directory: Path, name: str, content: bytes) -> None:
    """Put a file there, whole, with the rights of `refs/`, one writer at a time; raises OSError."""
    folder, mode = shared_folder(directory), (directory / "refs").stat().st_mode & 0o666
    aside = folder / f".{name}"
    aside.unlink(missing_ok=True)  # of a hook that was killed
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(descriptor, mode)
        aside.replace(folder / name)
    except OSError:
        aside.unlink(missing_ok=True)
        raise
