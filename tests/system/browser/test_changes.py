"""The map changed in a real browser: a row, a commit taken back, two editors at once, and a page of another site."""

from __future__ import annotations

import http.server
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.repositories import force_commit, git, make_repository, tip
from tests.support.service import Service, running_service, wait_until
from tests.system.browser.test_states import AXE
from tests.web.history import FIRST, SECOND

OFFICE = "locations/apac.csv"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Two commits."""
    place = make_repository(tmp_path / "locations.git", FIRST)
    force_commit(place, SECOND, message="Open the office")
    return place


@pytest.fixture
def own(place: Path, chromium: Browser) -> Iterator[Service]:
    """A service of its own for each test, which changes what it serves."""
    assert chromium.is_connected()
    with running_service(place) as service:
        yield service


def edit(page: Page, service: Service, subnet: str, location: str) -> None:
    """Find a row on the map, and send it elsewhere, as far as the plan."""
    page.goto(f"{service.url}/map")
    page.get_by_role("link", name=f"Edit {subnet}", exact=True).click()
    page.get_by_label("Location").fill(location)
    page.get_by_role("button", name="Preview changes").click()


def confirm(page: Page) -> None:
    """Put what is shown on the branch."""
    page.get_by_role("button", name="Commit to main").click()


def test_a_row_is_edited_and_the_new_answer_is_served(page: Page, own: Service, place: Path) -> None:
    edit(page, own, "10.61.0.0/16", "Melbourne")
    expect(page.get_by_text("1 range changed: 1 moved")).to_be_visible()
    expect(page.locator("#effect")).to_be_focused()
    expect(page.get_by_label("Message")).to_have_value(beginning("Change 10.61.0.0/16 to Melbourne"))
    assert own.locate("10.61.9.9").json()["result"]["location"] == "Sydney"
    confirm(page)
    page.wait_for_url("**/commit/*")
    expect(page.locator("h1")).to_have_text("Change 10.61.0.0/16 to Melbourne")
    wait_until(lambda: own.locate("10.61.9.9").json()["result"]["location"] == "Melbourne")
    expect(page.locator(".kind.active")).to_be_visible(timeout=20_000)
    expect(page.get_by_text("being loaded")).to_have_count(0)
    assert git("show", f"main:{OFFICE}", cwd=place).splitlines()[0] == "# the office"


def beginning(subject: str) -> re.Pattern[str]:
    """A message that begins with a subject."""
    return re.compile(f"^{re.escape(subject)}\n")


def test_what_is_wrong_has_the_focus_and_what_was_typed_stays(page: Page, own: Service) -> None:
    page.goto(f"{own.url}/map")
    page.get_by_role("link", name="Edit 10.61.0.0/16", exact=True).click()
    page.get_by_label("Subnet").fill("10.61.0.1/16")
    page.keyboard.press("Enter")
    expect(page.locator("#trouble")).to_be_focused()
    expect(page.locator("#trouble")).to_contain_text("10.61.0.1/16 has host bits set")
    expect(page.get_by_label("Subnet")).to_have_value("10.61.0.1/16")
    page.get_by_label("Subnet").fill("10.61.0.0/17")
    page.keyboard.press("Enter")
    expect(page.locator("#effect")).to_be_focused()


def test_a_commit_is_taken_back_from_its_page(page: Page, own: Service, place: Path) -> None:
    page.goto(f"{own.url}/history")
    page.get_by_role("link", name=tip(place)[:10]).first.click()
    page.get_by_role("button", name="Undo …").click()
    expect(page.get_by_label("Message")).to_have_value(beginning('Revert "Open the office"'))
    confirm(page)
    page.wait_for_url("**/commit/*")
    expect(page.locator("h1")).to_have_text('Revert "Open the office"')
    wait_until(lambda: own.locate("10.61.9.9").json()["result"]["location"] == "Oslo")
    expect(page.locator("strong", has_text="Active since")).to_be_visible(timeout=20_000)
    expect(page.get_by_role("button", name="Undo …")).to_be_visible()


def test_of_two_editors_the_second_is_told_and_loses_nothing(chromium: Browser, own: Service, place: Path) -> None:
    one, two = (chromium.new_context().new_page() for _ in range(2))
    edit(one, own, "10.61.0.0/16", "Melbourne")
    edit(two, own, "10.61.2.0/24", "Oslo")
    two.get_by_label("Message").fill("As agreed with Ana")
    confirm(one)
    one.wait_for_url("**/commit/*")
    confirm(two)
    expect(two.locator("#trouble")).to_be_focused()
    expect(two.locator("#trouble")).to_contain_text("main has moved since you saw it: 1 commit came meanwhile")
    expect(two.locator("#trouble")).to_contain_text("Change 10.61.0.0/16 to Melbourne")
    expect(two.get_by_label("Message")).to_have_value("As agreed with Ana\n")
    expect(two.get_by_text("1 range changed")).to_be_visible()
    confirm(two)
    two.wait_for_url("**/commit/*")
    subjects = git("log", "--format=%s", "-2", "main", cwd=place)
    assert subjects.splitlines() == ["As agreed with Ana", "Change 10.61.0.0/16 to Melbourne"]
    for page in (one, two):
        page.context.close()


def test_a_row_that_another_has_changed_is_shown_both_ways(page: Page, own: Service, place: Path) -> None:
    edit(page, own, "10.61.0.0/16", "Melbourne")
    moved = str(SECOND[OFFICE]).replace("Sydney,10.61.0.0/16", "Oslo,10.61.0.0/16")
    force_commit(place, {**SECOND, OFFICE: moved}, message="Move it")
    confirm(page)
    expect(page.locator("#trouble")).to_contain_text("Sydney,10.61.0.0/16")
    expect(page.locator("#trouble")).to_contain_text("Oslo,10.61.0.0/16")
    expect(page.get_by_label("Location")).to_have_value("Melbourne")
    page.get_by_role("button", name="Preview again").click()
    confirm(page)
    page.wait_for_url("**/commit/*")


def test_without_a_script_everything_can_be_changed(chromium: Browser, own: Service, place: Path) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{own.url}/map")
    page.get_by_role("link", name="Add a subnet").click()
    page.get_by_label("Subnet").fill("10.65.16.0/20")
    page.get_by_label("Location").fill("Oslo")
    page.get_by_label("Overflow 1").fill("Sydney")
    page.get_by_role("button", name="Preview changes").click()
    confirm(page)
    expect(page.locator("h1")).to_have_text("Add 10.65.16.0/20 to Oslo, Sydney")
    page.get_by_role("button", name="Revert …").click()
    confirm(page)
    expect(page.locator("h1")).to_have_text('Revert "Add 10.65.16.0/20 to Oslo, Sydney"')
    assert git("log", "--format=%an", "-1", "main", cwd=place) == "anonymous"
    context.close()


@contextmanager
def elsewhere(target: str) -> Iterator[str]:
    """A page of another origin, with a form and a script that would change our map."""

    class Evil(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            fields = '<input name="subnet" value="0.0.0.0/0"><input name="location" value="Evil">'
            form = f'<form action="{target}/edit" method="post">{fields}<button>Win a prize</button></form>'
            self.wfile.write(form.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Evil) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_page_of_another_origin_changes_nothing(chromium: Browser, own: Service, place: Path) -> None:
    before, page = tip(place), chromium.new_page()
    with elsewhere(own.url) as url:
        page.goto(url)
        statuses = page.evaluate(
            """async (url) => {
                const send = (mode, type) => fetch(url + "/api/v1/edit", { method: "POST", mode, credentials: "include",
                    headers: { "Content-Type": type }, body: "{}" }).then((found) => found.status, () => "refused");
                return [await send("no-cors", "text/plain"), await send("cors", "application/json")];
            }""",
            own.url,
        )
        assert statuses == [0, "refused"]  # of the first nothing may be read
        with page.expect_response("**/edit") as told:
            page.get_by_role("button", name="Win a prize").click()
        assert told.value.status == 403
        expect(page.locator("body")).to_contain_text("may not change anything here")
    assert tip(place) == before
    page.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_the_forms_and_they_are_as_wide_as_a_telephone(
    chromium: Browser, own: Service, place: Path, theme: str
) -> None:
    if not AXE.exists():  # pragma: no cover  depends on the machine
        pytest.skip("axe-core is not there: npm ci --prefix tests/system/browser")
    context = chromium.new_context(color_scheme="dark" if theme == "dark" else "light", bypass_csp=True)
    page = context.new_page()
    page.set_viewport_size({"width": 360, "height": 800})

    def check(what: str) -> None:
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), what
        page.add_script_tag(path=AXE)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']}).then(found => found.violations)")
        serious = [one for one in found if one["impact"] in ("serious", "critical", "moderate")]
        assert not serious, (what, [(one["id"], one["nodes"][0]["html"]) for one in serious])

    page.goto(f"{own.url}/revert?commit={tip(place)}")
    check("a commit")
    edit(page, own, "10.61.0.0/16", "Melbourne")
    force_commit(place, {**SECOND, "locations.csv": "Oslo,10.61.2.0/24\n"}, message="Come first")
    confirm(page)
    check("overtaken")
    page.get_by_label("Subnet").fill("nonsense")
    page.get_by_role("button", name="Preview again").click()
    check("wrong")
    context.close()
