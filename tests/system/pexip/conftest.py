"""One server for all of `requests.tsv`: it answers from memory, and no request changes anything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.service import Service

MAP = Path(__file__).parent / "map"


@pytest.fixture(scope="session")
def pexip_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A server process that serves `map/` from a repository of its own."""
    # Here and not above: the tests of the oracle need no server.
    from tests.support.repositories import make_repository
    from tests.support.service import running_service

    files = {path.name: path.read_bytes() for path in MAP.iterdir()}
    repository = make_repository(tmp_path_factory.mktemp("pexip") / "locations.git", files)
    with running_service(repository) as service:
        yield service
