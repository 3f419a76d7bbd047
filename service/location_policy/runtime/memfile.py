"""Files without a name, for processes that come from one another."""

from __future__ import annotations

import os
import sys
import tempfile
from typing import IO


def memory_file() -> IO[bytes]:
    """A file without a name; in memory where that can be, since the file system may be read-only."""
    if sys.platform == "linux":
        return os.fdopen(os.memfd_create("location-policy"), "w+b")
    return tempfile.TemporaryFile()
