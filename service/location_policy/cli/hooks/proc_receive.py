"""`location-policy proc-receive`: what the hook runs for a dry run that pre-receive has found valid."""

from __future__ import annotations

import sys

from ...errors import LocationPolicyError
from ...gate.proc_receive import answer
from ..terminal.exit_status import NO, tell


def proc_receive() -> int:
    """Talk with the git on standard input and output; the exit status."""
    try:
        answer(sys.stdin.buffer, sys.stdout.buffer)
    except ValueError as error:
        tell(LocationPolicyError(f"the dry run failed, and nothing changed: {error}"))
        return NO
    return 0
