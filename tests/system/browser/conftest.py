"""A real browser, looking at a real service. Without Chromium these tests are skipped, and say so."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.support.repositories import force_commit, make_repository
from tests.support.service import Service, running_service
from tests.web.history import FIRST, INVALID, SECOND, THIRD

CHROMIUM = shutil.which("chromium")
ARGUMENTS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""It asks no server but the service that is tested."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The system's Chromium; as root it runs only without its sandbox.

    Of a module: while it lives no other event loop may run in this thread.
    """
    if CHROMIUM is None:  # pragma: no cover  depends on the machine
        pytest.skip("chromium, the browser of the tests of pages, is not installed")
    with sync_playwright() as playwright:
        sandbox = ["--no-sandbox"] * (os.getuid() == 0)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, *sandbox])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three valid commits, and one that is not between them."""
    repository = make_repository(tmp_path_factory.mktemp("browser") / "locations.git", FIRST)
    force_commit(repository, SECOND, message="Open the office")
    force_commit(repository, INVALID, message="Break it")
    force_commit(repository, THIRD, message="Move everyone")
    return repository


@pytest.fixture(scope="module")
def service(repository: Path, chromium: Browser) -> Iterator[Service]:
    """A service of that repository; not even begun where there is no browser."""
    assert chromium.is_connected()
    with running_service(repository) as service:
        yield service


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """A reader in Oslo."""
    context = chromium.new_context(timezone_id="Europe/Oslo", locale="en-GB")
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page of theirs; what it complains of fails the test."""
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    yield page
    assert [one for one in complaints if not re.search("status of (4|503)", one)] == []
