"""`location-policy post-receive`: what the hook runs after a push that may have overridden a limit, or is followed."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from ...errors import LocationPolicyError
from ...gate.fleet_note import wait_for_followers
from ...gate.post_receive import record_overrides, served_tip
from ...gate.pusher import pusher
from ...gate.ref_updates import parse_updates, push_options
from ...repository.repository import open_pushed_repository
from ..terminal.exit_status import NO, tell


def post_receive(named: str | None = None) -> int:
    """Note why the push on standard input was allowed, and say where it is in force; the exit status, ignored by git.

    `named` is the variable in which the server that runs the hook has put the pusher's name, as pre-receive has it.
    """
    options, at = push_options(os.environ), datetime.now(UTC)
    directory = Path(os.environ.get("GIT_DIR", "."))
    try:
        updates = parse_updates(sys.stdin.buffer.read())
        with open_pushed_repository(directory) as repository:
            tip = served_tip(updates, repository)
            by = pusher(os.environ, repository, named)
            record_overrides(updates, repository, options, by=by, at=at)
    except (LocationPolicyError, ValueError) as error:
        told = error if isinstance(error, LocationPolicyError) else LocationPolicyError(str(error))
        tell(
            LocationPolicyError(f"the push stands, but why it exceeds a limit is not noted: {told.message}", told.hint)
        )
        return NO
    for line in wait_for_followers(directory, tip, at.timestamp(), heeds_pin=True) if tip else ():
        print(line, file=sys.stderr)
    return 0
