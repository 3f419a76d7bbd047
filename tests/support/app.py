"""The application without a socket."""

from __future__ import annotations

from pathlib import Path

from starlette.testclient import TestClient

from location_policy.active import Active
from location_policy.settings import Settings
from location_policy.web import make_app

SETTINGS = Settings("/srv/locations.git", "127.0.0.1", 8080, Path("/srv/state"))


def client_of(active: Active) -> TestClient:
    """Asks the application that answers from `active`."""
    return TestClient(make_app(active, SETTINGS), base_url="http://127.0.0.1", follow_redirects=False)
