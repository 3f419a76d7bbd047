"""Every page in every state of a service: with content, empty, refused, out of reach, large, and with long names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.support.service import Service
from tests.support.states import STATES, service_in

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
WIDTHS = (360, 768, 1600)
ROWS = 300
"""Of a large map: as many as need pages, locations that share colours, and bars of many rows."""
TOO_NARROW = """[...document.querySelectorAll('.icicle text')].filter(text =>
    getComputedStyle(text).display !== 'none'
    && text.getBBox().x + text.getBBox().width > text.ownerSVGElement.getBoundingClientRect().width
).map(text => text.textContent)"""
"""What stands on a bar that has no room for it."""
CUT = """[...document.querySelectorAll('.wide:not(:has(.source, .long))')].filter(
    box => box.scrollWidth > box.clientWidth + 1).map(box => box.ariaLabel)"""
"""Tables of which a part is out of sight until they are moved. Lines of a file, and long names, stay as they are."""
LOOK = """rules => axe.run(document, {resultTypes: ['violations'], ...(rules ? {runOnly: rules} : {})}).then(
    told => told.violations.filter(one => one.impact !== 'minor').map(one => [one.id, one.nodes[0].html]))"""
"""What axe-core finds; with rules, only by these."""


@pytest.fixture
def looked(request: pytest.FixtureRequest, tmp_path: Path, chromium: Browser) -> Iterator[tuple[Service, list[str]]]:
    """A service in one state, and what to look at; not even begun where there is no browser."""
    assert chromium.is_connected()
    with service_in(STATES[request.param], tmp_path, ROWS) as (service, targets):
        yield service, list(targets.values())


@pytest.mark.parametrize("looked", STATES, indirect=True)
def test_every_page_fits_its_window_and_has_no_barrier(looked: tuple[Service, list[str]], chromium: Browser) -> None:
    if not AXE.exists():  # pragma: no cover  depends on the machine
        pytest.skip("axe-core is not there: npm ci --prefix tests/system/browser")
    service, targets = looked
    context = chromium.new_context(bypass_csp=True, reduced_motion="reduce")
    context.add_init_script(path=AXE)  # a fraction of what it takes to add it to each page by itself
    page = context.new_page()
    found = {target: _defects(page, service.url + target) for target in targets}
    context.close()
    assert {target: defects for target, defects in found.items() if defects} == {}


def _defects(page: Page, url: str) -> list[object]:
    """What is wrong with a page, in any width and in both themes, once all that it fetches has come."""
    page.goto(url)
    page.wait_for_function("!document.querySelector('.fill')")
    found: list[object] = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"wider than {width}")
        found += [f"at {width} there is no room for {text}" for text in page.evaluate(TOO_NARROW)]
        found += [f"at {width} there is no room for the table {text}" for text in page.evaluate(CUT)]
    found += page.evaluate(LOOK)
    page.emulate_media(color_scheme="dark")
    found += page.evaluate(LOOK, ["color-contrast"])
    page.emulate_media(color_scheme="light")
    return found
