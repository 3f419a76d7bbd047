"""Pages in a real browser: what is seen, what the keyboard does, what is left without a script."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support.repositories import force_commit, make_repository
from tests.support.service import Service, running_service
from tests.support.states import STATES, service_in
from tests.web.history import FIRST, INVALID


def shown(page: Page, service: Service, target: str) -> Page:
    """A page, once everything that it fetches has come."""
    page.goto(service.url + target)
    page.wait_for_load_state("networkidle")
    return page


# --- every page ---


def test_the_page_is_dark_where_its_reader_likes_it_dark(chromium: Browser, service: Service) -> None:
    grounds = []
    for page in (chromium.new_page(color_scheme="light"), chromium.new_page(color_scheme="dark")):
        shown(page, service, "/")
        grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        page.close()
    light, dark = (sum(map(int, re.findall(r"\d+", ground))) for ground in grounds)
    assert light > 3 * 200
    assert dark < 3 * 50


def test_the_keyboard_reaches_the_content_past_the_navigation(page: Page, service: Service) -> None:
    shown(page, service, "/map")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to content")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("#q")).to_be_focused()


def test_what_is_in_focus_is_seen(page: Page, service: Service) -> None:
    shown(page, service, "/")
    for _ in range(6):
        page.keyboard.press("Tab")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_times_are_in_the_zone_of_the_reader_with_utc_beside(page: Page, service: Service) -> None:
    shown(page, service, "/history")
    time = page.locator("time").first
    utc = str(time.get_attribute("title"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", utc)
    hour, told = int(utc[11:13]), int(re.findall(r"(\d\d):\d\d", time.inner_text())[0])
    assert (told - hour) % 24 in (1, 2)


def test_a_commit_id_is_copied(context: BrowserContext, page: Page, service: Service) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    shown(page, service, "/")
    page.get_by_role("button", name="Copy commit").first.click()
    expect(page.get_by_role("button", name="Copy commit").first).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == service.status()["active"]["commit"]


# --- home ---


def test_a_page_whose_service_is_gone_is_grey_and_says_since_when(chromium: Browser, tmp_path: Path) -> None:
    page = chromium.new_page()
    with running_service(make_repository(tmp_path / "locations.git", FIRST)) as service:
        shown(page, service, "/")
        expect(page.locator("h1")).to_contain_text("in-sync")
    expect(page.get_by_role("alert")).to_contain_text("No contact with the service since", timeout=20_000)
    assert page.evaluate("getComputedStyle(document.body).filter") == "grayscale(1)"
    page.close()


def test_home_shows_a_refused_commit_without_being_loaded_again(chromium: Browser, tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "locations.git", FIRST)
    with running_service(repository) as service:
        page = chromium.new_page()
        shown(page, service, "/")
        page.evaluate("window.isTheSame = true")
        expect(page.locator("h1")).to_contain_text("in-sync")
        page.locator("#live a").first.focus()
        force_commit(repository, INVALID)
        expect(page.locator("h1")).to_contain_text("rejected", timeout=20_000)
        expect(page.get_by_text("10.61.2.1/24 has host bits set")).to_be_visible()
        expect(page.locator("dd.good")).to_have_count(0)
        assert page.evaluate("window.isTheSame") is True
        page.close()


# --- map, and the picture of the address space ---


def test_a_search_finds_the_rows_that_hold_an_address(page: Page, service: Service) -> None:
    shown(page, service, "/map")
    page.get_by_label("Address, subnet, location or file").fill("10.61.2.7")
    page.keyboard.press("Enter")
    expect(page.locator("table.rows tbody th")).to_have_text(["10.61.2.0/24", "10.61.0.0/16"])
    page.get_by_role("link", name="locations/apac.csv:2", exact=True).click()
    expect(page.locator("tr.meant")).to_contain_text("Sydney,10.61.0.0/16")


def test_the_picture_is_walked_by_keyboard(page: Page, service: Service) -> None:
    shown(page, service, "/map")
    bars = page.locator(".icicle a")
    bars.first.focus()
    told = page.locator("#picture-at")
    expect(told).to_have_text("no row 10.0.0.0/9, 10.0.0.0 to 10.127.255.255")
    page.keyboard.press("ArrowDown")
    expect(page.locator(":focus")).to_have_attribute("data-depth", "1")
    seen = []
    for _ in range(8):
        seen.append(told.inner_text())
        page.keyboard.press("ArrowRight")
    assert any(one.startswith("Melbourne 10.65.0.0/20") for one in seen)
    page.keyboard.press("ArrowUp")
    expect(told).to_have_text("no row 10.0.0.0/9, 10.0.0.0 to 10.127.255.255")


def test_the_picture_leads_closer_and_back_and_keeps_the_focus(page: Page, service: Service) -> None:
    shown(page, service, "/map")
    page.locator('.icicle a[aria-label^="Sydney 10.61.0.0/16"]').focus()
    page.keyboard.press("Enter")
    expect(page.locator("#picture-title")).to_have_text("Addresses of 10.61.0.0/16")
    expect(page.locator(".icicle a").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#picture-title")).to_have_text("Addresses of 10.0.0.0/10")


def test_the_picture_filters_the_list_and_is_in_the_address_of_the_page(page: Page, service: Service) -> None:
    shown(page, service, "/map")
    expect(page.locator("#list tbody tr")).to_have_count(3)
    page.locator('.icicle a[aria-label^="Melbourne 10.65.0.0/20"]').click()
    expect(page.locator("#list tbody tr")).to_have_count(1)
    assert page.url.endswith("/map?q=10.65.0.0%2F20&root=10.65.0.0%2F20")
    page.reload()
    expect(page.locator("#picture-title")).to_have_text("Addresses of 10.65.0.0/20")
    page.go_back()
    expect(page.locator("#list tbody tr")).to_have_count(3)


def test_the_picture_of_a_view_filters_the_list_of_that_view(chromium: Browser, tmp_path: Path) -> None:
    with service_in(STATES["views"], tmp_path, 0) as (service, _):
        page = chromium.new_page()
        shown(page, service, "/map?view=edge")
        page.locator('.icicle a[aria-label^="Singapore 10.61.2.0/24"]').click()
        expect(page.locator("#picture-title")).to_have_text("Addresses of 10.61.2.0/24 in view edge")
        expect(page.locator("#list tbody td .place").first).to_have_text("views/edge/locations.csv:2")
        assert page.url.endswith("/map?q=10.61.2.0%2F24&root=10.61.2.0%2F24&view=edge")
        page.close()


def test_the_picture_says_the_exact_range_under_the_mouse(page: Page, service: Service) -> None:
    shown(page, service, "/picture?root=10.64.0.0/15")
    page.locator('.icicle a[aria-label^="Melbourne 10.65.0.0/20"] rect').first.hover()
    place = "(10.65.0.0/20 in locations/apac.csv:3)"
    told = f"Melbourne 10.65.0.0/20, 10.65.0.0 to 10.65.15.255, overflow: Sydney, Oslo {place}"
    expect(page.locator("#picture-at")).to_have_text(told)


# --- lookup and history ---


def test_the_lookup_shows_who_wrote_the_row(page: Page, service: Service) -> None:
    shown(page, service, "/lookup")
    page.get_by_label("Address", exact=True).fill("10.65.1.1")
    page.get_by_role("button", name="Lookup", exact=True).click()
    expect(page.locator("p.verdict")).to_have_text("Melbourne")
    expect(page.locator("#origin")).to_contain_text("locations/apac.csv:3 was written by")
    expect(page.locator("#origin")).to_contain_text("Open the office")


def test_a_whole_request_is_composed(page: Page, service: Service) -> None:
    shown(page, service, "/lookup")
    page.get_by_text("All request parameters").click()
    page.get_by_label("remote_address").fill("10.61.2.7")
    page.locator("#p-protocol").fill("webrtc")
    page.get_by_role("button", name="Send request").click()
    expect(page.locator("p.verdict")).to_have_text("Melbourne")
    expect(page.locator("pre").first).to_contain_text("protocol=webrtc&remote_address=10.61.2.7")


def test_two_commits_are_compared(page: Page, service: Service) -> None:
    shown(page, service, "/history")
    page.get_by_label("old: Force it in").check()
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_label("Table of changed ranges").locator("tbody tr")).to_have_count(3)


# --- without a script ---


def test_everything_is_there_without_a_script(chromium: Browser, service: Service) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    shown(page, service, "/")
    expect(page.locator("time:not([data-ago])").first).to_contain_text("UTC")
    expect(page.locator("button.copy")).to_have_count(0)
    page.get_by_role("link", name="Map").click()
    page.get_by_role("link", name="Picture of the address space").click()
    page.locator('.icicle a[aria-label^="Sydney 10.61.0.0/16"]').click()
    expect(page.locator("#picture-title")).to_have_text("Addresses of 10.61.0.0/16")
    page.get_by_role("link", name="Lookup").click()
    page.get_by_label("Address", exact=True).fill("10.61.2.7")
    page.get_by_role("button", name="Lookup", exact=True).click()
    page.get_by_role("link", name="Blame and earlier answers").click()
    expect(page.get_by_text("locations.csv:1 was written by")).to_be_visible()
    page.get_by_role("link", name="History").click()
    expect(page.locator("tbody tr")).to_have_count(4)
    context.close()
