"""`location-policy post-receive`: what the hook runs after a push that may have overridden a limit."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from ...errors import LocationPolicyError
from ...gate.post_receive import record_overrides
from ...gate.pusher import pusher
from ...gate.ref_updates import parse_updates, push_options
from ...repository.repository import open_pushed_repository
from ..terminal.exit_status import NO, tell


def post_receive(named: str | None = None) -> int:
    """Note why the push on standard input was allowed; the exit status, of which git takes no notice.

    `named` is the variable in which the server that runs the hook has put the pusher's name, as pre-receive has it.
    """
    options, at = push_options(os.environ), datetime.now(UTC)
    try:
        updates = parse_updates(sys.stdin.buffer.read())
        with open_pushed_repository(Path(os.environ.get("GIT_DIR", "."))) as repository:
            by = pusher(os.environ, repository, named)
            record_overrides(updates, repository, options, by=by, at=at)
    except (LocationPolicyError, ValueError) as error:
        told = error if isinstance(error, LocationPolicyError) else LocationPolicyError(str(error))
        tell(
            LocationPolicyError(f"the push stands, but why it exceeds a limit is not noted: {told.message}", told.hint)
        )
        return NO
    return 0
