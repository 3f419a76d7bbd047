"""The application without a socket."""

from __future__ import annotations

from pathlib import Path

from starlette.testclient import TestClient

from location_policy.rollout.refresher import Refresher
from location_policy.rollout.state import ActiveState
from location_policy.web.app import make_app
from location_policy.web.edge.guard import Access
from location_policy.web.ops.settings import Settings

SETTINGS = Settings("/srv/locations.git", "127.0.0.1", 8080, Path("/srv/state"))


def client_of(active: ActiveState) -> TestClient:
    """Asks the application that answers from `active`."""
    return TestClient(make_app(active, SETTINGS), base_url="http://127.0.0.1", follow_redirects=False)


def served(repository: Path) -> tuple[ActiveState, Settings]:
    """What is in force once a service has looked at this repository, and its settings; state is kept beside it."""
    state = repository.parent / "state"
    active = ActiveState()
    Refresher(repository, active, state).refresh()
    return active, Settings(str(repository), "127.0.0.1", 8080, state, repository)


def client_of_repository(repository: Path, access: Access | None = None) -> TestClient:
    """Asks the application that serves this repository, as it is now."""
    active, settings = served(repository)
    app = make_app(active, settings) if access is None else make_app(active, settings, None, access)
    return TestClient(app, base_url="http://127.0.0.1", follow_redirects=False)
