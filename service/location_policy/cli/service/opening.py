"""Open what `serve` follows; where git does not answer, what was served last is answered from meanwhile."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import NamedTuple

from ...errors import LocationPolicyError
from ...repository.git_process import START, deadline, require_git
from ...repository.http_backend import HttpBackend
from ...runtime.in_time import in_time
from .git_http import open_git
from .options import ServeOptions
from .source import Source, find, make

PATIENCE = 0.7
"""Seconds that git has where answers can begin without it."""

log = logging.getLogger(__name__)


class Opened(NamedTuple):
    """The git directory, and git for what is asked over HTTP, by now; `answers`: whether git has answered."""

    directory: Path
    backend: Callable[[], HttpBackend | None]
    answers: bool = True


def open_source(source: Source, options: ServeOptions) -> Opened:
    """What is followed, made where it is ours to make; raises LocationPolicyError where it is not as was asked for."""
    if not source.is_kept:
        return _open(source, options)
    late: list[Opened] = []
    opened = in_time(lambda: _open(source, options), PATIENCE, lambda end: _take_late(end, late))
    if opened is None:
        log.warning("git does not answer yet: answers come from %s, and git over HTTP waits", source.state)
        return Opened(source.place, lambda: late[0].backend() if late else None, answers=False)
    return opened


def _open(source: Source, options: ServeOptions) -> Opened:
    with deadline(START):
        require_git()
        make(source, options)
        directory = find(source, options)
        backend = open_git(directory, copy_of=source.shown if source.mirror else None, wanted=options.git_http)
    return Opened(directory, lambda: backend)


def _take_late(end: Future[Opened], late: list[Opened]) -> None:
    """Nothing is ended for what is found out when answers have begun."""
    error = end.exception()
    if error is None:
        late.append(end.result())
    elif isinstance(error, LocationPolicyError):
        log.error("%s", "; ".join(filter(None, (error.message, error.hint))))
