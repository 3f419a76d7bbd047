"""A look at a forge, as `serve` takes it, and what is told when it fails."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from location_policy.errors import RepositoryError
from location_policy.repository.remote.credentials import RemoteAccess
from location_policy.repository.remote.mirror import Mirror


class Told(NamedTuple):
    """What is told of a look that has failed."""

    kind: str
    message: str
    hint: str


def looking(url: str, state: Path, access: RemoteAccess) -> Mirror:
    """The copy of a remote that was looked at."""
    mirror = Mirror(url, state, None, 3600.0, access=access)
    mirror.make()
    mirror.update()
    return mirror


def failing(url: str, state: Path, access: RemoteAccess) -> Told:
    """What is told of a remote that cannot be read."""
    mirror = Mirror(url, state, None, 3600.0, access=access)
    mirror.make()
    with pytest.raises(RepositoryError) as failure:
        mirror.update()
    error = mirror.looks.last_error
    assert error
    assert (failure.value.message, failure.value.hint) == (error.message, error.hint)
    return Told(error.kind, error.message, error.hint or "")
