"""Write the pictures of pages.md anew: a service of a small map, looked at with Chromium.

    python docs/screenshots.py

pngquant, where it is installed, makes them a third as large.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from playwright.sync_api import Page, sync_playwright

from tests.support.repositories import clone, init
from tests.support.service import running_service

FOLDER = Path(__file__).parent / "images"
PAGES = {
    "home": ("/", "light"),
    "map": ("/map", "light"),
    "lookup": ("/lookup?address=10.61.2.7", "dark"),
    "commit": ("/commit/COMMIT", "light"),
}
WIDTH, HEIGHT = 1100, 760
ROWS = """\
Sydney,10.0.0.0/10
Melbourne,Sydney,10.16.0.0/12
Singapore,10.24.0.0/14
Melbourne,10.64.0.0/11
Sydney,Singapore,10.72.0.0/14
Melbourne,10.76.64.0/18
Singapore,Sydney,10.112.0.0/12
"""


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        repository = init(Path(folder) / "locations.git")
        copy = clone(repository, Path(folder) / "map")
        copy.commit({"locations/offices.csv": ROWS}, "Add the offices")
        moved = ROWS.replace("Melbourne,10.76.64.0/18", "Singapore,10.76.64.0/18")
        commit = copy.commit({"locations/offices.csv": moved}, "Move the laboratory to Singapore")
        copy.push()
        with running_service(repository) as service, sync_playwright() as playwright:
            arguments = ["--no-sandbox"] * (os.getuid() == 0)
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
            for address in ("10.61.2.7", "10.76.65.1", "192.0.2.1"):
                service.locate(address)
            for name, (target, theme) in PAGES.items():
                page = browser.new_page(
                    color_scheme="dark" if theme == "dark" else "light", viewport={"width": WIDTH, "height": HEIGHT}
                )
                page.goto(service.url + target.replace("COMMIT", commit))
                page.wait_for_load_state("networkidle")
                page.screenshot(path=FOLDER / f"{name}.png")
                page.close()
            upload(browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}), service.url)
            browser.close()
    if shutil.which("pngquant"):
        subprocess.run(
            ["pngquant", "--force", "--ext", ".png", "--speed", "1", "64", *FOLDER.glob("*.png")], check=True
        )


def upload(page: Page, url: str) -> None:
    """The form of the upload, as far as the plan."""
    rows = ROWS.replace("Singapore,Sydney,10.112.0.0/12", "Melbourne,10.112.0.0/12") + "Sydney,10.96.0.0/12\n"
    page.goto(f"{url}/upload")
    page.get_by_label("File", exact=True).set_input_files(
        {"name": "offices.csv", "mimeType": "text/csv", "buffer": rows.encode()}
    )
    page.get_by_label("It replaces").select_option("locations/offices.csv")
    page.get_by_role("button", name="Show the plan").click()
    page.wait_for_load_state("networkidle")
    page.screenshot(path=FOLDER / "upload.png", full_page=True)


if __name__ == "__main__":
    main()
