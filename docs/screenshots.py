"""Write the pictures of README.md and of the manual anew, or pictures of every page for a reviewer.

    python docs/screenshots.py
    python docs/screenshots.py --all FOLDER [--rows 100000] [--only STATE …]

The latter are some hundreds of pictures, FOLDER/STATE-PAGE-WIDTH-THEME.png: each page with content, empty, in error and
with a large map, in three widths and both themes. pngquant, where it is installed, makes those of the manual a third as
large.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Literal

sys.path.insert(0, str(Path(__file__).parent.parent))

from playwright.sync_api import Browser, Page, sync_playwright

from docs.push_picture import picture, session, write
from location_policy.web.edge.policy_api import LOCATION
from tests.support.repositories import make_repository
from tests.support.service import Service, running_service
from tests.support.states import OFFICES, STATES, service_in

FOLDER = Path(__file__).parent / "images"
Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
SHOWN: dict[str, Theme] = {"home": "light", "map": "light", "answer": "dark", "commit": "light"}
"""What the manual shows, each in its theme."""
CALLS = (
    ("10.61.2", "London", 120),
    ("10.76.65", "London", 45),
    ("10.24.7", "Singapore", 30),
    ("192.168.40", "DMZ", 64),
    ("192.168.41", "DMZ", 18),
    ("198.51.100", "London", 7),
)
"""What the calls have that the manual shows: the first three bytes of the callers, the location of the node, how many."""
WIDTH, HEIGHT = 1100, 760
WIDTHS = (360, 768, 1600)
TALLEST = 2400
"""Pixels of a page that are looked at."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", type=Path, metavar="FOLDER", help="every page, for a reviewer")
    parser.add_argument("--rows", type=int, default=100_000, help="of the large map")
    parser.add_argument("--only", nargs="+", choices=STATES, default=list(STATES), help="states that are looked at")
    arguments = parser.parse_args()
    with sync_playwright() as playwright:
        sandbox = ["--no-sandbox"] * (os.getuid() == 0)
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=sandbox)
        if arguments.all:
            arguments.all.mkdir(parents=True, exist_ok=True)
            for name in arguments.only:
                look_at(name, browser, arguments.all, arguments.rows)
        else:
            show(browser)
        browser.close()


def show(browser: Browser, folder: Path = FOLDER) -> None:
    """The pictures of the manual."""
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        write(folder / "push.svg", picture(session(Path(made))))
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, reduced_motion="reduce")
    with tempfile.TemporaryDirectory() as made, service_in(STATES["content"], Path(made), 0) as (service, targets):
        for name, theme in SHOWN.items():
            page.emulate_media(color_scheme=theme)
            load(page, service, targets[name])
            page.screenshot(path=folder / f"{name}.png")
        upload(page, service.url, folder / "upload.png")
        call(service)
        load(page, service, "/calls")
        page.screenshot(path=folder / "calls.png")
    with tempfile.TemporaryDirectory() as made, running_service(views(Path(made))) as service:
        page.emulate_media(color_scheme="light")
        service.wait_for("in-sync")
        load(page, service, "/map?view=edge")
        page.screenshot(path=folder / "views.png")
    if shutil.which("pngquant"):
        subprocess.run(
            ["pngquant", "--force", "--ext", ".png", "--speed", "1", "64", *folder.glob("*.png")], check=True
        )


def call(service: Service) -> None:
    """Calls, of which some have no row."""
    for network, node, number in CALLS:
        for last in range(1, number + 1):
            service.ask(f"{LOCATION}?protocol=mssip&ms-subnet={network}.{last}&location={node.replace(' ', '+')}")


def views(folder: Path) -> Path:
    """A repository whose DMZ has a view of its own."""
    rules = (
        '[[view]]\nname = "streams"\nprotocol = "rtmp"\nanswer = "DMZ"\n\n[[view]]\nname = "edge"\nlocation = "DMZ"\n'
    )
    homes = "DMZ,10.0.0.0/8\nMelbourne,DMZ,10.16.0.0/12\nSingapore,DMZ,10.64.0.0/11\nSydney,DMZ,10.61.0.0/16\n"
    files = {"policy.toml": rules, "locations/offices.csv": OFFICES, "views/edge/locations.csv": homes}
    return make_repository(folder / "locations.git", files)


def upload(page: Page, url: str, shown: Path) -> None:
    """The form of the upload, as far as the plan."""
    page.emulate_media(color_scheme="light")
    rows = OFFICES.replace("Singapore,Sydney,10.112.0.0/12", "Melbourne,10.112.0.0/12") + "Sydney,10.96.0.0/12\n"
    page.goto(f"{url}/upload")
    page.get_by_label("File", exact=True).set_input_files(
        {"name": "offices.csv", "mimeType": "text/csv", "buffer": rows.encode()}
    )
    page.get_by_label("Replaces").select_option("locations/offices.csv")
    page.get_by_role("button", name="Preview changes").click()
    page.wait_for_load_state("networkidle")
    page.screenshot(path=shown, full_page=True)


def look_at(name: str, browser: Browser, folder: Path, rows: int) -> None:
    """Every page in one state: in both themes as wide as a telephone, a tablet and a large screen."""
    page = browser.new_page(reduced_motion="reduce")
    with tempfile.TemporaryDirectory() as made, service_in(STATES[name], Path(made), rows) as (service, targets):
        for target_name, target in targets.items():
            load(page, service, target)
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": HEIGHT})
                tall = page.evaluate("document.documentElement.scrollHeight")
                page.set_viewport_size({"width": width, "height": max(HEIGHT, min(TALLEST, tall))})
                for theme in THEMES:
                    page.emulate_media(color_scheme=theme)
                    page.screenshot(path=folder / f"{name}-{target_name}-{width}-{theme}.png")
            print(f"{name} {target_name}: {target}", flush=True)
    page.close()


def load(page: Page, service: Service, target: str) -> None:
    """A page, once everything that it fetches has come."""
    page.goto(service.url + target)
    page.wait_for_load_state("networkidle")


if __name__ == "__main__":
    main()
