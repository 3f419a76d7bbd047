"""`location-policy pre-receive`: what the hook runs. It ends with 0 only when it is sure."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ..errors import LocationPolicyError
from ..prereceive import judge
from ..problems import escape
from ..repository import open_pushed_repository
from ..updates import parse_updates, push_options
from .rim import NO, tell


def pre_receive() -> int:
    """Judge the push on standard input for the repository in GIT_DIR; the exit status."""
    try:
        updates = parse_updates(sys.stdin.buffer.read())
        with open_pushed_repository(Path(os.environ.get("GIT_DIR", "."))) as repository:
            verdict = judge(updates, repository, push_options(os.environ))
    except LocationPolicyError as error:
        tell(error)
        return NO
    except Exception as error:  # noqa: BLE001  the rim of the hook: whatever went wrong, the push is refused
        print(f"location-policy: the push could not be judged: {escape(repr(error)[:200])}", file=sys.stderr)
        return NO
    for line in verdict.lines:
        print(line, file=sys.stderr)
    return 0 if verdict.accepted else NO
