"""Whether the repository can be cloned from the service and pushed to it."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from pathlib import Path
from shlex import quote

from ...errors import CannotStart, RepositoryError
from ...repository.http_backend import LARGEST_PUSH, HttpBackend, require_backend
from ...repository.repository import open_repository
from ...runtime.users import chown_name

log = logging.getLogger(__name__)


def open_git(directory: Path, *, copy_of: str | None, wanted: bool | None) -> HttpBackend | None:
    """git for what is asked over HTTP, None where that is not served; `wanted`: None if no option says.

    A copy of the remote `copy_of` is only read. Raises CannotStart where it is wanted and cannot be.
    """
    if wanted is False:
        return None
    try:
        _check(directory, is_copy=copy_of is not None)
    except CannotStart as error:
        if wanted:
            raise
        log.info("%s", error.message)
        return None
    return HttpBackend(directory, _largest_push(directory), copy_of)


def _check(directory: Path, *, is_copy: bool) -> None:
    """Raises CannotStart. What cannot be read now, while its last content is served, git looks at with each request."""
    require_backend()
    with suppress(OSError):
        _check_owner(directory, directory.stat().st_uid)
    if is_copy:
        return
    with suppress(RepositoryError), open_repository(directory) as repository:
        if repository.hooks_folder() is None:
            message = f"git over HTTP: {directory} is not a bare repository, so no hook judges what is pushed"
            raise CannotStart(message, "make one with: git clone --bare")


def _check_owner(directory: Path, owner: int) -> None:
    """git refuses a repository of another user, whose hooks would be run as this one (git-config, "safe.directory")."""
    own = os.geteuid()
    if owner != own:
        message = (
            f"git over HTTP: {directory} belongs to {chown_name(owner)}, and the service runs as {chown_name(own)}"
        )
        raise CannotStart(message, f"chown -R {chown_name(own)} {quote(str(directory))}")


def _largest_push(directory: Path) -> int:
    try:
        with open_repository(directory) as repository:
            return repository.largest_push() or LARGEST_PUSH
    except RepositoryError:
        return LARGEST_PUSH
