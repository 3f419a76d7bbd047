"""A table uploaded in a real browser, and what nodes get from then on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support.repositories import Files, git, make_repository, tip
from tests.support.service import Service, running_service
from tests.system.browser.test_states import AXE, WIDTHS

FILES: Files = {"locations/apac.csv": "# Sydney\nSydney,10.61.2.0/24\n", "locations/emea.csv": "Oslo,10.70.0.0/16\n"}
ALL = "Sydney,,,10.61.2.0/24\nOslo,,,10.70.0.0/16\n"
WRONG = "Sydney,,,10.61.2.1/24\nOslo,,,10.70.0.0/16\nOslo,Oslo,,10.71.0.0/16\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "locations.git", FILES)


@pytest.fixture
def service(place: Path, chromium: Browser) -> Iterator[Service]:
    """A service of its own, whose map the test changes."""
    assert chromium.is_connected()
    with running_service(place) as service:
        yield service


def choose(page: Page, service: Service, rows: str, name: str = "sites.csv", target: str = "") -> None:
    """Upload these rows, as far as the plan."""
    page.goto(f"{service.url}/upload")
    page.get_by_label("File", exact=True).set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": rows.encode()}
    )
    page.get_by_label("Replaces").select_option(target)
    page.get_by_role("button", name="Preview changes").click()


def confirm(page: Page) -> None:
    page.get_by_role("button", name="Commit to").click()


def test_an_upload_with_problems_says_where_and_one_that_is_mended_is_answered(
    page: Page, service: Service, place: Path
) -> None:
    before = tip(place)
    choose(page, service, WRONG)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("sites.csv has 2 errors")
    expect(alert).to_contain_text("sites.csv:1:10 error: 10.61.2.1/24 has host bits set [host-bits]")
    expect(alert).to_contain_text("sites.csv:3:6 error: Oslo stands twice in the row [repeated-location]")
    expect(page.get_by_role("button", name="Commit to")).to_have_count(0)
    mended = ALL + "Lima,Oslo,,10.71.0.0/16\n"
    page.get_by_label("File", exact=True).set_input_files(
        {"name": "mended.csv", "mimeType": "text/csv", "buffer": mended.encode()}
    )
    page.get_by_role("button", name="Preview again").click()
    expect(page.get_by_role("heading", name="Impact")).to_be_visible()
    expect(page.get_by_role("table").last).to_contain_text("10.71.0.0/16")
    assert tip(place) == before
    page.get_by_label("Message").fill("Open Lima")
    confirm(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Open Lima")
    service.wait_for("in-sync", tip(place))
    assert service.locate("10.71.0.7").json()["result"]["location"] == "Lima"
    assert git("show", "main:locations.csv", cwd=place) == "Lima,Oslo,10.71.0.0/16"


def test_of_two_editors_the_second_sees_what_came_and_what_it_does_now(
    page: Page, context: BrowserContext, service: Service, place: Path
) -> None:
    other = context.new_page()
    choose(page, service, "Sydney,10.61.2.0/24\nLima,10.71.0.0/16\n", target="locations/apac.csv")
    choose(other, service, "Oslo,10.70.0.0/16\nBergen,10.72.0.0/16\n", name="emea.csv", target="locations/emea.csv")
    confirm(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Upload sites.csv to locations/apac.csv")
    confirm(other)
    expect(other.get_by_role("alert")).to_contain_text("main has moved since you saw it: 1 commit came meanwhile")
    expect(other.get_by_role("alert")).to_contain_text("Upload sites.csv to locations/apac.csv")
    expect(other.get_by_role("heading", name="Impact")).to_be_visible()
    assert "Bergen" not in git("show", "main:locations/emea.csv", cwd=place)
    confirm(other)
    expect(other.get_by_role("heading", level=1)).to_have_text("Upload emea.csv to locations/emea.csv")
    assert "Lima" in git("show", "main:locations/apac.csv", cwd=place)
    assert "Bergen" in git("show", "main:locations/emea.csv", cwd=place)


def test_without_a_script_an_upload_goes_as_well(chromium: Browser, service: Service, place: Path) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    choose(page, service, ALL + "Lima,10.71.0.0/16\n")
    confirm(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Upload sites.csv")
    assert git("show", "main:locations.csv", cwd=place) == "Lima,10.71.0.0/16"
    context.close()


def test_a_message_that_was_typed_stays_when_the_plan_is_shown_again(page: Page, service: Service) -> None:
    choose(page, service, "Sydney,10.61.2.0/24\nLima,10.71.0.0/16\n")
    message, again = page.get_by_label("Message"), page.get_by_role("button", name="Preview again")
    page.get_by_text("Edit the change").click()
    page.get_by_label("Replaces").select_option("locations/apac.csv")
    again.click()
    expect(message).to_have_value(re.compile("^Upload sites.csv to locations/apac.csv"))  # proposed with this plan
    message.fill("Open Lima\n\nIts lease begins in May.")
    page.get_by_text("Edit the change").click()
    page.get_by_label("Replaces").select_option("")
    again.click()
    expect(page.get_by_label("Replaces")).to_have_value("")
    expect(message).to_have_value("Open Lima\n\nIts lease begins in May.\n")


def test_by_keyboard_alone_a_plan_is_confirmed(page: Page, service: Service) -> None:
    choose(page, service, ALL + "Lima,10.71.0.0/16\n")
    expect(page.get_by_role("heading", name="Impact")).to_be_focused()
    page.get_by_label("Message").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Commit to")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Upload sites.csv")


def test_the_button_of_a_large_change_is_in_reach_wherever_its_page_is_read(page: Page, service: Service) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    choose(page, service, ALL + "".join(f"Lima,10.71.{at}.0/24\n" for at in range(200)))
    for place in (0, 0.3, 0.9):
        page.evaluate("place => scrollTo(0, place * document.body.scrollHeight)", place)
        expect(page.get_by_role("button", name="Commit to")).to_be_in_viewport()
    assert page.evaluate("document.body.scrollHeight") < 16_000
    page.get_by_role("link", name="Cancel").click()
    expect(page).to_have_url(f"{service.url}/upload")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_plan_and_problems_fit_a_telephone_and_axe_finds_nothing(
    chromium: Browser, service: Service, theme: str
) -> None:
    if not AXE.exists():  # pragma: no cover  depends on the machine
        pytest.skip("axe-core is not there: npm ci --prefix tests/system/browser")
    context = chromium.new_context(color_scheme="dark" if theme == "dark" else "light", bypass_csp=True)
    page = context.new_page()
    for rows in (WRONG, ALL + "Lima,Oslo,,10.71.0.0/16\n"):
        choose(page, service, rows, name="a-long-name-of-a-file-without-any-space-as-some-programs-make-them.csv")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (rows, width)
        page.add_script_tag(path=AXE)
        violations = page.evaluate("axe.run(document, {resultTypes: ['violations']}).then(found => found.violations)")
        assert [one["id"] for one in violations if one["impact"] in ("serious", "critical", "moderate")] == []
    context.close()
